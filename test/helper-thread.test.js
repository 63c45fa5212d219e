'use strict';

// The thread that helps with many small files. That it is left alone by fewer, by handles and the like, is in
// pool-threads.test.js; that it ends with its worker in lifetime/workers.test.js.

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const os = require('node:os');
const {
  descriptors,
  describeOnRing,
  inOneRequest,
  patient,
  pattern,
  resultOf,
  skip,
  uring,
  useFolder,
} = require('./helpers/environment');
const { makeGroup } = require('./helpers/cgroups');
const { withFaults } = require('./helpers/faults');

const FILES = 300;
const sizeOf = (n) => [0, 1, 100, 4096, 16_319, 16_320, 16_383, 16_384, 16_385, 70_000][n % 10];

/** Bursts in a program of their own, and whether its thread is there: before, after, and helped. */
async function bursts({ uring: fs, nodeFs: files, args, say }) {
  if (args.options) fs.ring.configure(args.options);
  const nameOf = (id) => {
    try {
      return files.readFileSync(`/proc/self/task/${id}/comm`, 'utf8');
    } catch {
      return ''; // a kernel worker that has ended meanwhile
    }
  };
  const isThere = () =>
    files.readdirSync('/proc/self/task').some((id) => nameOf(id) === 'uring-fs\n');
  await fs.readFile(args.file);
  if (args.limit) {
    // The pool's threads are made first: without them libuv ends the process.
    await files.promises.stat('/');
    files.writeFileSync(args.limit, '1');
  }
  const before = isThere();
  const deadline = Date.now() + args.ms;
  do {
    await Promise.all(Array.from({ length: 200 }, () => fs.readFile(args.file)));
  } while (fs.ring.stats().helped === 0 && Date.now() < deadline);
  say({ before, after: isThere(), helped: fs.ring.stats().helped > 0 });
}

describeOnRing('the thread that helps', () => {
  const folder = useFolder();
  const paths = [];

  before(function () {
    if (!inOneRequest) skip(this, 'small files are read by steps on this kernel');
    if (os.availableParallelism() < 2) skip(this, 'the process has one CPU');
    for (let n = 0; n < FILES; n++) {
      paths.push(folder.file(`f${n}`, pattern(sizeOf(n))));
    }
    paths.push(folder.in('missing'), folder.in(), folder.file('removed'), '/proc/self/comm');
    nodeFs.rmSync(folder.in('removed'));
  });

  /** How many threads of the system have a CPU, or wait for one. */
  const running = () => Number(/ (\d+)\//.exec(nodeFs.readFileSync('/proc/loadavg', 'latin1'))[1]);

  /** As often as it takes until it has helped. It does not where others have all CPUs. */
  async function untilHelped(context, round) {
    const before = uring.ring.stats().helped;
    const start = Date.now();
    let crowded = 0;
    for (let rounds = 0; uring.ring.stats().helped === before; rounds++) {
      const seconds = (Date.now() - start) / patient(1000);
      if (running() >= os.availableParallelism()) crowded++;
      if (seconds > 2 && crowded > rounds / 2) skip(context, 'other programs have all CPUs');
      assert.ok(seconds < 10, 'it has not helped');
      await round();
    }
  }

  const expected = (path) => {
    try {
      return nodeFs.readFileSync(path, 'latin1');
    } catch ({ code }) {
      return code;
    }
  };

  it('reads what the ring would have read, and fails as it would', async function () {
    const wanted = paths.map(expected);
    await untilHelped(this, async () => {
      const outcomes = await Promise.all(
        paths.map((path) => uring.readFile(path, 'latin1').catch(({ code }) => code)),
      );
      assert.deepEqual(outcomes, wanted);
    });
  });

  it('serves readFiles, too', async function () {
    const some = paths.slice(0, FILES);
    const wanted = some.map((path) => nodeFs.readFileSync(path));
    await untilHelped(this, async () => {
      assert.deepEqual(await uring.readFiles(some), wanted);
    });
  });

  it('answers stat and statFiles as the ring would have, and fails so', async function () {
    const wanted = paths.map((path) => nodeFs.statSync(path, { throwIfNoEntry: false })?.size);
    const sizes = (outcomes) => outcomes.map(({ value }) => value?.size);
    await untilHelped(this, async () => {
      const outcomes = await Promise.allSettled(paths.map((path) => uring.stat(path)));
      assert.deepEqual(sizes(outcomes), wanted);
    });
    await untilHelped(this, async () => {
      assert.deepEqual(sizes(await uring.statFiles(paths, { settled: true })), wanted);
    });
  });

  it('reads files that change meanwhile from their start, and no further than they are', async function () {
    const file = folder.in('changes');
    const bytes = pattern(16_000);
    nodeFs.writeFileSync(file, bytes);
    await untilHelped(this, async () => {
      const reading = Array.from({ length: 200 }, () => uring.readFile(file));
      for (const size of [16_000, 5_000, 20, 9_000]) {
        nodeFs.truncateSync(file, Math.min(size, 20));
        nodeFs.writeFileSync(file, bytes.subarray(0, size), { flag: 'r+' });
        await new Promise(setImmediate);
      }
      for (const contents of await Promise.all(reading)) {
        // Linux may give zeros for what is cut off while it is being read.
        assert.ok(contents.every((byte, at) => byte === bytes[at] || byte === 0));
      }
    });
  });

  it('leaves to the ring what is large, and no descriptor open', async function () {
    const large = folder.file('large', pattern(100_000));
    const before = descriptors().length;
    // Not many large ones in a row: after those the next begin otherwise.
    const mixed = paths.slice(0, FILES).map((path, n) => (n % 7 === 3 ? large : path));
    const sizes = mixed.map((path) => nodeFs.statSync(path).size);
    await untilHelped(this, async () => {
      const all = await Promise.all(mixed.map((path) => uring.readFile(path)));
      assert.deepEqual(
        all.map(({ length }) => length),
        sizes,
      );
    });
    assert.equal(descriptors().length, before);
  });

  it('what is given up is rejected, and the others are read', async function () {
    let rejected = 0;
    await untilHelped(this, async () => {
      const controller = new AbortController();
      const { signal } = controller;
      // More than are done before the loop must turn (`inlineBudget`).
      const reading = Array.from({ length: 2000 }, (_, n) =>
        uring.readFile(paths[1], n % 3 === 0 ? { signal } : undefined),
      );
      void reading[1].then(() => controller.abort()); // amid the work
      const outcomes = await Promise.allSettled(reading);
      for (const [n, { status, value, reason }] of outcomes.entries()) {
        if (status === 'fulfilled') assert.equal(value.length, 1);
        else assert.deepEqual([n % 3, reason.name], [0, 'AbortError']);
      }
      rejected += outcomes.filter(({ status }) => status === 'rejected').length;
    });
    assert.ok(rejected > 0);
  });

  /** What a program says of which `helped` is true, unless others have all CPUs: then it is skipped. */
  async function resultOfHelped(context, program, options) {
    let looks = 0;
    let crowded = 0;
    const watch = setInterval(() => {
      looks++;
      if (running() > os.availableParallelism()) crowded++;
    }, 50);
    const result = await resultOf(program, options).finally(() => clearInterval(watch));
    if (!result.helped && crowded > looks / 2) skip(context, 'other programs have all CPUs');
    return result;
  }

  it('comes with the first burst, and does not keep the process alive', async function () {
    const args = { file: folder.file('one'), ms: patient(10_000) };
    const there = await resultOfHelped(this, bursts, { args });
    assert.deepEqual(there, { before: false, after: true, helped: true });
  });

  it('rests where to wake it up takes longer than it saves', async function () {
    const work = async ({ uring: fs, args, say }) => {
      const burst = () => Promise.all(Array.from({ length: 24 }, () => fs.readFile(args.file)));
      const deadline = Date.now() + args.ms;
      while (fs.ring.stats().helped === 0 && Date.now() < deadline) await burst();
      const before = fs.ring.stats();
      const end = Date.now() + 500;
      while (Date.now() < end) await burst();
      const after = fs.ring.stats();
      const share = (after.helped - before.helped) / (after.submitted - before.submitted);
      say({ helped: before.helped > 0, share });
    };
    const args = { file: folder.file('one'), ms: patient(10_000) };
    const { helped, share } = await resultOfHelped(this, work, { args, ...withFaults('wake:200') });
    assert.ok(helped);
    assert.ok(share < 0.2, `it has done ${share} of the work`);
  });

  it('is not there when it is switched off', async () => {
    const args = { file: folder.file('one'), ms: 300, options: { helper: false } };
    assert.deepEqual(await resultOf(bursts, { args }), {
      before: false,
      after: false,
      helped: false,
    });
  });

  it('is not there where the process has one CPU', async () => {
    const args = { file: folder.file('one'), ms: 300 };
    const [cpu] = /(?<=^Cpus_allowed_list:\s)\d+/m.exec(
      nodeFs.readFileSync('/proc/self/status', 'latin1'),
    );
    const launcher = ['taskset', '-c', cpu];
    assert.deepEqual(await resultOf(bursts, { args, launcher }), {
      before: false,
      after: false,
      helped: false,
    });
  });

  it('where no thread can be made the ring does it all', async function () {
    const { limit, launcher, remove } = makeGroup(this, 'pids.max');
    try {
      const there = await resultOf(bursts, {
        args: { file: folder.file('one'), ms: 300, limit },
        launcher,
      });
      assert.deepEqual(there, { before: false, after: false, helped: false });
    } finally {
      remove();
    }
  });
});
