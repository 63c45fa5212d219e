'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, pattern, until, uring, useFolder } = require('./helpers/environment');
const { kChanges, kInTurn, kReadAt } = require('../lib/symbols');

describeOnRing('lib/read-ahead', () => {
  const folder = useFolder();
  const CHUNK = 1000;
  const bytes = pattern(20 * CHUNK);

  describe('of a handle whose reads are watched', () => {
    /** A handle of a file with `bytes`; `reads` says what has been asked of it, and `answer` may change it. */
    function watched(answer = (bytesRead) => bytesRead, size = bytes.length) {
      const reads = [];
      const readAt = async (memory, at) => {
        const place = { at, length: memory.length };
        reads.push(place);
        const count = await answer(bytes.subarray(at).copy(memory), place);
        if (count instanceof Error) throw count;
        return count;
      };
      return {
        fd: -1,
        reads,
        [kChanges]: 0,
        [kInTurn]: (work) => work(),
        [kReadAt]: readAt,
        read: async (memory, offset, length, at) => ({ bytesRead: await readAt(memory, at) }),
        stat: async () => ({ size, isFile: () => true }),
      };
    }

    function aheadOf(handle, most = Infinity) {
      const { ReadAhead } = require('../lib/read-ahead');
      return new ReadAhead(handle, most);
    }

    async function chunkAt(ahead, at, length = CHUNK) {
      const { bytesRead, buffer } = await ahead.read(Buffer.alloc(length), at);
      assert.ok(buffer.subarray(0, bytesRead).equals(bytes.subarray(at, at + bytesRead)), `${at}`);
      return bytesRead;
    }

    const placesOf = ({ reads }) => reads.map(({ at }) => at / CHUNK);

    it('two chunks at the most, once the first was not the last', async () => {
      const handle = watched();
      const ahead = aheadOf(handle);
      await chunkAt(ahead, 0);
      assert.deepEqual(placesOf(handle), [0]);
      await chunkAt(ahead, CHUNK);
      assert.deepEqual(placesOf(handle), [0, 1, 2, 3]);
      await chunkAt(ahead, 2 * CHUNK);
      assert.deepEqual(placesOf(handle), [0, 1, 2, 3, 4]);
    });

    it('nothing of a file that one chunk holds', async () => {
      const handle = watched();
      await chunkAt(aheadOf(handle), 0, bytes.length + 1);
      assert.equal(handle.reads.length, 1);
    });

    it('nothing behind the end of the stream', async () => {
      const handle = watched();
      const ahead = aheadOf(handle, 2.5 * CHUNK);
      await chunkAt(ahead, 0);
      await chunkAt(ahead, CHUNK);
      await chunkAt(ahead, 2 * CHUNK, CHUNK / 2);
      assert.deepEqual(handle.reads.at(-1), { at: 2 * CHUNK, length: CHUNK / 2 });
      assert.equal(handle.reads.length, 3);
    });

    it('nothing behind the end of the file: that is looked for when it is due', async () => {
      const handle = watched();
      const ahead = aheadOf(handle);
      for (let at = 0; at < bytes.length; at += CHUNK) await chunkAt(ahead, at);
      assert.equal(handle.reads.length, 20);
      assert.equal(await chunkAt(ahead, bytes.length), 0);
      assert.equal(handle.reads.length, 21);
    });

    it('fewer of large chunks, and none of larger ones', async () => {
      for (const [mib, expected] of [
        [2, 4],
        [3, 3],
        [5, 2],
      ]) {
        const length = mib * 1024 * 1024;
        const handle = watched(() => length, 100 * length);
        const ahead = aheadOf(handle);
        await ahead.read(Buffer.alloc(length), 0);
        await ahead.read(Buffer.alloc(length), length);
        assert.equal(handle.reads.length, expected, `${mib} MiB`);
      }
    });

    it('another place, or another length, than the one foreseen', async () => {
      const handle = watched();
      const ahead = aheadOf(handle);
      for (const at of [0, CHUNK, 7 * CHUNK, 8 * CHUNK, 3 * CHUNK]) await chunkAt(ahead, at);
      assert.equal(await chunkAt(ahead, 4 * CHUNK, 1500), 1500);
      assert.equal(await chunkAt(ahead, 5500, 1500), 1500);
    });

    it('a failure counts only if it is still one when the chunk is due', async () => {
      let fails = true;
      const handle = watched((count, { at }) =>
        fails && at === 3 * CHUNK ? new Error('bad sector') : count,
      );
      const ahead = aheadOf(handle);
      for (const at of [0, 1, 2]) await chunkAt(ahead, at * CHUNK);
      fails = false;
      assert.equal(await chunkAt(ahead, 3 * CHUNK), CHUNK);
      fails = true;
      for (const at of [0, 1, 2]) await chunkAt(ahead, at * CHUNK);
      await assert.rejects(chunkAt(ahead, 3 * CHUNK), /bad sector/);
    });

    it('nor does an end that is none any more; what follows a short read is read anew', async () => {
      let size = 2 * CHUNK;
      const handle = watched((count, { at }) => Math.max(Math.min(count, size - at), 0));
      const ahead = aheadOf(handle);
      for (const at of [0, 1]) await chunkAt(ahead, at * CHUNK);
      size = 2.5 * CHUNK;
      assert.equal(await chunkAt(ahead, 2 * CHUNK), CHUNK / 2);
      size = 4 * CHUNK;
      assert.equal(await chunkAt(ahead, 2.5 * CHUNK), CHUNK);
      assert.equal(await chunkAt(ahead, 3.5 * CHUNK), CHUNK / 2);
      assert.equal(await chunkAt(ahead, 4 * CHUNK), 0);
    });

    it('what the handle has changed since is read anew', async () => {
      const handle = watched();
      const ahead = aheadOf(handle);
      for (const at of [0, 1]) await chunkAt(ahead, at * CHUNK);
      handle[kChanges]++;
      await chunkAt(ahead, 2 * CHUNK);
      assert.deepEqual(placesOf(handle), [0, 1, 2, 3, 2, 3, 4]);
    });
  });

  describe('of a file', () => {
    let file;
    let handle;
    beforeEach(async () => {
      file = folder.file('file', bytes);
      handle = await uring.open(file, 'r+');
    });
    afterEach(() => handle.close());

    const options = { highWaterMark: CHUNK, autoClose: false };

    it('whoever else reads at the position: each byte is read once', async () => {
      const pieces = [];
      for await (const chunk of handle.createReadStream(options)) {
        pieces.push(chunk);
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(300), 0, 300, null);
        pieces.push(buffer.subarray(0, bytesRead));
      }
      const places = pieces.filter(({ length }) => length > 0).map((piece) => bytes.indexOf(piece));
      const whole = pieces.toSorted((a, b) => bytes.indexOf(a) - bytes.indexOf(b));
      assert.ok(!places.includes(-1));
      assert.ok(Buffer.concat(whole).equals(bytes));
    });

    it('left early, the position is behind what the stream has asked for', async () => {
      for await (const chunk of handle.createReadStream(options)) {
        if (chunk.equals(bytes.subarray(3 * CHUNK, 4 * CHUNK))) break;
      }
      const { buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, null);
      // The stream has one chunk more, as Node's has.
      assert.ok(buffer.equals(bytes.subarray(5 * CHUNK, 6 * CHUNK)));
    });

    it('what is written through the handle meanwhile is seen', async () => {
      const seen = [];
      for await (const chunk of handle.createReadStream({ ...options, start: 0 })) {
        seen.push(chunk);
        if (seen.length === 4) await handle.write(Buffer.alloc(CHUNK, 'x'), 0, CHUNK, 6 * CHUNK);
      }
      assert.equal(seen[6].toString(), 'x'.repeat(CHUNK));
      assert.equal(seen.length, 20);
    });

    it('what is appended meanwhile is read, too', async () => {
      const seen = [];
      for await (const chunk of handle.createReadStream(options)) {
        seen.push(chunk);
        if (seen.length === 10) nodeFs.appendFileSync(file, bytes);
      }
      assert.ok(Buffer.concat(seen).equals(Buffer.concat([bytes, bytes])));
    });

    it('what is cut off meanwhile is not: no error, no zeros', async () => {
      const seen = [];
      for await (const chunk of handle.createReadStream(options)) {
        seen.push(chunk);
        if (seen.length === 10) await handle.truncate(12.5 * CHUNK);
      }
      assert.ok(Buffer.concat(seen).equals(bytes.subarray(0, 12.5 * CHUNK)));
    });

    it('a stream that nobody reads from stops', async () => {
      const stream = handle.createReadStream(options);
      await new Promise((resolve) => stream.once('readable', resolve));
      for (let i = 0; i < 3; i++) {
        stream.read(CHUNK);
        await new Promise((resolve) => stream.once('readable', resolve));
      }
      await until(() => uring.ring.stats().inFlight === 0, 'the reads');
      const { submitted } = uring.ring.stats();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(uring.ring.stats().submitted, submitted);
      stream.destroy();
    });
  });
});
