'use strict';

const assert = require('node:assert/strict');
const { errno } = require('node:os').constants;
const errors = require('../lib/errors');
const { describeOnRing, uring, useFolder } = require('./helpers/environment');

describe('lib/errors', () => {
  describe('systemError', () => {
    it('has the keys of Node in its order, and only those that apply', () => {
      const error = errors.systemError(-errno.ENOENT, 'open', '/a');
      assert.deepEqual(Object.keys(error), ['errno', 'code', 'syscall', 'path']);
      assert.deepEqual({ ...error }, { errno: -2, code: 'ENOENT', syscall: 'open', path: '/a' });
      assert.equal(error.message, "ENOENT: no such file or directory, open '/a'");
      assert.deepEqual(Object.keys(errors.systemError(-errno.EBADF, 'read')), [
        'errno',
        'code',
        'syscall',
      ]);
      const two = errors.systemError(-errno.EXDEV, 'rename', '/a', '/b');
      assert.deepEqual(Object.keys(two), ['errno', 'code', 'syscall', 'path', 'dest']);
      assert.equal(two.message, "EXDEV: cross-device link not permitted, rename '/a' -> '/b'");
    });

    it('shows paths of bytes as text', () => {
      const error = errors.systemError(-errno.ENOENT, 'open', Buffer.from('/ü'));
      assert.equal(error.path, '/ü');
      assert.equal(errors.systemError(-errno.ENOENT, 'open', '/\ud800').path, '/\ufffd');
    });

    it('survives a number that nobody knows', () => {
      assert.equal(
        errors.systemError(-5000, 'open').message,
        'Unknown system error -5000: Unknown system error -5000, open',
      );
    });
  });

  it('closedError', () => {
    const error = errors.closedError('fsync');
    assert.deepEqual([error.message, error.code, error.syscall], ['file closed', 'EBADF', 'fsync']);
    assert.equal(error.errno, undefined);
  });

  it('nodeError shows its code where Node does', () => {
    const error = errors.nodeError(TypeError, 'ERR_X', 'words');
    assert.ok(error instanceof TypeError);
    assert.match(error.stack, /^TypeError \[ERR_X\]: words\n/);
    assert.deepEqual([error.name, error.code], ['TypeError', 'ERR_X']);
  });

  it('rejectInJob: the stack shows who awaits', async () => {
    async function caller() {
      await new Promise((resolve) => {
        setImmediate(errors.rejectInJob, resolve, () => new Error('words'));
      });
    }
    const error = await caller().catch((reason) => reason);
    assert.match(error.stack, /^Error: words\n/);
    assert.match(error.stack, /at async caller/);
  });

  describeOnRing('of ring calls', () => {
    const folder = useFolder();
    let handle;
    before(async () => {
      handle = await uring.open(folder.file('file'), 'r');
    });
    after(() => handle.close());

    const calls = {
      readFile: () => uring.readFile(folder.in('missing')),
      'readFile of a folder': () => uring.readFile(folder.in()),
      writeFile: () => uring.writeFile(folder.in('missing', 'x'), 'data'),
      open: () => uring.open(folder.in('missing')),
      stat: () => uring.stat(folder.in('missing')),
      rename: () => uring.rename(folder.in('missing'), folder.in('other')),
      rmdir: () => uring.rmdir(folder.in('missing')),
      'handle.write': () => handle.write('data'),
      'handle.truncate': () => handle.truncate(1),
    };
    for (const [name, call] of Object.entries(calls)) {
      it(`${name}: the stack names who awaits`, async () => {
        async function inner() {
          return await call();
        }
        async function outer() {
          await inner();
        }
        const error = await outer().catch((reason) => reason);
        assert.ok(error instanceof Error);
        assert.match(error.stack, /at async inner .*\n.*at async outer /);
      });
    }

    it('a rejection that nobody awaits yet is no unhandled one when it is handled in time', async () => {
      const promise = uring.readFile(folder.in('missing'));
      promise.catch(() => {});
      await assert.rejects(promise, { code: 'ENOENT' });
    });
  });
});
