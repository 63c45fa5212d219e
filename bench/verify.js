'use strict';

/** What the workloads' `verify` functions share. */

const { isDeepStrictEqual } = require('node:util');

/** Operations in flight while results are verified. */
const IN_FLIGHT = 64;

/** A driver gave something else than the synchronous call. */
class Mismatch extends Error {}

/**
 * Calls a function for each item, 64 at a time.
 *
 * @template T
 * @param {T[]} items
 * @param {(item: T, lane: number) => Promise<void>} check
 */
async function forEach(items, check) {
  let next = 0;
  const lanes = Array.from({ length: Math.min(IN_FLIGHT, items.length) }, async (_, lane) => {
    while (next < items.length) await check(items[next++], lane);
  });
  const results = await Promise.allSettled(lanes);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * @param {unknown} actual Buffers are compared byte by byte.
 * @param {unknown} expected
 */
function same(actual, expected) {
  if (Buffer.isBuffer(expected)) return Buffer.isBuffer(actual) && expected.equals(actual);
  return isDeepStrictEqual(actual, expected);
}

/**
 * Compares a result with what a synchronous call gives before and after. A file that changes
 * between the two (someone else writes to it) proves nothing and passes.
 *
 * @param {string} what For the message.
 * @param {() => unknown} reference
 * @param {() => Promise<unknown>} operation
 */
async function compare(what, reference, operation) {
  const before = reference();
  const actual = await operation();
  if (same(actual, before)) return;
  const after = reference();
  if (same(actual, after) || !same(before, after)) return;
  throw new Mismatch(`${what}: not what the synchronous call gives`);
}

module.exports = { IN_FLIGHT, Mismatch, compare, forEach, same };
