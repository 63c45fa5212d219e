'use strict';

const fs = require('node:fs');
const { execFileSync, spawn } = require('node:child_process');
const { parityTest } = require('../helpers/parity-compare');

// A named pipe whose other end is a child process. Whatever happens, both ends are let go in the
// end: an open of a pipe that nobody else has open waits for ever.
function withPipe(side, command) {
  if (!fs.existsSync('pipe')) execFileSync('mkfifo', ['pipe']);
  const child = command && spawn('sh', ['-c', command], { stdio: 'ignore' });
  const ended = child && new Promise((resolve) => child.on('close', resolve));
  side.later(async () => {
    fs.closeSync(fs.openSync('pipe', fs.constants.O_RDWR | fs.constants.O_NONBLOCK));
    await ended;
    fs.unlinkSync('pipe');
  });
  return ended;
}

const WRITERS = {
  'a few bytes': "printf 'from a child' > pipe",
  nothing: ': > pipe',
  'two parts': '{ printf one; sleep 0.03; printf two; } > pipe',
  late: 'sleep 0.05; printf late > pipe',
  '200,000 bytes': 'head -c 200000 /dev/zero > pipe',
  'multi-byte text cut in two':
    "{ printf 'snow \\342\\230'; sleep 0.03; printf '\\203 man'; } > pipe",
};

describe('parity: pipes', () => {
  parityTest('reading a named pipe', async (parity) => {
    for (const [text, command] of Object.entries(WRITERS)) {
      for (const encoding of text.startsWith('multi') ? ['utf8', 'hex'] : [null, 'utf8']) {
        await parity.script(`readFile of ${text}, ${encoding}`, async (side) => {
          withPipe(side, command);
          await side.step('readFile', () => side.fs.readFile('pipe', { encoding }));
        });
        await parity.script(`handle.readFile of ${text}, ${encoding}`, async (side) => {
          withPipe(side, command);
          const handle = await side.step('open', () => side.fs.open('pipe'));
          await side.step('readFile', () => handle.readFile({ encoding }));
          await side.step('position', () => handle.read(Buffer.alloc(1), 0, 1, 5));
          await side.step('close', () => handle.close());
        });
      }
      await parity.script(`createReadStream of ${text}`, async (side) => {
        withPipe(side, command);
        const handle = await side.step('open', () => side.fs.open('pipe'));
        await side.step('stream', async () => {
          const parts = [];
          for await (const part of handle.createReadStream()) parts.push(part);
          return Buffer.concat(parts);
        });
      });
    }
  });

  parityTest('writing a named pipe', async (parity) => {
    const data = {
      text: () => 'to a child \u2603',
      empty: () => '',
      '200,000 bytes': () => Buffer.alloc(200000, 'abc'),
      parts: () => ['one ', 'two ', Buffer.alloc(70000, 'x')],
    };
    for (const [text, make] of Object.entries(data)) {
      for (const name of ['writeFile', 'appendFile']) {
        await parity.script(`${name} of ${text}`, async (side) => {
          const ended = withPipe(side, 'cat pipe > received');
          await side.step(name, () => side.fs[name]('pipe', make()));
          await ended;
        });
      }
      await parity.script(`handle.write of ${text}`, async (side) => {
        const ended = withPipe(side, 'cat pipe > received');
        const handle = await side.step('open', () => side.fs.open('pipe', 'w'));
        await side.step('writeFile', () => handle.writeFile(make()));
        await side.step('write', () => handle.write('and more'));
        await side.step('at a position', () => handle.write('x', 5));
        await side.step('stat', async () => (await handle.stat()).isFIFO());
        await side.step('sync', () => handle.sync());
        await side.step('truncate', () => handle.truncate(3));
        await side.step('close', () => handle.close());
        await ended;
      });
    }
    await parity.script('a pipe whose reader has gone', async (side) => {
      const ended = withPipe(side, 'head -c 1 pipe > received');
      const handle = await side.step('open', () => side.fs.open('pipe', 'w'));
      await side.step('write', () => handle.write('ab'));
      await ended;
      await side.step('then', () => handle.write('cd'));
      await side.step('writeFile', () => handle.writeFile('ef'));
      await side.step('writev', () => handle.writev([Buffer.from('gh')]));
      await side.step('close', () => handle.close());
    });
  });

  parityTest('named pipes that nobody else has open', async (parity) => {
    const { O_NONBLOCK, O_WRONLY, O_RDWR } = fs.constants;
    await parity.script('without waiting', async (side) => {
      withPipe(side);
      await side.step('stat', async () => (await side.fs.stat('pipe')).isFIFO());
      await side.step('to write', () => side.fs.open('pipe', O_WRONLY | O_NONBLOCK));
      const handle = await side.step('to read', () => side.fs.open('pipe', O_NONBLOCK));
      await side.step('read', () => handle.read());
      await side.step('readFile', () => side.fs.readFile('pipe', { flag: O_NONBLOCK }));
      const both = await side.step('for both', () => side.fs.open('pipe', O_RDWR | O_NONBLOCK));
      await side.step('nothing there', () => both.read());
      await side.step('write', () => both.write('abc'));
      await side.step('read it', () => handle.read(Buffer.alloc(5)));
      await side.step('truncate', () => side.fs.truncate('pipe', 1));
      await side.step('rename', () => side.fs.rename('pipe', 'pipe2'));
      await side.step('back', () => side.fs.rename('pipe2', 'pipe'));
    });
    // The calls that wait must not hold up the others.
    await parity.script('others go on meanwhile', async (side) => {
      withPipe(side);
      const waiting = side.fs.readFile('pipe', 'utf8');
      await side.step('readFile', () => side.fs.readFile('file', 'utf8'));
      await side.step('writeFile', () => side.fs.writeFile('new', 'data'));
      const writer = await side.step('open', () => side.fs.open('pipe', 'w'));
      await side.step('write', () => writer.writeFile('at last'));
      await writer.close();
      await side.step('waiting', () => waiting);
    });
  });
});
