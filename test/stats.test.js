'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, resultOf, uring, useFolder } = require('./helpers/environment');

describe('lib/stats', () => {
  const folder = useFolder();
  const files = {
    'a file': () => folder.file('file', Buffer.alloc(12_345)),
    'a folder': () => folder.in(),
    'a FIFO': () => folder.fifo('fifo'),
    'a device': () => '/dev/null',
    'a disk or terminal': () => '/dev/tty',
    '/proc': () => '/proc/version',
    '/sys': () => '/sys/kernel',
    'times before 1970': () => timed('old', -1234.5678),
    'times of fractions': () => timed('fractions', 1_600_000_000.123),
    'times far ahead': () => timed('ahead', 3_000_000_000.999),
  };

  function timed(name, seconds) {
    const file = folder.file(name);
    nodeFs.utimesSync(file, seconds, seconds);
    return file;
  }

  for (const [name, make] of Object.entries(files)) {
    it(`${name}: exactly the numbers of Node, bigint or not`, async () => {
      const file = make();
      const exact = nodeFs.statSync(file, { bigint: true });
      assert.deepStrictEqual(await uring.stat(file, { bigint: true }), exact);
      const plain = nodeFs.statSync(file);
      const ours = await uring.stat(file);
      assert.deepStrictEqual(ours, plain);
      for (const key of ['atime', 'mtime', 'ctime', 'birthtime']) {
        assert.deepStrictEqual(ours[key], plain[key]);
      }
      assert.equal(Object.getPrototypeOf(ours), Object.getPrototypeOf(plain));
      assert.equal(JSON.stringify(ours), JSON.stringify(plain));
    });
  }

  it('lstat and FileHandle.stat give the same', async () => {
    const file = folder.file('another');
    nodeFs.symlinkSync('another', folder.in('symlink'));
    const link = folder.in('symlink');
    assert.deepStrictEqual(await uring.lstat(link), nodeFs.lstatSync(link));
    assert.equal((await uring.lstat(link)).isSymbolicLink(), true);
    const handle = await uring.open(file);
    assert.deepStrictEqual(
      await handle.stat({ bigint: true }),
      nodeFs.statSync(file, { bigint: true }),
    );
    assert.deepStrictEqual(await handle.stat(), nodeFs.statSync(file));
    await handle.close();
  });

  it('many at once, each its own', async () => {
    const names = Array.from({ length: 300 }, (_, n) => folder.file(`of-${n}`, Buffer.alloc(n)));
    const all = await Promise.all(names.map((name) => uring.stat(name)));
    all.forEach(({ size, ino }, n) => {
      assert.equal(size, n);
      assert.equal(ino, nodeFs.statSync(names[n]).ino);
    });
  });

  it('are Stats of Node', async () => {
    assert.ok((await uring.stat('/')) instanceof nodeFs.Stats);
  });

  describeOnRing('on the ring', () => {
    it('no warning, such as of the deprecated constructor', async () => {
      const warnings = await resultOf(async ({ uring: fs, say }) => {
        const seen = [];
        process.on('warning', ({ message }) => seen.push(message));
        await fs.stat('/');
        await fs.stat('/', { bigint: true });
        await new Promise((resolve) => setTimeout(resolve, 20));
        say(seen);
      });
      assert.deepEqual(warnings, []);
    });

    it('a Node whose Stats have another shape gets its own', async () => {
      const result = await resultOf(async ({ nodeFs: files_, root, say }) => {
        const { statSync } = files_;
        files_.statSync = (...args) => Object.assign(statSync(...args), { new: 1 });
        // Loaded after the change, unlike the one that every program is given.
        for (const name of Object.keys(require.cache)) {
          if (name.startsWith(`${root}/lib/`)) delete require.cache[name];
        }
        const { shapeIsKnown } = require(`${root}/lib/stats`);
        const fs = require(root);
        const { mode } = await fs.stat('/');
        const handle = await fs.open('/');
        const before = fs.ring.stats().submitted;
        await handle.stat();
        await fs.lstat('/', { bigint: true });
        say({ shapeIsKnown, mode, submitted: fs.ring.stats().submitted - before });
      }, {});
      assert.deepEqual(result, {
        shapeIsKnown: false,
        mode: nodeFs.statSync('/').mode,
        submitted: 0,
      });
    });
  });
});
