'use strict';

// what is answered from the kernel's caches, without the ring (src/cached.c).

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, resultOf, uring, useFolder } = require('./helpers/environment');
const { useOverlay, useSilentServer } = require('./helpers/mounts');

/** File systems that src/cached.c knows: ext, XFS, btrfs, F2FS, overlayfs, tmpfs. */
const TMPFS = 0x01021994;
const LOCAL = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x794c7630, TMPFS];

/** More of them at once are for a kernel worker: src/file_ops.c. */
const FEW = 64;

describeOnRing('cached', () => {
  const folder = useFolder();

  /** Calls of io_uring_enter(2) that `use` makes. */
  async function entersOf(use) {
    const before = uring.ring.stats().enters;
    await use();
    return uring.ring.stats().enters - before;
  }

  async function oneByOne(paths) {
    for (const path of paths) await uring.stat(path).catch(() => {});
  }

  it('few at a time do without the ring, found or not', async function () {
    const { type } = nodeFs.statfsSync(folder.in());
    if (!LOCAL.includes(type)) {
      this.skip('the temporary folder is on no file system that it knows');
    }
    const file = folder.file('file', 'contents');
    await uring.readFile(file);
    // tmpfs does not remember that a name is missing.
    const missing = type === TMPFS ? [] : [folder.in('missing')];
    const paths = [file, folder.in(), ...missing];
    nodeFs.statSync(file);
    await oneByOne(paths); // now what is missing is known to be missing, too
    if ((await entersOf(() => uring.stat(file))) > 0) this.skip('no RESOLVE_CACHED in this kernel');
    assert.equal(await entersOf(() => oneByOne(paths)), 0);
    const handle = await uring.open(file);
    const together = (count, call) => () => Promise.all(Array.from({ length: count }, call));
    const stat = () => uring.stat(file);
    assert.equal(await entersOf(together(FEW, stat)), 0);
    // An open file is not looked for, which is the most of the work.
    assert.equal(await entersOf(together(128, () => handle.stat())), 0);
    await handle.close();
  });

  it('many go through the ring, where no thread helps', async () => {
    const enters = await resultOf(
      async ({ uring: { ring, stat }, args: { file, few }, say }) => {
        ring.configure({ helper: false });
        await stat(file);
        const before = ring.stats().enters;
        await Promise.all(Array.from({ length: few + 1 }, () => stat(file)));
        say(ring.stats().enters - before);
      },
      { args: { file: folder.file('file', 'contents'), few: FEW } },
    );
    assert.ok(enters > 0);
  });

  it('so are small files, whatever their size; larger and other ones go through the ring', async function () {
    const sizes = [0, 1, 4096, 16_383, 16_384, 16_385, 40_000];
    const files = sizes.map((size) => folder.file(`of ${size}`, Buffer.alloc(size, 'x')));
    for (const file of files) nodeFs.readFileSync(file);
    nodeFs.existsSync(folder.in('none')); // now it is known to be missing
    for (const [i, file] of files.entries()) {
      assert.deepEqual(await uring.readFile(file), Buffer.alloc(sizes[i], 'x'));
    }
    // Not an empty one, of which nothing is read: tmpfs with swap reads nothing without waiting.
    if ((await entersOf(() => uring.readFile(files[1]))) > 0) {
      this.skip('the temporary folder is not answered for here');
    }
    const small = files.slice(0, 5);
    assert.equal(
      await entersOf(() => Promise.all(small.slice(0, 3).map((f) => uring.readFile(f)))),
      0,
    );
    for (const file of small) assert.equal(await entersOf(() => uring.readFile(file)), 0);
    const { type } = nodeFs.statfsSync(folder.in());
    const enters = await entersOf(() => assert.rejects(uring.readFile(folder.in('none'))));
    if (type !== TMPFS) assert.equal(enters, 0); // that does not remember what is missing
    assert.ok((await entersOf(() => uring.readFile(files[6]))) > 0);
    assert.ok((await entersOf(() => uring.readFile('/proc/version'))) > 0);
  });

  describe('reads of an open file', () => {
    const SIZE = 10_000;
    const contents = Buffer.from(Array.from({ length: SIZE }, (_, i) => i % 251));
    let handle;
    before(async function () {
      handle = await uring.open(folder.file('to read from', contents));
      const { enters } = await readings(1, 0, 10, 0);
      if (enters > 0) this.skip('the temporary folder is read by waiting only, as tmpfs with swap');
    });
    after(() => handle?.close());

    /** @returns {Promise<{ enters: number, all: Buffer[] }>} */
    async function readings(count, offset, length, position) {
      let all;
      const enters = await entersOf(async () => {
        const reads = Array.from({ length: count }, () =>
          handle.read(Buffer.alloc(length + offset), offset, length, position),
        );
        all = await Promise.all(reads);
      });
      return {
        enters,
        all: all.map(({ bytesRead, buffer }) => buffer.subarray(offset, offset + bytesRead)),
      };
    }

    it('four at a time do without the ring, more go through it: all are right', async () => {
      for (const count of [1, 4, 8, 128]) {
        const { enters, all } = await readings(count, 7, 1000, 500);
        assert.equal(enters === 0, count <= 4, `${count}: ${enters} enters`);
        for (const part of all) assert.deepEqual(part, contents.subarray(500, 1500));
      }
    });

    it('at the end of the file there is less, and beyond it nothing', async () => {
      for (const position of [SIZE - 1, SIZE - 10, SIZE, SIZE + 1, 2 ** 40]) {
        const { enters, all } = await readings(1, 0, 100, position);
        assert.deepEqual([enters, all], [0, [contents.subarray(position)]], `at ${position}`);
      }
    });

    it("at the file's own position, each goes on where the one before has ended", async () => {
      const parts = [];
      const enters = await entersOf(async () => {
        for (let ended = false; !ended;) {
          const { bytesRead, buffer } = await handle.read(Buffer.alloc(3000), 0, 3000, null);
          parts.push(buffer.subarray(0, bytesRead));
          ended = bytesRead === 0;
        }
      });
      assert.equal(enters, 0);
      assert.deepEqual(
        parts.map(({ length }) => length),
        [3000, 3000, 3000, 1000, 0],
      );
      assert.deepEqual(Buffer.concat(parts), contents);
    });

    it('more than a kernel worker copies sooner goes through the ring, wherever it begins', async () => {
      const large = await uring.open(folder.file('large', Buffer.alloc(1 << 20, 'x')));
      for (const position of [0, null]) {
        const read = () => large.read(Buffer.alloc(1 << 20), 0, 1 << 20, position);
        assert.ok((await entersOf(read)) > 0, `at ${position}`);
      }
      await large.close();
    });

    it('a device is no file of the tmpfs that it is on', async () => {
      const full = await uring.open('/dev/full');
      const read = async () =>
        assert.equal((await full.read(Buffer.alloc(9), 0, 9, null)).bytesRead, 9);
      assert.ok((await entersOf(read)) > 0);
      await full.close();
    });

    it('into several views', async () => {
      const views = [new Uint8Array(10), new Uint16Array(500), Buffer.alloc(300)];
      let result;
      assert.equal(await entersOf(async () => (result = await handle.readv(views, 9000))), 0);
      assert.equal(result.bytesRead, 1000); // what is left of the file
      const read = Buffer.concat(
        views.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength)),
      );
      assert.deepEqual(read.subarray(0, 1000), contents.subarray(9000));
      assert.ok(read.subarray(1000).every((byte) => byte === 0));
    });
  });

  it('a file that changes is read as it is', async () => {
    const file = folder.in('growing');
    for (let size = 0; size < 50; size++) {
      nodeFs.writeFileSync(file, 'x'.repeat(size * 400));
      assert.equal(await uring.readFile(file, 'utf8'), 'x'.repeat(size * 400));
    }
  });

  it('what is new, gone, renamed or larger is seen at once', async () => {
    const file = folder.in('changing');
    for (let size = 0; size < 50; size++) {
      nodeFs.writeFileSync(file, Buffer.alloc(size));
      const { ino } = nodeFs.statSync(file);
      const stats = await uring.stat(file);
      assert.deepEqual([stats.size, stats.ino], [size, ino]);
      nodeFs.renameSync(file, `${file}-2`);
      await assert.rejects(uring.stat(file), { code: 'ENOENT', syscall: 'stat', path: file });
      assert.equal((await uring.lstat(`${file}-2`)).ino, ino);
      nodeFs.unlinkSync(`${file}-2`);
      await assert.rejects(uring.stat(`${file}-2`), { code: 'ENOENT' });
    }
  });

  it('symbolic links are followed by stat, not by lstat', async () => {
    const target = folder.file('target', 'some');
    const link = folder.in('link');
    nodeFs.symlinkSync(target, link);
    assert.deepEqual(await uring.stat(link), nodeFs.statSync(target));
    assert.deepEqual(await uring.lstat(link), nodeFs.lstatSync(link));
    nodeFs.unlinkSync(target);
    await assert.rejects(uring.stat(link), { code: 'ENOENT' });
    assert.ok((await uring.lstat(link)).isSymbolicLink());
    const loop = folder.in('loop');
    nodeFs.symlinkSync(loop, loop);
    await assert.rejects(uring.stat(loop), { code: 'ELOOP' });
  });

  describe('on overlayfs, as in a container', () => {
    const { at, lower } = useOverlay(folder, { 'of the image': 'below' });

    it('few at a time do without the ring, and what is covered, changed or gone is seen', async function () {
      const paths = [at('of the image'), at('missing'), at()];
      for (const path of paths) nodeFs.statSync(path, { throwIfNoEntry: false });
      await oneByOne(paths);
      if ((await entersOf(() => uring.stat(paths[0]))) > 0) {
        this.skip('no RESOLVE_CACHED in this kernel');
      }
      assert.equal(await entersOf(() => oneByOne(paths)), 0);
      const { inline } = uring.ring.stats();
      assert.equal(await uring.readFile(paths[0], 'utf8'), 'below');
      assert.equal(uring.ring.stats().inline, inline + 1, 'by no kernel worker');
      for (const content of ['above', 'above again', 'x']) {
        nodeFs.writeFileSync(paths[0], content);
        assert.equal(await uring.readFile(paths[0], 'utf8'), content);
        assert.deepEqual(await uring.stat(paths[0]), nodeFs.statSync(paths[0]));
      }
      nodeFs.unlinkSync(paths[0]);
      await assert.rejects(uring.stat(paths[0]), { code: 'ENOENT' });
      assert.equal(nodeFs.readFileSync(lower('of the image'), 'utf8'), 'below');
    });
  });

  describe('on a file system whose server is silent', () => {
    const at = useSilentServer(folder);

    it('nobody waits for it who need not: neither the call nor the event loop', async () => {
      const result = await resultOf(
        async ({ uring: fs, args, say }) => {
          const sizes = [];
          const handle = await fs.open(args.file);
          for (let i = 0; i < 3; i++) {
            sizes.push((await fs.stat(args.file)).size, (await handle.stat()).size);
            sizes.push((await fs.readFile(args.file)).length);
            sizes.push((await handle.read(Buffer.alloc(9), 0, 9, i)).bytesRead);
            sizes.push((await handle.read(Buffer.alloc(9), 0, 9, null)).bytesRead);
          }
          await handle.close();
          say(sizes);
        },
        { args: { file: at('file') } },
      );
      const round = [10_000, 10_000, 10_000, 9, 9];
      assert.deepEqual(result, [...round, ...round, ...round]);
    });
  });

  it('leaves no descriptor open', async () => {
    const file = folder.file('file', 'contents');
    const count = () => nodeFs.readdirSync('/proc/self/fd').length;
    await uring.stat(file);
    const before = count();
    for (let i = 0; i < 100; i++) await uring.stat(file);
    for (const path of [file, '/proc/version', folder.in('none'), folder.in()]) {
      for (let i = 0; i < 100; i++) await uring.readFile(path).catch(() => {});
    }
    assert.equal(count(), before);
  });
});
