'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const {
  describeOnRing,
  inOneRequest,
  patient,
  resultOf,
  skip,
  uring,
  useFolder,
} = require('./helpers/environment');

/** File systems that are read without a worker: ext4, XFS, btrfs. */
const READ_AT_ONCE = [0xef53, 0x58465342, 0x9123683e];

describeOnRing('lib/request', () => {
  const folder = useFolder();
  const { ring } = uring;
  /** For a small file; by steps they are open, read and close. */
  const each = inOneRequest ? 1 : 3;
  let files;
  before(() => {
    files = Array.from({ length: 20 }, (_, n) => folder.file(`file-${n}`, `contents of ${n}`));
  });

  /** What the counters have grown by while `action` ran. */
  async function counted(action) {
    const before = ring.stats();
    await action();
    const after = ring.stats();
    return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
  }

  it('each call gets its own result', async () => {
    const calls = Array.from({ length: 1000 }, (_, n) => uring.readFile(files[n % 20], 'utf8'));
    (await Promise.all(calls)).forEach((text, n) => assert.equal(text, `contents of ${n % 20}`));
  });

  it('each call of a mixture gets its own result', async () => {
    const calls = Array.from({ length: 1000 }, (_, n) => {
      const file = files[n % 20];
      if (n % 4 === 0) return uring.readFile(file).then(({ length }) => length);
      if (n % 4 === 1) return uring.stat(file).then(({ size }) => size);
      if (n % 4 === 2) return uring.readFile(`${file}-missing`).catch(({ path }) => path);
      return uring.lstat(file, { bigint: true }).then(({ size }) => Number(size));
    });
    const lengths = await Promise.all(calls);
    lengths.forEach((result, n) => {
      const expected = n % 4 === 2 ? `${files[n % 20]}-missing` : `contents of ${n % 20}`.length;
      assert.equal(result, expected);
    });
  });

  it('the calls of one tick are a few entries into the kernel', async function () {
    const { type } = nodeFs.statfsSync(folder.in());
    if (!READ_AT_ONCE.includes(type)) {
      skip(this, 'a kernel worker reads what is in the temporary folder, each file by itself');
    }
    // Without the thread that helps, which takes some of them.
    const [before, after] = await resultOf(
      async ({ uring: fs, args, say }) => {
        fs.ring.configure({ helper: false });
        await fs.readFile(args[0]);
        const atFirst = fs.ring.stats();
        await Promise.all(Array.from({ length: 60 }, (_, n) => fs.readFile(args[n % 20])));
        say([atFirst, fs.ring.stats()]);
      },
      { args: files },
    );
    const grown = (name) => after[name] - before[name];
    assert.deepEqual([grown('submitted'), grown('completed')], [60 * each, 60 * each]);
    const enters = grown('enters');
    assert.ok(enters >= 1 && enters <= 6 * each, `${enters} enters`);
  });

  it('so are those that open, on any file system', async () => {
    let handles;
    const { submitted, completed, enters } = await counted(async () => {
      handles = await Promise.all(Array.from({ length: 60 }, (_, n) => uring.open(files[n % 20])));
    });
    assert.deepEqual([submitted, completed], [60, 60]);
    assert.ok(enters >= 1 && enters <= 6, `${enters} enters`);
    await Promise.all(handles.map((handle) => handle.close()));
  });

  it('calls of different ticks are entries of their own', async () => {
    const handle = await uring.open(files[0]);
    const { enters } = await counted(async () => {
      for (let n = 0; n < 20; n++) await handle.datasync();
    });
    await handle.close();
    assert.ok(enters >= 20, `${enters} enters`);
  });

  it('nothing is submitted within the call', async () => {
    const handle = await uring.open(files[0]);
    const { enters, inFlight } = ring.stats();
    const promise = handle.datasync();
    assert.deepEqual([ring.stats().enters, ring.stats().inFlight], [enters, inFlight]);
    await promise;
    assert.ok(ring.stats().enters > enters);
    await handle.close();
  });

  it('what the page cache has is complete within its submission', async () => {
    const { inline, completed } = await counted(async () => {
      for (let n = 0; n < 100; n++) await uring.readFile(files[n % 20]);
    });
    assert.equal(completed, 100 * each);
    // As many as fit into a millisecond, then the loop turns: fewer where all takes longer.
    assert.ok(inline >= 80 / patient(1), `${inline} inline`);
  });

  it('20,000 readFile at once: all right, none fails, the kernel never has too many', async () => {
    // In a process of its own, for the peaks.
    const { wrong, stats } = await resultOf(
      async ({ uring: fs, args, say }) => {
        const calls = Array.from({ length: 20_000 }, (_, n) => fs.readFile(args[n % 20], 'utf8'));
        const texts = await Promise.all(calls);
        const isWrong = (text, n) => text !== `contents of ${n % 20}`;
        say({ wrong: texts.filter(isWrong).length, stats: fs.ring.stats() });
      },
      { args: files },
    );
    assert.equal(wrong, 0);
    assert.ok(stats.peakInFlight <= 512, `${stats.peakInFlight} in flight`);
    if (inOneRequest) assert.ok(stats.peakQueued >= 10_000, `${stats.peakQueued} queued`);
    assert.deepEqual([stats.queued, stats.inFlight, stats.completed], [0, 0, 20_000 * each]);
  });

  it('20,000 stat at once: never more in flight than the CQ holds', async () => {
    // Without the thread that helps: by the kernel alone.
    const { sizes, cqEntries, stats } = await resultOf(
      async ({ uring: fs, args, say }) => {
        fs.ring.configure({ helper: false });
        const calls = Array.from({ length: 20_000 }, (_, n) => fs.stat(args[n % 20]));
        const all = await Promise.all(calls);
        say({
          sizes: all.map(({ size }) => size),
          cqEntries: fs.ring.status().cqEntries,
          stats: fs.ring.stats(),
        });
      },
      { args: files },
    );
    assert.ok(sizes.every((size, n) => size === `contents of ${n % 20}`.length));
    const { peakInFlight, queued, inFlight } = stats;
    assert.ok(peakInFlight <= cqEntries, `${peakInFlight} in flight`);
    assert.deepEqual([queued, inFlight], [0, 0]);
  });

  it('calls made while results are handed out are served as well', async () => {
    let made = 0;
    async function chain(depth) {
      made++;
      await uring.readFile(files[depth % 20]);
      if (depth > 0) await Promise.all([chain(depth - 1), uring.stat(files[0])]);
    }
    await Promise.all(Array.from({ length: 100 }, () => chain(10)));
    assert.equal(made, 1100);
  });

  it('long paths and paths of bytes arrive whole', async () => {
    const deep = folder.in(...Array.from({ length: 10 }, () => 'x'.repeat(200)));
    await uring.mkdir(deep, { recursive: true });
    await uring.writeFile(`${deep}/file`, 'deep');
    assert.equal(await uring.readFile(Buffer.from(`${deep}/file`), 'utf8'), 'deep');
    await uring.rename(`${deep}/file`, `${deep}/${'y'.repeat(100)}`);
    assert.equal(await uring.readFile(`${deep}/${'y'.repeat(100)}`, 'utf8'), 'deep');
    await assert.rejects(uring.readFile('x'.repeat(5000)), { code: 'ENAMETOOLONG' });
  });
});
