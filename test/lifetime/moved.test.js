'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const {
  describeOnRing,
  pattern,
  resultOf,
  skip,
  until,
  uring,
  useFolder,
} = require('../helpers/environment');
const { takeMemory } = require('../helpers/memory');

const { O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR } = nodeFs.constants;
const SIZE = 8000;
/** What the kernel writes, what other memory holds. */
const WRITTEN = 0xee;
const OTHER = 0x11;

const hasTransfer = 'transfer' in ArrayBuffer.prototype;

/** Ways to take the memory away from a view; each gives the new owner, if there is one. */
const ways = {
  'structuredClone() to a new owner': takeMemory,
  'structuredClone() to one that is dropped': (view) => {
    takeMemory(view);
  },
  'postMessage()': ({ buffer }) => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(buffer, [buffer]);
    port1.close();
    port2.close();
  },
  ...(hasTransfer && {
    'transfer() to a new owner': ({ buffer }) => buffer.transfer(),
    'transfer() to one that is dropped': ({ buffer }) => {
      buffer.transfer();
    },
    'transfer(0), which frees it': ({ buffer }) => {
      buffer.transfer(0);
    },
    'transfer() to another size': ({ buffer }) => buffer.transfer(100_000),
  }),
};

describeOnRing('lifetime: memory that leaves its Buffer while the kernel is to write there', () => {
  const folder = useFolder();
  let count = 0;
  let handle;
  let end;
  let file;

  before(() => {
    file = folder.file('file', Buffer.alloc(100_000, WRITTEN));
  });

  beforeEach(async () => {
    const name = folder.fifo(`fifo-${count++}`);
    handle = await uring.open(name, 'r+');
    end = nodeFs.openSync(name, O_RDWR | O_NONBLOCK);
  });

  afterEach(async () => {
    await handle.close();
    nodeFs.closeSync(end);
  });

  /** Memory that is likely to be where memory was freed. */
  function others() {
    gc();
    return Array.from({ length: 500 }, () => new Uint8Array(SIZE).fill(OTHER));
  }

  function assertUntouched(memories, owner) {
    for (const memory of memories) assert.equal(memory.includes(WRITTEN), false, 'other memory');
    if (owner !== undefined) {
      assert.equal(new Uint8Array(owner).includes(WRITTEN), false, 'memory of the new owner');
    }
  }

  const inFlight = () => uring.ring.stats().inFlight;

  for (const [name, takeAway] of Object.entries(ways)) {
    it(`${name}, while a read waits`, async () => {
      const view = new Uint8Array(SIZE);
      const reading = handle.read(view, 0, SIZE, null);
      await until(() => inFlight() === 1, 'the read');
      const owner = takeAway(view);
      const memories = others();
      nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
      assert.equal((await reading).bytesRead, SIZE);
      assertUntouched(memories, owner);
    });

    it(`${name}, while a readv waits: the other views get what is theirs`, async () => {
      const views = [new Uint8Array(100), new Uint8Array(SIZE), new Uint8Array(100)];
      const reading = handle.readv(views);
      await until(() => inFlight() === 1, 'the read');
      const owner = takeAway(views[1]);
      const memories = others();
      nodeFs.writeSync(end, Buffer.alloc(SIZE + 150, WRITTEN));
      assert.equal((await reading).bytesRead, SIZE + 150);
      assertUntouched(memories, owner);
      assert.equal(views[0].lastIndexOf(WRITTEN), 99);
      assert.equal(views[2].lastIndexOf(WRITTEN), 49);
    });

    it(`${name}, between the call and its submission`, async () => {
      const regular = await uring.open(file);
      const calls = {
        read: (view) => regular.read(view, 0, SIZE, 0),
        readv: (view) => regular.readv([new Uint8Array(9), view], 0),
      };
      for (const call of Object.values(calls)) {
        const view = new Uint8Array(SIZE);
        const reading = call(view);
        const owner = takeAway(view);
        const memories = others();
        assert.ok((await reading).bytesRead >= SIZE);
        assertUntouched(memories, owner);
      }
      await regular.close();
    });
  }

  it('a read that waits at a pipe, however large', async () => {
    for (const size of [256 * 1024, 3_000_000]) {
      const view = new Uint8Array(size);
      const reading = handle.read(view, 5, size - 5, null);
      await until(() => inFlight() === 1, 'the read');
      const owner = takeMemory(view);
      nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
      assert.equal((await reading).bytesRead, SIZE);
      assertUntouched([], owner);

      const kept = new Uint8Array(size);
      const next = handle.read(kept, 5, size - 5, null);
      await until(() => inFlight() === 1, 'the read');
      nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
      assert.equal((await next).bytesRead, SIZE);
      assert.deepEqual([kept.indexOf(WRITTEN), kept.lastIndexOf(WRITTEN)], [5, SIZE + 4]);
    }
  });

  it('among thousands of calls at once, whose submission takes several turns', async () => {
    const regular = await uring.open(file);
    const views = Array.from({ length: 10_000 }, () => new Uint8Array(64));
    const readings = views.map((view) => regular.read(view, 0, 64, 0));
    const owners = [];
    for (let i = 0; i < views.length; i += 2) {
      if (i % 1000 === 0) await Promise.resolve();
      owners.push(takeMemory(views[i]));
    }
    for (const { bytesRead } of await Promise.all(readings)) assert.equal(bytesRead, 64);
    const isEmpty = (memory) => !memory.includes(WRITTEN);
    // What was submitted before its turn came has its bytes; none has a part of them.
    for (const owner of owners) {
      const bytes = new Uint8Array(owner);
      assert.ok(isEmpty(bytes) || bytes.every((byte) => byte === WRITTEN));
    }
    assert.ok(new Uint8Array(owners.at(-1)).every((byte) => byte === 0));
    for (let i = 1; i < views.length; i += 2) assert.ok(views[i].every((b) => b === WRITTEN));
    await regular.close();
  });

  /** A view whose address suits O_DIRECT, or undefined where the file system has no such thing. */
  function alignedView(fd) {
    const memory = new ArrayBuffer(8192 + 4096);
    for (let offset = 0; offset <= 4096; offset += 8) {
      const view = new Uint8Array(memory, offset, 8192);
      try {
        nodeFs.readSync(fd, view, 0, 8192, 0);
        return view.fill(0);
      } catch (error) {
        assert.equal(error.code, 'EINVAL');
      }
    }
    return undefined;
  }

  it('with O_DIRECT, where the device writes after the submission', async function () {
    let direct;
    try {
      direct = await uring.open(file, O_RDONLY | O_DIRECT);
    } catch ({ code }) {
      return skip(this, `the file system refuses O_DIRECT (${code})`);
    }
    let moved = 0;
    for (let i = 0; i < 20; i++) {
      const view = alignedView(direct.fd);
      let hasArrived = false;
      const reading = direct.read(view, 0, 8192, 0).finally(() => (hasArrived = true));
      await new Promise(process.nextTick); // submitted by now
      if (hasArrived) continue; // of tmpfs, which has no device
      moved++;
      const owner = takeMemory(view);
      assert.equal((await reading).bytesRead, 8192);
      assertUntouched(others(), owner);
    }
    assert.ok(moved > 0);
    const view = alignedView(direct.fd);
    const { bytesRead } = await direct.read(view, 0, 8192, 4096);
    assert.equal(bytesRead, 8192);
    assert.ok(view.every((byte) => byte === WRITTEN));
    await direct.close();
  });

  it('without memory for a copy the pool reads', async function () {
    // So much that V8 has what it needs in the meantime.
    const size = 256 << 20;
    const large = folder.file('large');
    nodeFs.truncateSync(large, size);
    const writer = nodeFs.openSync(large, 'r+');
    for (let at = 0; at < size; at += 1 << 20)
      nodeFs.writeSync(writer, Buffer.of(WRITTEN), 0, 1, at);
    nodeFs.closeSync(writer);
    const result = await resultOf(readWithoutMemory, { args: { large, size } });
    if (result.refused) skip(this, `the file system refuses O_DIRECT (${result.refused})`);
    assert.deepEqual(result, { bytesRead: size, isRight: true });
  });

  it('what is not in the page cache arrives, past what is', async () => {
    const name = folder.file('cold', pattern(200_000));
    const cold = await uring.open(name);
    for (const position of [0, 3, 4096, 150_000]) {
      dropFromCache(name);
      nodeFs.readSync(cold.fd, Buffer.alloc(1), 0, 1, position);
      const { bytesRead, buffer } = await cold.read(Buffer.alloc(60_000), 0, 60_000, position);
      assert.equal(bytesRead, Math.min(60_000, 200_000 - position));
      const expected = pattern(200_000).subarray(position, position + bytesRead);
      assert.ok(buffer.subarray(0, bytesRead).equals(expected));
      assert.ok(buffer.subarray(bytesRead).every((byte) => byte === 0));
      dropFromCache(name);
      const views = [Buffer.alloc(10), Buffer.alloc(0), Buffer.alloc(50_000), Buffer.alloc(9)];
      const { bytesRead: all } = await cold.readv(views, position);
      assert.equal(all, Math.min(50_019, 200_000 - position));
      const got = Buffer.concat(views).subarray(0, all);
      assert.ok(got.equals(pattern(200_000).subarray(position, position + all)));
    }
    await cold.close();
  });

  it('at the end of a file, and at its own position', async () => {
    const regular = await uring.open(folder.file('short', 'contents'), 'r');
    const { bytesRead, buffer } = await regular.read(Buffer.alloc(20), 0, 20, null);
    assert.equal(buffer.toString('latin1', 0, bytesRead), 'contents');
    assert.equal((await regular.read(Buffer.alloc(20), 0, 20, null)).bytesRead, 0);
    assert.equal((await regular.read(Buffer.alloc(20), 0, 20, 5)).bytesRead, 3);
    assert.equal((await regular.read(Buffer.alloc(20), 0, 20, 8)).bytesRead, 0);
    await regular.close();
  });

  it('views of resizable memory: what fits when the bytes have come', async function () {
    if (!('resizable' in ArrayBuffer.prototype)) return skip(this, 'no resizable ArrayBuffer');
    const cases = {
      shrunk: [(memory) => memory.resize(100), 0],
      'shrunk and grown': [(memory) => (memory.resize(0), memory.resize(SIZE)), SIZE],
      grown: [(memory) => memory.resize(2 * SIZE), SIZE],
    };
    for (const [name, [resize, arrived]] of Object.entries(cases)) {
      for (const tracking of [false, true]) {
        const memory = new ArrayBuffer(SIZE, { maxByteLength: 4 * SIZE });
        const view = tracking ? new Uint8Array(memory) : new Uint8Array(memory, 0, SIZE);
        const reading = handle.read(view, 0, SIZE, null);
        await until(() => inFlight() === 1, 'the read');
        resize(memory);
        const memories = others();
        nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
        assert.equal((await reading).bytesRead, SIZE, name);
        assertUntouched(memories);
        assert.equal(new Uint8Array(memory).lastIndexOf(WRITTEN), arrived - 1, name);
      }
    }
  });

  it('growable shared memory, which never moves', async function () {
    if (!('growable' in SharedArrayBuffer.prototype)) return skip(this, 'nothing is growable');
    const memory = new SharedArrayBuffer(SIZE, { maxByteLength: 4 * SIZE });
    const reading = handle.read(new Uint8Array(memory), 0, SIZE, null);
    await until(() => inFlight() === 1, 'the read');
    memory.grow(3 * SIZE);
    nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
    assert.equal((await reading).bytesRead, SIZE);
    assert.equal(new Uint8Array(memory).lastIndexOf(WRITTEN), SIZE - 1);
  });

  it('memory of WebAssembly that grows', async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 300 });
    const view = new Uint8Array(memory.buffer, 0, SIZE);
    const reading = handle.read(view, 0, SIZE, null);
    await until(() => inFlight() === 1, 'the read');
    memory.grow(200);
    const memories = others();
    nodeFs.writeSync(end, Buffer.alloc(SIZE, WRITTEN));
    assert.equal((await reading).bytesRead, SIZE);
    assertUntouched(memories, memory.buffer);
  });

  const traps = {
    'a getter': (view, trap) => Object.defineProperty([view, 0], 1, { get: trap }),
    'a proxy': (view, trap) =>
      new Proxy([view, view], {
        get: (target, key) => (key === '1' ? trap() : Reflect.get(target, key)),
      }),
    'a species': (view, trap) => {
      const views = [view, new Uint8Array(9)];
      views.constructor = {
        [Symbol.species]: class extends Array {
          get 1() {
            return trap();
          }
        },
      };
      return views;
    },
  };
  for (const [name, makeArray] of Object.entries(traps)) {
    it(`taken away by ${name} of the array of readv`, async () => {
      const regular = await uring.open(file);
      const view = new Uint8Array(SIZE);
      let owner;
      const trap = () => {
        owner ??= takeMemory(view);
        return new Uint8Array(9);
      };
      const reading = regular.readv(makeArray(view, trap), 0);
      const memories = others();
      await reading;
      assertUntouched(memories, owner);
      await regular.close();
    });
  }

  it('taken away by a getter of an array that the native module is given', () => {
    const { binding } = require('../../lib/binding');
    const view = new Uint8Array(SIZE);
    const given = new Uint8Array(9); // kept until the end, as lib/request.js keeps what it hands in
    let owner;
    const trap = () => {
      owner = takeMemory(view);
      return given;
    };
    const fd = nodeFs.openSync(file);
    const id = binding.readv(fd, traps['a getter'](view, trap), 0);
    assert.ok(id >= 0);
    binding.flush();
    binding.take(id, [view, view]);
    binding.flush(); // it is released
    nodeFs.closeSync(fd);
    assertUntouched(others(), owner);
    assert.equal(given.length, 9);
  });

  it('a Buffer that lies about its length', async () => {
    const regular = await uring.open(file);
    const view = Buffer.from(new ArrayBuffer(SIZE));
    Object.defineProperty(view, 'length', { value: SIZE });
    const reading = regular.read(view, 0, SIZE, 0);
    const owner = takeMemory(view);
    assert.equal((await reading).bytesRead, SIZE);
    assertUntouched(others(), owner);
    await regular.close();
  });

  it('readFile into memory of the caller', async function () {
    // Not before: without a ring there is nothing for it to load.
    const { takesReadBuffer } = require('../../lib/whole-file');
    if (!takesReadBuffer()) return skip(this, 'this Node has no option `buffer`');
    for (const size of [100, 100_000]) {
      const view = new Uint8Array(200_000);
      const name = folder.file('into', Buffer.alloc(size, WRITTEN));
      const reading = uring.readFile(name, { buffer: view });
      const owner = takeMemory(view);
      const memories = others();
      await reading.catch(() => {});
      assertUntouched(memories, owner);
    }
  });
});

/** Reads past the page cache, which takes a copy, in a process that may have no memory for it. */
async function readWithoutMemory({ uring: fs, nodeFs: files, args: { large, size }, say }) {
  const { execFileSync: run } = require('node:child_process');
  const PAGE = 4096;
  let direct;
  try {
    direct = await fs.open(large, files.constants.O_RDONLY | files.constants.O_DIRECT);
  } catch ({ code }) {
    return say({ refused: code });
  }
  const memory = Buffer.from(new ArrayBuffer(size + PAGE));
  const suits = (offset) => {
    try {
      return files.readSync(direct.fd, memory, offset, PAGE, 0) === PAGE;
    } catch {
      return false;
    }
  };
  let offset = 0;
  while (!suits(offset)) offset += 8;
  memory.fill(0);
  await files.promises.stat('/'); // the pool has its threads
  const [, used] = /^VmData:\s+(\d+)/m.exec(files.readFileSync('/proc/self/status', 'latin1'));
  // Room for all but the copy.
  const limit = used * 1024 + size - (2 << 20);
  run('prlimit', ['--pid', `${process.pid}`, `--data=${limit}:${limit}`]);
  const { bytesRead } = await direct.read(memory, offset, size, 0);
  let isRight = true;
  for (let at = 0; at < size; at += 1 << 20) isRight &&= memory[offset + at] === 0xee;
  say({ bytesRead, isRight });
  return direct.close();
}

/** Writes the file to its device and takes it out of the page cache, where the file system can do so. */
function dropFromCache(name) {
  const flags = ['oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'];
  execFileSync('dd', [`of=${name}`, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
}

describeOnRing('lifetime: memory that leaves its Buffer while a disk is waited for', () => {
  const folder = useFolder();

  it('is not written to', async function () {
    const cold = folder.file('cold');
    const evict = ['oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'];
    let waited = 0;
    for (let i = 0; i < 5; i++) {
      nodeFs.writeFileSync(cold, Buffer.alloc(1 << 20, WRITTEN));
      execFileSync('dd', [`of=${cold}`, ...evict]);
      const source = await uring.open(cold);
      const buffer = Buffer.from(new ArrayBuffer(SIZE));
      await new Promise((resolve) => setTimeout(resolve, 2)); // a turn of the loop with time left
      const before = uring.ring.stats();
      const reading = source.read(buffer, 0, SIZE, 500_000);
      await new Promise((resolve) => process.nextTick(resolve));
      const { enters, inFlight } = uring.ring.stats();
      const moved = Buffer.from(takeMemory(buffer));
      await reading;
      await source.close();
      if (enters === before.enters || inFlight === before.inFlight) continue; // it was still there
      waited++;
      assert.ok(!moved.includes(WRITTEN), 'the kernel has written to memory that was moved');
    }
    if (waited === 0) skip(this, 'files here are not read from a disk');
  });
});
