'use strict';

// stat from the kernel's caches, without the ring (src/cached_stat.c).

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, uring, useFolder } = require('./helpers/environment');

/** File systems that src/cached_stat.c knows: ext, XFS, btrfs, F2FS, tmpfs. */
const LOCAL = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994];

describeOnRing('cached stat', () => {
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

  it('few at a time do without the ring, found or not; many go through it', async function () {
    if (!LOCAL.includes(nodeFs.statfsSync(folder.in()).type)) {
      this.skip('the temporary folder is on no file system that it knows');
    }
    const file = folder.file('file', 'contents');
    await uring.readFile(file);
    const paths = [file, folder.in(), folder.in('missing')];
    nodeFs.statSync(file);
    await oneByOne(paths); // now what is missing is known to be missing, too
    if ((await entersOf(() => uring.stat(file))) > 0) this.skip('no RESOLVE_CACHED in this kernel');
    assert.equal(await entersOf(() => oneByOne(paths)), 0);
    const handle = await uring.open(file);
    assert.equal(await entersOf(() => handle.stat()), 0);
    await handle.close();
    const many = () => Promise.all(Array.from({ length: 64 }, () => uring.stat(file)));
    assert.ok((await entersOf(many)) > 0);
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

  it('leaves no descriptor open', async () => {
    const file = folder.file('file', 'contents');
    const count = () => nodeFs.readdirSync('/proc/self/fd').length;
    await uring.stat(file);
    const before = count();
    for (let i = 0; i < 100; i++) await uring.stat(file);
    assert.equal(count(), before);
  });
});
