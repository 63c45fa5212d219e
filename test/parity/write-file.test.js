'use strict';

const fs = require('node:fs');
const { Readable } = require('node:stream');
const { constants } = fs;
const { parityTest } = require('../helpers/parity-compare');
const { ODD_VALUES, TARGETS, PATH_KINDS, ENCODINGS } = require('../helpers/parity-values');

const SNOWMEN = 'snow \u2603\u2603 \u{1f600} \u00e9\n';

async function* later(items) {
  for (const item of items) {
    await null;
    yield item;
  }
}

// Each made anew for each call: iterators and streams can be read once.
const DATA = {
  'empty string': () => '',
  string: () => 'some text',
  'not ASCII': () => SNOWMEN,
  'lone surrogate': () => 'a\ud800b',
  'nul bytes': () => 'a\0b\0',
  '70,000 characters': () => '\u00e9x'.repeat(35000),
  '600,000 characters': () => '\u2603'.repeat(600000),
  'empty Buffer': () => Buffer.alloc(0),
  Buffer: () => Buffer.from(SNOWMEN),
  'Buffer of 4,097': () => Buffer.alloc(4097, 'abc'),
  'Buffer of 512 KiB + 1': () => Buffer.alloc(512 * 1024 + 1, 'abcde'),
  'Buffer of 1 MiB + 3': () => Buffer.alloc(1024 * 1024 + 3, 'abcdefg'),
  'part of a Buffer': () => Buffer.from('0123456789').subarray(3, 7),
  Uint8Array: () => new Uint8Array([1, 2, 3]),
  Uint8ClampedArray: () => new Uint8ClampedArray([1, 2, 300]),
  Int8Array: () => new Int8Array([-1, 2]),
  Uint16Array: () => new Uint16Array([1, 65535]),
  Int16Array: () => new Int16Array([-2, 3]),
  Uint32Array: () => new Uint32Array([1, 2 ** 31]),
  Int32Array: () => new Int32Array([-5]),
  Float32Array: () => new Float32Array([1.5]),
  Float64Array: () => new Float64Array([Math.PI, 2]),
  BigInt64Array: () => new BigInt64Array([-1n]),
  BigUint64Array: () => new BigUint64Array([2n ** 63n]),
  DataView: () => new DataView(new Uint8Array([9, 8, 7, 6, 5]).buffer, 1, 3),
  'part of a Uint32Array': () => new Uint32Array([1, 2, 3, 4]).subarray(1, 3),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(5)).fill(65),
  'empty DataView': () => new DataView(new ArrayBuffer(4), 4),
  'resizable memory': () => new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 })).fill(66),
  ArrayBuffer: () => new ArrayBuffer(3),
  SharedArrayBuffer: () => new SharedArrayBuffer(3),
  'array of strings': () => ['a', 'b\u2603', ''],
  'array of Buffers': () => [Buffer.from('a'), Buffer.alloc(0), new Uint16Array([0x4142])],
  'empty array': () => [],
  'array of numbers': () => ['fine', 1],
  'array with null': () => ['fine', null],
  'array of objects': () => ['fine', {}],
  'array of arrays': () => [['a'], [66, 67]],
  Set: () => new Set(['x', 'y']),
  Map: () => new Map([['k', 'v']]),
  generator: () =>
    (function* () {
      yield 'one ';
      yield Buffer.from('two ');
      yield new Float32Array([1]);
    })(),
  'throwing generator': () =>
    (function* () {
      yield 'one ';
      throw new RangeError('enough');
    })(),
  'async generator': () => later(['one ', Buffer.from('two'), '']),
  'failing async generator': () =>
    (async function* () {
      yield 'one ';
      throw new RangeError('enough');
    })(),
  'async generator of numbers': () => later(['one', 2]),
  'long async generator': () => later(Array.from({ length: 50 }, (_, i) => `line ${i}\n`)),
  'generator of large parts': () => later([Buffer.alloc(600000, 'x'), 'y'.repeat(600000)]),
  Readable: () => Readable.from(['stream ', 'of ', 'strings']),
  'Readable of bytes': () => Readable.from(Buffer.from('bytes')),
  'Readable of objects': () => Readable.from([{ a: 1 }]),
  'empty Readable': () => Readable.from([]),
  'failing Readable': () =>
    new Readable({
      read() {
        this.destroy(new RangeError('broken stream'));
      },
    }),
  'Readable with an encoding': () => Readable.from([Buffer.from(SNOWMEN)]).setEncoding('utf8'),
  'web stream': () => new Blob(['from a ', 'blob']).stream(),
  'iterator only': () => ({ [Symbol.iterator]: () => ['a', 'b'][Symbol.iterator]() }),
  'iterator that is no function': () => ({ [Symbol.iterator]: 1 }),
  'object with toString': () => ({ toString: () => 'text' }),
  'object with own toString and toPrimitive': () => ({ [Symbol.toPrimitive]: () => 'text' }),
  Blob: () => new Blob(['x']),
  String: () => new String('boxed'),
  ...Object.fromEntries(ODD_VALUES.map(([name, make]) => [`odd: ${name}`, make])),
};

const FLAGS = 'r r+ rs+ w wx w+ wx+ a ax a+ ax+ as as+ bad'.split(' ');

describe('parity: writeFile and appendFile', () => {
  for (const name of ['writeFile', 'appendFile']) {
    parityTest(`${name}(): every kind of data`, async (parity) => {
      for (const [kind, make] of Object.entries(DATA)) {
        for (const target of ['file', 'new']) {
          await parity.call(`${name}(${target}, ${kind})`, (side) => side.fs[name](target, make()));
        }
        await parity.call(`${name}(file, ${kind}, { flush: true })`, (side) =>
          side.fs[name]('file', make(), { flush: true }),
        );
        await parity.script(`handle.${name}(${kind})`, async (side) => {
          const handle = await side.step('open', () => side.fs.open('file', 'r+'));
          await side.step(name, () => handle[name](make()));
          await side.step('where it stands', () => handle.readFile('utf8'));
        });
      }
    });

    parityTest(`${name}(): encodings`, async (parity) => {
      const texts = ['', 'abc', SNOWMEN, '616263zz', '6', 'YWJj', 'YWJjZA', '_-_-', 'a\ud800'];
      for (const encoding of [...ENCODINGS, null, undefined, 'buffer', 'utf7', '']) {
        for (const text of texts) {
          await parity.call(`${name}(${JSON.stringify(text)}, '${encoding}')`, (side) =>
            side.fs[name]('file', text, encoding),
          );
        }
        await parity.call(`${name}(iterable, { encoding: '${encoding}' })`, (side) =>
          side.fs[name]('file', ['616263', 'YWJj'], { encoding }),
        );
        await parity.call(`${name}(Buffer, { encoding: '${encoding}' })`, (side) =>
          side.fs[name]('file', Buffer.from('6162'), { encoding }),
        );
        await parity.script(`handle.${name}('6162', '${encoding}')`, async (side) => {
          const handle = await side.step('open', () => side.fs.open('file', 'r+'));
          await side.step('string', () => handle[name]('6162', encoding));
          await side.step('object', () => handle[name]('6364', { encoding }));
        });
      }
    });

    parityTest(`${name}(): flags on every kind of entry`, async (parity) => {
      const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_TRUNC, O_RDWR } = constants;
      const numeric = [
        0,
        O_WRONLY,
        O_RDWR,
        O_WRONLY | O_CREAT,
        O_WRONLY | O_CREAT | O_EXCL,
        O_WRONLY | O_APPEND,
        O_WRONLY | O_TRUNC,
        -1,
      ];
      for (const flag of [undefined, null, '', ...FLAGS, ...numeric]) {
        for (const [kind, target] of TARGETS) {
          const rare = kind.length > 8 && flag !== undefined && flag !== 'wx';
          if (rare && parity.random.next() < 0.6) continue;
          await parity.call(`${name}(${kind}, 'data', { flag: ${flag} })`, (side) =>
            side.fs[name](target, 'data', { flag }),
          );
        }
      }
    });

    parityTest(`${name}(): modes and flush`, async (parity) => {
      const modes = [
        undefined,
        null,
        0,
        0o600,
        0o777,
        0o4755,
        '600',
        '0o600',
        'rw',
        1.5,
        -1,
        2 ** 32,
      ];
      for (const mode of modes) {
        for (const target of ['new', 'file']) {
          await parity.call(`${name}(${target}, { mode: ${JSON.stringify(mode)} })`, (side) =>
            side.fs[name](target, 'data', { mode }),
          );
        }
      }
      for (const flush of [true, false, null, undefined, 0, 1, 'true', {}]) {
        for (const data of ['string', Buffer.from('Buffer'), ['iter', 'able'], '', 5]) {
          await parity.call(`${name}(${data}, { flush: ${flush} })`, (side) =>
            side.fs[name]('file', data, { flush }),
          );
          await parity.script(`handle.${name}(${data}, { flush: ${flush} })`, async (side) => {
            const handle = await side.step('open', () => side.fs.open('file', 'a'));
            await side.step(name, () => handle[name](data, { flush }));
          });
        }
      }
    });

    parityTest(`${name}(): kinds of paths`, async (parity) => {
      for (const [kind, make] of PATH_KINDS) {
        for (const target of ['file', 'new', 'dir', 'missing/file', 'not \u2603', 'dangling']) {
          await parity.call(`${name}(${kind} of ${target})`, (side) =>
            side.fs[name](make(side, target), 'data'),
          );
        }
      }
    });

    parityTest(`${name}(): handles of both kinds`, async (parity) => {
      for (const kind of ['fs', 'nodeFs']) {
        for (const flags of ['r', 'r+', 'w', 'a', 'a+', 'w+']) {
          await parity.script(`${name}(handle of ${kind}, '${flags}')`, async (side) => {
            const handle = await side[kind].open('file', flags);
            side.later(() => handle.close());
            await side.step('first', () => side.fs[name](handle, 'first'));
            await side.step('second', () => side.fs[name](handle, Buffer.from('second')));
            await side.step('flag', () => side.fs[name](handle, 'third', { flag: 'wx', mode: 0 }));
            await side.step('iterable', () => side.fs[name](handle, ['a', 'b']));
            await side.step('bad', () => side.fs[name](handle, 5));
            await handle.close();
            await side.step('closed', () => side.fs[name](handle, 'late'));
          });
        }
      }
    });

    parityTest(`${name}(): signals`, async (parity) => {
      const reasons = {
        none: () => AbortSignal.abort(),
        error: () => AbortSignal.abort(new RangeError('why')),
        string: () => AbortSignal.abort('why'),
      };
      for (const [reason, make] of Object.entries(reasons)) {
        for (const kind of ['string', 'Buffer', 'generator', 'async generator', 'Readable']) {
          for (const target of ['file', 'new', 'dir']) {
            await parity.call(`${name}(${target}, ${kind}), aborted before: ${reason}`, (side) =>
              side.fs[name](target, DATA[kind](), { signal: make() }),
            );
          }
          await parity.script(
            `handle.${name}(${kind}), aborted before: ${reason}`,
            async (side) => {
              const handle = await side.step('open', () => side.fs.open('file', 'r+'));
              await side.step(name, () => handle[name](DATA[kind](), { signal: make() }));
              await side.step('then', () => handle[name]('more', { signal: undefined }));
            },
          );
          // How much was written when the abort came is nobody's promise.
          await parity.script(
            `${name}(${kind}), aborted in the same tick: ${reason}`,
            async (side) => {
              const controller = new AbortController();
              await side.step(name, () => {
                const { signal } = controller;
                const promise = side.fs[name]('file', DATA[kind](), { signal });
                controller.abort(make().reason);
                return promise;
              });
            },
            { tree: 'ignore' },
          );
        }
      }
      await parity.script(`${name}(): aborted between two parts`, async (side) => {
        const controller = new AbortController();
        async function* parts() {
          yield 'one ';
          yield 'two ';
          controller.abort();
          yield 'three ';
        }
        const { signal } = controller;
        await side.step(name, () => side.fs[name]('file', parts(), { signal }));
      });
      await parity.script(`${name}(): aborted afterwards`, async (side) => {
        const controller = new AbortController();
        const { signal } = controller;
        await side.step(name, () => side.fs[name]('file', 'data', { signal }));
        controller.abort();
        await side.step('again', () => side.fs[name]('file', 'data', { signal }));
      });
    });

    parityTest(`${name}(): forms of the options`, async (parity) => {
      const forms = {
        none: [],
        null: [null],
        string: ['latin1'],
        'null prototype': [Object.create(null)],
        inherited: [Object.create({ encoding: 'hex', mode: 0o600, flag: 'ax' })],
        frozen: [Object.freeze({ encoding: 'hex' })],
        all: [{ encoding: 'base64', mode: 0o640, flag: 'a+', flush: true, signal: undefined }],
        number: [0o600],
        true: [true],
        function: [() => {}],
      };
      for (const [form, args] of Object.entries(forms)) {
        for (const target of ['file', 'new', 'missing/file']) {
          await parity.call(`${name}(${target}, 'data', ${form})`, (side) =>
            side.fs[name](target, 'd\u00e4ta', ...args),
          );
        }
      }
      await parity.script('options are left alone', async (side) => {
        const options = { encoding: 'utf8' };
        await side.step(name, () => side.fs[name]('new', 'data', options));
        side.note('options', options);
      });
    });
  }

  parityTest('devices', async (parity) => {
    for (const data of ['text', '', Buffer.alloc(100000), ['a', 'b']]) {
      for (const device of ['/dev/null', '/dev/full']) {
        for (const name of ['writeFile', 'appendFile']) {
          await parity.call(`${name}(${device}, ${String(data).slice(0, 5)})`, (side) =>
            side.fs[name](device, data),
          );
        }
      }
    }
  });

  parityTest('data that changes after the call', async (parity) => {
    await parity.script('a string options object changes', async (side) => {
      const options = { encoding: 'utf8' };
      await side.step('writeFile', () => {
        const promise = side.fs.writeFile('new', 'abcd', options);
        options.encoding = 'hex';
        return promise;
      });
    });
    await parity.script('a path Buffer changes afterwards', async (side) => {
      const name = Buffer.from('new1');
      await side.step('writeFile', () => {
        const promise = side.fs.writeFile(name, 'abcd', { flag: 'w' });
        return promise.then(() => {
          name.fill('x');
        });
      });
    });
  });

  parityTest('many at once', async (parity) => {
    for (const count of [2, 20, 200]) {
      await parity.call(`${count} new files`, (side) =>
        Promise.allSettled(
          Array.from({ length: count }, (_, i) =>
            side.fs.writeFile(i % 7 ? `new-${i}` : 'dir', `data ${i}`, { flag: 'wx' }),
          ),
        ),
      );
      await parity.script(`${count} lines appended`, async (side) => {
        const lines = Array.from({ length: count }, (_, i) => `line ${i}\n`);
        await side.step('append', () =>
          Promise.all(lines.map((line) => side.fs.appendFile('log', line))),
        );
        const written = fs.readFileSync('log', 'utf8').split('\n').sort();
        side.note('lines in any order', written);
        fs.unlinkSync('log');
      });
    }
  });
});
