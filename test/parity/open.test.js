'use strict';

const { constants } = require('node:fs');
const { parityTest } = require('../helpers/parity-compare');
const { TARGETS, PATH_KINDS } = require('../helpers/parity-values');

const STRING_FLAGS = 'r rs sr r+ rs+ sr+ w wx xw w+ wx+ xw+ a ax xa as sa a+ ax+ xa+ as+ sa+'.split(
  ' ',
);
const BAD_FLAGS = ['', 'R', 'rw', 'wr', 'x', '+', 'r ', 'w++', 'axs', 'toString', '0', '438'];

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
const { O_DIRECTORY, O_NOFOLLOW, O_SYNC, O_DSYNC, O_NONBLOCK, O_NOATIME, O_NOCTTY } = constants;
const NUMERIC_FLAGS = {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  'both access bits': O_WRONLY | O_RDWR,
  'CREAT only': O_CREAT,
  'CREAT|WRONLY': O_CREAT | O_WRONLY,
  'CREAT|EXCL|RDWR': O_CREAT | O_EXCL | O_RDWR,
  'TRUNC|WRONLY': O_TRUNC | O_WRONLY,
  'TRUNC|RDONLY': O_TRUNC,
  'APPEND|WRONLY': O_APPEND | O_WRONLY,
  'APPEND|CREAT|RDWR': O_APPEND | O_CREAT | O_RDWR,
  DIRECTORY: O_DIRECTORY,
  'DIRECTORY|WRONLY': O_DIRECTORY | O_WRONLY,
  'DIRECTORY|CREAT': O_DIRECTORY | O_CREAT,
  NOFOLLOW: O_NOFOLLOW,
  'NOFOLLOW|CREAT|WRONLY': O_NOFOLLOW | O_CREAT | O_WRONLY,
  'SYNC|RDWR': O_SYNC | O_RDWR,
  'DSYNC|RDWR': O_DSYNC | O_RDWR,
  NONBLOCK: O_NONBLOCK,
  NOATIME: O_NOATIME,
  NOCTTY: O_NOCTTY,
  O_PATH: 0o10000000,
  'O_TMPFILE|RDWR': 0o20200000 | O_RDWR,
  O_CLOEXEC: 0o2000000,
  'an unknown bit': 1 << 30,
  'all bits': 0x7fffffff,
  'minus one': -1,
  'lowest int32': -(2 ** 31),
  'above int32': 2 ** 31,
  fraction: 1.5,
};
const MODES = [
  undefined,
  null,
  0,
  0o400,
  0o600,
  0o644,
  0o777,
  0o1777,
  0o7777,
  0o10000,
  65535,
  '0',
  '600',
  '0644',
  '0o644',
  '0x1ff',
  '8',
  'rw',
  '',
  ' 644',
  '7777',
  '77777',
  -1,
  1.5,
  NaN,
  2 ** 32,
  10n,
  true,
];

// What a handle can do tells how it was opened.
async function tryOut(side, open) {
  const handle = await side.step('open', open);
  if (!handle) return;
  await side.step('stat', async () => (await handle.stat()).mode);
  await side.step('write', async () => (await handle.write('XY')).bytesWritten);
  await side.step('read', async () => (await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead);
  await side.step('close', () => handle.close());
}

const show = (value) => (typeof value === 'string' ? JSON.stringify(value) : String(value));

describe('parity: open', () => {
  parityTest('string flags on every kind of entry', async (parity) => {
    for (const flags of [...STRING_FLAGS, ...BAD_FLAGS]) {
      for (const [kind, name] of TARGETS) {
        if (BAD_FLAGS.includes(flags) && kind !== 'file' && kind !== 'missing') continue;
        await parity.script(`open(${kind}, '${flags}')`, (side) =>
          tryOut(side, () => side.fs.open(name, flags)),
        );
      }
    }
  });

  parityTest('numeric flags on every kind of entry', async (parity) => {
    for (const [text, flags] of Object.entries(NUMERIC_FLAGS)) {
      for (const [kind, name] of TARGETS.slice(0, 12)) {
        await parity.script(`open(${kind}, ${text})`, (side) =>
          tryOut(side, () => side.fs.open(name, flags)),
        );
      }
    }
  });

  parityTest('generated numeric flags', async (parity) => {
    // O_DIRECT is left out: whether a short write fails then depends on the file system.
    const bits = [1, 2, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_SYNC];
    for (let i = 0; i < 150; i++) {
      const flags = bits.reduce((all, bit) => all | (parity.random.next() < 0.3 ? bit : 0), 0);
      const [kind, name] = parity.random.pick(TARGETS);
      await parity.script(`open(${kind}, 0o${flags.toString(8)})`, (side) =>
        tryOut(side, () => side.fs.open(name, flags)),
      );
    }
  });

  parityTest('modes of a new file', async (parity) => {
    for (const flags of ['w', 'wx', 'a', 'r', 'r+', 'w+', 'ax+']) {
      for (const mode of MODES) {
        await parity.script(`open(new, '${flags}', ${show(mode)})`, (side) =>
          tryOut(side, () => side.fs.open('new', flags, mode)),
        );
      }
    }
  });

  parityTest('kinds of paths', async (parity) => {
    for (const [kind, make] of PATH_KINDS) {
      for (const name of ['file', 'missing', 'dir', 'f\u00fcr \u2603']) {
        for (const flags of ['r', 'w', 'wx']) {
          await parity.script(`open(${kind} of ${name}, '${flags}')`, (side) =>
            tryOut(side, () => side.fs.open(make(side, name), flags)),
          );
        }
      }
    }
    await parity.script('a path that is not UTF-8', (side) =>
      tryOut(side, () => side.fs.open(Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'w')),
    );
    await parity.script('an error with a path that is not UTF-8', (side) =>
      tryOut(side, () => side.fs.open(Buffer.from([0x61, 0xff, 0xfe, 0x62]))),
    );
  });

  parityTest('defaults', async (parity) => {
    await parity.script('no flags', (side) => tryOut(side, () => side.fs.open('file')));
    await parity.script('flags null', (side) => tryOut(side, () => side.fs.open('file', null)));
    await parity.script('umask', async (side) => {
      const umask = process.umask(0o077);
      try {
        await tryOut(side, () => side.fs.open('masked', 'w'));
        await side.step('mkdir', () => side.fs.mkdir('masked-dir'));
      } finally {
        process.umask(umask);
      }
    });
  });
});
