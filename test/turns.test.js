'use strict';

// lib/turns.js

const assert = require('node:assert/strict');
const { Turns } = require('../lib/turns');

describe('lib/turns', () => {
  it('lets one go on at a time, in order', () => {
    const turns = new Turns();
    const begun = [];
    for (const name of ['a', 'b', 'c']) turns.begin(() => begun.push(name));
    assert.deepEqual(begun, ['a']);
    turns.end();
    assert.deepEqual(begun, ['a', 'b']);
    turns.end();
    assert.deepEqual(begun, ['a', 'b', 'c']);
    assert.equal(turns.isTaken, true);
    turns.end();
    assert.equal(turns.isTaken, false);
  });

  it('or so many', () => {
    const turns = new Turns(3);
    let begun = 0;
    for (let i = 0; i < 10; i++) turns.begin(() => begun++);
    assert.equal(begun, 3);
    for (let ended = 1; ended <= 7; ended++) {
      turns.end();
      assert.equal(begun, 3 + ended);
      assert.equal(turns.isTaken, true);
    }
    turns.end();
    assert.equal(turns.isTaken, false);
  });

  it('gives what begins at once, nothing for what waits', () => {
    const turns = new Turns();
    assert.equal(
      turns.begin(() => 'now'),
      'now',
    );
    assert.equal(
      turns.begin(() => 'later'),
      undefined,
    );
  });

  it('what takes a turn though there is none makes the others wait for one more end', () => {
    const free = new Float64Array(1);
    const turns = new Turns(2, free);
    assert.equal(free[0], 2);
    const begun = [];
    turns.begin(() => begun.push('a'));
    turns.take();
    turns.take();
    assert.equal(free[0], -1);
    turns.begin(() => begun.push('b'));
    turns.end();
    assert.deepEqual([begun, free[0]], [['a'], 0]);
    turns.end();
    assert.deepEqual([begun, free[0]], [['a', 'b'], 0]);
    turns.end();
    turns.end();
    assert.equal(free[0], 2);
    assert.equal(turns.isTaken, false);
  });

  it('what throws as it begins has had no turn', () => {
    const turns = new Turns();
    const error = new RangeError('full stack');
    assert.throws(() => {
      turns.begin(() => {
        throw error;
      });
    }, error);
    assert.equal(turns.isTaken, false);
  });
});
