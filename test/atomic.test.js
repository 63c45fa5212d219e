'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { descriptorsOf, onRing, patient, skip, uring, useFolder } = require('./helpers/environment');
const { cutPower } = require('./helpers/power-cuts');
const { killWriters } = require('./helpers/atomic-killed');

const { writeFileAtomic } = uring;

describe('lib/atomic', () => {
  const folder = useFolder();
  const read = (name) => nodeFs.readFileSync(folder.in(name), 'utf8');
  const codeOf = (promise) =>
    promise.then(
      () => 'resolved',
      ({ code }) => code,
    );

  afterEach('nothing temporary is left', () => {
    const left = nodeFs.readdirSync(folder.in()).filter((name) => name.endsWith('.tmp'));
    assert.deepEqual(left, []);
    assert.equal(descriptorsOf(folder.in()), 0);
  });

  it('makes a file, and replaces it', async () => {
    for (const content of ['first', 'second', '']) {
      assert.equal(await writeFileAtomic(folder.in('made'), content), undefined);
      assert.equal(read('made'), content);
    }
  });

  it('takes any data and any kind of path', async () => {
    const file = folder.in('kinds');
    await writeFileAtomic(Buffer.from(file), Buffer.from('bytes'));
    assert.equal(read('kinds'), 'bytes');
    await writeFileAtomic(pathToFileURL(file), ['it', 'er']);
    assert.equal(read('kinds'), 'iter');
    await writeFileAtomic(file, '6869', 'hex');
    assert.equal(read('kinds'), 'hi');
    await writeFileAtomic(path.relative(process.cwd(), file), 'x'.repeat(3_000_000), {
      flush: false,
    });
    assert.equal(read('kinds').length, 3_000_000);
    await writeFileAtomic(folder.in('n'.repeat(255)), 'long name');
    assert.equal(read('n'.repeat(255)), 'long name');
  });

  it('is a new file: who has the old one open goes on to see it', async () => {
    const file = folder.file('old', 'old content');
    const fd = nodeFs.openSync(file);
    await writeFileAtomic(file, 'new content');
    assert.equal(nodeFs.readFileSync(fd, 'utf8'), 'old content');
    nodeFs.closeSync(fd);
    assert.equal(read('old'), 'new content');
  });

  it('keeps the mode, or has the one that is asked for', async () => {
    const file = folder.file('mode');
    const modeOf = () => nodeFs.statSync(file).mode & 0o7777;
    for (const mode of [0o600, 0o666, 0o444, 0o4751]) {
      nodeFs.chmodSync(file, mode);
      await writeFileAtomic(file, 'x');
      assert.equal(modeOf(), mode);
    }
    await writeFileAtomic(file, 'x', { mode: 0o640 });
    assert.equal(modeOf(), 0o640 & ~process.umask());
    await writeFileAtomic(folder.in('new-mode'), 'x');
    assert.equal(nodeFs.statSync(folder.in('new-mode')).mode & 0o777, 0o666 & ~process.umask());
  });

  it('keeps the owner, where that is permitted', async function () {
    if (process.getuid() !== 0) skip(this, 'only root may give files away');
    const file = folder.file('owner');
    nodeFs.chownSync(file, 12345, 23456);
    nodeFs.chmodSync(file, 0o6755);
    await writeFileAtomic(file, 'x');
    const { uid, gid, mode } = nodeFs.statSync(file);
    assert.deepEqual([uid, gid, mode & 0o7777], [12345, 23456, 0o6755]);
  });

  it('follows symbolic links, even to what is not there yet', async () => {
    nodeFs.mkdirSync(folder.in('below'));
    folder.file('below/target', 'old');
    nodeFs.symlinkSync('below/target', folder.in('link'));
    nodeFs.symlinkSync(folder.in('link'), folder.in('link-2'));
    await writeFileAtomic(folder.in('link-2'), 'through');
    assert.equal(read('below/target'), 'through');
    nodeFs.symlinkSync('below/new', folder.in('dangling'));
    await writeFileAtomic(folder.in('dangling'), 'made');
    assert.equal(read('below/new'), 'made');
    for (const name of ['link', 'link-2', 'dangling']) {
      assert.ok(nodeFs.lstatSync(folder.in(name)).isSymbolicLink());
    }
    nodeFs.symlinkSync('loop', folder.in('loop'));
    assert.equal(await codeOf(writeFileAtomic(folder.in('loop'), 'x')), 'ELOOP');
  });

  it('a failure leaves the old content', async () => {
    const file = folder.file('failing', 'old');
    async function* breaks() {
      yield 'a piece';
      throw Object.assign(new Error('no more'), { code: 'NO_MORE' });
    }
    assert.equal(await codeOf(writeFileAtomic(file, breaks())), 'NO_MORE');
    assert.equal(await codeOf(writeFileAtomic(file, 5)), 'ERR_INVALID_ARG_TYPE');
    assert.equal(
      await codeOf(writeFileAtomic(file, 'x', { encoding: 'odd' })),
      'ERR_INVALID_ARG_VALUE',
    );
    const aborted = writeFileAtomic(file, 'x', { signal: AbortSignal.abort() });
    assert.equal(await codeOf(aborted), 'ABORT_ERR');
    assert.equal(read('failing'), 'old');
    assert.equal(await codeOf(writeFileAtomic(folder.in(), 'x')), 'EISDIR');
    assert.equal(await codeOf(writeFileAtomic(folder.fifo('fifo'), 'x')), 'EINVAL');
    assert.equal(await codeOf(writeFileAtomic(folder.in('missing', 'x'), 'x')), 'ENOENT');
    assert.equal(await codeOf(writeFileAtomic('a\0b', 'x')), 'ERR_INVALID_ARG_VALUE');
  });

  it('an abort on the way gives up', async () => {
    const file = folder.file('aborted', 'old');
    const controller = new AbortController();
    async function* slow() {
      yield 'some';
      controller.abort();
      yield 'more';
    }
    const { signal } = controller;
    assert.equal(await codeOf(writeFileAtomic(file, slow(), { signal })), 'ABORT_ERR');
    assert.equal(read('aborted'), 'old');
  });

  it('many at once, of one file: one of them is there', async () => {
    const file = folder.in('contested');
    const contents = Array.from({ length: 50 }, (_, i) => `${i} `.repeat(5000));
    await Promise.all(contents.map((content) => writeFileAtomic(file, content, { flush: false })));
    assert.ok(contents.includes(read('contested')));
  });

  it('killed at any moment: whole old or whole new content', async function () {
    this.timeout(patient(120_000));
    const kills = onRing ? 20 : 5;
    const { torn, lost, reads, versions } = await killWriters(kills, 20261124);
    assert.deepEqual([torn, lost], [[], []]);
    assert.ok(reads > kills && versions > kills, `${reads} reads, ${versions} versions`);
  });

  it('the power cut at any moment: what was flushed is there, and whole', async function () {
    this.timeout(120_000);
    const { problem, ...outcome } = await cutPower(10, true);
    if (problem !== undefined) skip(this, `no disk for it: ${problem}`);
    assert.deepEqual(outcome, { cuts: 10, torn: [], lost: [] });
    const { torn, lost } = await cutPower(5, false);
    assert.ok(
      torn.length > 0 && lost.length > 0,
      'the power is not cut: what was not flushed is there',
    );
  });
});
