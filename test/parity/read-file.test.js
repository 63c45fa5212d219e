'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { getEventListeners } = require('node:events');
const { detached } = require('../helpers/memory');
const { parityTest } = require('../helpers/parity-compare');
const { standardContent } = require('../helpers/parity-twin');
const { randomFor } = require('../helpers/parity-random');
const { TARGETS, PATH_KINDS, ENCODINGS } = require('../helpers/parity-values');

const KIB = 1024;
const SMALL = [0, 1, 2, 3, 7, 99, 100, 101, 511, 512, 513, 4094, 4095, 4096, 4097];
const MIDDLE = [8191, 8192, 8193, 9001, 11 * KIB + 7, 13333, 16383, 16384, 16385, 19999, 20 * KIB];
const LARGE = [64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB + 1, 512 * KIB - 1, 512 * KIB];
const LARGER = [512 * KIB + 1, 1024 * KIB, 1024 * KIB + 3, 2048 * KIB + 5];
const SIZES = [...SMALL, ...MIDDLE, ...LARGE, ...LARGER];
const AROUND_CHUNKS = [
  0,
  1,
  4095,
  9001,
  64 * KIB + 1,
  512 * KIB - 1,
  512 * KIB + 1,
  1024 * KIB + 3,
];

// Characters of two, three and four bytes, begun at each offset, so that one of them lies across
// every boundary at which a reader may cut.
function multiByteText(length, offset) {
  const unit = Buffer.from('\u00e9\u2603\u{1f600}');
  const data = Buffer.alloc(length, '.');
  for (let at = offset; at < length; at += unit.length) unit.copy(data, at);
  return data;
}

function sizedContent(dir) {
  standardContent(dir);
  const random = randomFor('sizes');
  const pattern = random.bytes(8 * KIB + 1); // no power of two: repeats never fall on a page
  for (const size of SIZES) {
    fs.writeFileSync(path.join(dir, `bytes-${size}`), Buffer.alloc(size, pattern));
  }
}

function textContent(dir) {
  for (const size of AROUND_CHUNKS) {
    for (const offset of [0, 1, 2]) {
      fs.writeFileSync(path.join(dir, `text-${size}-${offset}`), multiByteText(size, offset));
    }
  }
  const write = (name, data) => fs.writeFileSync(path.join(dir, name), data);
  write('bom', '\ufeffafter a byte order mark');
  write('bom16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('text', 'utf16le')]));
  write('cut', Buffer.from('\u2603\u2603').subarray(0, 4));
  write('overlong', Buffer.from([0xc0, 0x80, 0xe0, 0x80, 0x80, 0xed, 0xa0, 0x80]));
  write('invalid', Buffer.from([0x61, 0xff, 0x62, 0xf8, 0x63, 0xf4, 0x90, 0x80, 0x80]));
  write('surrogates', Buffer.from('\ud83d\ude00\ud83d', 'utf16le'));
  write('odd16', Buffer.from([0x61, 0, 0x62]));
  write('nul', 'a\0b\0');
  write('crlf', 'a\r\nb\rc\n');
}

const reads = { tree: false };

/** Whether the result lies in the memory that the caller has given. */
function noteMemory(side, result, memory) {
  side.note("the caller's memory", memory !== undefined && result?.buffer === memory);
}

describe('parity: readFile', () => {
  parityTest(
    'sizes',
    async (parity) => {
      for (const size of SIZES) {
        const name = `bytes-${size}`;
        await parity.call(`readFile(${name})`, (side) => side.fs.readFile(name), reads);
        for (const encoding of ['utf8', 'latin1', 'base64', 'utf16le']) {
          await parity.call(
            `readFile(${name}, '${encoding}')`,
            (side) => side.fs.readFile(name, encoding),
            reads,
          );
        }
        await parity.script(
          `handle.readFile() of ${name}`,
          async (side) => {
            const handle = await side.step('open', () => side.fs.open(name));
            await side.step('whole', () => handle.readFile());
            await side.step('at the end', () => handle.readFile());
            await side.step('at the end, text', () => handle.readFile('utf8'));
          },
          reads,
        );
        await parity.script(
          `handle.readFile() of ${name} from the middle`,
          async (side) => {
            const handle = await side.step('open', () => side.fs.open(name));
            await side.step('read', () => handle.read(Buffer.alloc(3), 0, 3));
            await side.step('rest', () => handle.readFile());
            await side.step('fd', () => side.fs.readFile(handle));
          },
          reads,
        );
      }
    },
    sizedContent,
  );

  parityTest(
    'encodings',
    async (parity) => {
      for (const size of AROUND_CHUNKS) {
        for (const offset of [0, 1, 2]) {
          for (const encoding of ENCODINGS) {
            if (size > 100 * KIB && offset > 0 && !/utf|base64$/.test(encoding)) continue;
            const name = `text-${size}-${offset}`;
            await parity.call(
              `readFile(${name}, '${encoding}')`,
              (side) => side.fs.readFile(name, encoding),
              reads,
            );
          }
        }
      }
      for (const name of 'bom bom16 cut overlong invalid surrogates odd16 nul crlf'.split(' ')) {
        for (const encoding of [undefined, ...ENCODINGS]) {
          await parity.call(
            `readFile(${name}, '${encoding}')`,
            (side) => side.fs.readFile(name, encoding),
            reads,
          );
          await parity.script(
            `handle.readFile('${encoding}') of ${name}`,
            async (side) => {
              const handle = await side.step('open', () => side.fs.open(name));
              await side.step('readFile', () => handle.readFile({ encoding }));
            },
            reads,
          );
        }
      }
    },
    textContent,
  );

  parityTest('forms of the options', async (parity) => {
    const forms = {
      none: [],
      undefined: [undefined],
      null: [null],
      object: [{}],
      'null prototype': [Object.create(null)],
      'encoding undefined': [{ encoding: undefined }],
      'encoding null': [{ encoding: null }],
      'encoding empty': [{ encoding: '' }],
      "'buffer'": ['buffer'],
      'encoding buffer': [{ encoding: 'buffer' }],
      unknown: ['utf7'],
      'encoding unknown': [{ encoding: 'utf7' }],
      inherited: [Object.create({ encoding: 'hex', flag: 'r' })],
      'signal undefined': [{ signal: undefined }],
      'signal null': [{ signal: null }],
      'unknown option': [{ encoding: 'utf8', other: 1 }],
      frozen: [Object.freeze({ encoding: 'utf8' })],
    };
    for (const encoding of ENCODINGS) {
      forms[`'${encoding}'`] = [encoding];
      forms[`{ encoding: '${encoding}' }`] = [{ encoding }];
      forms[`{ encoding: '${encoding}', flag }`] = [{ encoding, flag: 'r' }];
    }
    for (const [text, args] of Object.entries(forms)) {
      for (const name of ['text', 'empty', 'missing', 'dir', 'link']) {
        await parity.call(
          `readFile(${name}, ${text})`,
          (side) => side.fs.readFile(name, ...args),
          reads,
        );
        if (name === 'missing') continue;
        await parity.script(
          `handle.readFile(${text}) of ${name}`,
          async (side) => {
            const handle = await side.step('open', () => side.fs.open(name));
            await side.step('readFile', () => handle.readFile(...args));
          },
          reads,
        );
      }
    }
  });

  parityTest('every kind of entry and path', async (parity) => {
    for (const [kind, name] of TARGETS) {
      for (const options of [undefined, 'utf8']) {
        await parity.call(
          `readFile(${kind}, ${options})`,
          (side) => side.fs.readFile(name, options),
          reads,
        );
      }
    }
    for (const [kind, make] of PATH_KINDS) {
      for (const name of ['file', 'empty', 'missing', 'dir', 'loop', 'file/below', 'not \u2603']) {
        await parity.call(
          `readFile(${kind} of ${name})`,
          (side) => side.fs.readFile(make(side, name)),
          reads,
        );
      }
    }
  });

  parityTest('flags', async (parity) => {
    const { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY, O_EXCL, O_DIRECTORY } = fs.constants;
    const numeric = [0, 2, O_WRONLY, O_CREAT, O_CREAT | O_RDWR, O_TRUNC | O_RDWR, O_DIRECTORY];
    const flags = 'r rs r+ rs+ w wx w+ wx+ a ax a+ ax+ as as+ bad'.split(' ');
    for (const flag of [...flags, ...numeric, O_CREAT | O_EXCL, '', null, undefined, -1]) {
      for (const name of ['file', 'empty', 'missing', 'dir', 'readonly', 'dangling']) {
        for (const encoding of [null, 'utf8']) {
          await parity.call(`readFile(${name}, { flag: ${flag}, encoding: ${encoding} })`, (side) =>
            side.fs.readFile(name, { flag, encoding }),
          );
        }
      }
    }
  });

  parityTest('handles of both kinds', async (parity) => {
    for (const kind of ['fs', 'nodeFs']) {
      for (const flags of ['r', 'r+', 'a+', 'w+', 'w', 'a']) {
        for (const options of [undefined, 'utf8', { encoding: 'hex', flag: 'w' }]) {
          await parity.script(`readFile(handle of ${kind}, '${flags}')`, async (side) => {
            const handle = await side[kind].open('file', flags);
            side.later(() => handle.close());
            await side.step('first', () => side.fs.readFile(handle, options));
            await side.step('second', () => side.fs.readFile(handle, options));
            await handle.close();
            await side.step('closed', () => side.fs.readFile(handle, options));
          });
        }
      }
      await parity.script(`readFile(directory handle of ${kind})`, async (side) => {
        const handle = await side[kind].open('dir');
        side.later(() => handle.close());
        await side.step('directory', () => side.fs.readFile(handle));
        await side.step('directory as text', () => side.fs.readFile(handle, 'utf8'));
      });
    }
  });

  parityTest('files of the kernel and devices', async (parity) => {
    const stable = [
      '/proc/version',
      '/proc/filesystems',
      '/proc/self/cmdline',
      '/proc/self/environ',
      '/proc/self/mountinfo',
      '/proc/self/limits',
      '/proc/cmdline',
      '/proc/sys/kernel/ostype',
      '/sys/kernel/mm/transparent_hugepage/enabled',
      '/sys/devices/system/cpu/online',
      '/sys/kernel/notes',
      '/dev/null',
      '/proc/self',
      '/proc/self/fd',
      '/proc/self/mem', // its first page is not mapped: EIO from read
      '/sys',
    ];
    for (const name of stable) {
      for (const options of [undefined, 'utf8', { encoding: 'hex' }, { flag: 'r+' }]) {
        await parity.call(
          `readFile(${name}, ${JSON.stringify(options)})`,
          (side) => side.fs.readFile(name, options),
          reads,
        );
      }
      await parity.script(
        `handle.readFile() of ${name}`,
        async (side) => {
          const handle = await side.step('open', () => side.fs.open(name));
          await side.step('readFile', () => handle?.readFile());
          await side.step('again', () => handle?.readFile('latin1'));
        },
        reads,
      );
    }
    // What they say changes from one moment to the next; their first words do not.
    const firstWords = (text) =>
      String(text)
        .split('\n')
        .map((line) => line.split(/[\s:]/)[0]);
    for (const name of ['/proc/self/status', '/proc/meminfo', '/proc/cpuinfo']) {
      for (const options of [undefined, 'utf8', 'latin1']) {
        await parity.call(
          `readFile(${name}, ${options})`,
          (side) => side.fs.readFile(name, options),
          { ...reads, map: firstWords },
        );
      }
    }
  });

  parityTest(
    'signals',
    async (parity) => {
      const before = {
        aborted: () => AbortSignal.abort(),
        'aborted with an error': () => AbortSignal.abort(new RangeError('why')),
        'aborted with a string': () => AbortSignal.abort('why'),
        'aborted with undefined': () => AbortSignal.abort(undefined),
        'aborted with null': () => AbortSignal.abort(null),
      };
      for (const [text, make] of Object.entries(before)) {
        for (const name of ['file', 'huge', 'missing', 'dir', 'nul\0', '']) {
          await parity.call(
            `readFile(${name}) with a signal ${text}`,
            (side) => side.fs.readFile(name, { signal: make() }),
            reads,
          );
        }
        await parity.script(
          `handle.readFile() with a signal ${text}`,
          async (side) => {
            const handle = await side.step('open', () => side.fs.open('file'));
            await side.step('aborted', () => handle.readFile({ signal: make() }));
            await side.step('not aborted', () => handle.readFile('utf8'));
          },
          reads,
        );
      }
      for (const name of ['file', 'huge', 'missing', 'dir']) {
        for (const encoding of [null, 'utf8']) {
          await parity.script(
            `readFile(${name}, ${encoding}) aborted in the same tick`,
            async (side) => {
              const controller = new AbortController();
              const { signal } = controller;
              await side.step('readFile', () => {
                const promise = side.fs.readFile(name, { signal, encoding });
                controller.abort(new RangeError('why'));
                return promise;
              });
              side.note('listeners left', getEventListeners(signal, 'abort').length);
            },
            reads,
          );
          await parity.script(
            `readFile(${name}, ${encoding}) aborted afterwards`,
            async (side) => {
              if (name === 'huge') return side.note('no need', null);
              const controller = new AbortController();
              const { signal } = controller;
              await side.step('readFile', () => side.fs.readFile(name, { signal, encoding }));
              side.note('listeners left', getEventListeners(signal, 'abort').length);
              controller.abort();
              await side.step('again', () => side.fs.readFile(name, { signal, encoding }));
            },
            reads,
          );
        }
      }
      await parity.script(
        'readFile(huge) aborted while it reads',
        async (side) => {
          const controller = new AbortController();
          await side.step('readFile', () => {
            const promise = side.fs.readFile('huge', { signal: controller.signal });
            setImmediate(() => controller.abort());
            return promise;
          });
        },
        reads,
      );
      await parity.script(
        'handle.readFile() of huge aborted while it reads',
        async (side) => {
          const controller = new AbortController();
          const handle = await side.step('open', () => side.fs.open('huge'));
          await side.step('readFile', () => {
            const promise = handle.readFile({ signal: controller.signal });
            setImmediate(() => controller.abort());
            return promise;
          });
          await side.step('close', () => handle.close());
        },
        reads,
      );
    },
    (dir) => {
      standardContent(dir);
      fs.writeFileSync(path.join(dir, 'huge'), '');
      fs.truncateSync(path.join(dir, 'huge'), 48 * KIB * KIB); // sparse
    },
  );

  parityTest(
    'files too large for a Buffer',
    async (parity) => {
      for (const encoding of [null, 'utf8', 'latin1']) {
        await parity.call(
          `readFile(5 GiB, ${encoding})`,
          (side) => side.fs.readFile('too-large', { encoding }),
          reads,
        );
      }
      await parity.script(
        'handle.readFile() of 5 GiB',
        async (side) => {
          const handle = await side.step('open', () => side.fs.open('too-large'));
          await side.step('readFile', () => handle.readFile());
        },
        reads,
      );
    },
    (dir) => {
      fs.writeFileSync(path.join(dir, 'too-large'), '');
      fs.truncateSync(path.join(dir, 'too-large'), 5 * 2 ** 30); // sparse
    },
  );

  // After files that were too large for one request the next begin otherwise.
  for (const readBefore of [13, 200_000]) {
    parityTest(
      `the caller's buffer (Node 24.19 and later), after ${readBefore} bytes`,
      async (parity) => {
        const buffers = {
          exact: () => Buffer.alloc(13),
          larger: () => Buffer.alloc(100),
          smaller: () => Buffer.alloc(5),
          empty: () => Buffer.alloc(0),
          detached: () => detached(Buffer.alloc(100)),
          'detached Uint8Array': () => detached(new Uint8Array(100)),
          Uint8Array: () => new Uint8Array(50),
          Float64Array: () => new Float64Array(10),
          DataView: () => new DataView(new ArrayBuffer(40), 8),
          factory: () => (size) => Buffer.alloc(size + 2),
          'small factory': () => () => Buffer.alloc(1),
          'bad factory': () => () => 'no buffer',
          'throwing factory': () => () => {
            throw new RangeError('no memory today');
          },
          'async factory': () => async (size) => Buffer.alloc(size),
        };
        const before = path.join(parity.twin.shared, 'before');
        fs.writeFileSync(before, Buffer.alloc(readBefore));
        for (const [text, make] of Object.entries(buffers)) {
          for (const encoding of [null, 'utf8']) {
            for (const name of ['file', 'empty', 'dir', 'missing', '/proc/version']) {
              const label = `${name}, { buffer: ${text}, encoding: ${encoding} }`;
              await parity.script(
                label,
                async (side) => {
                  for (let times = 0; times < 4; times++) await side.fs.readFile(before);
                  const buffer = make();
                  const { buffer: memory } = buffer;
                  const result = await side.step('', () =>
                    side.fs.readFile(name, { buffer, encoding }),
                  );
                  noteMemory(side, result, memory);
                },
                reads,
              );
              if (name === 'missing') continue;
              await parity.script(
                `of a handle of ${label}`,
                async (side) => {
                  const handle = await side.step('open', () => side.fs.open(name));
                  const buffer = make();
                  const { buffer: memory } = buffer;
                  const result = await side.step('read', () =>
                    handle.readFile({ buffer, encoding }),
                  );
                  noteMemory(side, result, memory);
                },
                reads,
              );
            }
          }
        }
      },
    );
  }

  parityTest('many at once', async (parity) => {
    const names = ['file', 'empty', 'text', 'missing', 'dir', 'link', 'loop', '', 'dir/inner'];
    for (const count of [2, 20, 300]) {
      const chosen = Array.from({ length: count }, () => parity.random.pick(names));
      await parity.call(
        `${count} readFile calls`,
        (side) => Promise.allSettled(chosen.map((name) => side.fs.readFile(name, 'utf8'))),
        reads,
      );
    }
  });

  parityTest('a file that changes while it is open', async (parity) => {
    await parity.script('it grew', async (side) => {
      const handle = await side.step('open', () => side.fs.open('file', 'r+'));
      await side.step('first', () => handle.readFile('utf8'));
      fs.appendFileSync('file', 'and more');
      await side.step('then', () => handle.readFile('utf8'));
    });
    await parity.script('it shrank', async (side) => {
      const handle = await side.step('open', () => side.fs.open('file', 'r+'));
      await side.step('read', () => handle.read(Buffer.alloc(5), 0, 5));
      fs.truncateSync('file', 2);
      await side.step('then', () => handle.readFile('utf8'));
      await side.step('Buffer', () => handle.readFile());
    });
    await parity.script('it was removed', async (side) => {
      const handle = await side.step('open', () => side.fs.open('file'));
      fs.unlinkSync('file');
      await side.step('then', () => handle.readFile('utf8'));
      await side.step('by path', () => side.fs.readFile('file'));
    });
  });
});
