'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { promisify } = require('node:util');
const fs = require('../lib/fs');
const { uring, useFolder } = require('./helpers/environment');

describe('lib/fs', () => {
  const folder = useFolder();

  it('has every name of node:fs, of the same kind', () => {
    const kinds = (object) =>
      Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, property]) => [
        name,
        typeof (name.endsWith('_OK') ? 0 : object[name]),
        property.enumerable,
      ]);
    assert.deepEqual(kinds(fs), kinds(nodeFs));
  });

  it('what is synchronous, and all that has no operation, is Node’s itself', () => {
    for (const name of Object.keys(nodeFs)) {
      if (!name.endsWith('Sync') && !['readdir', 'chmod', 'watch', 'cp', 'Stats'].includes(name))
        continue;
      assert.equal(fs[name], nodeFs[name], name);
    }
  });

  it('promises is uring-fs', () => {
    assert.equal(fs.promises, uring);
  });

  it('util.promisify()', async () => {
    const file = folder.file('promisified', 'contents');
    assert.equal(await promisify(fs.readFile)(file, 'utf8'), 'contents');
    assert.equal(await promisify(fs.exists)(file), true);
    assert.equal(await promisify(fs.exists)(`${file}-missing`), false);
    const fd = await promisify(fs.open)(file);
    const buffer = Buffer.alloc(3);
    const read = await promisify(fs.read)(fd, buffer, 0, 3, 0);
    assert.deepEqual({ ...read }, { bytesRead: 3, buffer });
    await promisify(fs.close)(fd);
  });
});
