'use strict';

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const nodeFs = require('node:fs');
const {
  descriptors,
  descriptorsOf,
  describeOnRing,
  patient,
  resultOf,
  runProgram,
  sleep,
  until,
  uring,
  useFolder,
} = require('../helpers/environment');

const { O_NONBLOCK, O_RDWR } = nodeFs.constants;

describe('lifetime: abort', () => {
  const folder = useFolder();
  let count = 0;
  let fifo;
  beforeEach(() => {
    fifo = folder.fifo(`fifo-${count++}`);
  });

  const isAbort = { name: 'AbortError', code: 'ABORT_ERR' };
  const inFlight = () => uring.ring.stats().inFlight;

  it('before the call: nothing is asked of the kernel', async () => {
    const { submitted } = uring.ring.stats();
    const target = folder.in('not-made');
    const reason = new Error('the reason');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(uring.readFile(fifo, { signal }), { ...isAbort, cause: reason });
    await assert.rejects(uring.writeFile(target, 'data', { signal }), {
      ...isAbort,
      cause: reason,
    });
    assert.equal(nodeFs.existsSync(target), false);
    assert.equal(uring.ring.stats().submitted, submitted);
  });

  it('after the end: without effect, and nothing listens any more', async () => {
    const file = folder.file('file', 'contents');
    const controller = new AbortController();
    const { signal } = controller;
    assert.equal(await uring.readFile(file, { signal, encoding: 'utf8' }), 'contents');
    await uring.writeFile(file, 'other', { signal });
    await uring.appendFile(file, ' text', { signal });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    controller.abort();
    assert.equal(await uring.readFile(file, 'utf8'), 'other text');
  });

  it('amid large files: an AbortError or all of it, and no descriptor is left', async () => {
    const file = folder.file('large', Buffer.alloc(8_000_000, 'l'));
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const reading = uring.readFile(file, { signal }).then(
        ({ length }) => assert.equal(length, 8_000_000),
        (error) => assert.equal(error.name, 'AbortError'),
      );
      if (i % 2 === 0) await sleep(i / 4);
      controller.abort();
      await reading;
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    }
    await until(
      () => descriptorsOf(file) === 0,
      () => descriptors().join('\n'),
    );
  });

  describeOnRing('on the ring', () => {
    it('of many calls by one signal: each is rejected, and one listener is enough', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const calls = Array.from({ length: 50 }, () => uring.readFile(fifo, { signal }));
      const all = Promise.allSettled([...calls, uring.readFiles([fifo, fifo], { signal })]);
      assert.equal(getEventListeners(signal, 'abort').length, 1);
      controller.abort();
      for (const { reason } of await all) assert.equal(reason?.name, 'AbortError');
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });

    const waits = {
      'in the same tick': { wait: () => undefined },
      'waiting for a writer to open': { wait: () => sleep(30) },
      'waiting for bytes': { wait: () => until(() => inFlight() === 1, 'the read'), writer: true },
    };
    for (const [title, { wait, writer }] of Object.entries(waits)) {
      it(`readFile of a FIFO ${title}: rejects at once, and leaves nothing`, async () => {
        const end = writer ? nodeFs.openSync(fifo, O_RDWR | O_NONBLOCK) : -1;
        const before = descriptors().length;
        const controller = new AbortController();
        const { signal } = controller;
        const reading = uring.readFile(fifo, { signal });
        await wait();
        const began = Date.now();
        const cause = new Error('the reason');
        controller.abort(cause);
        await assert.rejects(reading, { ...isAbort, cause });
        assert.ok(Date.now() - began < 1000);
        await until(() => inFlight() === 0, 'the end of the requests');
        await until(
          () => descriptors().length <= before,
          () => descriptors().join('\n'),
        );
        assert.equal(getEventListeners(signal, 'abort').length, 0);
        if (end >= 0) nodeFs.closeSync(end);
      });
    }

    it('writeFile to a FIFO without a reader: rejects at once, and leaves nothing', async () => {
      const before = descriptors().length;
      const controller = new AbortController();
      const writing = uring.writeFile(fifo, 'data', { signal: controller.signal });
      await sleep(30);
      controller.abort();
      await assert.rejects(writing, isAbort);
      await until(() => inFlight() === 0, 'the end of the requests');
      await until(
        () => descriptors().length <= before,
        () => descriptors().join('\n'),
      );
    });

    it('hundreds that wait for a slot, at once', async () => {
      const end = nodeFs.openSync(fifo, O_RDWR | O_NONBLOCK);
      const controller = new AbortController();
      const { signal } = controller;
      const readings = Array.from({ length: 700 }, () => uring.readFile(fifo, { signal }));
      const outcomes = Promise.allSettled(readings);
      const listeners = () => getEventListeners(signal, 'abort').length;
      // By steps, 96 have their turn, and nobody listens between one step and the next.
      await until(() => inFlight() > 90 && listeners() > 0, 'the reads');
      assert.equal(listeners(), 1); // Node warns of more than ten
      controller.abort();
      for (const { reason } of await outcomes) assert.equal(reason.name, 'AbortError');
      await until(() => inFlight() === 0, 'the end of the requests');
      const small = folder.file('small', 'small');
      assert.equal(await uring.readFile(small, 'utf8'), 'small');
      nodeFs.closeSync(end);
    });

    it('the process ends after it, though the FIFO never gets a writer', async () => {
      const result = await runProgram(
        async ({ uring: fs, args, say }) => {
          const controller = new AbortController();
          const { signal } = controller;
          const failed = Promise.allSettled([
            fs.readFile(args.fifo, { signal }),
            fs.writeFile(args.other, 'data', { signal }),
          ]);
          setTimeout(() => controller.abort(), 50);
          say((await failed).map(({ reason }) => reason.name));
        },
        { args: { fifo, other: folder.fifo('other') } },
      );
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(result.said, [['AbortError', 'AbortError']]);
    });

    it('more reads than the ring has room for: all reject, and the ring goes on', async () => {
      const result = await resultOf(abortFullRing, { args: { fifo, limit: patient(3000) } });
      assert.deepEqual(result, { aborted: true, goesOn: true });
    });
  });
});

/** Reads that nobody can end leave room for few more; those are aborted. */
async function abortFullRing({ uring: fs, args, say }) {
  const { cqEntries } = fs.ring.status();
  const pipe = await fs.open(args.fifo, 'r+');
  for (let i = 0; i < cqEntries - 300; i++) pipe.read(Buffer.alloc(1), 0, 1).catch(() => {});
  const controller = new AbortController();
  const { signal } = controller;
  const readings = Array.from({ length: 400 }, () => fs.readFile(args.fifo, { signal }));
  const outcomes = Promise.allSettled(readings);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const within = (promise) =>
    Promise.race([promise, new Promise((resolve) => setTimeout(resolve, args.limit, 'hangs'))]);
  controller.abort();
  const aborted = await within(outcomes);
  const next = await within(fs.readFile('/proc/self/comm'));
  say({ aborted: aborted !== 'hangs', goesOn: next !== 'hangs' });
  process.exit(0);
}
