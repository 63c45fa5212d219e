'use strict';

// Workers that are started, and ended amid 1,000 requests each, again and again: what is left of them
// afterwards. The suite does it 100 times; `npm run test:workers` 1,000 times, or as often as its argument
// says. What is free in the heap, in holes among what is in use, is given back before memory is compared.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { collect, descriptors, nextMessage, sleep, startWorker, until } = require('./environment');

/** What is set up once in a process, and what the allocator keeps, is there after so many. */
const WARM_UP = 20;
/**
 * For all rounds together: a leak of each round's requests is more. The allocator keeps the slab (8 MiB) of a
 * ring that has ended, or of two, for the next; when it begins to, and it may begin late, is its own affair.
 * Bytes.
 */
const ALLOWED_GROWTH = 24 * 1024 * 1024;
/** The kernel's own workers of a ring that has ended go within so long, ms; idle ones after 5 s. */
const THREADS_END = 15_000;

/** The files that the requests are about. @param {string} folder that is there */
function makeFiles(folder) {
  const at = (name) => path.join(folder, name);
  nodeFs.writeFileSync(at('small'), Buffer.alloc(4096, 's'));
  nodeFs.writeFileSync(at('large'), Buffer.alloc(300_000, 'l'));
  execFileSync('mkfifo', [at('fifo'), at('lonely')]);
  return {
    folder,
    small: at('small'),
    large: at('large'),
    fifo: at('fifo'),
    lonely: at('lonely'),
  };
}

/** 1,000 requests of all kinds, and a message as soon as they are under way. */
async function makeRequests({ uring, args, say }) {
  const ignore = () => {};
  const handles = [];
  for (let i = 0; i < 4; i++) handles.push(await uring.open(args.small, 'r'));
  const written = await uring.open(`${args.folder}/written`, 'w');
  const pipe = await uring.open(args.fifo, 'r+');
  const requests = [];
  // Together, these are for the thread that helps.
  for (let i = 0; i < 100; i++) requests.push(uring.readFile(args.small));
  for (let i = 0; i < 100; i++) requests.push(uring.stat(args.small));
  for (let i = 0; i < 100; i++) {
    requests.push(
      uring.readFile(args.large),
      uring.readFile(args.small, 'utf8'),
      uring.writeFile(`${args.folder}/file-${i % 10}`, Buffer.alloc(5000)),
      handles[i % 4].read(Buffer.alloc(4096), 0, 4096, null),
      handles[i % 4].read(Buffer.alloc(4096), 0, 4096, 0),
      written.write(Buffer.alloc(4096)),
      pipe.read(Buffer.alloc(16), 0, 16, null),
      i % 10 === 0 ? uring.open(args.lonely, 'r') : uring.open(args.small, 'r'),
    );
  }
  for (const request of requests) request.catch(ignore);
  // Or each handle among the results would be warned about when it is collected.
  globalThis.kept = [requests, handles];
  say(requests.length);
  if (args.stay) return;
  await Promise.race(requests);
}

/** Memory of the process that is of no file: pages of the program come in as its code is first used. Bytes. */
function anonymousMemory() {
  const status = nodeFs.readFileSync('/proc/self/status', 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

/** What a process holds. */
async function holdings() {
  await collect();
  // Here, because the helpers are for tests of the ring, and built for them.
  require('../native/build/Release/test_helpers.node').trim();
  return {
    descriptors: descriptors().length,
    memory: anonymousMemory(),
    threads: nodeFs.readdirSync('/proc/self/task').length,
    mappings: (nodeFs.readFileSync('/proc/self/maps', 'utf8').match(/io_uring/g) ?? []).length,
  };
}

/**
 * @param {number} rounds after the warm-up
 * @param {object} args of makeFiles()
 * @param {(round: number) => void} [tell] called after each
 * @returns {Promise<{ before: object, after: object }>} what the process held
 */
async function endWorkers(rounds, args, tell = () => {}) {
  let before;
  for (let round = 0; round < WARM_UP + rounds; round++) {
    if (round === WARM_UP) before = await holdings();
    const worker = startWorker(makeRequests, { ...args, stay: round % 2 === 0 });
    assert.equal(await nextMessage(worker), 1000);
    if (round % 4 > 1) await sleep(round % 4);
    await worker.terminate();
    tell(round);
  }
  const threads = () => nodeFs.readdirSync('/proc/self/task').length;
  await until(() => threads() <= before.threads, 'the end of the threads', THREADS_END);
  await until(
    () => descriptors().length <= before.descriptors,
    () => descriptors().join('\n'),
  );
  return { before, after: await holdings() };
}

/** Descriptors, threads, memory and rings are back where they were. */
function assertNothingLeft({ before, after }) {
  assert.ok(after.descriptors <= before.descriptors, 'descriptors are left');
  assert.ok(after.threads <= before.threads, 'threads are left');
  const growth = after.memory - before.memory;
  assert.ok(growth < ALLOWED_GROWTH, `memory grew by ${growth} bytes`);
  assert.ok(after.mappings <= before.mappings + 2, `${after.mappings} mappings of rings are left`);
}

module.exports = { assertNothingLeft, endWorkers, makeFiles };

async function main(rounds) {
  const folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-workers-'));
  try {
    const tell = (round) => {
      if ((round + 1) % 100 === 0)
        console.log(`${round + 1} workers: ${process.memoryUsage.rss()} bytes`);
    };
    const held = await endWorkers(rounds, makeFiles(folder), tell);
    console.log(JSON.stringify(held));
    assertNothingLeft(held);
    console.log(`${rounds} workers ended amid their work left nothing`);
  } finally {
    nodeFs.rmSync(folder, { recursive: true, force: true });
  }
}

if (require.main === module) main(Number(process.argv[2] ?? 1000));
