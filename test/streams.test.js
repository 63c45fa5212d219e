'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { pipeline } = require('node:stream/promises');
const {
  describeOnRing,
  descriptorsOf,
  pattern,
  until,
  uring,
  useFolder,
} = require('./helpers/environment');

describe('lib/streams', () => {
  const folder = useFolder();
  const bytes = pattern(1_000_000);
  let file;
  let handle;
  beforeEach(async () => {
    file = folder.file('file', bytes);
    handle = await uring.open(file, 'r+');
  });
  afterEach(async () => {
    await handle.close();
    await until(() => descriptorsOf(file) === 0, 'the close');
  });

  async function contentsOf(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  describe('createReadStream', () => {
    it('is a ReadStream of Node, and closes the handle at its end', async () => {
      const stream = handle.createReadStream();
      assert.ok(stream instanceof nodeFs.ReadStream);
      assert.ok((await contentsOf(stream)).equals(bytes));
      await until(() => handle.fd === -1, 'the close');
    });

    it('reads a part', async () => {
      const stream = handle.createReadStream({ start: 1000, end: 70_999, highWaterMark: 777 });
      assert.ok((await contentsOf(stream)).equals(bytes.subarray(1000, 71_000)));
    });

    it('with autoClose: false leaves the handle open, behind what it has read', async () => {
      const end = 99;
      assert.equal(
        (await contentsOf(handle.createReadStream({ end, autoClose: false }))).length,
        100,
      );
      assert.ok(handle.fd >= 0);
      assert.equal((await handle.stat()).size, bytes.length);
    });

    it('destroyed in the middle closes the handle', async () => {
      const stream = handle.createReadStream({ highWaterMark: 100 });
      for await (const chunk of stream) {
        assert.ok(chunk.equals(bytes.subarray(0, 100)));
        break;
      }
      await until(() => handle.fd === -1, 'the close');
    });

    it('a close of the handle ends it', async () => {
      const stream = handle.createReadStream({ highWaterMark: 100 });
      const closed = new Promise((resolve) => stream.on('close', resolve));
      await new Promise((resolve) => stream.once('readable', resolve));
      await Promise.all([handle.close(), closed]);
      assert.equal(handle.fd, -1);
    });

    it('an error of a read is its error', async () => {
      const directory = await uring.open(folder.in());
      await assert.rejects(contentsOf(directory.createReadStream()), { code: 'EISDIR' });
      await until(() => directory.fd === -1, 'the close');
    });
  });

  describe('createWriteStream', () => {
    it('writes all chunks in order, and closes the handle', async () => {
      const target = await uring.open(folder.in('target'), 'w');
      const stream = target.createWriteStream({ highWaterMark: 5000 });
      assert.ok(stream instanceof nodeFs.WriteStream);
      for (let at = 0; at < bytes.length; at += 1000) stream.write(bytes.subarray(at, at + 1000));
      await new Promise((resolve) => stream.end(resolve));
      assert.ok(nodeFs.readFileSync(folder.in('target')).equals(bytes));
      await until(() => target.fd === -1, 'the close');
    });

    it('begins where it is told to', async () => {
      const stream = handle.createWriteStream({ start: 10 });
      await new Promise((resolve) => stream.end('here', resolve));
      const contents = nodeFs.readFileSync(file);
      assert.equal(contents.toString('latin1', 10, 14), 'here');
      assert.ok(contents.subarray(14).equals(bytes.subarray(14)));
    });

    it('an error of a write is its error', async () => {
      const full = await uring.open('/dev/full', 'w');
      const stream = full.createWriteStream();
      stream.write('x');
      const error = await new Promise((resolve) => stream.on('error', resolve));
      assert.equal(error.code, 'ENOSPC');
      await until(() => full.fd === -1, 'the close');
    });

    it('a pipeline copies a file', async () => {
      const target = await uring.open(folder.in('copy'), 'w');
      await pipeline(handle.createReadStream(), target.createWriteStream());
      assert.ok(nodeFs.readFileSync(folder.in('copy')).equals(bytes));
      await until(() => target.fd === -1 && handle.fd === -1, 'the closes');
    });
  });

  it('readLines', async () => {
    const text = Array.from({ length: 5000 }, (_, n) => `line ${n}`).join('\r\n');
    const lines = [];
    const source = await uring.open(folder.file('lines', text));
    for await (const line of source.readLines()) lines.push(line);
    assert.equal(lines.join('\r\n'), text);
    await until(() => source.fd === -1, 'the close');
  });

  describe('readableWebStream', () => {
    it('gives all of the file', async () => {
      assert.ok((await contentsOf(handle.readableWebStream({ type: 'bytes' }))).equals(bytes));
    });

    it('exists once a handle', () => {
      // Of bytes: Node 20's other kind reads at once, and fails an assertion of Node's own when closed.
      handle.readableWebStream({ type: 'bytes' });
      assert.throws(() => handle.readableWebStream(), { code: 'ERR_INVALID_STATE' });
    });

    it('not of a closed handle', async () => {
      await handle.close();
      assert.throws(() => handle.readableWebStream(), { code: 'ERR_INVALID_STATE' });
    });
  });

  describeOnRing('on the ring', () => {
    // With Node it could never be closed.
    it('a web stream of what cannot be read fails, and leaves the handle to be closed', async () => {
      const writer = await uring.open(file, 'a');
      await assert.rejects(contentsOf(writer.readableWebStream({ type: 'bytes' })), {
        code: 'EBADF',
      });
      await writer.close();
      assert.equal(writer.fd, -1);
    });

    // Node 20 fails an assertion of its own here.
    it('a web stream cancelled in the middle leaves a handle that can be closed', async () => {
      const reader = handle.readableWebStream().getReader();
      assert.ok((await reader.read()).value.byteLength > 0);
      await reader.cancel();
      await handle.close();
    });

    it('streams go through it', async () => {
      const before = uring.ring.stats().submitted;
      await contentsOf(handle.createReadStream({ highWaterMark: 100_000 }));
      assert.ok(uring.ring.stats().submitted - before >= 11);
    });
  });
});
