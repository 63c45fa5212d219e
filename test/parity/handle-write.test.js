'use strict';

const fs = require('node:fs');
const { detached } = require('../helpers/memory');
const { parityTest } = require('../helpers/parity-compare');
const { ODD_VALUES, ENCODINGS } = require('../helpers/parity-values');

const SNOWMAN = 'snow \u2603 \u{1f600}';

const show = (value) => {
  if (typeof value === 'bigint') return `${value}n`;
  return value === undefined || Number.isNaN(value) ? String(value) : JSON.stringify(value);
};

// Writes at the current position: where the calls before have left it.
const marker = (side, handle) => side.step('marker', () => handle.write(Buffer.alloc(1, '#')));

function withHandle(parity, label, flags, body, options) {
  return parity.script(
    label,
    async (side) => {
      const handle = await side.fs.open('file', flags);
      side.keep(handle);
      await body(side, handle);
    },
    options,
  );
}

describe('parity: FileHandle writing', () => {
  parityTest('write(buffer, offset, length, position)', async (parity) => {
    for (const offset of [undefined, null, 0, 3, 8, 9, -1]) {
      for (const length of [undefined, null, 0, 1, 8, 9, -1]) {
        for (const position of [undefined, null, 0, 30, -1, 5n]) {
          const label = `write(buffer, ${[offset, length, position].map(show).join(', ')})`;
          await withHandle(parity, label, 'r+', async (side, handle) => {
            const buffer = side.mark('buffer', Buffer.from('ABCDEFGH'));
            await side.step('', () => handle.write(buffer, offset, length, position));
            await marker(side, handle);
          });
        }
      }
    }
  });

  parityTest('write(buffer, options)', async (parity) => {
    const { pick, next } = parity.random;
    for (let i = 0; i < 150; i++) {
      const options = {};
      if (next() < 0.6) options.offset = pick([undefined, null, 0, 2, 8, 9, -1, 1.5, '1']);
      if (next() < 0.6) options.length = pick([undefined, null, 0, 1, 8, 9, -1, '4']);
      if (next() < 0.6) options.position = pick([undefined, null, 0, 5, 20, -1, 3n, '3']);
      const text = Object.entries(options).map(([key, value]) => `${key}: ${show(value)}`);
      const flags = pick(['r+', 'w+', 'a', 'a+', 'r']);
      await withHandle(parity, `'${flags}' { ${text.join(', ')} }`, flags, async (side, handle) => {
        const buffer = side.mark('buffer', Buffer.from('ABCDEFGH'));
        await side.step('', () => handle.write(buffer, options));
        await marker(side, handle);
      });
    }
  });

  parityTest('write(string, position, encoding)', async (parity) => {
    const texts = ['', 'abc', SNOWMAN, '616263', 'YWJj', 'a\ud800', 'x'.repeat(70000)];
    for (const text of texts) {
      for (const encoding of [undefined, null, ...ENCODINGS, 'buffer', 'utf7', '']) {
        for (const position of [undefined, null, 0, 20]) {
          if (position === 20 && encoding === undefined) continue;
          const label = `write(${show(text.slice(0, 9))}, ${position}, ${encoding})`;
          await withHandle(parity, label, 'r+', async (side, handle) => {
            await side.step('', () => handle.write(text, position, encoding));
            await marker(side, handle);
          });
        }
      }
    }
    for (const flags of ['a', 'a+', 'w', 'r', 'r+']) {
      for (const position of [undefined, 0, 5, 100]) {
        await withHandle(parity, `'${flags}' at ${position}`, flags, async (side, handle) => {
          await side.step('string', () => handle.write('string', position));
          await side.step('buffer', () => handle.write(Buffer.from('buf'), 0, 3, position));
          await side.step('writev', () => handle.writev([Buffer.from('vec')], position));
          await marker(side, handle);
        });
      }
    }
  });

  parityTest('kinds of memory', async (parity) => {
    const kinds = {
      Buffer: () => Buffer.from('Buffer'),
      'empty Buffer': () => Buffer.alloc(0),
      'part of a Buffer': () => Buffer.from('0123456789').subarray(3, 9),
      Uint8Array: () => new Uint8Array([65, 66]),
      Uint16Array: () => new Uint16Array([0x4142, 0x4344]),
      'part of a Uint32Array': () => new Uint32Array([1, 2, 3, 4]).subarray(2),
      Float64Array: () => new Float64Array([Math.PI]),
      BigInt64Array: () => new BigInt64Array([-1n]),
      DataView: () => new DataView(Uint8Array.from([65, 66, 67, 68]).buffer, 1, 2),
      'empty DataView': () => new DataView(new ArrayBuffer(0)),
      'shared memory': () => new Uint8Array(new SharedArrayBuffer(4)).fill(67),
      'resizable memory': () => new Uint8Array(new ArrayBuffer(4, { maxByteLength: 9 })).fill(68),
      ArrayBuffer: () => new ArrayBuffer(5),
      SharedArrayBuffer: () => new SharedArrayBuffer(5),
      Array: () => [65, 66],
      String: () => new String('boxed'),
      'object with toString': () => ({ toString: () => 'text' }),
      'object with byteLength': () => ({ byteLength: 0 }),
      'detached memory': () => detached(new Uint8Array(5)),
    };
    for (const [kind, make] of Object.entries(kinds)) {
      for (const args of [[], [0], [0, 2], [1, 1, 2], [{ position: 3 }]]) {
        const label = `write(${kind}, ${args.map(show)})`;
        await withHandle(parity, label, 'r+', async (side, handle) => {
          const data = side.mark('data', make());
          await side.step('', () => handle.write(data, ...args));
          await marker(side, handle);
        });
      }
      await withHandle(parity, `writev([${kind}, ${kind}])`, 'r+', async (side, handle) => {
        const buffers = side.mark('buffers', [make(), make()]);
        await side.step('', () => handle.writev(buffers));
        await side.step('at 3', () => handle.writev(buffers, 3));
        await marker(side, handle);
      });
    }
  });

  parityTest('writev(buffers, position)', async (parity) => {
    const lists = {
      none: () => [],
      'one empty': () => [Buffer.alloc(0)],
      one: () => [Buffer.from('one')],
      three: () => [Buffer.from('1'), new Uint16Array([0x4142]), Buffer.from('345')],
      'with empty ones': () => [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(0)],
      '1,500 of them': () => Array.from({ length: 1500 }, (_, i) => Buffer.from([i & 255])),
      'the same twice': () => Array(2).fill(Buffer.from('twice ')),
      'with a string': () => [Buffer.from('x'), 'text'],
      'with null': () => [null],
      'array-like': () => ({ length: 1, 0: Buffer.from('x') }),
      Buffer: () => Buffer.from('x'),
      undefined: () => undefined,
    };
    const positions = [undefined, null, 0, 1, 30, -1, 5n, '3', 1.5, 2 ** 40];
    for (const [text, make] of Object.entries(lists)) {
      for (const position of positions) {
        for (const flags of position === undefined ? ['r+', 'a', 'r'] : ['r+']) {
          const label = `writev(${text}, ${show(position)}) '${flags}'`;
          await withHandle(parity, label, flags, async (side, handle) => {
            const buffers = make();
            if (typeof buffers === 'object') side.mark('buffers', buffers);
            await side.step('', () => handle.writev(buffers, position));
            await marker(side, handle);
          });
        }
      }
    }
  });

  parityTest('each argument odd', async (parity) => {
    const shapes = {
      'write: data': (handle, odd) => handle.write(odd),
      'write: data of four': (handle, odd) => handle.write(odd, 0, 1, 0),
      'write: offset': (handle, odd) => handle.write(Buffer.from('abc'), odd, 1, 0),
      'write: length': (handle, odd) => handle.write(Buffer.from('abc'), 0, odd, 0),
      'write: position': (handle, odd) => handle.write(Buffer.from('abc'), 0, 1, odd),
      'write: option offset': (handle, odd) => handle.write(Buffer.from('abc'), { offset: odd }),
      'write: option length': (handle, odd) => handle.write(Buffer.from('abc'), { length: odd }),
      'write: option position': (handle, odd) =>
        handle.write(Buffer.from('abc'), { position: odd }),
      'string: position': (handle, odd) => handle.write('abc', odd),
      'string: encoding': (handle, odd) => handle.write('abc', 0, odd),
      'string: surplus': (handle, odd) => handle.write('abc', 0, 'utf8', odd),
      'writev: buffers': (handle, odd) => handle.writev(odd),
      'writev: element': (handle, odd) => handle.writev([odd]),
      'writev: position': (handle, odd) => handle.writev([Buffer.from('ab')], odd),
      'writeFile: data': (handle, odd) => handle.writeFile(odd),
      'writeFile: options': (handle, odd) => handle.writeFile('data', odd),
      'writeFile: encoding': (handle, odd) => handle.writeFile('data', { encoding: odd }),
      'writeFile: signal': (handle, odd) => handle.writeFile('data', { signal: odd }),
      'writeFile: mode': (handle, odd) => handle.writeFile('data', { mode: odd }),
      'appendFile: data': (handle, odd) => handle.appendFile(odd),
      'appendFile: options': (handle, odd) => handle.appendFile('data', odd),
    };
    for (const [shape, call] of Object.entries(shapes)) {
      for (const [odd, make] of ODD_VALUES) {
        // An assertion in the binding that ends the process, with every version.
        if (/length$/.test(shape) && odd === '-0') continue;
        await withHandle(parity, `${shape} is ${odd}`, 'r+', async (side, handle) => {
          await side.step('', () => call(handle, make()));
          await marker(side, handle);
        });
      }
    }
  });

  parityTest('the current position and explicit ones in turns', async (parity) => {
    const { int, pick } = parity.random;
    const kinds = ['write', 'write', 'string', 'writev', 'writeFile', 'appendFile', 'read'];
    for (let i = 0; i < 120; i++) {
      const steps = Array.from({ length: int(2, 10) }, (_, index) => ({
        kind: pick(kinds),
        data: String.fromCharCode(65 + index).repeat(int(0, 9)),
        position: pick([null, undefined, null, int(0, 40), -1]),
      }));
      const text = steps.map(({ kind, data, position }) => `${kind} '${data}'@${show(position)}`);
      const flags = pick(['r+', 'w+', 'a+', 'r+']);
      await withHandle(parity, `'${flags}' ${text.join(', ')}`, flags, async (side, handle) => {
        for (const [index, { kind, data, position }] of steps.entries()) {
          const buffer = Buffer.from(data);
          const call = {
            write: () => handle.write(buffer, 0, buffer.length, position),
            string: () => handle.write(data, position),
            writev: () => handle.writev([buffer, Buffer.from('.')], position),
            writeFile: () => handle.writeFile(data),
            appendFile: () => handle.appendFile(buffer),
            read: () => handle.read(Buffer.alloc(3), 0, 3, position),
          }[kind];
          await side.step(text[index], call);
        }
      });
    }
    for (const count of [2, 7, 40]) {
      // In no given order with Node, but each in a place of its own.
      for (const flags of ['w', 'a']) {
        await parity.script(`${count} writes at once, '${flags}'`, async (side) => {
          const handle = await side.fs.open('log', flags);
          side.keep(handle);
          const lines = Array.from({ length: count }, (_, i) => `line ${String(i).padStart(3)}\n`);
          await side.step('writes', () => Promise.all(lines.map((line) => handle.write(line))));
          side.note('lines', fs.readFileSync('log', 'utf8').split('\n').sort());
          fs.unlinkSync('log');
        });
      }
      await withHandle(parity, `${count} writes at positions at once`, 'w', (side, handle) =>
        side.step('', () =>
          Promise.all(
            Array.from({ length: count }, (_, i) =>
              handle.write(Buffer.from([65 + i]), 0, 1, i * 3),
            ),
          ),
        ),
      );
    }
  });

  parityTest('large writes', async (parity) => {
    for (const length of [4096, 65537, 524289, 1048579, 3000000]) {
      for (const kind of ['buffer', 'string', 'writev', 'writeFile']) {
        await withHandle(parity, `${kind} of ${length}`, 'w', (side, handle) => {
          const data = Buffer.alloc(length, 'abcdefg');
          const call = {
            buffer: () => handle.write(data),
            string: () => handle.write(data.toString()),
            writev: () => handle.writev([data, data]),
            writeFile: () => handle.writeFile(data),
          }[kind];
          return side.step('', call);
        });
      }
    }
  });

  parityTest('handles that cannot be written', async (parity) => {
    for (const [name, flags] of [
      ['file', 'r'],
      ['dir', 'r'],
      ['/dev/full', 'w'],
      ['/dev/null', 'w'],
      ['/proc/version', 'r'],
    ]) {
      await parity.script(`${name} '${flags}'`, async (side) => {
        const handle = await side.step('open', () => side.fs.open(name, flags));
        await side.step('write', () => handle.write(Buffer.from('x')));
        await side.step('write at 1', () => handle.write(Buffer.from('x'), 0, 1, 1));
        await side.step('string', () => handle.write('x'));
        await side.step('empty string', () => handle.write(''));
        await side.step('empty Buffer', () => handle.write(Buffer.alloc(0)));
        await side.step('writev', () => handle.writev([Buffer.from('x')]));
        await side.step('writeFile', () => handle.writeFile('x'));
        await side.step('appendFile', () => handle.appendFile('x'));
        await side.step('empty writeFile', () => handle.writeFile(''));
        await side.step('sync', () => handle.sync());
        await side.step('datasync', () => handle.datasync());
      });
    }
  });
});
