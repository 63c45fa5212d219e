'use strict';

// What series of calls by chance (npm run fuzz) have once found to differ.

const { detached } = require('../helpers/memory');
const { parityTest } = require('../helpers/parity-compare');

const throwing = () =>
  new Proxy(
    {},
    {
      get() {
        throw new RangeError('the getter threw');
      },
      ownKeys() {
        throw new RangeError('the getter threw');
      },
    },
  );

/** On a handle that is open; and the functions of the same name that take a closed one. */
const CALLS = {
  'with a mode that is none': (write) => write('data', { mode: {} }),
  'a bad mode and a bad flush': (write) => write('data', { mode: {}, flush: 'no' }),
  'nothing, aborted': (write) => write('', { signal: AbortSignal.abort() }),
  'nothing of nothing, aborted': (write) => write([], { signal: AbortSignal.abort() }),
  aborted: (write) => write('data', { signal: AbortSignal.abort() }),
  'an unknown encoding': (write) => write('data', 'unknown'),
  'a Buffer, encoding buffer': (write) => write(Buffer.from('data'), 'buffer'),
  'a string, encoding buffer': (write) => write('data', 'buffer'),
  'no data': (write) => write(5),
  'data that throws, and a bad signal': (write) => write(throwing(), { signal: 5 }),
  'data that throws': (write) => write(throwing()),
  'options that throw': (write) => write('data', throwing()),
  'detached memory': (write) => write(detached(new Uint8Array(16))),
  'an empty string': (write) => write(''),
  'an empty Buffer': (write) => write(Buffer.alloc(0)),
  'an empty iterable': (write) => write([]),
  'an iterable': (write) => write(['da', 'ta']),
};

const READS = {
  aborted: (read) => read({ signal: AbortSignal.abort() }),
  'an unknown encoding': (read) => read('unknown'),
  'encoding buffer': (read) => read('buffer'),
  'no signal': (read) => read({ signal: 5 }),
  'no memory': (read) => read({ buffer: 5 }),
  'no memory, aborted': (read) => read({ buffer: 5, signal: AbortSignal.abort() }),
  'no memory, encoding buffer': (read) => read({ buffer: 5, encoding: 'buffer' }),
  'a Buffer for options': (read) => read(Buffer.from('utf8')),
  'memory that throws': (read) =>
    read({
      get buffer() {
        throw new RangeError('the getter threw');
      },
    }),
  'options that throw': (read) => read(throwing()),
  plainly: (read) => read(),
};

describe('parity: what was found by chance', () => {
  parityTest('writeFile and appendFile', async (parity) => {
    for (const [label, call] of Object.entries(CALLS)) {
      for (const name of ['writeFile', 'appendFile']) {
        await parity.script(`${name}: ${label}`, async (side) => {
          const handle = await side.step('open', () => side.fs.open('file', 'r+'));
          await side.step('method', () => call((...args) => handle[name](...args)));
          await side.step('handle', () => call((...args) => side.fs[name](handle, ...args)));
          await side.step('path', () => call((...args) => side.fs[name]('new', ...args)));
          await side.step('close', () => handle.close());
          await side.step('closed, method', () => call((...args) => handle[name](...args)));
          await side.step('closed', () => call((...args) => side.fs[name](handle, ...args)));
        });
      }
    }
  });

  parityTest('readFile', async (parity) => {
    for (const [label, call] of Object.entries(READS)) {
      await parity.script(label, async (side) => {
        const handle = await side.step('open', () => side.fs.open('file'));
        await side.step('method', () => call((...args) => handle.readFile(...args)));
        await side.step('handle', () => call((...args) => side.fs.readFile(handle, ...args)));
        await side.step('close', () => handle.close());
        await side.step('closed, method', () => call((...args) => handle.readFile(...args)));
        await side.step('closed', () => call((...args) => side.fs.readFile(handle, ...args)));
      });
    }
  });

  parityTest('an offset that is no number, and no length', async (parity) => {
    for (const name of ['read', 'write']) {
      for (const offset of [3n, '3', true, {}, Symbol('offset')]) {
        await parity.script(`${name}: ${String(offset)}`, async (side) => {
          const handle = await side.step('open', () => side.fs.open('file', 'r+'));
          await side.step('', () => handle[name](Buffer.alloc(4), offset));
        });
      }
    }
  });

  parityTest(
    'a stream of a handle that a stream has left open, and that is closed',
    async (parity) => {
      await parity.script('', async (side) => {
        const unhandled = [];
        const note = (error) => unhandled.push(error);
        const listeners = process.listeners('unhandledRejection');
        process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
        const handle = await side.step('open', () => side.fs.open('file'));
        const stream = handle.createReadStream({ autoClose: false }).resume();
        await new Promise((resolve) => stream.on('end', resolve));
        await side.step('close', () => handle.close());
        await side.step('again', () => handle.createReadStream());
        await new Promise((resolve) => setImmediate(resolve));
        process.removeAllListeners('unhandledRejection');
        for (const listener of listeners) process.on('unhandledRejection', listener);
        side.note('unhandled', unhandled);
      });
    },
  );

  parityTest('rm: options that are inherited, hidden, or throw', async (parity) => {
    const recursive = { recursive: true, force: true };
    const options = {
      inherited: () => Object.create(recursive),
      hidden: () => Object.defineProperty({}, 'recursive', { value: true }),
      throwing,
      own: () => ({ ...recursive }),
    };
    for (const [label, make] of Object.entries(options)) {
      for (const name of ['dir', 'dir/', 'file', 'missing']) {
        await parity.call(`${name}, ${label}`, (side) => side.fs.rm(name, make()));
      }
    }
  });
});
