'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, descriptorsOf, uring, useFolder } = require('./helpers/environment');

describeOnRing('lib/descriptor', () => {
  const folder = useFolder();
  let descriptor;
  before(() => {
    descriptor = require('../lib/descriptor');
  });

  it('open tells the size of regular files only, -1 for all else', async () => {
    const sizes = [];
    for (const path of [
      folder.file('file', 'contents'),
      folder.in(),
      '/dev/null',
      '/proc/version',
    ]) {
      const { fd, size } = await descriptor.open(path, nodeFs.constants.O_RDONLY, 0);
      sizes.push(size);
      await descriptor.close(fd);
    }
    assert.deepEqual(sizes, [8, -1, -1, 0]);
  });

  it('descriptors are closed on exec', async () => {
    const { fd } = await descriptor.open(folder.in(), nodeFs.constants.O_RDONLY, 0);
    const info = nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    await descriptor.close(fd);
    const O_CLOEXEC = 0o2000000;
    assert.ok(Number.parseInt(/^flags:\s*(\d+)/m.exec(info)[1], 8) & O_CLOEXEC);
  });

  it('close of a descriptor that is not open fails', async () => {
    await assert.rejects(descriptor.close(99_999), { code: 'EBADF', syscall: 'close' });
  });

  describe('closingAfter', () => {
    const fileThat = (close) => {
      const calls = [];
      return { calls, close: () => (calls.push('close'), close()) };
    };
    const fail = (message) => () => Promise.reject(new Error(message));

    it('closes, then gives the value', async () => {
      const file = fileThat(async () => {});
      const value = await descriptor.closingAfter(file, async (given) => {
        assert.equal(given, file);
        file.calls.push('use');
        return 'value';
      });
      assert.deepEqual([value, file.calls], ['value', ['use', 'close']]);
    });

    it('closes, then fails as the use did, even if the close fails too', async () => {
      for (const close of [async () => {}, fail('close')]) {
        const file = fileThat(close);
        await assert.rejects(descriptor.closingAfter(file, fail('use')), { message: 'use' });
        assert.deepEqual(file.calls, ['close']);
      }
    });

    it('fails as the close did when there is no other error', async () => {
      const file = fileThat(fail('close'));
      await assert.rejects(
        descriptor.closingAfter(file, async () => {}),
        { message: 'close' },
      );
    });
  });

  it('truncate by path closes what it opened', async () => {
    const file = folder.file('other', 'contents');
    await uring.truncate(file, 3);
    assert.equal(nodeFs.readFileSync(file, 'utf8'), 'con');
    assert.equal(descriptorsOf(file), 0);
  });
});
