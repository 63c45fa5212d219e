'use strict';

/**
 * Programs of others' making, or in C, that do the same work as a workload: what there is to reach.
 *
 * @typedef {object} FloorWork What a workload has the floor do.
 * @property {'C floor'|'fio'} name Which one, and how samples call it.
 * @property {number} c Of the row that it is compared in.
 * @property {number} [depth] Operations in flight. Default `c`.
 * @property {string} kind See floor.c; fio takes 'direct-read'.
 * @property {number} size Bytes of each read.
 * @property {string[]} paths Files; the one file for 'read' and 'direct-read'.
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const c = require('./c');
const fio = require('./fio');

/** Names in samples. */
const C_FLOOR = 'C floor';
const FIO = 'fio';

const PROGRAMS = { [C_FLOOR]: c, [FIO]: fio };

/** Runs floors of one benchmark. One at a time. */
class Floors {
  /** @param {string} directory For lists of files. */
  constructor(directory) {
    this.directory = directory;
    this.reasons = new Map();
    this.child = null;
  }

  /**
   * @param {FloorWork} work
   * @returns {string|null} Why it cannot run here. Builds what has to be built.
   */
  lack({ name }) {
    if (!this.reasons.has(name)) this.reasons.set(name, PROGRAMS[name].prepare());
    return this.reasons.get(name);
  }

  /**
   * @param {FloorWork} work
   * @param {number} milliseconds
   * @returns {Promise<{ operations: number, milliseconds: number }>}
   */
  async run(work, milliseconds) {
    const program = PROGRAMS[work.name];
    const [command, ...args] = program.command(work, milliseconds, this.directory);
    const child = spawn(command, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const output = { stdout: '', stderr: '' };
    for (const name of Object.keys(output)) {
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    }
    const [status, signal] = await once(child, 'close');
    this.child = null;
    if (status === 0) return program.result(JSON.parse(output.stdout));
    throw new Error(output.stderr.trim() || `${work.name}: ended with ${signal ?? status}`);
  }

  /** Ends what runs. */
  abort() {
    this.child?.kill('SIGKILL');
  }
}

module.exports = { C_FLOOR, FIO, Floors };
