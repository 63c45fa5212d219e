'use strict';

// lib/queue.js

const assert = require('node:assert/strict');
const { Queue } = require('../lib/queue');
const { resultOf } = require('./helpers/environment');

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

  it('in order, too, where many are taken out and some stay', () => {
    const queue = new Queue();
    const taken = [];
    for (let i = 0; i < 10_000; i++) {
      queue.push(i);
      if (i >= 700) taken.push(queue.shift());
    }
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) taken.push(item);
    assert.deepEqual(taken, [...Array(10_000).keys()]);
  });

  it('keeps no place for what was taken out, even if it is never empty', async () => {
    const [before, after] = await resultOf(({ root, say }) => {
      const { Queue: Tested } = require(`${root}/lib/queue`);
      const queue = new Tested();
      const used = [];
      queue.push(0);
      for (let i = 0; i <= 1_000_000; i++) {
        if (i % 500_000 === 0 && i > 0) {
          globalThis.gc();
          used.push(process.memoryUsage().heapUsed);
        }
        queue.push(i);
        queue.shift();
      }
      say(used);
    });
    assert.ok(after - before < 1_000_000, `${before}, then ${after} bytes`);
  });
});
