#!/usr/bin/env node
'use strict';

/** The command: `node bench/cost.js [options]`. */

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs, promisify } = require('node:util');
const Table = require('cli-table3');
const { MIB } = require('./files');

const USAGE = `Usage: node bench/cost.js [--runs N]

What it costs to have the package in a program, apart from what it does there. The least of N processes
(default: 25) counts: others on the machine can only add to it. Loading is timed in CPU time for the
same reason.
`;

const CHILD = path.join(__dirname, 'children', 'cost.js');

/** How the benchmark calls it. */
const NAME = 'cost of being there';

/** Modules of the program that the package is added to. */
const MODULES = 8;

const IDLE_MS = 5000;

/** Not for all: with a flag of V8's Node compiles its own modules anew. */
const GC = ['--expose-gc'];

const least = (numbers) => Math.min(...numbers);

/**
 * @typedef {object} Loading
 * @property {number} milliseconds CPU time.
 * @property {number} bytes Of resident memory.
 *
 * @typedef {object} Idling
 * @property {number} milliseconds CPU time.
 * @property {number} wakeUps Of the event loop's thread.
 *
 * @typedef {object} Cost
 * @property {Loading} load `require('uring-fs')`.
 * @property {Loading} loadNode Of node:fs/promises, which is a part of that.
 * @property {number} held Bytes that a process with a used ring holds above plain Node.
 * @property {{ during: number, used: Idling, plain: Idling }|null} idle Over so many milliseconds, of
 *   a process with a used ring and of plain Node with the same timer.
 * @property {{ make: number, end: number }} worker Milliseconds that its ring takes.
 */

/**
 * @param {object} options
 * @param {number} options.runs Processes for each figure.
 * @param {boolean} options.idle Whether to wait for what an idle process does: half a minute.
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Cost>}
 */
async function measure({ runs, idle, signal }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-cost-'));
  const run = async (what, count = 0, flags = []) => {
    const args = [...flags, CHILD, what, folder, String(count)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
    return JSON.parse(stdout);
  };
  const many = async (what, flags) => {
    const all = [];
    for (let i = 0; i < runs; i++) all.push(await run(what, 0, flags));
    return all;
  };
  const loading = async (what) => {
    const all = await many(what);
    return {
      milliseconds: least(all.map(({ time }) => time)),
      bytes: least(all.map(({ memory }) => memory)),
    };
  };
  const idling = async (what) => {
    // Twice, as V8 has after-work of its own now and then.
    const all = [await run(what, IDLE_MS), await run(what, IDLE_MS)];
    return {
      milliseconds: least(all.map(({ time }) => time)),
      wakeUps: least(all.map(({ wakeUps }) => wakeUps)),
    };
  };
  try {
    for (let i = 0; i < MODULES; i++) {
      fs.writeFileSync(path.join(folder, `module-${i}.js`), `module.exports = ${i};\n`);
    }
    const samples = await run('workers', runs);
    const leastOf = (kind, phase) => least(samples.map((sample) => sample[kind][phase]));
    return {
      load: await loading('load'),
      loadNode: await loading('loadNode'),
      held: least(await many('used', GC)) - least(await many('plain', GC)),
      idle: idle
        ? { during: IDLE_MS, used: await idling('idle'), plain: await idling('idlePlain') }
        : null,
      worker: {
        make: leastOf('withRing', 'make'),
        end: leastOf('withRing', 'end') - leastOf('without', 'end'),
      },
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Cost} cost
 * @returns {string[][]} What, time, memory or wake-ups: for tables.
 */
function rowsOf({ load, loadNode, held, idle, worker }) {
  const ms = (time) => `${time.toFixed(2)} ms`;
  const mib = (bytes) => `${(bytes / MIB).toFixed(2)} MiB`;
  const idling = ({ milliseconds, wakeUps }) => [ms(milliseconds), `${wakeUps} wake-ups`];
  return [
    ['require() of uring-fs', ms(load.milliseconds), mib(load.bytes)],
    [
      'of node:fs/promises, which is a part of that',
      ms(loadNode.milliseconds),
      mib(loadNode.bytes),
    ],
    ['used and idle, over plain Node', '', mib(held)],
    ...(idle === null
      ? []
      : [
          [`${idle.during / 1000} s of that`, ...idling(idle.used)],
          ['of plain Node, with the same timer', ...idling(idle.plain)],
        ]),
    ["a worker's ring: to make", ms(worker.make), ''],
    ['to end', ms(worker.end), ''],
  ];
}

/**
 * @param {Cost} cost
 * @returns {string}
 */
function tableOf(cost) {
  const head = [`Node ${process.versions.node}`, 'time', 'memory (RSS)'];
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rowsOf(cost));
  return table.toString();
}

async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '25' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a number of processes');
  console.log(tableOf(await measure({ runs, idle: true })));
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`cost: ${error.message}`);
    process.exitCode = 2;
  });
}

module.exports = { NAME, measure, rowsOf, tableOf };
