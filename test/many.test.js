'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const nodePromises = require('node:fs/promises');
const { pathToFileURL } = require('node:url');
const { descriptorsOf, onRing, sleep, uring, useFolder } = require('./helpers/environment');

const BLOCK = 16 * 1024;

describe('lib/many', () => {
  const folder = useFolder();

  /** More than are ever under way; some empty, some of several blocks. */
  const contentsOf = (n) =>
    Buffer.alloc((n * 37) % 500 === 0 ? 3 * BLOCK + n : (n * 37) % 5000, `${n} `);
  let paths;
  before(() => {
    paths = Array.from({ length: 1000 }, (_, n) => folder.file(`many-${n}`, contentsOf(n)));
  });

  const outcome = (promise) =>
    promise.then(
      () => 'resolved',
      ({ name, code, message }) => ({ name, code, message }),
    );

  describe('readFiles', () => {
    it('resolves with the contents in the order of the paths', async () => {
      const all = await uring.readFiles(paths);
      assert.equal(all.length, paths.length);
      all.forEach((contents, n) => {
        assert.ok(Buffer.isBuffer(contents), n);
        assert.ok(contents.equals(contentsOf(n)), n);
      });
    });

    it('Buffers that share memory do not overlap; separate ones own theirs', async () => {
      const all = await uring.readFiles(paths);
      all[1].fill(0);
      all[3].fill(255);
      assert.ok(all[2].equals(contentsOf(2)));
      for (const contents of await uring.readFiles(paths.slice(1, 9), { separate: true })) {
        const memory = contents.length === 0 && !onRing ? 0 : contents.buffer.byteLength;
        assert.deepEqual([contents.byteOffset, memory], [0, contents.length]);
      }
    });

    it('decodes, by an option or by the encoding alone', async () => {
      const some = paths.slice(0, 30);
      const expected = some.map((path) => nodeFs.readFileSync(path, 'latin1'));
      assert.deepEqual(await uring.readFiles(some, { encoding: 'latin1' }), expected);
      assert.deepEqual(await uring.readFiles(some, 'latin1'), expected);
    });

    it('takes any iterable, and from it no more than it needs', async () => {
      let taken = 0;
      let closed = false;
      function* generate() {
        try {
          for (const path of paths) {
            taken++;
            yield path;
          }
        } finally {
          closed = true;
        }
      }
      const promise = uring.readFiles(generate());
      const peak = taken;
      assert.equal((await promise).length, paths.length);
      assert.ok(peak <= 256, `${peak} taken at once`);
      assert.deepEqual(await uring.readFiles(new Set()), []);
      const failing = uring.readFiles([folder.in('missing'), ...generate()].values());
      await assert.rejects(failing, { code: 'ENOENT' });
      assert.ok(closed);
    });

    it('takes Buffers, URLs and odd names among others', async () => {
      const name = paths[5];
      const odd = folder.file('ödd \u{1f600} name', 'odd');
      const mixed = [paths[3], Buffer.from(name), pathToFileURL(name), odd, paths[4]];
      const expected = [paths[3], name, name, odd, paths[4]].map((path) =>
        nodeFs.readFileSync(path, 'latin1'),
      );
      assert.deepEqual(await uring.readFiles(mixed, 'latin1'), expected);
    });

    for (const [what, bad] of [
      ['a missing file', '/nonexistent/file'],
      ['a folder', '/'],
      ['an empty path', ''],
      ['a null byte', 'a\0b'],
      ['a path too long', 'x'.repeat(5000)],
      ['a number', 7.5],
      ['null', null],
    ]) {
      it(`${what}: Node's error, or one outcome among others`, async () => {
        const expected = await outcome(nodePromises.readFile(bad));
        const list = [paths[1], bad, paths[2]];
        assert.deepEqual(await outcome(uring.readFiles(list)), expected);
        const [first, second, third] = await uring.readFiles(list, { settled: true });
        assert.equal(first.status, 'fulfilled');
        assert.ok(first.value.equals(contentsOf(1)));
        assert.ok(third.value.equals(contentsOf(2)));
        const { name, code, message } = second.reason;
        assert.deepEqual([second.status, { name, code, message }], ['rejected', expected]);
      });
    }

    it('what the iterator throws is the error', async () => {
      const thrown = new Error('from the iterator');
      function* generate() {
        yield* paths.slice(0, 300);
        throw thrown;
      }
      await assert.rejects(uring.readFiles(generate()), thrown);
    });

    it('wrong arguments are refused', async () => {
      const refused = async (code, ...args) =>
        assert.rejects(uring.readFiles(...args), { name: 'TypeError', code });
      await refused('ERR_INVALID_ARG_TYPE');
      await refused('ERR_INVALID_ARG_TYPE', 'one path');
      await refused('ERR_INVALID_ARG_TYPE', 7);
      await refused('ERR_INVALID_ARG_TYPE', [], { settled: 1 });
      await refused('ERR_INVALID_ARG_TYPE', [], { separate: 'yes' });
      await refused('ERR_INVALID_ARG_TYPE', [], { signal: 'none' });
      await refused('ERR_INVALID_ARG_VALUE', [], 'no encoding');
    });

    it('a signal ends it at once, and nothing stays open', async () => {
      const fifo = folder.in('fifo');
      execFileSync('mkfifo', [fifo]);
      const controller = new AbortController();
      // A thread of the pool would wait there for ever.
      const stuck = onRing ? fifo : folder.in('missing');
      const list = [...paths.slice(0, 100), stuck, ...paths.slice(100)];
      const promise = uring.readFiles(list, { signal: controller.signal, settled: true });
      if (onRing) await sleep(20);
      controller.abort();
      await assert.rejects(promise, { name: 'AbortError' });
      await assert.rejects(uring.readFiles(paths, { signal: controller.signal }), {
        name: 'AbortError',
      });
      const isQuiet = () => descriptorsOf(fifo) === 0 && uring.ring.stats().inFlight === 0;
      for (let i = 0; i < 200 && !isQuiet(); i++) await sleep(10);
      assert.ok(isQuiet());
    });

    it('several at once do not mix', async () => {
      const lists = Array.from({ length: 5 }, (_, n) => paths.slice(n * 100, n * 100 + 300));
      const all = await Promise.all(lists.map((list) => uring.readFiles(list)));
      all.forEach((contents, n) => {
        contents.forEach((one, i) => assert.ok(one.equals(contentsOf(n * 100 + i))));
      });
    });
  });

  describe('statFiles', () => {
    it('resolves with Stats in the order of the paths', async () => {
      const all = await uring.statFiles(paths);
      assert.deepEqual(
        all.map(({ ino, size }) => [ino, size]),
        paths.map((path) => nodeFs.statSync(path)).map(({ ino, size }) => [ino, size]),
      );
      assert.ok(all.every((stats) => stats instanceof nodeFs.Stats && stats.isFile()));
      const [big] = await uring.statFiles(paths, { bigint: true });
      assert.equal(big.size, nodeFs.statSync(paths[0], { bigint: true }).size);
    });

    it('errors as stat, or as outcomes', async () => {
      const list = [paths[0], '/nonexistent/file'];
      const expected = await outcome(nodePromises.stat(list[1]));
      assert.deepEqual(await outcome(uring.statFiles(list)), expected);
      const [first, second] = await uring.statFiles(list, { settled: true });
      assert.deepEqual([first.status, second.status], ['fulfilled', 'rejected']);
      assert.equal(second.reason.syscall, 'stat');
      await assert.rejects(uring.statFiles(list, 'utf8'), { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(uring.statFiles(7), { code: 'ERR_INVALID_ARG_TYPE' });
      const signal = AbortSignal.abort();
      await assert.rejects(uring.statFiles(paths, { signal }), { name: 'AbortError' });
    });
  });
});
