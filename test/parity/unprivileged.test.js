'use strict';

const path = require('node:path');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { patient } = require('../helpers/environment');
const { totals } = require('../helpers/parity-compare');

describe('parity: without permission', () => {
  it('every call that may be forbidden', function () {
    this.timeout(patient(60_000));
    const script = path.join(__dirname, '../helpers/parity-unprivileged.js');
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    assert.strictEqual(status, 0, `${signal ?? ''}\n${stderr}`);
    const { comparisons } = JSON.parse(stdout);
    assert.ok(comparisons > 400, `${comparisons} comparisons`);
    totals.comparisons += comparisons;
  });
});
