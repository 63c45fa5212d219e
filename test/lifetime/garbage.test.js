'use strict';

const assert = require('node:assert/strict');
const {
  collect,
  collectUntil,
  describeOnRing,
  descriptors,
  descriptorsOf,
  takeWarnings,
  uring,
  useFolder,
} = require('../helpers/environment');

describeOnRing('lifetime: handles that are not closed', () => {
  const folder = useFolder();
  let file;
  const warnings = takeWarnings();

  beforeEach(() => {
    file = folder.file('file');
  });

  it('are closed when they are collected, with a warning', async () => {
    const number = await (async () => (await uring.open(file)).fd)();
    await collectUntil(
      () => descriptorsOf(file) === 0 && warnings.length > 0,
      () => descriptors().join('\n'),
    );
    assert.deepEqual(warnings, [`Closing file descriptor ${number} on garbage collection`]);
  });

  it('by the hundred', async () => {
    await Promise.all(Array.from({ length: 200 }, async () => (await uring.open(file)).read()));
    await uring.stat(file);
    await collectUntil(
      () => descriptorsOf(file) === 0 && warnings.length === 200,
      () => `${warnings.length} warnings, ${descriptorsOf(file)} open`,
    );
  });

  it('no warning for one that was closed, whose number may have gone to another file', async () => {
    await (async () => {
      const handle = await uring.open(file);
      await handle.close();
    })();
    const other = await uring.open(file);
    await uring.stat(file);
    await collect();
    assert.deepEqual(warnings, []);
    assert.equal((await other.stat()).isFile(), true);
    await other.close();
  });

  it('a stream keeps its handle', async () => {
    const stream = (await uring.open(file)).createReadStream();
    await uring.stat(file);
    await collect();
    assert.equal(descriptorsOf(file), 1);
    let text = '';
    for await (const chunk of stream) text += chunk;
    assert.equal(text, 'contents');
    assert.deepEqual(warnings, []);
  });
});
