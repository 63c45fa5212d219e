'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./helpers/environment');

/** Where a row begins to name tests: `file` "title", "title"; `file` "title". */
const NAMED = /`(test\/[\w/.-]+\.test\.js)`((?:,? "[^"]+")*)/g;

describe('docs/guarantees.md', () => {
  const text = nodeFs.readFileSync(path.join(ROOT, 'docs', 'guarantees.md'), 'utf8');
  const rows = text.split('\n').filter((line) => /^\| (?!promise|hazard|-)/.test(line));

  it('names a test for every promise', () => {
    const without = rows.filter((row) => !/"[^"]+"[^|]*\|$/.test(row));
    assert.deepEqual(without, []);
    assert.ok(rows.length > 10);
  });

  it('names tests that are there', () => {
    const missing = [];
    for (const [, file, titles] of text.matchAll(NAMED)) {
      const at = path.join(ROOT, file);
      const source = nodeFs.existsSync(at) ? nodeFs.readFileSync(at, 'utf8') : undefined;
      if (source === undefined) missing.push(file);
      for (const [, title] of titles.matchAll(/"([^"]+)"/g)) {
        if (!source?.includes(title)) missing.push(`${file}: ${title}`);
      }
    }
    assert.deepEqual(missing, []);
  });
});
