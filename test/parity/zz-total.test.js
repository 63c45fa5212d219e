'use strict';

// The last file of the suite: mocha loads test files by name.

const assert = require('node:assert');
const { totals } = require('../helpers/parity-compare');
const { seed } = require('../helpers/parity-random');

const AT_LEAST = 30000;

describe('parity: in total', () => {
  it(`makes more than ${AT_LEAST} comparisons`, () => {
    const { comparisons, calls, trees, deviated } = totals;
    console.log(
      `      ${comparisons} outcomes of ${calls} calls and series, ${trees} pairs of folders, ` +
        `${deviated} known deviations (PARITY_SEED=${seed})`,
    );
    assert.ok(comparisons > AT_LEAST, `only ${comparisons}`);
  });
});
