'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const {
  ROOT,
  backend,
  describeOnRing,
  descriptors,
  nextMessage,
  onRing,
  patient,
  resultOf,
  runProgram,
  startWorker,
  until,
  useFolder,
} = require('../helpers/environment');
const { assertNothingLeft, endWorkers, makeFiles } = require('../helpers/worker-cycles');

/** Leaves files open in every way there is. */
async function leaveOpen({ uring, args, say }) {
  globalThis.kept = [];
  for (let i = 0; i < 10; i++) globalThis.kept.push(await uring.open(args.small, 'r'));
  globalThis.kept.push((await uring.open(args.small, 'r')).createReadStream());
  if (args.blocked) {
    uring.readFile(args.lonely).catch(() => {});
    uring.open(args.lonely, 'r').catch(() => {});
  }
  say('open');
  setInterval(() => {}, 1000);
}

/* What a worker is ended in, while other results wait behind it. */

function exitInCallback({ args, say }) {
  const { readFile } = require(args.fs);
  for (let i = 0; i < 20; i++) {
    readFile(args.small, () => {
      say('here');
      process.exit(7);
    });
  }
}

function stayInCallback({ args, say }) {
  const { readFile } = require(args.fs);
  for (let i = 0; i < 20; i++) {
    readFile(args.small, () => {
      say('here');
      for (;;);
    });
  }
}

async function exitBehindAwait({ uring, args, say }) {
  for (let i = 0; i < 20; i++) uring.stat(args.folder).catch(() => {});
  for (let i = 0; i < 300; i++) uring.readFile(args.small).catch(() => {});
  await uring.open(args.small, 'r+');
  await new Promise(setImmediate);
  say('here');
  process.exit(7);
}

async function stayBehindAwait({ uring, args, say }) {
  for (let i = 0; i < 300; i++) uring.readFile(args.small).catch(() => {});
  await uring.truncate(args.small, 4096);
  say('here');
  for (;;);
}

/**
 * A worker reads a FIFO and closes it; then this thread opens files, which get the numbers that the
 * worker had; then the worker ends.
 */
async function terminateBesideOpenFiles({ uring, nodeFs: files, root, args, say }) {
  const { Worker } = require('node:worker_threads');
  const { lonely, small } = args;
  async function readFifo(tools, fifo) {
    const { parentPort } = require('node:worker_threads');
    setInterval(() => {}, 1000);
    const handle = await tools.open(fifo, 'r');
    const text = await handle.readFile('utf8');
    await handle.close();
    parentPort.postMessage(text);
  }
  const source = `(${readFifo})(require('${root}'), ${JSON.stringify(lonely)})`;
  const worker = new Worker(source, { eval: true });
  const message = new Promise((resolve) => worker.once('message', resolve));
  // Waits, by the ring, until the worker has the FIFO open.
  const writer = await uring.open(lonely, 'w');
  // Both descriptors of the worker's are there only while it waits for the writer.
  await writer.writeFile('hello');
  await writer.close();
  const text = await message;
  const opened = Array.from({ length: 30 }, () => files.openSync(small, 'r'));
  await worker.terminate();
  const lost = opened.filter((fd) => {
    try {
      return files.fstatSync(fd).size !== 4096;
    } catch {
      return true;
    }
  });
  say({ text, lost });
}

/** Blocked reads fill the ring and more, then the worker ends. */
async function terminateFullRing({ root, args: { fifo }, say }) {
  const { Worker } = require('node:worker_threads');
  async function fillRing(tools, name) {
    const { parentPort } = require('node:worker_threads');
    const handle = await tools.open(name, 'r+');
    const count = tools.ring.status().cqEntries + 100;
    for (let i = 0; i < count; i++) handle.read(Buffer.alloc(8), 0, 8, null).catch(() => {});
    setTimeout(() => parentPort.postMessage('full'), 100);
  }
  const worker = new Worker(`(${fillRing})(require('${root}'), ${JSON.stringify(fifo)})`, {
    eval: true,
  });
  await new Promise((resolve) => worker.once('message', resolve));
  const timer = setTimeout(() => {
    say('terminate() hangs');
    process.kill(process.pid, 'SIGKILL');
  }, 20_000);
  await worker.terminate();
  clearTimeout(timer);
  say('ended');
}

describe('lifetime: workers', () => {
  const folder = useFolder();
  let args;
  before(() => {
    args = makeFiles(folder.in());
  });

  it('each have a ring, at once, and end by themselves', async () => {
    const workers = Array.from({ length: 6 }, () =>
      startWorker(async ({ uring, args: { small }, say }) => {
        const calls = Array.from({ length: 500 }, () => uring.readFile(small));
        const lengths = new Set((await Promise.all(calls)).map(({ length }) => length));
        say({ backend: uring.ring.status().backend, lengths: [...lengths] });
      }, args),
    );
    const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const message of await Promise.all(workers.map(nextMessage))) {
      assert.deepEqual(message, { backend, lengths: [4096] });
    }
    assert.deepEqual(
      await Promise.all(exits),
      workers.map(() => 0),
    );
  });

  it('terminate() takes back what is open', async () => {
    const before = descriptors().length;
    for (let i = 0; i < 3; i++) {
      // The pool's open(2) of a FIFO can't be ended: terminate() would wait for a writer.
      const worker = startWorker(leaveOpen, { ...args, blocked: onRing });
      await nextMessage(worker);
      assert.ok(descriptors().length > before);
      await worker.terminate();
    }
    await until(
      () => descriptors().length <= before,
      () => descriptors().join('\n'),
    );
  });

  for (const [how, program, code] of [
    ['process.exit() in a callback', exitInCallback, 7],
    ['process.exit() behind an await', exitBehindAwait, 7],
    ['terminate() of a callback that does not return', stayInCallback, 1],
    ['terminate() of what runs for ever behind an await', stayBehindAwait, 1],
  ]) {
    it(`${how} ends the worker, with more callbacks to come`, async () => {
      const worker = startWorker(program, { ...args, fs: path.join(ROOT, 'lib', 'fs.js') });
      const exit = new Promise((resolve) => worker.once('exit', resolve));
      assert.equal(await nextMessage(worker), 'here');
      // Or it ends by itself, with its own code.
      const ended = code === 1 ? worker.terminate() : exit;
      assert.equal(await ended, code);
    });
  }

  describeOnRing('on the ring', () => {
    it('terminate() amid 1,000 requests leaves nothing, 100 times', async function () {
      this.timeout(patient(90_000));
      assertNothingLeft(await endWorkers(100, args));
    });

    it("terminate() closes no descriptor that is not the worker's own", async () => {
      const result = await resultOf(terminateBesideOpenFiles, { args });
      assert.deepEqual(result, { text: 'hello', lost: [] });
    });

    it('terminate() ends more blocked reads than the ring has room for', async () => {
      const { said } = await runProgram(terminateFullRing, { args });
      assert.deepEqual(said, ['ended']);
    });
  });
});
