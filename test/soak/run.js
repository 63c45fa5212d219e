'use strict';

// A mixed load for a long time, in rounds. After each round all must be as before: descriptors, requests
// under way, and, over all rounds, memory.
//
//   npm run soak                             an hour
//   npm run soak -- --minutes 2              so many
//   npm run soak -- --leak memory            makes a mistake on purpose, to see it reported; or: descriptor

const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const v8 = require('node:v8');
const { Worker } = require('node:worker_threads');
const fs = require('../..');
const { collect, descriptors, until } = require('../helpers/environment');
const { makeFiles } = require('./files');
const { loads } = require('./loads');

// Node 20 takes a worker's isolate from its platform before V8's compiler threads have left it, and aborts
// when one of them then allocates ("(data.first) != nullptr"): of thousands of ended workers one meets that.
// So the compiler runs on the threads that run the code.
v8.setFlagsFromString('--no-concurrent-recompilation');

const READERS = 4;
const ROUNDS = 12;
const WARM_UP = 3;
/** What may come on top without being a leak: memory that an allocator holds in pieces. Bytes. */
const ALLOWANCE = { rss: 32 << 20, heapUsed: 4 << 20, arrayBuffers: 4 << 20 };
const MB = (bytes) => `${(bytes / (1 << 20)).toFixed(1)} MiB`;

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, leak: { type: 'string' } },
});
const roundMs = Math.max((Number(options.minutes) * 60_000) / (ROUNDS + WARM_UP), 3000);

const kept = [];
/** The mistakes that --leak makes, once a round. */
const LEAKS = {
  memory: () => kept.push(Buffer.alloc(16 << 20, 'leak'), Array.from({ length: 200_000 }, String)),
  descriptor: () => kept.push(nodeFs.openSync('/')),
};

function startReader(folder, milliseconds) {
  const worker = new Worker(path.join(__dirname, 'reader.js'), {
    workerData: { folder, milliseconds, withPipe: false },
  });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
}

async function round(folder, counts) {
  const deadline = Date.now() + roundMs;
  const isOver = () => Date.now() >= deadline;
  const readers = Array.from({ length: READERS }, () => startReader(folder, roundMs));
  const running = Object.values(loads).map((load) => load({ fs, folder, isOver, counts }));
  await Promise.all([...readers, ...running]);
  LEAKS[options.leak]?.();
}

/** Once all is quiet. Throws when something is still under way, or open. */
async function sample(open) {
  await until(
    () => {
      const { inFlight, queued, submitted, completed } = fs.ring.stats();
      return inFlight === 0 && queued === 0 && submitted === completed;
    },
    () => `the end of all requests: ${JSON.stringify(fs.ring.stats())}`,
  );
  const left = () => descriptors().filter((line) => !open.includes(line));
  await until(
    () => left().length === 0 && descriptors().length <= open.length,
    () => `descriptors left open: ${left()}`,
  );
  await collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, arrayBuffers };
}

/** Memory has grown when even the least of the last third is above the most of the first. */
function whatGrew(samples) {
  const third = Math.floor(samples.length / 3);
  return Object.keys(ALLOWANCE).flatMap((kind) => {
    const first = Math.max(...samples.slice(0, third).map((one) => one[kind]));
    const last = Math.min(...samples.slice(-third).map((one) => one[kind]));
    return last > first + ALLOWANCE[kind] ? [`${kind} grew from ${MB(first)} to ${MB(last)}`] : [];
  });
}

async function main() {
  const { backend, reason } = fs.ring.status();
  console.log(`Node ${process.version}, ${backend}${reason ? ` (${reason})` : ''}`);
  if (backend !== 'io_uring') {
    console.log('no soak: of the pool, four readers that wait for ever would take all threads');
    return;
  }
  const folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-soak-'));
  const counts = { files: 0, writes: 0, names: 0, aborts: 0, workers: 0 };
  const samples = [];
  try {
    await makeFiles(fs, folder);
    let open;
    for (let number = 0; number < WARM_UP + ROUNDS; number++) {
      await round(folder, counts);
      // The pool's and V8's own come with the first use.
      if (number < WARM_UP) open = descriptors();
      const memory = await sample(open);
      if (number >= WARM_UP) samples.push(memory);
      const shown = Object.entries(memory).map(([kind, bytes]) => `${kind} ${MB(bytes)}`);
      console.log(`round ${number}: ${open.length} descriptors, ${shown.join(', ')}`);
    }
  } finally {
    nodeFs.rmSync(folder, { recursive: true, force: true });
  }
  const done = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  console.log(`in the main thread: ${done.join(', ')}`);
  const grown = whatGrew(samples);
  for (const line of grown) console.log(line);
  console.log(grown.length === 0 ? 'nothing grew' : 'FAILED');
  if (grown.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.log(`FAILED: ${error.stack}`);
  process.exit(1);
});
