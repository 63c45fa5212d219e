'use strict';

/**
 * Builds floor.c and runs it, one process per slice: rates to hold the package's against.
 *
 * @typedef {object} FloorWork What a workload has the floor do.
 * @property {'read-file'|'read'|'stat'} kind
 * @property {number} c Operations in flight; compared in this row only.
 * @property {number} size Bytes of each read.
 * @property {string[]} paths Files; the one file for 'read'.
 */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const SOURCE = path.join(__dirname, 'floor.c');
const BINARY = path.join(__dirname, '..', '..', 'build', 'bench', 'floor');

/** Name in samples. */
const FLOOR = 'C floor';

/**
 * @returns {string|null} Why there is no floor, or null if it is built.
 */
function build() {
  const { mtimeMs } = fs.statSync(SOURCE);
  if (fs.statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs > mtimeMs) return null;
  const compiler = process.env.CC || 'cc';
  fs.mkdirSync(path.dirname(BINARY), { recursive: true });
  // Two benchmarks may build at once: each its own file, renamed when it is whole.
  const temporary = `${BINARY}.${process.pid}`;
  const flags = ['-O2', '-std=gnu11', '-Wall', '-Wextra'];
  const { error, status, stderr } = spawnSync(
    compiler,
    [...flags, '-o', temporary, SOURCE, '-luring'],
    { encoding: 'utf8' },
  );
  if (error) return `no C compiler (${compiler}: ${error.code})`;
  if (status !== 0) {
    fs.rmSync(temporary, { force: true });
    if (/liburing\.h|-luring/.test(stderr)) return 'liburing and its header are not installed';
    return `${compiler}: ${stderr.split('\n').find((line) => line.includes('error')) ?? status}`;
  }
  fs.renameSync(temporary, BINARY);
  return null;
}

/** Runs floors of one benchmark. */
class Floor {
  /** @param {string} directory For its lists of files. */
  constructor(directory) {
    this.directory = directory;
    this.child = null;
  }

  /**
   * @param {FloorWork} work
   * @param {number} milliseconds
   * @returns {Promise<{ operations: number, milliseconds: number }>}
   */
  async run({ kind, c, size, paths }, milliseconds) {
    let [input] = paths;
    if (kind !== 'read') {
      input = path.join(this.directory, 'floor-list');
      fs.writeFileSync(input, paths.map((file) => `${file}\0`).join(''));
    }
    const child = spawn(BINARY, [kind, c, milliseconds, size, input].map(String), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const output = { stdout: '', stderr: '' };
    for (const name of Object.keys(output)) {
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    }
    const [status, signal] = await once(child, 'close');
    this.child = null;
    if (status !== 0) throw new Error(output.stderr.trim() || `floor: ended with ${signal}`);
    const { operations, seconds } = JSON.parse(output.stdout);
    return { operations, milliseconds: seconds * 1e3 };
  }

  /** Ends what runs. */
  abort() {
    this.child?.kill('SIGKILL');
  }
}

module.exports = { FLOOR, Floor, build };
