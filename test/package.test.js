'use strict';

// What package.json promises of the package's entries. That the packed files keep it is for
// `npm run test:package`.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./helpers/environment');
const { name, exports: entries } = require('../package.json');

const entryOf = (subpath) => path.posix.join(name, subpath);

const modules = Object.entries(entries).filter(([, targets]) => typeof targets === 'object');

describe('package.json', () => {
  it('names files that are there', () => {
    for (const targets of Object.values(entries)) {
      for (const file of typeof targets === 'object' ? Object.values(targets) : [targets]) {
        assert.ok(fs.existsSync(path.join(ROOT, file)), file);
      }
    }
  });

  for (const [subpath, targets] of modules) {
    const entry = entryOf(subpath);

    it(`${entry} has types, then one file for require and import`, () => {
      assert.deepEqual(Object.keys(targets), ['types', 'default']);
    });

    it(`every name of ${entry} can be imported, and is the one that require gives`, () => {
      // In a process of its own: an entry may change what others see.
      const source = `
        import { createRequire } from 'node:module';
        import * as imported from ${JSON.stringify(entry)};
        const required = createRequire(import.meta.url)(${JSON.stringify(entry)});
        const wrong = Object.keys(required).filter((name) => imported[name] !== required[name]);
        if (imported.default !== required) wrong.push('default');
        process.stdout.write(JSON.stringify(wrong));`;
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ['--input-type=module', '-e', source],
        { cwd: ROOT, encoding: 'utf8' },
      );
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(stdout), []);
    });
  }
});
