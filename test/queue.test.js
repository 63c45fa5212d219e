'use strict';

// lib/queue.js

const assert = require('node:assert/strict');
const { Queue } = require('../lib/queue');

describe('lib/queue', () => {
  it('gives what was put in, in order, also when put in between', () => {
    const queue = new Queue();
    const taken = [];
    for (let i = 0; i < 1000; i++) {
      queue.push(i);
      if (i % 3 === 0) taken.push(queue.shift());
    }
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) taken.push(item);
    assert.deepEqual(
      taken,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    assert.equal(queue.shift(), undefined);
    queue.push('again');
    assert.equal(queue.shift(), 'again');
  });
});
