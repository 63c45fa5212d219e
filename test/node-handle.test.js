'use strict';

const assert = require('node:assert/strict');
const nodePromises = require('node:fs/promises');
const NodeHandle = require('../lib/node-handle');

describe('lib/node-handle', () => {
  it('is what handles of Node are instances of', async () => {
    const handle = await nodePromises.open('/', 'r');
    try {
      assert.ok(handle instanceof NodeHandle);
    } finally {
      await handle.close();
    }
  });

  it('and nothing else', () => {
    for (const other of [{}, null, undefined, 5, 'text', () => {}, new (class FileHandle {})()]) {
      assert.ok(!(other instanceof NodeHandle));
    }
  });

  it('cannot be constructed', () => {
    assert.throws(() => new NodeHandle(), TypeError);
  });
});
