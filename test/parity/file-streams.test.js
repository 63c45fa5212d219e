'use strict';

// createReadStream() and createWriteStream() of uring-fs/fs against those of node:fs.

const fs = require('node:fs');
const path = require('node:path');
const ours = require('../../lib/fs');
const { parityTest } = require('../helpers/parity-compare');
const { observe } = require('../helpers/parity-streams');
const { standardContent } = require('../helpers/parity-twin');
const { ODD_VALUES } = require('../helpers/parity-values');

const sides = { node: fs, ours };
const TEXT = '0123456789abcdefghijklmnopqrstuvwxyz';
const NUMBER = 'a descriptor';

function content(dir) {
  standardContent(dir);
  fs.writeFileSync(path.join(dir, 'digits'), TEXT);
  fs.writeFileSync(path.join(dir, 'big'), Buffer.alloc(300_001, `${TEXT}\u2603`));
}

const compareStreams = (title, body) => parityTest(title, body, content, sides);

const show = (value) =>
  JSON.stringify(value, (key, item) => (typeof item === 'bigint' ? `${item}n` : item));

/** Makes the stream and watches it, of a descriptor where the options say so. */
function compare(parity, name, file, options, end) {
  return parity.script(`${name}(${file}, ${show(options)})`, (side) =>
    side.step('', () => {
      const given = { ...options };
      if (given.fd === NUMBER) {
        given.fd = fs.openSync(file, name === 'createReadStream' ? 'r' : 'r+');
        if (given.autoClose === false) side.later(() => fs.closeSync(given.fd));
      }
      return observe(side.fs[name](file, options === undefined ? undefined : given), end);
    }),
  );
}

const READS = [
  undefined,
  {},
  { start: 3 },
  { start: 0, end: 5 },
  { start: 7, end: 7 },
  { start: 5, end: 100_000 },
  { end: 200_000 },
  { start: 299_990 },
  { start: 400_000 },
  { highWaterMark: 5 },
  { highWaterMark: 7, start: 2, end: 19 },
  { highWaterMark: 1000 },
  { highWaterMark: 300_001 },
  { encoding: 'utf8' },
  { encoding: 'hex', highWaterMark: 3 },
  { autoClose: false },
  { emitClose: false },
  { flags: 'r+' },
  { flags: 'w+' },
  { fd: NUMBER },
  { fd: NUMBER, start: 2, end: 10 },
  { fd: NUMBER, autoClose: false },
  { fd: 12345 },
  { fd: null },
];

const WRITES = [
  undefined,
  {},
  { flags: 'a' },
  { flags: 'r+', start: 4 },
  { flags: 'wx' },
  { mode: 0o600 },
  { encoding: 'latin1' },
  { autoClose: false },
  { emitClose: false },
  { flush: true },
  { fd: NUMBER },
  { fd: NUMBER, start: 3, autoClose: false },
  { fd: 12345 },
  { highWaterMark: 2 },
];

const OPTIONS = {
  createReadStream: ['fd', 'start', 'end', 'highWaterMark', 'encoding', 'flags', 'signal', 'fs'],
  createWriteStream: [
    'fd',
    'start',
    'highWaterMark',
    'encoding',
    'flags',
    'mode',
    'flush',
    'signal',
    'fs',
  ],
};

/** Memory that a stream takes at once; standard input and output; what ends the process. */
const isOutOfReach = (option, odd, value) =>
  (option === 'highWaterMark' && typeof value === 'number' && value > 2 ** 20) ||
  (option === 'fd' && ['0', '-0', '1', 'symbol'].includes(odd)) ||
  (/^(mode|flags)$/.test(option) && (odd === '-0' || odd === '2**31'));

describe('parity: streams of uring-fs/fs', () => {
  compareStreams('createReadStream()', async (parity) => {
    for (const options of READS) {
      await compare(parity, 'createReadStream', 'digits', options);
      // In pieces of a few bytes Node takes longer for it than a stream is watched.
      if (options?.highWaterMark < 1000) continue;
      await compare(parity, 'createReadStream', 'big', options);
    }
    for (const file of ['missing', 'dir', 'empty', 'link', 'loop', '/dev/null', '/proc/version']) {
      await compare(parity, 'createReadStream', file);
    }
  });

  compareStreams('createWriteStream()', async (parity) => {
    const write = (stream) => {
      stream.write('first ');
      stream.write(Buffer.from('second '));
      stream.end('last \u2603');
    };
    for (const options of WRITES) {
      for (const file of ['digits', 'new']) {
        if (file === 'new' && options?.fd === NUMBER) continue;
        await compare(parity, 'createWriteStream', file, options, write);
      }
    }
    for (const file of ['missing/file', 'dir', 'loop', '/dev/full']) {
      await compare(parity, 'createWriteStream', file, undefined, write);
    }
  });

  for (const [name, options] of Object.entries(OPTIONS)) {
    for (const option of options) {
      compareStreams(`${name}(): option ${option}`, async (parity) => {
        for (const [odd, make] of ODD_VALUES) {
          if (isOutOfReach(option, odd, make())) continue;
          await parity.script(`${option} is ${odd}`, (side) =>
            side.step('', () => {
              const stream = side.fs[name]('digits', { [option]: make() });
              return observe(
                stream,
                name === 'createWriteStream' ? (it) => it.end('x') : undefined,
              );
            }),
          );
        }
      });
    }

    compareStreams(`${name}(): arguments`, async (parity) => {
      for (const position of [0, 1]) {
        for (const [odd, make] of ODD_VALUES) {
          // An option 'write' is the method of the stream.
          if (position === 1 && Buffer.isBuffer(make())) continue;
          await parity.script(`argument ${position} is ${odd}`, (side) =>
            side.step('', () => {
              const stream = side.fs[name](...['digits', {}].with(position, make()));
              return observe(
                stream,
                name === 'createWriteStream' ? (it) => it.end('x') : undefined,
              );
            }),
          );
        }
      }
    });
  }

  compareStreams('ended early', async (parity) => {
    for (const name of ['createReadStream', 'createWriteStream']) {
      const ends = {
        destroy: (stream) => stream.destroy(),
        'destroy with an error': (stream) => stream.destroy(new Error('enough')),
        'destroy when open': (stream) => stream.on('open', () => stream.destroy()),
        'destroy after a chunk': (stream) => stream.on('data', () => stream.destroy()),
        close: (stream) => stream.close(),
      };
      for (const [title, end] of Object.entries(ends)) {
        if (name === 'createWriteStream' && title.includes('chunk')) continue;
        await parity.script(`${name}: ${title}`, (side) =>
          side.step('', () => observe(side.fs[name]('big'), end)),
        );
      }
      await parity.script(`${name}: aborted`, (side) =>
        side.step('', () => {
          const controller = new AbortController();
          const { signal } = controller;
          const flags = name === 'createWriteStream' ? 'a' : 'r';
          return observe(side.fs[name]('big', { signal, flags }), () => controller.abort());
        }),
      );
    }
  });

  compareStreams('a file that grows and shrinks while it is read', async (parity) => {
    for (const size of [200_000, 900_000, 10]) {
      await parity.script(`to ${size} bytes`, (side) =>
        side.step('', async () => {
          const chunks = [];
          for await (const chunk of side.fs.createReadStream('big')) {
            if (chunks.length === 0) fs.truncateSync('big', size);
            chunks.push(chunk);
          }
          // What had been read ahead of the shrinking is as it was.
          return size > 200_000 ? Buffer.concat(chunks) : chunks.length > 0;
        }),
      );
    }
  });

  compareStreams('classes', async (parity) => {
    for (const name of ['ReadStream', 'WriteStream']) {
      await parity.script(name, async (side) => {
        const Stream = side.fs[name];
        class Sub extends Stream {}
        const made = [Stream('digits', 'utf8'), new Stream('digits'), new Sub('digits')];
        side.note(
          'kinds',
          made.map((stream) => [
            stream instanceof side.fs[name],
            stream instanceof fs[name],
            stream instanceof Sub,
            stream.constructor.name,
          ]),
        );
        side.note('statics', [Stream.name, Stream.length, Object.getPrototypeOf(Stream).name]);
        await Promise.all(made.map((stream) => observe(stream, (it) => it.destroy())));
      });
    }
  });
});
