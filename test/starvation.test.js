'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const nodeFs = require('node:fs');
const { describeOnRing, onRing, skip, uring, until, useFolder } = require('./helpers/environment');

describeOnRing(
  'starvation: 64 readers of FIFOs without writers, all threads of the pool busy',
  () => {
    const folder = useFolder();
    const READERS = 64;
    let fifos;
    let readers;
    let abort;
    let busy = 0;
    let stop = false;

    before(() => {
      fifos = Array.from({ length: READERS }, (_, i) => folder.fifo(`fifo-${i}`));
      abort = new AbortController();
      readers = fifos.map((fifo, i) =>
        i % 2 === 0
          ? uring.readFile(fifo, { encoding: 'utf8', signal: abort.signal })
          : uring.readFile(fifo, 'utf8'),
      );
      const occupy = () => {
        busy++;
        crypto.pbkdf2('x', 'y', 150_000, 64, 'sha512', () => {
          busy--;
          if (!stop) occupy();
        });
      };
      for (let i = 0; i < 8; i++) occupy();
    });

    after(async () => {
      stop = true;
      await until(() => busy === 0, 'the end of the threads');
    });

    it('readFile, stat and writeFile on regular files finish', async () => {
      for (let i = 0; i < 20; i++) {
        const file = folder.in(`file-${i}`);
        await uring.writeFile(file, `content ${i}`, { flush: i === 0 });
        assert.equal((await uring.stat(file)).size, `content ${i}`.length);
        assert.equal(await uring.readFile(file, 'utf8'), `content ${i}`);
      }
      const handle = await uring.open(folder.in('file-3'), 'r+');
      await handle.write('more', 20);
      await handle.close();
      assert.equal(busy, 8);
    });

    it('every other one is aborted at once, and the kernel lets go of it', async () => {
      const before = uring.ring.stats().inFlight;
      abort.abort();
      const outcomes = await Promise.allSettled(readers.filter((_, i) => i % 2 === 0));
      assert.ok(outcomes.every(({ reason }) => reason?.name === 'AbortError'));
      await until(() => uring.ring.stats().inFlight <= before - READERS / 2, 'their ends');
    });

    it('the others finish when a writer comes', async () => {
      for (let i = 1; i < READERS; i += 2) nodeFs.writeFileSync(fifos[i], `late ${i}`);
      const texts = await Promise.all(readers.filter((_, i) => i % 2 === 1));
      assert.deepEqual(
        texts,
        texts.map((_, i) => `late ${2 * i + 1}`),
      );
    });
  },
);

describe('files that change while they are read', () => {
  const folder = useFolder();

  it('a file that shrinks and grows gives a prefix of what was there, and no other bytes', async () => {
    const file = folder.file('breathing', '');
    const writer = nodeFs.openSync(file, 'r+');
    const full = Buffer.alloc(3_000_000, 'a');
    let running = true;
    const breathe = (async () => {
      for (let i = 0; running; i++) {
        if (i % 2 === 0) nodeFs.writeSync(writer, full, 0, full.length - (i % 7) * 1000, 0);
        else nodeFs.ftruncateSync(writer, (i % 5) * 600_000);
        await new Promise(setImmediate);
      }
    })();
    for (let i = 0; i < 60; i++) {
      const content = await uring.readFile(file);
      assert.ok(content.length <= full.length);
      // What was cut off and not yet written again reads as zeros.
      assert.ok(content.every((byte) => byte === 97 || byte === 0));
    }
    running = false;
    await breathe;
    nodeFs.closeSync(writer);
  });

  it('a deleted file is read through its handle', async () => {
    const file = folder.file('deleted', 'still there');
    const handle = await uring.open(file);
    nodeFs.unlinkSync(file);
    assert.equal(await handle.readFile('utf8'), 'still there');
    await handle.close();
  });

  it('/dev/zero is read until the abort', async function () {
    // In one trip to the pool, which nothing ends.
    if (!onRing && Number.parseInt(process.versions.node) >= 26)
      skip(this, "Node's own never stops");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    const reading = uring.readFile('/dev/zero', { signal: controller.signal });
    await assert.rejects(reading, { name: 'AbortError' });
  });

  it('/dev/zero by a handle gives as much as is asked for', async () => {
    const handle = await uring.open('/dev/zero');
    const buffer = Buffer.alloc(2_000_000, 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    assert.ok(bytesRead > 0 && buffer.subarray(0, bytesRead).every((byte) => byte === 0));
    await handle.close();
  });

  for (const file of [
    '/proc/self/limits',
    '/proc/cpuinfo',
    '/sys/kernel/mm/transparent_hugepage/enabled',
  ]) {
    it(`${file}: as Node`, async () => {
      const ours = await uring.readFile(file, 'utf8').catch(({ code }) => code);
      const nodes = await nodeFs.promises.readFile(file, 'utf8').catch(({ code }) => code);
      assert.equal(ours.replaceAll(/\d/g, ''), nodes.replaceAll(/\d/g, ''));
    });
  }
});
