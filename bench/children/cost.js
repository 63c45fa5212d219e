'use strict';

/**
 * One process, or what it is made of: does what the first argument says and prints what that cost, as
 * JSON. `folder` (the second) holds small modules: a program that has none yet pays for Node's own
 * loader to warm up, whatever it loads.
 */

const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const LIBRARY = path.join(__dirname, '..', '..');

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** CPU time (ms) and bytes that loading `name` takes. */
function load(name) {
  const rss = process.memoryUsage.rss();
  const start = process.cpuUsage();
  require(name);
  const { user, system } = process.cpuUsage(start);
  return { time: (user + system) / 1000, memory: process.memoryUsage.rss() - rss };
}

/** One of each kind of work, the library's modules and the ring's own memory with it. */
async function use(api, folder) {
  const file = path.join(folder, 'used');
  await api.writeFile(file, 'some bytes');
  await api.readFile(file);
  await api.stat(file);
  const handle = await api.open(file);
  await handle.read(Buffer.alloc(16));
  await handle.close();
}

/** Bytes in use when all is over and collected. */
async function holding(api, folder) {
  if (api !== undefined) await use(api, folder);
  globalThis.gc();
  await new Promise((resolve) => {
    setTimeout(resolve, 200);
  });
  return process.memoryUsage.rss();
}

/**
 * How often this thread has slept. (Not the process: the kernel keeps one of a ring's workers, which looks for
 * work every five seconds, without a system call; and V8's threads have their own after-work.)
 */
function sleeps() {
  const status = fs.readFileSync('/proc/thread-self/status', 'latin1');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)[1]);
}

/** CPU time (ms) of all threads and wake-ups of this one within `duration` ms, after `api` was used. */
async function idle(api, folder, duration) {
  if (api !== undefined) await use(api, folder);
  // Kernel workers that have nothing to do end after five seconds, V8's after-work before.
  await new Promise((resolve) => {
    setTimeout(resolve, 7000);
  });
  const before = process.resourceUsage();
  const sleepsBefore = sleeps();
  await new Promise((resolve) => {
    setTimeout(resolve, duration);
  });
  const after = process.resourceUsage();
  const spent = (name) => after[name] - before[name];
  return {
    time: (spent('userCPUTime') + spent('systemCPUTime')) / 1000,
    wakeUps: sleeps() - sleepsBefore,
  };
}

/** A worker's milliseconds until its ring is made, and from its last line to its end. */
function worker(withRing) {
  return new Promise((resolve, reject) => {
    let told;
    const thread = new Worker(__filename, { workerData: { withRing } });
    thread.on('message', (message) => {
      told = message;
    });
    thread.on('error', reject);
    thread.on('exit', () => {
      const end = performance.timeOrigin + performance.now() - told.ended;
      resolve({ make: told.make, end });
    });
  });
}

function inWorker({ withRing }) {
  // Without the native module there is nothing to make a ring of.
  const { binding } = require('../../lib/binding');
  const ringState = binding === null ? () => {} : require('../../lib/request').ringState;
  const start = performance.now();
  if (withRing) ringState();
  const make = performance.now() - start;
  parentPort.postMessage({ make, ended: performance.timeOrigin + performance.now() });
}

async function workers(count) {
  const samples = [];
  for (let i = 0; i < count; i++) {
    samples.push({ withRing: await worker(true), without: await worker(false) });
  }
  return samples;
}

async function main(what, folder, count) {
  for (const name of fs.readdirSync(folder)) {
    if (name.endsWith('.js')) require(path.join(folder, name));
  }
  const tasks = {
    load: () => load(LIBRARY),
    loadNode: () => load('node:fs/promises'),
    plain: () => holding(undefined, folder),
    used: () => holding(require(LIBRARY), folder),
    idle: () => idle(require(LIBRARY), folder, count),
    idlePlain: () => idle(undefined, folder, count),
    workers: () => workers(count),
  };
  say(await tasks[what]());
}

if (isMainThread) {
  const [what, folder, count] = process.argv.slice(2);
  main(what, folder, Number(count));
} else {
  inWorker(workerData);
}
