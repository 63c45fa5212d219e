'use strict';

// uring-fs/fs against node:fs: what callbacks are told, and what is thrown at once.

const fs = require('node:fs');
const ours = require('../../lib/fs');
const { parityTest } = require('../helpers/parity-compare');
const { CALLBACK, told } = require('../helpers/parity-callbacks');
const { ENCODINGS, ODD_VALUES, PATH_KINDS, TARGETS } = require('../helpers/parity-values');

const sides = { node: told(fs), ours: told(ours) };
const compareFs = (title, body, populate) => parityTest(title, body, populate, sides);

const bytes = (size = 8) => Buffer.alloc(size, '.');
const FD = Symbol('a descriptor');

/** Every function with a valid call; each argument in turn is then replaced by each odd value. */
const CALLS = {
  access: ['file', 0],
  appendFile: ['file', 'more', {}],
  close: [FD],
  exists: ['file'],
  fdatasync: [FD],
  fstat: [FD, {}],
  fsync: [FD],
  ftruncate: [FD, 3],
  link: ['file', 'new'],
  lstat: ['file', {}],
  mkdir: ['new', {}],
  mkdtemp: ['new-', {}],
  open: ['file', 'r+', 0o666],
  read: [FD, bytes, 1, 4, 2],
  readFile: ['file', {}],
  readv: [FD, () => [bytes(), bytes(2)], 2],
  rename: ['file', 'new'],
  rm: ['file', {}],
  rmdir: ['emptydir'],
  stat: ['file', {}],
  symlink: ['target', 'new', 'file'],
  truncate: ['file', 3],
  unlink: ['file'],
  write: [FD, bytes, 1, 4, 2],
  writeFile: ['file', 'data', {}],
  writev: [FD, () => [bytes(), bytes(2)], 2],
};

const OPTIONS = {
  appendFile: ['encoding', 'mode', 'flag', 'flush', 'signal'],
  fstat: ['bigint'],
  lstat: ['bigint', 'throwIfNoEntry', 'signal'],
  mkdir: ['recursive', 'mode'],
  mkdtemp: ['encoding'],
  readFile: ['encoding', 'flag', 'signal', 'buffer'],
  rm: ['force', 'recursive', 'maxRetries', 'retryDelay'],
  stat: ['bigint', 'throwIfNoEntry', 'signal'],
  writeFile: ['encoding', 'mode', 'flag', 'flush', 'signal'],
};

/** Of a function among the arguments Node makes the callback, and ours would never be called. */
const ODD = ODD_VALUES.filter(([odd]) => odd !== 'function');

const SLOTS = { mkdir: ['path', 'mode'], open: ['path', 'flags', 'mode'] };

/**
 * What can't be tried: standard input and output as the descriptor, and what ends the process on some
 * versions, by a failed assertion in Node's binding.
 */
function isOutOfReach(name, slot, odd) {
  const isDescriptor = slot === 0 && (CALLS[name][0] === FD || /File$|^truncate$/.test(name));
  if (isDescriptor && ['0', '-0', '1', 'symbol'].includes(odd)) return true;
  // Thrown in a tick of its own.
  if (slot === 0 && name === 'readFile' && odd === '-1') return true;
  if (name === 'write' && odd === '-0') return true;
  const kind = SLOTS[name]?.[slot] ?? slot;
  return /^(mode|flags?)$/.test(kind) && (odd === '-0' || odd === '2**31');
}

/** The arguments as they are for one side. */
function argumentsFor(side, args) {
  return args.map((arg) => {
    if (arg === FD) {
      const fd = fs.openSync('file', 'r+');
      side.later(() => fs.closeSync(fd));
      return fd;
    }
    return typeof arg === 'function' ? arg() : arg;
  });
}

/** Numbers of descriptors, and random names, are nobody's business. */
function tame(name, outcome) {
  const [error, value] = outcome?.told ?? [];
  if (error === null && name === 'open') {
    fs.closeSync(value);
    outcome.told[1] = 'a descriptor';
  }
  if (error === null && name === 'mkdtemp') {
    fs.rmdirSync(value);
    outcome.told[1] = String(value).replace(/.{6}$/, 'XXXXXX');
  }
  return outcome;
}

function compare(parity, name, label, args, options) {
  return parity.script(
    label,
    (side) =>
      side.step(
        '',
        () => side.fs[name](...argumentsFor(side, args())),
        (outcome) => tame(name, outcome),
      ),
    options,
  );
}

describe('parity: callbacks', () => {
  for (const [name, valid] of Object.entries(CALLS)) {
    compareFs(`fs.${name}(): each argument`, async (parity) => {
      await compare(parity, name, `${name}: valid`, () => [...valid, CALLBACK]);
      for (let given = 0; given < valid.length; given++) {
        const some = valid.slice(0, given);
        await compare(parity, name, `${name}: ${given} arguments`, () => [...some, CALLBACK]);
      }
      await compare(parity, name, `${name}: surplus`, () => [...valid, CALLBACK, 'surplus']);
      for (const position of valid.keys()) {
        for (const [odd, make] of ODD) {
          if (isOutOfReach(name, position, odd)) continue;
          await compare(parity, name, `${name}: argument ${position} is ${odd}`, () => [
            ...valid.with(position, make()),
            CALLBACK,
          ]);
        }
      }
    });

    // Some versions miss these when all is done, or not at all.
    if (!['rm', 'symlink'].includes(name))
      compareFs(`fs.${name}(): without a callback`, async (parity) => {
        if (name !== 'close') await compare(parity, name, `${name}: none`, () => valid);
        for (const [odd, make] of ODD) {
          if (name === 'close' && odd === 'undefined') continue; // it has a callback of its own
          await compare(parity, name, `${name}: callback is ${odd}`, () => [...valid, make()]);
        }
      });

    for (const option of OPTIONS[name] ?? []) {
      compareFs(`fs.${name}(): option ${option}`, async (parity) => {
        for (const [odd, make] of ODD) {
          if (isOutOfReach(name, option, odd)) continue;
          await compare(parity, name, `${name}: ${option} is ${odd}`, () => [
            ...valid.with(-1, { [option]: make() }),
            CALLBACK,
          ]);
        }
      });
    }
  }

  const PATHS = {
    access: (path) => [path],
    appendFile: (path) => [path, 'more'],
    exists: (path) => [path],
    link: (path) => [path, 'new'],
    lstat: (path) => [path],
    mkdir: (path) => [path],
    'mkdir -p': (path) => [path, { recursive: true }],
    open: (path) => [path],
    readFile: (path) => [path],
    rename: (path) => [path, 'new'],
    rm: (path) => [path],
    rmdir: (path) => [path],
    stat: (path) => [path, { bigint: true }],
    symlink: (path) => ['target', path],
    truncate: (path) => [path],
    unlink: (path) => [path],
    writeFile: (path) => [path, 'contents'],
  };
  for (const [title, args] of Object.entries(PATHS)) {
    const [name] = title.split(' ');
    compareFs(`fs.${title}(): paths`, async (parity) => {
      for (const [target, path] of TARGETS) {
        if (name === 'rm' && /dot|empty path/.test(target)) continue; // the folder that both work in
        await compare(parity, name, `${title}: ${target}`, () => [...args(path), CALLBACK]);
      }
      for (const [kind, make] of PATH_KINDS) {
        await parity.script(`${title}: as ${kind}`, (side) =>
          side.step(
            '',
            () => side.fs[name](...args(make(side, 'emptydir')), CALLBACK),
            (outcome) => tame(name, outcome),
          ),
        );
      }
    });
  }

  /** The forms of read and write that leave something out. */
  const FORMS = {
    read: [
      () => [FD, CALLBACK],
      () => [FD, { buffer: bytes(), position: 3 }, CALLBACK],
      () => [FD, null, CALLBACK],
      () => [FD, bytes(), CALLBACK],
      () => [FD, bytes(), {}, CALLBACK],
      () => [FD, bytes(), { offset: 2, length: 3, position: 1n }, CALLBACK],
      () => [FD, bytes(), { offset: 2, position: -1 }, CALLBACK],
      () => [FD, bytes(), undefined, CALLBACK],
      () => [FD, bytes(), null, CALLBACK],
      () => [FD, bytes(), [], CALLBACK],
      () => [FD, bytes(), ['file'], CALLBACK],
      () => [FD, bytes(), new Date(0), CALLBACK],
      () => [FD, bytes(), 1, CALLBACK],
      () => [FD, bytes(), undefined, 3, null, CALLBACK],
      () => [FD, bytes(), 0, 0, 0, CALLBACK],
      () => [FD, bytes(0), 0, 0, 0, CALLBACK],
      () => [FD, bytes(0), CALLBACK],
      () => [FD, new Uint16Array(4), 0, 5, 1, CALLBACK],
      () => [FD, new DataView(new ArrayBuffer(16), 3, 9), 0, 9, 1, CALLBACK],
      () => [FD, bytes(100), 0, 100, 5, CALLBACK],
      () => [FD, bytes(), 0, 8, 1000, CALLBACK],
      () => [FD, bytes(), 0, 9, 0, CALLBACK],
      () => [FD, bytes(), 0, 2 ** 32 + 3, 0, CALLBACK],
      () => [FD, bytes(), 0, 3, -2, CALLBACK],
      () => [FD, bytes(), 0, 3, 2n ** 63n, CALLBACK],
      () => [12345, bytes(), 0, 8, 0, CALLBACK],
      () => [12345, bytes(), 0, 8, null, CALLBACK],
    ],
    write: [
      () => [FD, bytes(), CALLBACK],
      () => [FD, bytes(), 3, CALLBACK],
      () => [FD, bytes(), 3, 2, CALLBACK],
      () => [FD, bytes(), { offset: 3, length: 2, position: 1 }, CALLBACK],
      () => [FD, bytes(), null, CALLBACK],
      () => [FD, bytes(), [], CALLBACK],
      () => [FD, bytes(), ['file'], CALLBACK],
      () => [FD, bytes(), new Date(0), CALLBACK],
      () => [FD, bytes(), undefined, undefined, 4, CALLBACK],
      () => [FD, bytes(0), CALLBACK],
      () => [FD, new Uint16Array(4), 2, 3, 1, CALLBACK],
      () => [FD, bytes(), 0, 9, 0, CALLBACK],
      () => [FD, bytes(), 9, CALLBACK],
      () => [FD, 'text', CALLBACK],
      () => [FD, 'text', 20, CALLBACK],
      () => [FD, 'text', null, CALLBACK],
      () => [FD, 'text', undefined, 'latin1', CALLBACK],
      () => [FD, '\u2603', 2, 'utf16le', CALLBACK],
      () => [FD, 'abc', 0, 'hex', CALLBACK],
      () => [FD, 'text', 0, 'unknown', CALLBACK],
      () => [FD, '', CALLBACK],
      () => [FD, 5, CALLBACK],
      () => [12345, bytes(), 0, 8, 0, CALLBACK],
      () => [12345, 'text', CALLBACK],
    ],
    readv: [
      () => [FD, [bytes()], CALLBACK],
      () => [FD, [bytes(), bytes(0), new Uint16Array(3)], null, CALLBACK],
      () => [FD, [], 0, CALLBACK],
      () => [FD, [bytes(0)], 0, CALLBACK],
      () => [FD, [bytes(), 'x'], 0, CALLBACK],
      () => [12345, [bytes()], 0, CALLBACK],
    ],
    writev: [
      () => [FD, [bytes()], CALLBACK],
      () => [FD, [bytes(), bytes(0), new Uint16Array(3)], null, CALLBACK],
      () => [FD, [], CALLBACK],
      () => [FD, [bytes(0)], 0, CALLBACK],
      () => [FD, [bytes(), 'x'], 0, CALLBACK],
      () => [12345, [bytes()], 0, CALLBACK],
    ],
  };
  for (const [name, forms] of Object.entries(FORMS)) {
    compareFs(`fs.${name}(): forms`, async (parity) => {
      for (const [at, form] of forms.entries()) {
        await compare(parity, name, `${name}: form ${at}, ${String(form).slice(6)}`, form);
      }
    });
  }

  compareFs('fs.read() and fs.write(): of pipes, folders and devices', async (parity) => {
    const { execFileSync } = require('node:child_process');
    const opened = {
      'folder, to read': () => fs.openSync('dir'),
      '/dev/null': () => fs.openSync('/dev/null', 'r+'),
      '/dev/zero': () => fs.openSync('/dev/zero', 'r+'),
      '/dev/full': () => fs.openSync('/dev/full', 'r+'),
      '/proc/version': () => fs.openSync('/proc/version'),
      'an empty pipe that does not wait': () => {
        execFileSync('mkfifo', ['fifo']);
        return fs.openSync('fifo', fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      },
      'to read only': () => fs.openSync('file', 'r'),
      'to write only': () => fs.openSync('file', 'w'),
      'to append': () => fs.openSync('file', 'a+'),
    };
    for (const [title, open] of Object.entries(opened)) {
      for (const position of [null, 0, 3]) {
        await parity.script(
          `${title}, at ${position}`,
          async (side) => {
            const fd = open();
            side.later(() => fs.closeSync(fd));
            const take = bytes(4);
            await side.step('read', () => side.fs.read(fd, take, 0, 4, position, CALLBACK));
            await side.step('readv', () => side.fs.readv(fd, [take], position, CALLBACK));
            await side.step('write', () => side.fs.write(fd, bytes(4), 0, 4, position, CALLBACK));
            await side.step('writev', () => side.fs.writev(fd, [bytes(4)], position, CALLBACK));
            for (const name of ['fsync', 'fdatasync', 'fstat']) {
              await side.step(name, () => side.fs[name](fd, CALLBACK));
            }
            await side.step('ftruncate', () => side.fs.ftruncate(fd, 2, CALLBACK));
          },
          { tree: 'ignore' },
        );
      }
    }
  });

  for (const name of ['writeFile', 'appendFile']) {
    compareFs(`fs.${name}(): nothing, and with flags that do not let it write`, async (parity) => {
      const { O_NONBLOCK, O_RDONLY, O_SYNC } = fs.constants;
      for (const flag of ['r', 'rs', 'r+', 'w', 'wx', 'a', O_RDONLY, O_NONBLOCK, O_SYNC, 3, 'no']) {
        for (const [data, encoding] of [['', 'utf8'], ['x', 'hex'], ['x'], [bytes(0)], [bytes()]]) {
          for (const path of ['empty', 'file', 'missing', '/dev/null']) {
            await compare(parity, name, `${path}, ${flag}: ${data.length}, ${encoding}`, () => [
              path,
              data,
              { encoding, flag },
              CALLBACK,
            ]);
          }
        }
      }
    });
  }

  compareFs('fs.open(): a function for the flags', async (parity) => {
    await compare(parity, 'open', '', () => ['file', () => () => {}, 0o666, CALLBACK]);
  });

  compareFs('fs.readFile(): sizes and encodings', async (parity) => {
    for (const size of [0, 1, 16383, 16384, 16385, 100_000, 1_100_000, 5_000_000]) {
      for (const options of [undefined, null, 'latin1', { encoding: 'hex', flag: 'r+' }]) {
        await parity.script(
          `${size} bytes, ${JSON.stringify(options)}`,
          async (side) => {
            fs.writeFileSync('file', Buffer.alloc(size, 'content'));
            await side.step('', () => side.fs.readFile('file', options, CALLBACK));
          },
          { tree: 'ignore' },
        );
      }
    }
    for (const encoding of ENCODINGS) {
      await compare(parity, 'readFile', encoding, () => ['text', encoding, CALLBACK]);
    }
    await compare(parity, 'readFile', 'by descriptor', () => [FD, 'utf8', CALLBACK]);
    await compare(parity, 'readFile', 'of /proc', () => ['/proc/version', CALLBACK]);
    for (const large of [false, true]) {
      await parity.script(`aborted, large: ${large}`, async (side) => {
        if (large) fs.writeFileSync('file', Buffer.alloc(5_000_000));
        const controller = new AbortController();
        const { signal } = controller;
        await side.step('', () => {
          const reading = side.fs.readFile('file', { signal }, CALLBACK);
          controller.abort();
          return reading;
        });
        await side.step('before', () => side.fs.readFile('file', { signal }, CALLBACK));
      });
    }
  });

  compareFs('a descriptor from its open to its close', async (parity) => {
    await parity.script('all of it', async (side) => {
      const { told: outcome } = await side.step(
        'open',
        () => side.fs.open('file', 'r+', CALLBACK),
        ({ told: [error, fd] }) => [error, typeof fd],
      );
      const [, fd] = outcome;
      const at = (position, text) => side.fs.write(fd, text, position, CALLBACK);
      await side.step('one', () => at(null, 'one '));
      await side.step('two', () => at(null, 'two '));
      side.note('synchronous, of the same descriptor', fs.writeSync(fd, 'four'));
      await side.step('sync', () => side.fs.fsync(fd, CALLBACK));
      await side.step('what it is now', () => side.fs.readFile('file', 'latin1', CALLBACK));
      await side.step('close', () => side.fs.close(fd, CALLBACK));
      await side.step('close once more', () => side.fs.close(fd, CALLBACK));
    });
  });
});
