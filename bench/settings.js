'use strict';

// What the settings of ring.configure() change: a worker with a ring of its own for each setting, all in
// one process, which take turns.
//
//   node bench/settings.js                       all of them
//   node bench/settings.js --only default,sqpoll --rounds 30
//
// `rate`: operations a second, median. `ratio`: to the default, median of the ratios within each round. CPU: of
// the whole process with its kernel threads, microseconds an operation, median.

const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const Table = require('cli-table3');

const SETTINGS = {
  default: {},
  'entries: 64': { entries: 64 },
  'entries: 1024': { entries: 1024 },
  'inlineBudget: 0.25': { inlineBudget: 0.25 },
  'inlineBudget: 4': { inlineBudget: 4 },
  'slab: 64': { slab: 64 },
  'helper: false': { helper: false },
  sqpoll: { sqpoll: true },
};
const FILES = 256;
const SIZE = 4096;
const CONTENTS = Buffer.alloc(SIZE, 'x');

/* ---- the workers ---- */

/** One operation of each kind, the nth. */
function operationsOf(uring, paths, handle) {
  return {
    readFile: (n) => uring.readFile(paths[n % FILES]),
    'FileHandle.read': (n) => {
      const at = (n * 7919) % FILES;
      return handle.read(Buffer.allocUnsafe(SIZE), 0, SIZE, at * SIZE);
    },
    stat: (n) => uring.stat(paths[n % FILES]),
    writeFile: (n) => uring.writeFile(paths[n % FILES], CONTENTS),
  };
}
async function serve({ settings, paths, large }) {
  const uring = require('..');
  uring.ring.configure(settings);
  const operations = operationsOf(uring, paths, await uring.open(large));
  const flags = uring.ring.status().setupFlags;
  parentPort.on('message', async ({ name, concurrency, ms }) => {
    const operation = operations[name];
    const end = performance.now() + ms;
    let count = 0;
    async function loop(first) {
      for (let n = first; performance.now() < end; n += concurrency) {
        await operation(n);
        count++;
      }
    }
    await Promise.all(Array.from({ length: concurrency }, (_, first) => loop(first)));
    parentPort.postMessage({ count, time: performance.now() - end + ms });
  });
  parentPort.postMessage({ flags });
}

/* ---- the main thread ---- */

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const answerOf = (worker) => once(worker, 'message').then(([answer]) => answer);

/** @returns {Promise<{ rate: number, cpu: number }>} */
async function slice(worker, task) {
  const before = process.cpuUsage();
  worker.postMessage(task);
  const { count, time } = await answerOf(worker);
  const { user, system } = process.cpuUsage(before);
  return { rate: (count / time) * 1000, cpu: (user + system) / count };
}

function rowsOf(title, samples) {
  const [base] = Object.values(samples);
  return Object.entries(samples).map(([setting, all]) => {
    const ratio = median(all.map(({ rate }, round) => rate / base[round].rate));
    return [
      title,
      setting,
      Math.round(median(all.map(({ rate }) => rate))).toLocaleString('en-US'),
      ratio.toFixed(2),
      median(all.map(({ cpu }) => cpu)).toFixed(2),
    ];
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '15' },
      slice: { type: 'string', default: '100' },
    },
  });
  const names = values.only?.split(',') ?? Object.keys(SETTINGS);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-settings-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const paths = Array.from({ length: FILES }, (_, n) => path.join(folder, `file-${n}`));
  for (const file of paths) fs.writeFileSync(file, CONTENTS);
  const large = path.join(folder, 'large');
  fs.writeFileSync(large, Buffer.alloc(FILES * SIZE, 'y'));

  const workers = {};
  for (const name of names) {
    workers[name] = new Worker(__filename, {
      workerData: { settings: SETTINGS[name], paths, large },
    });
    const { flags } = await answerOf(workers[name]);
    if (SETTINGS[name].sqpoll && !flags.includes('SQPOLL'))
      console.log(`no kernel thread: ${flags}`);
  }
  const table = new Table({
    head: ['', 'setting', 'rate', 'ratio', 'CPU'],
    style: { head: [], border: [] },
  });
  for (const name of ['readFile', 'FileHandle.read', 'stat', 'writeFile']) {
    for (const concurrency of [1, 16, 128]) {
      const samples = Object.fromEntries(names.map((setting) => [setting, []]));
      for (let round = -1; round < Number(values.rounds); round++) {
        for (const setting of names) {
          const result = await slice(workers[setting], {
            name,
            concurrency,
            ms: Number(values.slice),
          });
          if (round >= 0) samples[setting].push(result);
        }
      }
      table.push(...rowsOf(`${name} ${concurrency}`, samples));
    }
  }
  for (const worker of Object.values(workers)) await worker.terminate();
  console.log(table.toString());
}

if (isMainThread) main();
else serve(workerData);
