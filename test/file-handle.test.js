'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const {
  describeOnRing,
  descriptorsOf,
  pattern,
  sleep,
  uring,
  useFolder,
} = require('./helpers/environment');

const COUNT = 1000;
const SIZE = 8;

describe('lib/file-handle', () => {
  const folder = useFolder();
  const contents = pattern(COUNT * SIZE);
  const piece = (n) => contents.subarray(n * SIZE, (n + 1) * SIZE);
  let file;
  let handle;
  beforeEach(async () => {
    file = folder.file('file', contents);
    handle = await uring.open(file, 'r+');
  });
  afterEach(() => handle.close());

  // The pool of Node serves calls in whatever order.
  describeOnRing("at the file's own position", () => {
    it('1,000 reads at once: each gets what follows', async () => {
      const reads = Array.from({ length: COUNT }, () =>
        handle.read(Buffer.alloc(SIZE), 0, SIZE, null),
      );
      const results = await Promise.all(reads);
      results.forEach(({ bytesRead, buffer }, n) => {
        assert.equal(bytesRead, SIZE);
        assert.ok(buffer.equals(piece(n)), `read ${n}`);
      });
      assert.equal((await handle.read()).bytesRead, 0);
    });

    it('large reads, which several kernel workers do: each gets what follows', async () => {
      const size = 300_000;
      const large = pattern(20 * size);
      const name = folder.file('large', large);
      for (let round = 0; round < 30; round++) {
        const source = await uring.open(name);
        const reads = Array.from({ length: 20 }, () => source.read(Buffer.alloc(size), 0, size));
        for (const [n, { bytesRead, buffer }] of (await Promise.all(reads)).entries()) {
          assert.equal(bytesRead, size);
          assert.ok(buffer.equals(large.subarray(n * size, (n + 1) * size)), `read ${n}`);
        }
        await source.close();
      }
    });

    it('1,000 writes at once: each lands behind the one before', async () => {
      await handle.truncate(0);
      await Promise.all(Array.from({ length: COUNT }, (_, n) => handle.write(piece(n))));
      assert.ok(nodeFs.readFileSync(file).equals(contents));
    });

    for (const flags of ['w', 'a']) {
      it(`10,000 appends of a handle with '${flags}' land in the order of the calls`, async () => {
        const name = folder.in(`appended-${flags}`);
        const target = await uring.open(name, flags);
        let expected = '';
        const calls = [];
        for (let n = 0; n < 10_000; n++) {
          // The large ones take several writes each.
          const text = `<${n}:${'x'.repeat(n % 2500 === 1 ? 2_000_000 : n % 50)}>`;
          expected += text;
          if (n % 3 === 0) calls.push(target.write(text));
          else if (n % 3 === 1) calls.push(target.appendFile(text));
          else calls.push(target.writev([Buffer.from(text)]));
        }
        await Promise.all(calls);
        await target.close();
        assert.ok(nodeFs.readFileSync(name, 'utf8') === expected);
      });
    }

    it('1,000 strings and vectors at once', async () => {
      await handle.truncate(0);
      const writes = Array.from({ length: COUNT }, (_, n) =>
        n % 2 ? handle.write(`<${n}>`) : handle.writev([Buffer.from('<'), Buffer.from(`${n}>`)]),
      );
      await Promise.all(writes);
      const expected = Array.from({ length: COUNT }, (_, n) => `<${n}>`).join('');
      assert.equal(nodeFs.readFileSync(file, 'utf8'), expected);
    });

    it('reads, vectors and reads at explicit positions in between', async () => {
      const inTurn = [];
      const explicit = [];
      for (let n = 0; n < 300; n++) {
        if (n % 3 === 0) {
          const halves = [Buffer.alloc(3), Buffer.alloc(SIZE - 3)];
          inTurn.push(handle.readv(halves).then(() => Buffer.concat(halves)));
        } else {
          inTurn.push(handle.read(Buffer.alloc(SIZE)).then(({ buffer }) => buffer));
        }
        const at = 999 - n;
        explicit.push(
          handle.read(Buffer.alloc(SIZE), 0, SIZE, at * SIZE).then(({ buffer }) => [at, buffer]),
        );
      }
      (await Promise.all(inTurn)).forEach((bytes, n) => assert.ok(bytes.equals(piece(n)), `${n}`));
      for (const [at, bytes] of await Promise.all(explicit)) assert.ok(bytes.equals(piece(at)));
    });

    it('a failure, and what goes to Node, hold up nobody and change no order', async () => {
      const reads = [];
      for (let n = 0; n < 100; n++) {
        reads.push(handle.read(Buffer.alloc(SIZE), 0, SIZE, null));
        if (n % 10 === 0) {
          await Promise.all(reads);
          await assert.rejects(handle.read(Buffer.alloc(4), 0, 5, null), {
            code: 'ERR_OUT_OF_RANGE',
          });
          await assert.rejects(handle.readv('no array'), { code: 'ERR_INVALID_ARG_TYPE' });
        }
      }
      (await Promise.all(reads)).forEach(({ buffer }, n) => assert.ok(buffer.equals(piece(n))));
    });

    it('failing reads: the next have their turn', async () => {
      const directory = await uring.open(folder.in());
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => directory.read()));
      for (const { reason } of outcomes) assert.equal(reason.code, 'EISDIR');
      await directory.close();
      const writeOnly = await uring.open(file, 'a');
      const mixed = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => (n % 2 ? writeOnly.read() : writeOnly.write('x'))),
      );
      mixed.forEach(({ status }, n) => assert.equal(status, n % 2 ? 'rejected' : 'fulfilled'));
      await writeOnly.close();
      assert.equal(nodeFs.statSync(file).size, contents.length + 25);
    });

    it('a read that waits at a FIFO does not hold up a write', async () => {
      const both = await uring.open(folder.fifo('both'), 'r+');
      const reading = both.read(Buffer.alloc(9), 0, 9, null);
      await sleep(20);
      await both.write('bytes');
      assert.equal((await reading).bytesRead, 5);
      await both.close();
    });

    it('explicit positions do not wait for their turn', async () => {
      const order = [];
      const slow = Array.from({ length: 200 }, () =>
        handle.write(piece(0)).then(() => order.push('in turn')),
      );
      const fast = handle.read(Buffer.alloc(SIZE), 0, SIZE, 0).then(() => order.push('explicit'));
      await Promise.all([...slow, fast]);
      assert.ok(order.indexOf('explicit') < 100, `after ${order.indexOf('explicit')}`);
    });
  });

  describe('at explicit positions', () => {
    it('5,000 writes in any order, by three handles: none disturbs another, nor the own position', async () => {
      const name = folder.file('positions', '');
      const size = 701;
      const whole = pattern(5000 * size);
      const handles = await Promise.all(['r+', 'r+', 'r+'].map((flags) => uring.open(name, flags)));
      // 2,311 and 5,000 have no divisor in common: each place once.
      const writes = Array.from({ length: 5000 }, (_, n) => {
        const at = ((n * 2311) % 5000) * size;
        return handles[n % 3].write(whole, at, size, at);
      });
      for (const { bytesWritten } of await Promise.all(writes)) assert.equal(bytesWritten, size);
      assert.ok(nodeFs.readFileSync(name).equals(whole));
      for (const one of handles) {
        const { bytesRead, buffer } = await one.read(Buffer.alloc(size), 0, size, null);
        assert.equal(bytesRead, size);
        assert.ok(buffer.equals(whole.subarray(0, size)));
        await one.close();
      }
    });
  });

  describe('close', () => {
    it('waits for what is under way', async () => {
      const ended = [];
      const calls = Array.from({ length: 50 }, (_, n) =>
        handle.read(Buffer.alloc(SIZE), 0, SIZE, n * SIZE).then(({ buffer }) => {
          ended.push(n);
          assert.ok(buffer.equals(piece(n)));
        }),
      );
      const closing = handle.close().then(() => ended.push('closed'));
      await Promise.all([...calls, closing]);
      assert.equal(ended.at(-1), 'closed');
      assert.equal(ended.length, 51);
      assert.equal(descriptorsOf(file), 0);
    });

    it('waits for what has yet to have its turn', async () => {
      const calls = Array.from({ length: 50 }, () =>
        handle.read(Buffer.alloc(SIZE), 0, SIZE, null),
      );
      const closing = handle.close();
      const total = (await Promise.all(calls)).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
      assert.equal(total, 50 * SIZE);
      await closing;
      assert.equal(descriptorsOf(file), 0);
    });

    it('emits close once, and gives -1 for the number from then on', async () => {
      let events = 0;
      handle.on('close', () => events++);
      assert.ok(handle.fd >= 0);
      await handle.close();
      await handle.close();
      assert.equal(handle.fd, -1);
      assert.equal(events, 1);
    });

    it('called again while it is under way waits for the same end', async () => {
      const reading = handle.read();
      await Promise.all([handle.close(), handle.close(), reading]);
      assert.equal(descriptorsOf(file), 0);
    });

    it('works through Symbol.asyncDispose', async () => {
      await handle[Symbol.asyncDispose]();
      assert.equal(handle.fd, -1);
      await handle[Symbol.asyncDispose]();
    });

    const uses = {
      appendFile: () => handle.appendFile('x'),
      chmod: () => handle.chmod(0o600),
      chown: () => handle.chown(0, 0),
      datasync: () => handle.datasync(),
      read: () => handle.read(),
      readFile: () => handle.readFile(),
      readv: () => handle.readv([Buffer.alloc(1)]),
      stat: () => handle.stat(),
      sync: () => handle.sync(),
      truncate: () => handle.truncate(),
      utimes: () => handle.utimes(1, 1),
      write: () => handle.write('x'),
      writeFile: () => handle.writeFile('x'),
      writev: () => handle.writev([Buffer.alloc(1)]),
    };
    for (const [name, use] of Object.entries(uses)) {
      it(`${name} after it is rejected`, async () => {
        await handle.close();
        await assert.rejects(use(), { code: 'EBADF' });
      });
    }
  });

  it('its number is that of an open file of the process', async () => {
    assert.equal(nodeFs.readlinkSync(`/proc/self/fd/${handle.fd}`), file);
    assert.match(
      nodeFs.readFileSync(`/proc/self/fdinfo/${handle.fd}`, 'utf8'),
      /^flags:\t0?2\d{6}/m,
    );
  });

  it('the functions of the package take it', async () => {
    assert.ok((await uring.readFile(handle)).equals(contents));
    await uring.appendFile(handle, 'more');
    assert.equal(nodeFs.statSync(file).size, contents.length + 4);
    assert.ok(handle instanceof uring.FileHandle);
  });

  it('positions beyond 4 GiB', async () => {
    const far = 2 ** 33 + 5;
    await handle.write(Buffer.from('far'), 0, 3, far);
    assert.equal((await handle.stat()).size, far + 3);
    const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, far);
    assert.equal(`${buffer}`, 'far');
    await handle.truncate(2 ** 32 + 1);
    assert.equal((await handle.stat()).size, 2 ** 32 + 1);
  });
});
