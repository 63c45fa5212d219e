'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const nodeFs = require('node:fs');
const { release } = require('node:os');
const {
  closesLate,
  descriptorsOf,
  inOneRequest,
  onRing,
  pattern,
  skip,
  sleep,
  until,
  uring,
  useFolder,
} = require('./helpers/environment');

const { O_NONBLOCK, O_RDWR, O_WRONLY } = nodeFs.constants;

/** src/engine.h */
const BLOCK = 16 * 1024 + 64;
const BODY = 16 * 1024;
const MIB = 1024 * 1024;

describe('lib/whole-file', () => {
  const folder = useFolder();
  const bytes = pattern(5 * MIB);
  let file;
  beforeEach(() => {
    file = folder.in('file');
    nodeFs.rmSync(file, { force: true });
  });

  const around = (size) => [size - 1, size, size + 1];
  const sizes = [0, 1, 4096, ...around(BODY), ...around(BLOCK), ...around(4 * BLOCK)];
  sizes.push(...around(512 * 1024), ...around(MIB), 4 * MIB, 4 * MIB + 7);

  describe('readFile', () => {
    it('without memory for larger files: each is rejected, none stays open, and later ones are read', async function () {
      if (!onRing) skip(this, "Node's own takes its memory elsewhere");
      nodeFs.writeFileSync(file, bytes.subarray(0, 100_000));
      const { allocUnsafeSlow } = Buffer;
      const failing = [];
      Buffer.allocUnsafeSlow = (size) => {
        if (size >= 100_000) throw new RangeError('Array buffer allocation failed');
        return allocUnsafeSlow(size);
      };
      try {
        // More than are open at once.
        for (let i = 0; i < 50; i++) {
          failing.push(uring.readFile(file), uring.readFile(file, { flag: 'r+' }));
        }
        const all = await Promise.allSettled([...failing, uring.readFiles([file, file])]);
        for (const { reason } of all) assert.match(`${reason}`, /allocation failed/);
        const settled = await uring.readFiles([file, __filename], { settled: true });
        assert.deepEqual(
          settled.map(({ status }) => status),
          ['rejected', 'fulfilled'],
        );
      } finally {
        Buffer.allocUnsafeSlow = allocUnsafeSlow;
      }
      assert.equal(descriptorsOf(file), 0);
      assert.equal((await uring.readFile(file, { flag: 'r+' })).length, 100_000);
      assert.equal((await uring.readFile(file)).length, 100_000);
    });

    it('without memory for what a FIFO has given: rejected, and the FIFO is closed', async function () {
      if (!inOneRequest) skip(this, 'of a file on a direct descriptor only');
      nodeFs.writeFileSync(file, 'small');
      await uring.readFile(file); // so that the next is taken for small, too
      const fifo = folder.fifo('no-memory');
      const writer = nodeFs.openSync(fifo, O_RDWR | O_NONBLOCK);
      const end = nodeFs.openSync(fifo, O_WRONLY);
      const reading = uring.readFile(fifo);
      await until(() => uring.ring.stats().inFlight === 1, 'the read');
      nodeFs.closeSync(writer);
      const { from } = Buffer;
      Buffer.from = () => {
        throw new RangeError('Array buffer allocation failed');
      };
      try {
        // More than a block holds, so that it goes on elsewhere.
        nodeFs.writeSync(end, new Uint8Array(20_000));
        await assert.rejects(reading, /allocation failed/);
      } finally {
        Buffer.from = from;
      }
      const isClosed = () => {
        try {
          nodeFs.writeSync(end, 'x');
          return false;
        } catch ({ code }) {
          return code === 'EPIPE';
        }
      };
      await until(isClosed, 'the close');
      nodeFs.closeSync(end);
    });

    it('of a FIFO: it has no reader any more when the promise resolves', async function () {
      if (closesLate) skip(this, 'this kernel closes direct descriptors late');
      const fifo = folder.fifo('left');
      for (const size of [1, 5000, 30_000]) {
        const writer = nodeFs.openSync(fifo, O_RDWR | O_NONBLOCK);
        const reading = uring.readFile(fifo);
        await sleep(5); // it is there by then, or there is a writer for it all the same
        nodeFs.writeSync(writer, new Uint8Array(size));
        setTimeout(() => nodeFs.closeSync(writer), 20);
        assert.equal((await reading).length, size);
        assert.throws(() => nodeFs.openSync(fifo, O_WRONLY | O_NONBLOCK), { code: 'ENXIO' });
      }
    });

    it('on a full stack, which a promise swallows, nothing begins, and it holds up nothing', async () => {
      nodeFs.writeFileSync(file, bytes.subarray(0, 100_000));
      const { Promise } = globalThis;
      const full = new RangeError('Maximum call stack size exceeded');
      const read = async () => uring.readFile(file, { flag: 'r+' });
      await read();
      const reads = [];
      globalThis.Promise = class extends Promise {
        constructor() {
          super((resolve, reject) => reject(full));
        }
        static get [Symbol.species]() {
          return Promise;
        }
      };
      try {
        for (let i = 0; i < 100; i++) reads.push(read()); // more than are open at once
      } finally {
        globalThis.Promise = Promise;
      }
      for (const { value, reason } of await Promise.allSettled(reads)) {
        assert.ok(value?.length === 100_000 || reason instanceof RangeError);
      }
      assert.equal((await read()).length, 100_000);
    });

    it('files around the size of a block, few and many at once, in lists, aborted', async () => {
      const mixed = [0, 1, 16_383, 16_384, 16_447, 16_448, 16_449, 65_536, MIB, MIB + 1];
      const contents = mixed.map((each) => Buffer.alloc(each, `${each} `));
      const paths = mixed.map((each, i) => folder.file(`of ${each}`, contents[i]));
      const descriptors = () => nodeFs.readdirSync('/proc/self/fd').length;
      const before = descriptors();
      for (const count of [1, 3, 40, 400]) {
        // Large and small ones in turn, so that neither kind comes in a row.
        const order = Array.from({ length: count }, (_, i) => (i * 7) % mixed.length);
        const list = order.map((place) => paths[place]);
        const isRight = (all) => all.every((one, i) => contents[order[i]].equals(one));
        assert.ok(isRight(await Promise.all(list.map((path) => uring.readFile(path)))));
        assert.ok(isRight(await uring.readFiles(list)));
        const controller = new AbortController();
        const { signal } = controller;
        const aborted = list.map((path) => uring.readFile(path, { signal }).catch(() => {}));
        setImmediate(() => controller.abort());
        await Promise.all(aborted);
      }
      await until(
        () => descriptors() <= before,
        () => `${descriptors()} descriptors, ${before} before`,
      );
    });

    for (const size of sizes) {
      it(`${size} bytes`, async () => {
        nodeFs.writeFileSync(file, bytes.subarray(0, size));
        const contents = await uring.readFile(file);
        assert.ok(contents.equals(bytes.subarray(0, size)));
        assert.ok(Buffer.isBuffer(contents));
        // Programs rely on `.buffer` being the contents; Node itself makes more for an empty file.
        const memory = size === 0 && !onRing ? 0 : contents.buffer.byteLength;
        assert.deepEqual([contents.byteOffset, memory], [0, size]);
        assert.equal(await uring.readFile(file, 'latin1'), contents.toString('latin1'));
        const handle = await uring.open(file);
        assert.ok((await handle.readFile()).equals(contents));
        await handle.close();
      });
    }

    it('sizes in turn, many times: what one leaves behind harms no other', async () => {
      const files = sizes.map((size) => folder.file(`size-${size}`, bytes.subarray(0, size)));
      for (let round = 0; round < 3; round++) {
        const all = await Promise.all([...files, ...files].map((name) => uring.readFile(name)));
        all.forEach((contents, n) => {
          assert.ok(contents.equals(bytes.subarray(0, sizes[n % sizes.length])));
        });
      }
    });

    it('characters at the edges of blocks and pieces stay whole', async () => {
      for (const size of [BODY, BLOCK, 4 * BLOCK, MIB]) {
        const text = `${'x'.repeat(size - 1)}ü${'€'.repeat(3)}`;
        nodeFs.writeFileSync(file, text);
        assert.equal(await uring.readFile(file, 'utf8'), text);
      }
    });

    it('results are independent of each other and of later calls', async () => {
      nodeFs.writeFileSync(file, 'first');
      const first = await uring.readFile(file);
      nodeFs.writeFileSync(file, 'other');
      const second = await uring.readFile(file);
      assert.deepEqual([`${first}`, `${second}`], ['first', 'other']);
      second.fill('x');
      assert.equal(await uring.readFile(file, 'utf8'), 'other');
    });

    it('a larger file after small ones is opened once', async function () {
      const [major, minor] = release().split('.').map(Number);
      if (!onRing || major < 6 || (major === 6 && minor < 8)) this.skip(); // no FIXED_FD_INSTALL
      nodeFs.writeFileSync(file, bytes.subarray(0, 50_000));
      await uring.readFile(folder.file('small', 'some'));
      const { submitted } = uring.ring.stats();
      const contents = await uring.readFile(file);
      assert.ok(contents.equals(bytes.subarray(0, 50_000)));
      assert.equal(uring.ring.stats().submitted - submitted, 3); // its beginning, the rest, the close
    });

    it('thousands of large files at once do not need as many descriptors', async function () {
      if (!onRing) this.skip();
      nodeFs.writeFileSync(file, bytes.subarray(0, 50_000));
      const open = () => nodeFs.readdirSync('/proc/self/fd').length;
      const before = open();
      let most = 0;
      let running = true;
      const watching = (async () => {
        while (running) {
          most = Math.max(most, open());
          await new Promise(setImmediate);
        }
      })();
      const all = await Promise.all(Array.from({ length: 2000 }, () => uring.readFile(file)));
      running = false;
      await watching;
      assert.ok(all.every(({ length }) => length === 50_000));
      assert.ok(most - before <= 128, `${most - before} descriptors at once`);
    });

    for (const size of [10_000, BODY, 300_000, 2 * MIB]) {
      it(`a file of about ${size} bytes that grows and shrinks: a part from the start`, async () => {
        const [least, most] = [size >> 1, size * 2];
        nodeFs.writeFileSync(file, bytes.subarray(0, size));
        let running = true;
        const changes = (async () => {
          for (let n = 0; running; n++) {
            const length = n % 2 ? least : most;
            if (length === most)
              nodeFs.writeFileSync(file, bytes.subarray(0, most), { flag: 'r+' });
            else nodeFs.truncateSync(file, length);
            await new Promise(setImmediate);
          }
        })();
        for (let n = 0; n < 15; n++) {
          const contents = await uring.readFile(file);
          assert.ok(
            contents.length >= least && contents.length <= most,
            `${contents.length} bytes`,
          );
          // Node stops at the size it saw first, and gives what else was in its memory.
          // Linux may give zeros for what is cut off while it is being read.
          const isRight = (byte, at) => byte === bytes[at] || byte === 0;
          if (onRing) {
            assert.ok(contents.subarray(0, least).equals(bytes.subarray(0, least)));
            assert.ok(contents.every(isRight));
          }
        }
        running = false;
        await changes;
      });
    }

    it('/proc and /sys, whose sizes say nothing', async () => {
      assert.match(await uring.readFile('/proc/self/status', 'utf8'), /^Name:[^]*nonvoluntary/);
      const maps = await uring.readFile('/proc/kallsyms');
      assert.ok(maps.equals(nodeFs.readFileSync('/proc/kallsyms')));
      const online = nodeFs.readFileSync('/sys/devices/system/cpu/online', 'utf8');
      assert.equal(await uring.readFile('/sys/devices/system/cpu/online', 'utf8'), online);
      assert.equal(
        await uring.readFile('/proc/self/cmdline', 'utf8'),
        nodeFs.readFileSync('/proc/self/cmdline', 'utf8'),
      );
    });

    it('/dev/null and folders', async () => {
      assert.equal((await uring.readFile('/dev/null')).length, 0);
      await assert.rejects(uring.readFile(folder.in()), {
        code: 'EISDIR',
        message: /^EISDIR: illegal operation on a directory, read/,
      });
    });

    it('a descriptor is left by none of them', async () => {
      nodeFs.writeFileSync(file, bytes.subarray(0, 100_000));
      await Promise.all(Array.from({ length: 50 }, () => uring.readFile(file)));
      await Promise.allSettled(Array.from({ length: 50 }, () => uring.readFile(folder.in())));
      assert.equal(descriptorsOf(file) + descriptorsOf(folder.in()), 0);
    });
  });

  describe('readFile of a FIFO', () => {
    let fifo;
    let count = 0;
    beforeEach(() => {
      fifo = folder.fifo(`fifo-${count++}`);
    });
    const sh = (script) => spawn('sh', ['-c', script, 'sh', fifo, file], { stdio: 'ignore' });

    it('whose writer comes late, and is slow', async () => {
      sh('sleep 0.1; { printf one; sleep 0.1; printf two; } > "$1"');
      assert.equal(await uring.readFile(fifo, 'utf8'), 'onetwo');
    });

    it('whose writer is there already', async () => {
      const end = nodeFs.openSync(fifo, 'r+');
      nodeFs.writeSync(end, 'already');
      const reading = uring.readFile(fifo, 'utf8');
      await sleep(50);
      nodeFs.closeSync(end);
      assert.equal(await reading, 'already');
    });

    it('that brings more than a block', async () => {
      nodeFs.writeFileSync(file, bytes.subarray(0, 300_000));
      sh('cat "$2" > "$1"');
      assert.ok((await uring.readFile(fifo)).equals(bytes.subarray(0, 300_000)));
    });

    it('that brings more than a block in bits', async () => {
      nodeFs.writeFileSync(file, bytes.subarray(0, 40_000));
      // A sanitizer that is loaded into dd, too, would refuse it its memory.
      sh('unset LD_PRELOAD; dd if="$2" of="$1" bs=999 2> /dev/null');
      assert.ok((await uring.readFile(fifo)).equals(bytes.subarray(0, 40_000)));
    });

    it('that brings nothing', async () => {
      sh('sleep 0.05; : > "$1"');
      assert.equal(await uring.readFile(fifo, 'utf8'), '');
    });

    it('does not hold up other files', async () => {
      const waiting = uring.readFile(fifo, 'utf8');
      nodeFs.writeFileSync(file, 'small');
      for (let n = 0; n < 20; n++) assert.equal(await uring.readFile(file, 'utf8'), 'small');
      sh('printf late > "$1"');
      assert.equal(await waiting, 'late');
    });
  });

  describe('writeFile and appendFile', () => {
    for (const size of sizes) {
      it(`${size} bytes`, async () => {
        const data = bytes.subarray(0, size);
        await uring.writeFile(file, data);
        assert.ok(nodeFs.readFileSync(file).equals(data));
        await uring.appendFile(file, data, { flush: true });
        assert.ok(nodeFs.readFileSync(file).equals(Buffer.concat([data, data])));
        await uring.writeFile(file, data);
        assert.equal(nodeFs.statSync(file).size, size);
      });
    }

    it('what is written is closed when the promise resolves: it can be run at once', async function () {
      if (closesLate)
        skip(this, 'this kernel closes late, so that it takes the way of a descriptor');
      const { isBeingWritten } = require('./native/build/Release/test_helpers.node');
      const fd = nodeFs.openSync(file, 'w');
      assert.equal(isBeingWritten(file), true);
      nodeFs.closeSync(fd);
      let open = 0;
      // Many at once: the kernel worker that closes has other work, and the loop looks in between.
      const paths = Array.from({ length: 64 }, (_, i) => folder.in(`written-${i}`));
      const writeAgain = async (path) => {
        for (let i = 0; i < 200; i++) {
          await uring.writeFile(path, bytes.subarray(0, 4096));
          if (isBeingWritten(path)) open++;
        }
      };
      await Promise.all(paths.map(writeAgain));
      assert.equal(open, 0);
    });

    it('a view writes what it shows, and nothing beside it', async () => {
      const view = new Uint16Array(bytes.buffer, bytes.byteOffset + 8, 500);
      await uring.writeFile(file, view);
      assert.ok(nodeFs.readFileSync(file).equals(bytes.subarray(8, 1008)));
      await uring.writeFile(file, new DataView(bytes.buffer, bytes.byteOffset + 4, 5));
      assert.ok(nodeFs.readFileSync(file).equals(bytes.subarray(4, 9)));
    });

    it('chunks of all kinds', async () => {
      async function* chunks() {
        yield 'text ';
        yield Buffer.from('bytes ');
        yield bytes.subarray(0, 700_000);
        yield new Uint16Array([0x4241]);
      }
      await uring.writeFile(file, chunks());
      const expected = [Buffer.from('text bytes '), bytes.subarray(0, 700_000), Buffer.from('AB')];
      assert.ok(nodeFs.readFileSync(file).equals(Buffer.concat(expected)));
    });

    it('a full device: the error of the write, and the file is closed', async () => {
      for (const data of ['small', bytes]) {
        await assert.rejects(uring.writeFile('/dev/full', data), {
          code: 'ENOSPC',
          syscall: 'write',
          message: 'ENOSPC: no space left on device, write',
        });
      }
      assert.equal(descriptorsOf('/dev/full'), 0);
    });

    it('into a FIFO, more than it holds', async () => {
      const fifo = folder.fifo('sink');
      const reader = spawn('sh', ['-c', 'sleep 0.1; cat "$1" > "$2"', 'sh', fifo, file]);
      const ended = new Promise((resolve) => reader.on('close', resolve));
      await uring.writeFile(fifo, bytes.subarray(0, 300_000));
      await ended;
      assert.ok(nodeFs.readFileSync(file).equals(bytes.subarray(0, 300_000)));
    });

    it('many files at once', async () => {
      const names = Array.from({ length: 300 }, (_, n) => folder.in(`many-${n}`));
      await Promise.all(names.map((name, n) => uring.writeFile(name, `contents of ${n}`)));
      names.forEach((name, n) =>
        assert.equal(nodeFs.readFileSync(name, 'utf8'), `contents of ${n}`),
      );
    });
  });
});
