'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, patient, runProgram, sleep, useFolder } = require('../helpers/environment');

const ROUNDS = 20;

/** Works for as long as it is let, of the kinds that end by themselves and one that does not. */
async function amidRequests({ uring, args, say }) {
  if (args.handled) {
    process.on('SIGTERM', (signal) => {
      say(signal);
      process.exit(9);
    });
  }
  if (uring.ring.status().backend === 'io_uring') {
    const pipe = await uring.open(args.fifo, 'r+');
    pipe.read(Buffer.alloc(8), 0, 8, null).catch(() => {});
  }
  const work = async (name) => {
    for (;;) {
      await Promise.all([
        uring.readFile(args.small),
        uring.writeFile(`${args.folder}/${name}`, Buffer.alloc(20_000)),
        uring.stat(args.small),
      ]);
    }
  };
  for (let i = 0; i < 20; i++) work(`signal-${i}`);
  setTimeout(say, 50, 'under way');
}

/**
 * Node 26 may wait for ever at process.exit(): for a compiler thread of V8, which waits for a collection that the
 * main thread will not make any more (one in about a thousand, on the thread pool as well).
 */
const WITHOUT_COMPILER_THREADS = ['--single-threaded'];

describe('lifetime: the end of the process', () => {
  const folder = useFolder();
  let fifo;
  let small;
  before(() => {
    fifo = folder.fifo('fifo');
    small = folder.file('small', 'small');
  });

  it('comes by itself when nothing is pending, open handle or not', async () => {
    const result = await runProgram(
      async ({ uring, args, say }) => {
        const handle = await uring.open(args.small, 'r');
        await handle.read();
        await Promise.all(Array.from({ length: 300 }, () => uring.readFile(args.small)));
        await uring.stat(args.small);
        globalThis.kept = handle;
        process.on('exit', (code) => say(`exit ${code}`));
      },
      { args: { small } },
    );
    assert.deepEqual([result.code, result.signal, result.said], [0, null, ['exit 0']]);
  });

  it('waits for a read of a FIFO', async () => {
    let ended = false;
    const running = runProgram(
      ({ uring, args, say }) => {
        uring.readFile(args.fifo, 'utf8').then(say);
      },
      { args: { fifo } },
    ).finally(() => {
      ended = true;
    });
    await sleep(400);
    assert.equal(ended, false, 'the process should wait');
    await nodeFs.promises.writeFile(fifo, 'at last');
    const { code, said } = await running;
    assert.deepEqual([code, said], [0, ['at last']]);
  });

  it('comes by process.exit() with requests in flight, with its code', async function () {
    this.timeout(patient(60_000));
    async function exitAmidRequests({ uring, args, say }) {
      const { small: file, folder: where, round } = args;
      const handle = await uring.open(file, 'r+');
      if (uring.ring.status().backend === 'io_uring') {
        // A thread of the pool that waits for the other end would hold up the process.
        const pipe = await uring.open(args.fifo, 'r+');
        for (let i = 0; i < 20; i++) pipe.read(Buffer.alloc(8), 0, 8, null).catch(() => {});
        uring.readFile(`${where}/lonely`).catch(() => {});
      }
      for (let i = 0; i < 200; i++) {
        uring.readFile(file).catch(() => {});
        uring.stat(file).catch(() => {});
        uring.writeFile(`${where}/exit-${i % 20}`, Buffer.alloc(20_000)).catch(() => {});
        handle.read(Buffer.alloc(64), 0, 64, null).catch(() => {});
      }
      say(round);
      if (round % 4 === 0) process.exit(7);
      if (round % 4 === 1) process.nextTick(process.exit, 7);
      if (round % 4 === 2) setImmediate(process.exit, 7);
      if (round % 4 === 3) setTimeout(process.exit, 3, 7);
    }
    folder.fifo('lonely');
    async function runEvery(step, first) {
      for (let round = first; round < ROUNDS; round += step) {
        const args = { small, fifo, folder: folder.in(), round };
        const { code, signal, said, stderr } = await runProgram(exitAmidRequests, {
          args,
          flags: WITHOUT_COMPILER_THREADS,
        });
        assert.deepEqual([code, signal, said], [7, null, [round]], stderr);
      }
    }
    await Promise.all([runEvery(2, 0), runEvery(2, 1)]);
  });

  it('comes by an exception that nobody catches, with requests in flight', async () => {
    const { code, signal, stderr } = await runProgram(
      ({ uring, args }) => {
        for (let i = 0; i < 100; i++) uring.readFile(args.small).catch(() => {});
        for (let i = 0; i < 100; i++) uring.stat(args.small).catch(() => {});
        setImmediate(() => {
          uring.readFile(args.small).catch(() => {});
          throw new Error('on purpose');
        });
      },
      { args: { small } },
    );
    assert.deepEqual([code, signal], [1, null]);
    assert.match(stderr, /on purpose/);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL']) {
    it(`comes by ${signal} with requests in flight`, async () => {
      const ended = await runProgram(amidRequests, {
        args: { small, fifo, folder: folder.in() },
        start: (child) => child.stdout.once('data', () => child.kill(signal)),
      });
      assert.deepEqual([ended.code, ended.signal, ended.stderr], [null, signal, '']);
    });
  }

  it('comes by process.exit() in a handler of a signal, with requests in flight', async () => {
    const { code, signal, said } = await runProgram(amidRequests, {
      args: { small, fifo, folder: folder.in(), handled: true },
      flags: WITHOUT_COMPILER_THREADS,
      start: (child) => child.stdout.once('data', () => child.kill('SIGTERM')),
    });
    assert.deepEqual([code, signal, said], [9, null, ['under way', 'SIGTERM']]);
  });

  it('comes by a rejection that nobody handles', async () => {
    const { code, stderr } = await runProgram(
      ({ uring, args }) => {
        uring.readFile(`${args.small}-missing`);
        setInterval(() => {}, 1000);
      },
      { args: { small } },
    );
    assert.equal(code, 1);
    assert.match(stderr, /ENOENT: no such file or directory, open/);
  });

  it('what is thrown after an await is an unhandled rejection, and the rest goes on', async () => {
    const { code, said } = await runProgram(
      async ({ uring, args, say }) => {
        process.on('unhandledRejection', ({ message }) => say(`unhandled ${message}`));
        process.on('uncaughtException', ({ message }) => say(`uncaught ${message}`));
        for (let i = 0; i < 3; i++) {
          uring.readFile(args.small).then(() => {
            throw new Error(`then ${i}`);
          });
        }
        // A kernel worker does it, so that the event loop brings the result.
        for (let i = 0; i < 3; i++) {
          await uring.stat(args.small);
          process.nextTick(() => {
            throw new Error(`tick ${i}`);
          });
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const calls = Array.from({ length: 300 }, () => uring.readFile(args.small, 'utf8'));
        const texts = new Set(await Promise.all(calls));
        await new Promise((resolve) => setTimeout(resolve, 50));
        await uring.stat(args.small);
        say([...texts]);
      },
      { args: { small } },
    );
    assert.equal(code, 0);
    assert.deepEqual(said.slice(0, -1).sort(), [
      'uncaught tick 0',
      'uncaught tick 1',
      'uncaught tick 2',
      'unhandled then 0',
      'unhandled then 1',
      'unhandled then 2',
    ]);
    assert.deepEqual(said.at(-1), ['small']);
  });

  describeOnRing('on the ring', () => {
    it('does not wait for a read of a FIFO when process.exit() is called', async () => {
      const { code, said } = await runProgram(
        ({ uring, args, say }) => {
          uring.readFile(args.fifo).finally(() => say('read'));
          setTimeout(process.exit, 100, 5);
        },
        { args: { fifo } },
      );
      assert.deepEqual([code, said], [5, []]);
    });
  });
});
