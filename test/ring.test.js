'use strict';

const assert = require('node:assert/strict');
const os = require('node:os');
const nodePromises = require('node:fs/promises');
const { describeOnRing, onRing, uring, useFolder } = require('./helpers/environment');

const COUNTERS = ['submitted', 'completed', 'inline', 'enters', 'queued', 'inFlight'];
COUNTERS.push('peakQueued', 'peakInFlight', 'helped');

describe('lib/ring', () => {
  const { ring } = uring;
  const folder = useFolder();

  it('status() has its shape', () => {
    const status = ring.status();
    const keys = [
      'backend',
      'code',
      'reason',
      'kernel',
      'setupFlags',
      'sqEntries',
      'cqEntries',
      'restricted',
      'tuning',
      'operations',
    ];
    assert.deepEqual(Object.keys(status), keys);
    assert.equal(status.backend, onRing ? 'io_uring' : 'threadpool');
    for (const why of [status.code, status.reason]) {
      assert.equal(typeof why, onRing ? 'object' : 'string');
    }
    assert.equal(status.kernel, os.release());
    for (const [name, where] of Object.entries(status.operations)) {
      assert.match(where, /^(ring|pool)$/, name);
    }
    for (const name of Object.keys(nodePromises)) {
      if (typeof nodePromises[name] === 'function') assert.ok(status.operations[name], name);
    }
  });

  it('stats() has its shape', () => {
    const stats = ring.stats();
    assert.deepEqual(Object.keys(stats), COUNTERS);
    for (const value of Object.values(stats)) assert.ok(Number.isSafeInteger(value) && value >= 0);
  });

  it('what they give is a copy', () => {
    ring.status().operations.read = 'changed';
    ring.stats().submitted = -1;
    assert.notEqual(ring.status().operations.read, 'changed');
    assert.notEqual(ring.stats().submitted, -1);
  });

  it('without a ring the counters stay at zero', async function () {
    if (onRing) this.skip();
    await uring.readFile(folder.file('file'));
    assert.deepEqual([...new Set(Object.values(ring.stats()))], [0]);
  });

  describeOnRing('on the ring', () => {
    it('entries are powers of two, flags those of the kernel', () => {
      const { reason, sqEntries, cqEntries, setupFlags } = ring.status();
      assert.equal(reason, null);
      for (const entries of [sqEntries, cqEntries]) assert.match(entries.toString(2), /^10*$/);
      assert.ok(cqEntries >= sqEntries);
      const known = ['SQPOLL', 'CQSIZE', 'CLAMP', 'SUBMIT_ALL', 'COOP_TASKRUN', 'TASKRUN_FLAG'];
      known.push('R_DISABLED');
      for (const flag of setupFlags) assert.ok(known.includes(flag), flag);
      assert.ok(!setupFlags.includes('SQPOLL'));
    });

    it('the counters tell what was done', async () => {
      const before = ring.stats();
      const missing = folder.in('missing');
      await Promise.allSettled(Array.from({ length: 100 }, () => uring.unlink(missing)));
      const after = ring.stats();
      assert.equal(after.submitted - before.submitted, 100);
      assert.equal(after.completed - before.completed, 100);
      assert.ok(after.enters > before.enters);
      assert.ok(after.peakQueued >= 100 && after.peakInFlight >= 1);
    });

    const file = () => folder.file('file');
    const calls = {
      access: () => uring.access(file()),
      appendFile: () => uring.appendFile(file(), 'x'),
      link: () => uring.link(file(), folder.in('link')),
      lstat: () => uring.lstat(file()),
      mkdir: () => uring.mkdir(folder.in('folder')),
      mkdtemp: () => uring.mkdtemp(folder.in('temporary-')),
      open: () => uring.open(file()).then((handle) => handle.close()),
      readFile: () => uring.readFile(file()),
      rename: () => uring.rename(file(), folder.in('renamed')),
      rm: () => uring.rm(file()),
      rmdir: () => uring.rmdir(folder.in('folder')),
      stat: () => uring.stat(file()),
      symlink: () => uring.symlink('x', folder.in('symlink')),
      truncate: () => uring.truncate(file(), 1),
      unlink: () => uring.unlink(file()),
      writeFile: () => uring.writeFile(file(), 'x'),
      chmod: () => uring.chmod(file(), 0o600),
      copyFile: () => uring.copyFile(file(), folder.in('copy')),
      readdir: () => uring.readdir(folder.in()),
      realpath: () => uring.realpath(file()),
      statfs: () => uring.statfs(file()),
      utimes: () => uring.utimes(file(), 1, 1),
    };
    for (const [name, call] of Object.entries(calls)) {
      it(`${name} is served by what operations says`, async () => {
        const { submitted } = ring.stats();
        await call();
        const where = ring.stats().submitted > submitted ? 'ring' : 'pool';
        assert.equal(ring.status().operations[name], where);
      });
    }

    it('what only a FileHandle has is served by what operations says', async () => {
      const handle = await uring.open(file(), 'r+');
      const methods = {
        datasync: () => handle.datasync(),
        read: () => handle.read(Buffer.alloc(1)),
        readv: () => handle.readv([Buffer.alloc(1)]),
        sync: () => handle.sync(),
        write: () => handle.write('x'),
        writev: () => handle.writev([Buffer.alloc(1)]),
        close: () => handle.close(),
      };
      for (const [name, call] of Object.entries(methods)) {
        const { submitted } = ring.stats();
        await call();
        assert.equal(ring.stats().submitted - submitted, 1, name);
        assert.equal(ring.status().operations[name], 'ring', name);
      }
    });
  });
});
