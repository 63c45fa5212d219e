'use strict';

// What is no regular file, or one that is no longer in a folder: sockets, devices, a terminal.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const { ROOT, skip, useFolder } = require('../helpers/environment');
const { parityTest } = require('../helpers/parity-compare');

const collect = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
};

describe('parity: odd files', () => {
  parityTest('a socket', async (parity) => {
    await parity.script('by its path', async (side) => {
      const server = net.createServer().listen('socket');
      await new Promise((resolve) => server.on('listening', resolve));
      side.later(() => new Promise((resolve) => server.close(resolve)));
      await side.step('stat', async () => (await side.fs.stat('socket')).isSocket());
      for (const flags of ['r', 'r+', 'w', 'a', 'ax']) {
        await side.step(`open ${flags}`, () => side.fs.open('socket', flags));
      }
      await side.step('readFile', () => side.fs.readFile('socket'));
      await side.step('writeFile', () => side.fs.writeFile('socket', 'x'));
      await side.step('appendFile', () => side.fs.appendFile('socket', 'x', { flush: true }));
      await side.step('truncate', () => side.fs.truncate('socket'));
      await side.step('rename', () => side.fs.rename('socket', 'moved'));
      await side.step('unlink', () => side.fs.unlink('moved'));
    });
  });

  parityTest('devices', async (parity) => {
    await parity.script('/dev/zero, with limits', async (side) => {
      const handle = await side.step('open', () => side.fs.open('/dev/zero', 'r'));
      for (const length of [1, 16384, 300_000]) {
        await side.step(`read ${length}`, () => handle.read(Buffer.alloc(length, 1), 0, length));
        await side.step(`at 5`, () => handle.read(Buffer.alloc(length, 1), 0, length, 5));
      }
      const two = [Buffer.alloc(5, 1), Buffer.alloc(70_000, 1)];
      await side.step('readv', () => handle.readv(two));
      await side.step('stream', () => collect(handle.createReadStream({ end: 99_999 })));
    });
    await parity.script('/dev/full', async (side) => {
      for (const flush of [false, true]) {
        const options = { flush };
        await side.step('writeFile', () => side.fs.writeFile('/dev/full', 'x', options));
        await side.step('appendFile', () => side.fs.appendFile('/dev/full', 'x', options));
        await side.step('empty', () => side.fs.writeFile('/dev/full', '', options));
        await side.step('pieces', () => side.fs.writeFile('/dev/full', ['', 'x'], options));
      }
      const handle = await side.step('open', () => side.fs.open('/dev/full', 'r+'));
      await side.step('write', () => handle.write('x'));
      await side.step('writev', () => handle.writev([Buffer.from('x')]));
      await side.step('sync', () => handle.sync());
      await side.step('close', () => handle.close());
    });
    await parity.script('/dev/null', async (side) => {
      await side.step('writeFile', () => side.fs.writeFile('/dev/null', 'x', { flush: true }));
      await side.step('readFile', () => side.fs.readFile('/dev/null', 'utf8'));
      await side.step('truncate', () => side.fs.truncate('/dev/null'));
    });
  });

  parityTest('a deleted file, by its handle', async (parity) => {
    await parity.script('all that a handle does', async (side) => {
      const handle = await side.step('open', () => side.fs.open('gone', 'w+'));
      await side.step('write', () => handle.write('first and second'));
      await side.step('unlink', () => side.fs.unlink('gone'));
      await side.step('links', async () => (await handle.stat()).nlink);
      await side.step('write', () => handle.write(' third'));
      await side.step('read', () => handle.read(Buffer.alloc(9), 0, 9, 6));
      await side.step('truncate', () => handle.truncate(9));
      await side.step('sync', () => handle.sync());
      await side.step('size', async () => (await handle.stat()).size);
      await side.step('readFile', () => handle.readFile('utf8'));
      await side.step('again', () => side.fs.readFile('gone'));
      const again = { start: 0, encoding: 'utf8', autoClose: false };
      await side.step('stream', async () => {
        let text = '';
        for await (const part of handle.createReadStream(again)) text += part;
        return text;
      });
      await side.step('close', () => handle.close());
    });
  });

  describe('a terminal', () => {
    const folder = useFolder();

    /** Runs with a terminal of its own, whose input is waiting; writes what it found to a file. */
    async function program(kind, root, result) {
      const nodeFs = require('node:fs');
      const own = kind === 'uring' ? require(root) : nodeFs.promises;
      const outcome = [];
      const note = async (name, promise) => {
        const value = await promise.catch(({ code, syscall }) => `${code} ${syscall}`);
        outcome.push([name, value]);
      };
      const text = ({ bytesRead, buffer }) => buffer.toString('utf8', 0, bytesRead);
      await note(
        'kind',
        own.stat('/dev/tty').then((stats) => stats.isCharacterDevice()),
      );
      const handle = await own.open('/dev/tty', 'r+');
      await note('a line', handle.read(Buffer.alloc(99), 0, 99, null).then(text));
      await note('a part', handle.read(Buffer.alloc(3), 0, 3, null).then(text));
      await note('the rest', handle.read(Buffer.alloc(99), 0, 99, null).then(text));
      await note('at a position', handle.read(Buffer.alloc(9), 0, 9, 1).then(text));
      await note(
        'write',
        handle.write('out\n').then(({ bytesWritten }) => bytesWritten),
      );
      await note('sync', handle.sync());
      await note('until the end', handle.readFile('utf8'));
      await handle.close();
      await note('readFile', own.readFile('/dev/tty', 'utf8'));
      await note('writeFile', own.writeFile('/dev/tty', 'more\n', { flush: true }));
      await note('appendFile', own.appendFile('/dev/tty', 'last\n'));
      nodeFs.writeFileSync(result, JSON.stringify(outcome));
    }

    function runInTerminal(kind) {
      const result = folder.in(`${kind}.json`);
      const file = folder.file(
        `${kind}.js`,
        `(${program})(${JSON.stringify(kind)}, ${JSON.stringify(ROOT)}, ${JSON.stringify(result)})`,
      );
      const command = `'${process.execPath}' '${file}'`;
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let shown = '';
      child.stdout.setEncoding('utf8').on('data', (part) => (shown += part));
      // It stays open: the end of it would be an end of the terminal's input, too.
      child.stdin.write('one\nsecond\nthree\nfour\n\x04five\n\x04');
      return new Promise((resolve) => {
        child.on('close', () => {
          const outcome = JSON.parse(fs.readFileSync(result, 'utf8'));
          resolve({
            outcome,
            shown: shown.split('\r\n').filter((line) => /out|more|last/.test(line)),
          });
        });
      });
    }

    it('reads by lines, ends where it is told to, and writes: as Node', async function () {
      if (spawnSync('script', ['--version']).status !== 0) skip(this, 'there is no script(1)');
      const expected = await runInTerminal('node');
      assert.deepEqual(await runInTerminal('uring'), expected);
      const { outcome, shown } = expected;
      assert.deepEqual(outcome[1], ['a line', 'one\n']);
      assert.deepEqual(shown.sort(), ['last', 'more', 'out']);
    });
  });
});
