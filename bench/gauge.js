'use strict';

/** What is measured beside the rate: how late the event loop is, and what a call allocates. */

const { createHistogram } = require('node:perf_hooks');
const v8 = require('node:v8');
const vm = require('node:vm');
const { median } = require('./figures');
const { Slice, runLanes } = require('./slice');

/** Milliseconds between two looks of the timer that sees how late the event loop is. */
const DELAY_RESOLUTION = 1;

/**
 * Operations whose allocations are looked at together: many enough to even out, and few enough that
 * the collector stays away meanwhile (its youngest generation starts with a megabyte).
 */
const COUNTED = 128;

/** Times that is done: what is made once, on first use, is not to count. */
const LOOKS = 5;

/**
 * Sees how late a timer is. Ours, because that of `perf_hooks` forgets the first delay.
 *
 * @returns {() => import('node:perf_hooks').RecordableHistogram} Ends it, and gives the delays in
 *   nanoseconds.
 */
function startDelayGauge() {
  const histogram = createHistogram();
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    histogram.record(Math.max(1, Math.round((now - last - DELAY_RESOLUTION) * 1e6)));
    last = now;
  };
  const timer = setInterval(look, DELAY_RESOLUTION);
  return () => {
    clearInterval(timer);
    look();
    return histogram;
  };
}

/** A full collection, whether Node was started with --expose-gc or not. */
let collect = () => {
  v8.setFlagsFromString('--expose-gc');
  collect = vm.runInNewContext('gc');
  collect();
};

/**
 * @typedef {object} Allocations Bytes of one operation.
 * @property {number} heap In the heap of V8: promises, closures, results.
 * @property {number} outside Outside it: the memory of Buffers.
 */

/**
 * @param {import('./harness').Workload} workload
 * @param {import('./drivers').Driver} driver
 * @param {object} state
 * @param {{ c: number, step: object|null }} row
 * @returns {Promise<Allocations>} Beyond what awaiting a promise allocates that was there already.
 */
async function countAllocations(workload, driver, state, row) {
  const settled = driver.sync ? undefined : Promise.resolve();
  const looks = [];
  for (let look = 0; look < LOOKS; look++) {
    const bare = await growthOf({ operation: () => settled }, driver, state, row);
    const own = await growthOf(workload, driver, state, row);
    looks.push({ heap: own.heap - bare.heap, outside: own.outside - bare.outside });
  }
  const of = (part) => Math.max(0, median(looks.map((look) => look[part]))) / COUNTED;
  return { heap: of('heap'), outside: of('outside') };
}

/** How much more memory is in use after the operations, the collector having run before only. */
async function growthOf(workload, driver, state, row) {
  const slice = new Slice(Infinity, 0, false);
  slice.check = () => {
    slice.due = slice.operations + 1;
    // What the other loops have begun is theirs to end.
    if (slice.turn >= COUNTED) slice.running = false;
  };
  collect();
  const before = process.memoryUsage();
  await runLanes(slice, workload, driver, state, { ...row, c: Math.min(row.c, COUNTED) });
  const after = process.memoryUsage();
  if (slice.error !== null) throw slice.error;
  return {
    heap: after.heapUsed - before.heapUsed,
    // `external` includes `arrayBuffers`.
    outside: after.external - before.external,
  };
}

module.exports = { countAllocations, startDelayGauge };
