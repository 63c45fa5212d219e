'use strict';

// Reads past the page cache. Where the ring reads into memory of its own first, what O_DIRECT makes of the
// caller's must show all the same.

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { pattern, skip, uring, useFolder } = require('./helpers/environment');
const ringFs = require('../lib/fs');

const PAGE = 4096;
/** Node's allocations are aligned to this. Bytes. */
const STEP = 8;
const { O_DIRECT, O_NONBLOCK, O_RDONLY } = nodeFs.constants;

describe('reads with O_DIRECT', () => {
  const folder = useFolder();
  const contents = pattern(8 * PAGE);
  let file;
  let fd;

  before(function () {
    file = folder.file('file', contents);
    try {
      fd = nodeFs.openSync(file, O_RDONLY | O_DIRECT);
      nodeFs.readSync(fd, memory(0), 0, 0, 0);
    } catch ({ code }) {
      skip(this, `the file system refuses O_DIRECT (${code})`);
    }
  });

  after(() => {
    if (fd !== undefined) nodeFs.closeSync(fd);
  });

  /** A view of some pages, so far from where V8 begins its memory. */
  function memory(offset, length = 2 * PAGE) {
    return new Uint8Array(new ArrayBuffer(3 * PAGE), offset, length);
  }

  /** One that the device takes. */
  function suitableView() {
    const views = Array.from({ length: PAGE / STEP }, (_, i) => memory(i * STEP));
    return views.find((view) => {
      try {
        return nodeFs.readSync(fd, view, 0, view.length, 0) > 0;
      } catch {
        return false;
      }
    });
  }

  /** What became of a read: the code of its error, or its bytes. */
  async function outcome(views, read) {
    for (const view of views) view.fill(0);
    try {
      const bytesRead = await read();
      return { bytesRead, bytes: Buffer.concat(views).subarray(0, bytesRead) };
    } catch ({ code, syscall }) {
      return { code, syscall };
    }
  }

  /** @param {Uint8Array[]} views one after the other, in the same memory for both: addresses decide */
  async function compare(views, position, read) {
    const expected = await outcome(views, () => nodeFs.readvSync(fd, views, position));
    if (expected.code === undefined) {
      const end = position + expected.bytesRead;
      assert.deepEqual(expected.bytes, contents.subarray(position, end));
    } else {
      // Whichever call Node would have made of it.
      expected.syscall = 'read';
    }
    assert.deepEqual(await outcome(views, read), expected);
    return expected.code;
  }

  for (const [name, flags] of [
    ['a handle', O_RDONLY | O_DIRECT],
    ['a handle that does not wait', O_RDONLY | O_DIRECT | O_NONBLOCK],
  ]) {
    it(`of ${name}: wherever memory begins, as the system call`, async () => {
      const handle = await uring.open(file, flags);
      const codes = new Set();
      for (let offset = 0; offset < PAGE; offset += STEP) {
        const view = memory(offset);
        const read = async () => (await handle.read(view, 0, view.length, PAGE)).bytesRead;
        codes.add(await compare([view], PAGE, read));
      }
      await handle.close();
      // The device takes some and, unless it takes all, refuses others.
      assert.ok(codes.has(undefined));
    });
  }

  it('of a descriptor, with a callback: wherever memory begins, as the system call', async () => {
    for (let offset = 0; offset < PAGE; offset += STEP) {
      const view = memory(offset);
      const read = () =>
        new Promise((resolve, reject) => {
          ringFs.read(fd, view, 0, view.length, PAGE, (error, count) =>
            error ? reject(error) : resolve(count),
          );
        });
      await compare([view], PAGE, read);
    }
  });

  it('wherever in the file they begin and end, as the system call', async () => {
    const handle = await uring.open(file, O_RDONLY | O_DIRECT);
    const suitable = suitableView();
    for (const length of [PAGE, 512, 100, PAGE + 512, PAGE + 1]) {
      for (const position of [0, 1, 100, 512, PAGE, contents.length - 512, contents.length]) {
        const view = suitable.subarray(0, length);
        const read = async () => (await handle.read(view, 0, length, position)).bytesRead;
        await compare([view], position, read);
      }
    }
    await handle.close();
  });

  it('hundreds at once, each followed by another: all arrive', async () => {
    const handle = await uring.open(file, O_RDONLY | O_DIRECT);
    const view = suitableView();
    const pages = contents.length / PAGE;
    let count = 0;
    await Promise.all(
      Array.from({ length: 300 }, async (_, lane) => {
        for (let turn = 0; turn < 10; turn++, count++) {
          const { bytesRead } = await handle.read(view, 0, PAGE, ((lane + turn) % pages) * PAGE);
          assert.equal(bytesRead, PAGE);
        }
      }),
    );
    assert.equal(count, 3000);
    await handle.close();
  });

  it('of several views: each has to begin where the device takes it', async () => {
    const handle = await uring.open(file, O_RDONLY | O_DIRECT);
    for (let first = 0; first < PAGE; first += 128) {
      for (const gap of [0, STEP, 512]) {
        for (const length of [PAGE, PAGE - STEP, 512]) {
          const buffer = new ArrayBuffer(4 * PAGE);
          const views = [
            new Uint8Array(buffer, first, length),
            new Uint8Array(buffer, first + length + gap, 2 * PAGE - length),
          ];
          const read = async () => (await handle.readv(views, 0)).bytesRead;
          await compare(views, 0, read);
        }
      }
    }
    await handle.close();
  });
});
