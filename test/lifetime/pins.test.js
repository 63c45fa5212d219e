'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const {
  collect,
  collectUntil,
  describeOnRing,
  sleep,
  takeWarnings,
  until,
  uring,
  useFolder,
} = require('../helpers/environment');

const { O_NONBLOCK, O_RDWR } = nodeFs.constants;
const SIZE = 5000;

describeOnRing('lifetime: memory that the kernel uses', () => {
  const warnings = takeWarnings();
  const folder = useFolder();
  let helpers;
  /** Whether the memory that the test made last is gone. */
  let isGone;
  let pipe;
  /** What a test has opened; without waiting, so that it can end what hangs. */
  let ends;
  let otherEnd;
  let count = 0;

  before(() => {
    helpers = require('../native/build/Release/test_helpers.node');
  });

  beforeEach(async () => {
    const name = folder.fifo(`fifo-${count++}`);
    pipe = await uring.open(name, 'r+');
    ends = [];
    otherEnd = openEnd(name);
  });

  afterEach(async () => {
    await until(() => release(), 'the end of what the test has begun');
    await pipe.close();
    for (const end of ends) nodeFs.closeSync(end);
  });

  function openEnd(name) {
    ends.push(nodeFs.openSync(name, O_RDWR | O_NONBLOCK));
    return ends.at(-1);
  }

  /** A Buffer that tells when its memory goes. */
  function externalBuffer(size) {
    const state = { gone: false };
    isGone = () => state.gone;
    return helpers.externalBuffer(size, () => {
      state.gone = true;
    });
  }

  const inFlight = () => uring.ring.stats().inFlight;

  /** Lets the reads and writes end that a failed test leaves behind. */
  function release() {
    if (inFlight() === 0) return true;
    for (const end of ends) {
      try {
        nodeFs.readSync(end, Buffer.alloc(65_536));
      } catch {
        nodeFs.writeSync(end, 'x');
      }
    }
    return false;
  }

  /** A pipe takes no more until someone reads; gives how many bytes are in it. */
  function fillPipe(end = otherEnd) {
    const block = Buffer.alloc(4096, 'f');
    for (let total = 0; ;) {
      try {
        total += nodeFs.writeSync(end, block);
      } catch (error) {
        if (error.code === 'EAGAIN') return total;
        throw error;
      }
    }
  }

  /** Reads so many bytes out of the pipe. */
  async function drainPipe(size, end = otherEnd) {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size;) {
      try {
        at += nodeFs.readSync(end, bytes, at, size - at);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
        await sleep(2);
      }
    }
    return bytes;
  }

  const ignore = () => {};

  /** Reads of the pipe, whose promises and Buffers nobody refers to. */
  const reads = {
    read: () => void pipe.read(externalBuffer(SIZE), 0, SIZE, null).catch(ignore),
    'read into options.buffer': () =>
      void pipe.read({ buffer: externalBuffer(SIZE) }).catch(ignore),
    'read into a DataView': () => {
      const { buffer, byteOffset } = externalBuffer(SIZE);
      pipe.read(new DataView(buffer, byteOffset, SIZE), 0, SIZE, null).catch(ignore);
    },
    'read into a Float64Array': () => {
      const { buffer, byteOffset } = externalBuffer(SIZE);
      pipe.read(new Float64Array(buffer, byteOffset, SIZE / 8), 0, SIZE, null).catch(ignore);
    },
    readv: () => void pipe.readv([Buffer.alloc(3), externalBuffer(SIZE)]).catch(ignore),
    'readv of a DataView': () => {
      const { buffer, byteOffset } = externalBuffer(SIZE);
      pipe.readv([new DataView(buffer, byteOffset, SIZE)]).catch(ignore);
    },
  };

  for (const [name, start] of Object.entries(reads)) {
    it(`${name}: alive until the bytes have come, and no longer`, async () => {
      start();
      await collect();
      assert.equal(inFlight(), 1, 'the read should wait for bytes');
      assert.equal(isGone(), false, 'the memory is gone while the kernel has it');
      nodeFs.writeSync(otherEnd, 'bytes');
      await until(() => inFlight() === 0, 'the end of the read');
      await collectUntil(isGone, 'the end of the memory');
    });
  }

  it('the bytes arrive in the memory that was given', async () => {
    const reading = pipe.read(externalBuffer(SIZE), 10, 100, null);
    await collect();
    nodeFs.writeSync(otherEnd, 'bytes');
    const { bytesRead, buffer } = await reading;
    assert.equal(bytesRead, 5);
    assert.equal(buffer.toString('latin1', 9, 16), '\0bytes\0');
  });

  function filled() {
    return externalBuffer(SIZE).fill('w');
  }
  const writes = {
    write: () => pipe.write(filled(), 0, SIZE, null),
    'write of a DataView': () => {
      const { buffer, byteOffset } = filled();
      return pipe.write(new DataView(buffer, byteOffset, SIZE), 0, SIZE, null);
    },
    writev: () => pipe.writev([filled()]),
    writeFile: () => pipe.writeFile(filled()),
  };

  for (const [name, start] of Object.entries(writes)) {
    it(`${name}: alive until the bytes are written, and no longer`, async () => {
      const already = fillPipe();
      start().catch(ignore);
      await collect();
      assert.equal(inFlight(), 1, 'the write should wait for room');
      assert.equal(isGone(), false, 'the memory is gone while the kernel has it');
      const bytes = await drainPipe(already + SIZE);
      assert.ok(bytes.subarray(already).equals(Buffer.alloc(SIZE, 'w')));
      await until(() => inFlight() === 0, 'the end of the write');
      await collectUntil(isGone, 'the end of the memory');
    });
  }

  it('a whole-file write to a FIFO by path keeps its data', async () => {
    const name = folder.fifo(`fifo-${count++}`);
    const end = openEnd(name);
    // More than a pipe holds: it is stuck in the middle.
    const size = 200_000;
    uring.writeFile(name, externalBuffer(size).fill('w')).catch(ignore);
    await collect();
    assert.equal(isGone(), false, 'the memory is gone while the kernel has it');
    const bytes = await drainPipe(size, end);
    assert.ok(bytes.equals(Buffer.alloc(size, 'w')));
    await collectUntil(isGone, 'the end of the memory');
  });

  it('an aborted write keeps the memory until the kernel has let go', async () => {
    const path = folder.fifo(`fifo-${count++}`);
    const controller = new AbortController();
    const end = openEnd(path);
    const options = { flag: 'r+', signal: controller.signal };
    // 'r+' opens at once, and the write waits for room.
    fillPipe(end);
    // The error itself is not kept: V8 keeps with it what it needs to write the stack.
    const failed = assert.rejects(uring.writeFile(path, externalBuffer(SIZE), options), {
      name: 'AbortError',
    });
    await until(() => inFlight() === 1, 'the write to wait for room');
    await collect();
    assert.equal(isGone(), false);
    controller.abort();
    await failed;
    await until(() => inFlight() === 0, 'the end of the write');
    await collectUntil(isGone, 'the end of the memory');
  });

  it('shared memory stays, too', async () => {
    let gone = false;
    const registry = new FinalizationRegistry(() => {
      gone = true;
    });
    (() => {
      const memory = new SharedArrayBuffer(SIZE);
      registry.register(memory);
      pipe.read(new Uint8Array(memory), 0, SIZE, null).catch(ignore);
    })();
    await collect();
    assert.equal(gone, false);
    nodeFs.writeSync(otherEnd, 'bytes');
    await until(() => inFlight() === 0, 'the end of the read');
    await collectUntil(() => gone, 'the end of the memory');
  });

  it('bytes arrive in shared memory', async () => {
    const memory = new SharedArrayBuffer(8);
    const reading = pipe.read(new Uint8Array(memory), 0, 8, null);
    nodeFs.writeSync(otherEnd, 'shared');
    assert.equal((await reading).bytesRead, 6);
    assert.equal(Buffer.from(memory).toString('latin1'), 'shared\0\0');
  });

  it('a handle that nobody refers to stays open for its read', async () => {
    const name = folder.fifo(`fifo-${count++}`);
    const end = openEnd(name);
    const reading = (async () => {
      const { bytesRead } = await (await uring.open(name, 'r+')).read(Buffer.alloc(9), 0, 9, null);
      return bytesRead;
    })();
    await until(() => inFlight() === 1, 'the read to wait for bytes');
    await collect();
    assert.deepEqual(warnings, []);
    nodeFs.writeSync(end, 'bytes');
    assert.equal(await reading, 5);
    await collectUntil(() => warnings.length > 0, 'the warning of the unclosed handle');
  });
});
