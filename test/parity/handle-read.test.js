'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { detached } = require('../helpers/memory');
const { parityTest } = require('../helpers/parity-compare');
const { standardContent } = require('../helpers/parity-twin');
const { ODD_VALUES } = require('../helpers/parity-values');

const reads = { tree: false };
const TEXT = '0123456789abcdefghijklmnopqrstuvwxyz';

function digits(dir) {
  standardContent(dir);
  fs.writeFileSync(path.join(dir, 'digits'), TEXT);
  fs.writeFileSync(path.join(dir, 'big'), TEXT.repeat(20000));
}

// Reads one byte at the current position: where the calls before have left it.
async function whereabouts(side, handle) {
  await side.step('position', async () => {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, null);
    return bytesRead ? buffer.toString() : 'end';
  });
}

const show = (value) => {
  if (typeof value === 'bigint') return `${value}n`;
  return value === undefined || Number.isNaN(value) ? String(value) : JSON.stringify(value);
};

// Before Node 26 a length that is no integer, and not too large either, fails an assertion in the
// binding, which ends the process.
const ANY_LENGTH = Number(process.versions.node.split('.')[0]) >= 26;
const usable = (length) =>
  ANY_LENGTH ||
  length == null ||
  (typeof length === 'number' && (Number.isInteger(length) || Math.abs(length) === Infinity));

const POSITIONS = [
  undefined,
  null,
  0,
  1,
  35,
  36,
  37,
  1000,
  -1,
  5n,
  36n,
  -1n,
  0n,
  2 ** 40,
  1.5,
  '3',
];

describe('parity: FileHandle reading', () => {
  parityTest(
    'read(buffer, offset, length, position)',
    async (parity) => {
      for (const offset of [undefined, null, 0, 3, 8, 9, -1]) {
        for (const length of [undefined, null, 0, 1, 5, 8, 9, -1]) {
          for (const position of [undefined, null, 0, 30, 36, -1, 5n]) {
            const label = `read(buffer, ${[offset, length, position].map(show).join(', ')})`;
            await parity.script(
              label,
              async (side) => {
                const handle = await side.fs.open('digits');
                side.keep(handle);
                const buffer = side.mark('buffer', Buffer.alloc(8, '-'));
                await side.step('', () => handle.read(buffer, offset, length, position));
                side.note('buffer', buffer);
                await whereabouts(side, handle);
              },
              reads,
            );
          }
        }
      }
    },
    digits,
  );

  parityTest(
    'read(options) and read(buffer, options)',
    async (parity) => {
      for (let i = 0; i < 250; i++) {
        const { pick, next } = parity.random;
        const options = {};
        if (next() < 0.6) options.offset = pick([undefined, null, 0, 2, 8, 9, -1, 1.5, '1']);
        if (next() < 0.6)
          options.length = pick([undefined, null, 0, 1, 6, 8, 9, -1, 2.5, '4'].filter(usable));
        if (next() < 0.6) options.position = pick(POSITIONS);
        const shape = pick(['buffer first', 'buffer inside', 'no buffer']);
        const text = Object.entries(options).map(([key, value]) => `${key}: ${show(value)}`);
        await parity.script(
          `read, ${shape}, { ${text.join(', ')} }`,
          async (side) => {
            const handle = await side.fs.open('digits');
            side.keep(handle);
            const buffer = side.mark('buffer', Buffer.alloc(8, '-'));
            if (shape === 'buffer first') await side.step('', () => handle.read(buffer, options));
            if (shape === 'buffer inside') {
              await side.step('', () => handle.read({ ...options, buffer }));
            }
            if (shape === 'no buffer') await side.step('', () => handle.read(options));
            side.note('buffer', buffer);
            await whereabouts(side, handle);
          },
          reads,
        );
      }
      const forms = {
        'read()': [],
        'read(undefined)': [undefined],
        'read(null)': [null],
        'read({})': [{}],
        'read(null prototype)': [Object.create(null)],
        'read({ buffer: null })': [{ buffer: null }],
        'read({ buffer: {} })': [{ buffer: {} }],
        'read(function)': [() => {}],
        'read([])': [[]],
        'read(buffer, null)': [Buffer.alloc(3), null],
        'read(buffer, {})': [Buffer.alloc(3), {}],
        'read(buffer, [])': [Buffer.alloc(3), []],
        'read(buffer, function)': [Buffer.alloc(3), () => {}],
        'read(undefined, 0, 1, 0)': [undefined, 0, 1, 0],
      };
      for (const [form, args] of Object.entries(forms)) {
        for (const name of ['digits', 'empty', 'dir']) {
          await parity.script(
            `${form} of ${name}`,
            async (side) => {
              const handle = await side.fs.open(name);
              side.keep(handle);
              await side.step('', () => handle.read(...args));
              await side.step('again', () => handle.read(...args));
            },
            reads,
          );
        }
      }
    },
    digits,
  );

  parityTest(
    'kinds of memory',
    async (parity) => {
      const kinds = {
        Buffer: () => Buffer.alloc(8),
        'empty Buffer': () => Buffer.alloc(0),
        'part of a Buffer': () => Buffer.alloc(20).subarray(3, 9),
        Uint8Array: () => new Uint8Array(5),
        Uint16Array: () => new Uint16Array(5),
        'part of a Uint32Array': () => new Uint32Array(8).subarray(2, 4),
        Float64Array: () => new Float64Array(2),
        BigInt64Array: () => new BigInt64Array(2),
        DataView: () => new DataView(new ArrayBuffer(10), 2, 5),
        'empty DataView': () => new DataView(new ArrayBuffer(0)),
        'shared memory': () => new Uint8Array(new SharedArrayBuffer(6)),
        'resizable memory': () => new Uint8Array(new ArrayBuffer(6, { maxByteLength: 10 })),
        ArrayBuffer: () => new ArrayBuffer(5),
        SharedArrayBuffer: () => new SharedArrayBuffer(5),
        'detached memory': () => detached(new Uint8Array(5)),
        Array: () => [1, 2, 3],
        string: () => 'text',
      };
      for (const [kind, make] of Object.entries(kinds)) {
        for (const args of [[], [0], [0, 4], [1, 3, 2], [2, undefined, 1n], [{ position: 3 }]]) {
          await parity.script(
            `read(${kind}, ${args.map(show)})`,
            async (side) => {
              const handle = await side.fs.open('digits');
              side.keep(handle);
              const buffer = make();
              if (typeof buffer === 'object') side.mark('buffer', buffer);
              await side.step('', () => handle.read(buffer, ...args));
              side.note('memory', buffer?.buffer ?? buffer);
            },
            reads,
          );
        }
        await parity.script(
          `readv([${kind}, ${kind}])`,
          async (side) => {
            const handle = await side.fs.open('digits');
            side.keep(handle);
            const buffers = side.mark('buffers', [make(), make()]);
            await side.step('', () => handle.readv(buffers));
            await side.step('at 3', () => handle.readv(buffers, 3));
          },
          reads,
        );
      }
    },
    digits,
  );

  parityTest(
    'readv(buffers, position)',
    async (parity) => {
      const lists = {
        none: () => [],
        'one empty': () => [Buffer.alloc(0)],
        one: () => [Buffer.alloc(4)],
        three: () => [Buffer.alloc(1), new Uint16Array(3), Buffer.alloc(5)],
        'with empty ones': () => [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(0)],
        'more than there is': () => [Buffer.alloc(30, '-'), Buffer.alloc(30, '-')],
        '1,500 of them': () => Array.from({ length: 1500 }, () => Buffer.alloc(1)),
        'the same twice': () => Array(2).fill(Buffer.alloc(3)),
        'with a string': () => [Buffer.alloc(3), 'text'],
        'with null': () => [null],
        'with a hole': () => [Buffer.alloc(1), , Buffer.alloc(1)], // eslint-disable-line no-sparse-arrays
        'array-like': () => ({ length: 1, 0: Buffer.alloc(2) }),
        Buffer: () => Buffer.alloc(4),
        undefined: () => undefined,
        Set: () => new Set([Buffer.alloc(2)]),
      };
      for (const [text, make] of Object.entries(lists)) {
        for (const position of POSITIONS) {
          await parity.script(
            `readv(${text}, ${show(position)})`,
            async (side) => {
              const handle = await side.fs.open('digits');
              side.keep(handle);
              const buffers = make();
              if (typeof buffers === 'object') side.mark('buffers', buffers);
              await side.step('', () => handle.readv(buffers, position));
              await whereabouts(side, handle);
            },
            reads,
          );
        }
      }
    },
    digits,
  );

  parityTest(
    'each argument odd',
    async (parity) => {
      const shapes = {
        'read: buffer': (handle, odd) => handle.read(odd, 0, 1, 0),
        'read: only': (handle, odd) => handle.read(odd),
        'read: offset': (handle, odd) => handle.read(Buffer.alloc(4), odd, 1, 0),
        'read: length': (handle, odd) => handle.read(Buffer.alloc(4), 0, odd, 0),
        'read: position': (handle, odd) => handle.read(Buffer.alloc(4), 0, 1, odd),
        'read: option buffer': (handle, odd) => handle.read({ buffer: odd }),
        'read: option offset': (handle, odd) => handle.read({ offset: odd }),
        'read: option length': (handle, odd) => handle.read({ length: odd }),
        'read: option position': (handle, odd) => handle.read({ position: odd }),
        'read: position, no length': (handle, odd) => handle.read(Buffer.alloc(4), 0, 0, odd),
        'readv: buffers': (handle, odd) => handle.readv(odd),
        'readv: element': (handle, odd) => handle.readv([odd]),
        'readv: position': (handle, odd) => handle.readv([Buffer.alloc(2)], odd),
        readFile: (handle, odd) => handle.readFile(odd),
        'readFile: encoding': (handle, odd) => handle.readFile({ encoding: odd }),
        'readFile: signal': (handle, odd) => handle.readFile({ signal: odd }),
      };
      for (const [shape, call] of Object.entries(shapes)) {
        for (const [odd, make] of ODD_VALUES) {
          if (/length$/.test(shape) && !usable(make())) continue;
          await parity.script(
            `${shape} is ${odd}`,
            async (side) => {
              const handle = await side.fs.open('digits');
              side.keep(handle);
              await side.step('', () => call(handle, make()));
              await whereabouts(side, handle);
            },
            reads,
          );
        }
      }
    },
    digits,
  );

  parityTest(
    'the current position and explicit ones in turns',
    async (parity) => {
      const { int, pick } = parity.random;
      for (let i = 0; i < 120; i++) {
        const steps = Array.from({ length: int(2, 10) }, () => ({
          kind: pick(['read', 'read', 'readv', 'readFile', 'options']),
          length: int(0, 9),
          position: pick([null, undefined, null, int(0, 40), BigInt(int(0, 40)), -1]),
        }));
        const text = steps.map(
          ({ kind, length, position }) => `${kind} ${length}@${show(position)}`,
        );
        await parity.script(
          text.join(', '),
          async (side) => {
            const handle = await side.fs.open('digits');
            side.keep(handle);
            for (const [index, { kind, length, position }] of steps.entries()) {
              const buffer = Buffer.alloc(Math.max(length, 1), '-');
              const call = {
                read: () => handle.read(buffer, 0, length, position),
                readv: () => handle.readv([buffer, Buffer.alloc(1)], position),
                readFile: () => handle.readFile('utf8'),
                options: () => handle.read({ buffer, length, position }),
              }[kind];
              await side.step(text[index], call);
            }
          },
          reads,
        );
      }
      for (const count of [2, 7, 40]) {
        // Node starts them at once and in no given order: each part is read exactly once.
        await parity.script(
          `${count} reads at the current position at once`,
          async (side) => {
            const handle = await side.fs.open('big');
            side.keep(handle);
            const parts = await Promise.all(
              Array.from({ length: count }, () => handle.read(Buffer.alloc(5), 0, 5, null)),
            );
            side.note('parts', parts.map(({ buffer }) => buffer.toString()).sort());
          },
          reads,
        );
        await parity.call(
          `${count} reads at explicit positions at once`,
          async (side) => {
            const handle = await side.fs.open('big');
            side.keep(handle);
            return Promise.all(
              Array.from({ length: count }, (_, i) => handle.read(Buffer.alloc(4), 0, 4, i * 11)),
            );
          },
          reads,
        );
      }
    },
    digits,
  );

  parityTest(
    'large reads',
    async (parity) => {
      for (const length of [4095, 4096, 65537, 524289, 719999, 720000, 720001, 1000000]) {
        for (const position of [null, 0, 1, 700000]) {
          await parity.call(
            `read of ${length} at ${position}`,
            async (side) => {
              const handle = await side.fs.open('big');
              side.keep(handle);
              return handle.read(Buffer.alloc(length), 0, length, position);
            },
            reads,
          );
        }
      }
    },
    digits,
  );

  parityTest(
    'handles that cannot be read',
    async (parity) => {
      for (const [name, flags] of [
        ['digits', 'w'],
        ['digits', 'a'],
        ['dir', 'r'],
        ['/proc/self/mem', 'r'],
        ['/dev/null', 'r'],
        ['/dev/full', 'r'],
        ['/dev/zero', 'r'],
      ]) {
        await parity.script(`${name} '${flags}'`, async (side) => {
          const handle = await side.step('open', () => side.fs.open(name, flags));
          await side.step('read', () => handle.read(Buffer.alloc(4), 0, 4));
          await side.step('read at 1', () => handle.read(Buffer.alloc(4), 0, 4, 1));
          await side.step('readv', () => handle.readv([Buffer.alloc(4)]));
          await side.step('empty', () => handle.read(Buffer.alloc(0)));
          if (!/zero|full/.test(name)) await side.step('readFile', () => handle.readFile());
        });
      }
    },
    digits,
  );
});
