'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const { parityTest } = require('../helpers/parity-compare');
const { ODD_VALUES } = require('../helpers/parity-values');

const CALLS = {
  appendFile: ['data'],
  chmod: [0o600],
  chown: [-1, -1],
  datasync: [],
  read: [],
  readFile: [],
  readv: [[]],
  stat: [],
  sync: [],
  truncate: [3],
  utimes: [1, 2],
  write: ['data'],
  writeFile: ['data'],
  writev: [[]],
};

function withHandle(parity, label, body, flags = 'r+') {
  return parity.script(label, async (side) => {
    const handle = await side.fs.open('file', flags);
    side.keep(handle);
    await body(side, handle);
  });
}

describe('parity: FileHandle', () => {
  parityTest('a folder and a bad length: the length is what is told', async (parity) => {
    await parity.script('truncate of a folder', async (side) => {
      const handle = await side.fs.open('dir');
      for (const len of [() => {}, '1', 1.5, 1]) await side.step('', () => handle.truncate(len));
      await handle.close();
    });
  });

  parityTest('methods with each argument odd', async (parity) => {
    for (const name of ['chmod', 'chown', 'stat', 'truncate', 'utimes', 'sync', 'datasync']) {
      const valid = CALLS[name];
      for (const position of valid.length ? valid.keys() : [0]) {
        for (const [odd, make] of ODD_VALUES) {
          // With Node 20 a mode of -0 or 2**31 fails an assertion in the binding.
          if (name === 'chmod' && ['-0', '2**31'].includes(odd)) continue;
          await withHandle(
            parity,
            `${name}: argument ${position} is ${odd}`,
            async (side, handle) => {
              const args = [...valid];
              args[position] = make();
              await side.step('', () => handle[name](...args));
              if (name === 'utimes') side.noteTimes('file');
            },
          );
        }
      }
      await withHandle(parity, `${name}()`, (side, handle) => side.step('', () => handle[name]()));
    }
    for (const option of ['bigint', 'signal']) {
      for (const [odd, make] of ODD_VALUES) {
        await withHandle(parity, `stat({ ${option}: ${odd} })`, (side, handle) =>
          side.step('', () => handle.stat({ [option]: make() })),
        );
      }
    }
  });

  parityTest('good calls of the small methods', async (parity) => {
    for (const mode of [0, 0o400, 0o755, 0o7777, '640', '0o640']) {
      await withHandle(parity, `chmod(${mode})`, (side, handle) =>
        side.step('', () => handle.chmod(mode)),
      );
    }
    const own = [process.getuid(), process.getgid()];
    for (const ids of [
      own,
      [-1, -1],
      ...(own[0] === 0
        ? [
            [1, 2],
            [65534, 65534],
          ]
        : []),
    ]) {
      await withHandle(parity, `chown(${ids})`, (side, handle) =>
        side.step('', () => handle.chown(...ids)),
      );
    }
    for (const time of [0, 1.5, -1.5, 123456789.123, '1000', new Date(1234567), 5e9, NaN]) {
      for (const flags of ['r', 'r+']) {
        await withHandle(
          parity,
          `utimes(${String(time)}), '${flags}'`,
          async (side, handle) => {
            await side.step('', () => handle.utimes(time, time));
            side.noteTimes('file');
          },
          flags,
        );
      }
    }
    for (const name of ['sync', 'datasync']) {
      for (const flags of ['r', 'w', 'a', 'r+']) {
        await withHandle(
          parity,
          `${name}(), '${flags}'`,
          async (side, handle) => {
            await side.step('write', () => handle.write('x'));
            await side.step(name, () => handle[name]());
          },
          flags,
        );
      }
    }
  });

  parityTest('after close', async (parity) => {
    for (const [name, args] of Object.entries(CALLS)) {
      await withHandle(parity, name, async (side, handle) => {
        await side.step('close', () => handle.close());
        side.note('fd', handle.fd);
        await side.step(name, () => handle[name](...args));
        await side.step(`${name} again`, () => handle[name](...args));
      });
      await withHandle(parity, `${name} while it closes`, async (side, handle) => {
        const closing = handle.close();
        side.note('fd', handle.fd);
        await side.step(name, () => handle[name](...args));
        await side.step('close', () => closing);
      });
      await withHandle(parity, `bad ${name} after close`, async (side, handle) => {
        await handle.close();
        await side.step(name, () => handle[name](Symbol('odd'), NaN));
      });
    }
    for (const name of [
      'createReadStream',
      'createWriteStream',
      'readLines',
      'readableWebStream',
    ]) {
      await withHandle(parity, name, async (side, handle) => {
        await handle.close();
        await side.step(name, async () => {
          const stream = handle[name]();
          if (name === 'readableWebStream') return stream;
          const emitter = stream.input ?? stream;
          return new Promise((resolve) => {
            emitter.on('error', resolve);
            emitter.on('close', () => resolve('closed'));
            if (name === 'createWriteStream') stream.end('data');
            else emitter.resume();
          });
        });
      });
    }
  });

  parityTest('close', async (parity) => {
    await withHandle(parity, 'twice', async (side, handle) => {
      await side.step('first', () => handle.close());
      await side.step('second', () => handle.close());
      side.note('fd', handle.fd);
    });
    await withHandle(parity, 'twice at once', async (side, handle) => {
      const first = handle.close();
      const second = handle.close();
      side.note('the same promise', first === second);
      await side.step('first', () => first);
      await side.step('second', () => second);
    });
    await withHandle(parity, 'the event', async (side, handle) => {
      const events = [];
      handle.on('close', (...args) => events.push(['close', args.length, handle.fd]));
      handle.once('close', () => events.push('once'));
      const closing = handle.close();
      side.note('at once', [...events]);
      await closing;
      side.note('then', [...events]);
      await handle.close();
      side.note('in the end', events);
    });
    await withHandle(parity, 'the event with operations in flight', async (side, handle) => {
      const events = [];
      handle.on('close', () => events.push('event'));
      const reading = handle.read(Buffer.alloc(5), 0, 5, 0).then(() => events.push('read'));
      const writing = handle.write('abc', 0).then(() => events.push('write'));
      const closing = handle.close().then(() => events.push('closed'));
      side.note('fd while closing', handle.fd > 2);
      await Promise.all([reading, writing, closing]);
      side.note('closed last', events.at(-1));
      side.note('all', events.sort());
      side.note('fd', handle.fd);
    });
    await withHandle(parity, 'waits for operations in flight', async (side, handle) => {
      const reads = Array.from({ length: 10 }, (_, i) => handle.read(Buffer.alloc(2), 0, 2, i));
      const closing = handle.close();
      await side.step('late read', () => handle.read());
      await side.step('close', () => closing);
      await side.step('reads', () => Promise.all(reads));
    });
    await withHandle(parity, 'detached from its handle', async (side, handle) => {
      const { close } = handle;
      await side.step('close', () => close());
      side.note('fd', handle.fd);
    });
    await withHandle(parity, 'asyncDispose', async (side, handle) => {
      await side.step('dispose', () => handle[Symbol.asyncDispose]());
      side.note('fd', handle.fd);
      await side.step('again', () => handle[Symbol.asyncDispose]());
    });
    await withHandle(parity, 'a listener that throws', async (side, handle) => {
      handle.on('close', () => {
        throw new RangeError('from the listener');
      });
      await side.step('close', () => handle.close());
      await side.step('close again', () => handle.close());
      side.note('fd', handle.fd);
    });
    await withHandle(parity, 'surplus arguments', (side, handle) =>
      side.step('close', () => handle.close(() => {}, 1)),
    );
  });

  parityTest('use of methods without their handle', async (parity) => {
    for (const [name, args] of Object.entries(CALLS)) {
      for (const [receiver, make] of [
        ['undefined', () => undefined],
        ['object', () => ({})],
      ]) {
        await withHandle(parity, `${name} of ${receiver}`, async (side, handle) => {
          // Only that it fails: Node reports an internal assertion.
          let failed = false;
          try {
            await handle[name].call(make(), ...args);
          } catch {
            failed = true;
          }
          side.note('failed', failed);
        });
      }
    }
  });

  parityTest('identity', async (parity) => {
    await withHandle(parity, 'getAsyncId', async (side, handle) => {
      side.note('type', typeof handle.getAsyncId());
      const first = handle.getAsyncId();
      side.note('constant', handle.getAsyncId() === first);
      const other = await side.fs.open('file');
      side.note('unique', handle.getAsyncId() !== other.getAsyncId());
      side.note('fd', [typeof handle.fd, handle.fd !== other.fd]);
      await other.close();
    });
    await withHandle(parity, 'one class', async (side, handle) => {
      const other = await side.fs.open('file');
      side.note('same constructor', handle.constructor === other.constructor);
      side.note('instance', handle instanceof other.constructor);
      await other.close();
    });
  });

  parityTest('AsyncLocalStorage', async (parity) => {
    const storage = new AsyncLocalStorage();
    const calls = {
      stat: (side) => side.fs.stat('file'),
      readFile: (side) => side.fs.readFile('file'),
      writeFile: (side) => side.fs.writeFile('file', 'x'),
      failing: (side) => side.fs.readFile('missing').catch(() => {}),
      handle: async (side) => {
        const handle = await side.fs.open('file');
        await handle.read();
        await handle.close();
      },
    };
    for (const [name, call] of Object.entries(calls)) {
      await parity.call(name, (side) =>
        Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            storage.run(i, async () => {
              await call(side);
              const first = storage.getStore();
              await call(side).then(() => storage.getStore() === i || Promise.reject(i));
              return first;
            }),
          ),
        ),
      );
    }
    await withHandle(parity, "the 'close' event", async (side, handle) => {
      const seen = [];
      storage.run('listening', () => handle.on('close', () => seen.push(storage.getStore())));
      await storage.run('closing', () => handle.close());
      side.note('context', seen);
    });
  });
});
