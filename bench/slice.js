'use strict';

/**
 * A slice: c loops, each awaiting one operation after the other, until the clock says stop.
 *
 * The clock is read every so many operations (about once in a millisecond), never by a timer: awaits
 * of uring-fs may settle without the event loop turning. Nothing is allocated per operation but what
 * the operation itself allocates.
 */

const { createHistogram } = require('node:perf_hooks');

/** Milliseconds between two looks at the clock within a slice. */
const CLOCK_INTERVAL = 1;

/** Most operations between two looks at the clock. */
const MOST_UNCHECKED = 4096;

/** What the loops of one slice share. */
class Slice {
  /**
   * @param {number} milliseconds Length.
   * @param {number} turn Number of the first operation.
   * @param {boolean} latency Record latencies.
   */
  constructor(milliseconds, turn, latency) {
    this.running = true;
    this.operations = 0;
    this.due = 1;
    this.turn = turn;
    this.error = null;
    this.histogram = latency ? createHistogram() : null;
    this.batch = 1;
    this.checked = performance.now();
    this.deadline = this.checked + milliseconds;
  }

  /** Reads the clock: ends the slice, or chooses after how many operations to look again. */
  check() {
    const now = performance.now();
    if (now >= this.deadline) this.running = false;
    const fitting = (this.batch * CLOCK_INTERVAL) / Math.max(now - this.checked, 1e-3);
    this.batch = Math.max(1, Math.min(Math.floor(fitting), this.batch * 2, MOST_UNCHECKED));
    this.due = this.operations + this.batch;
    this.checked = now;
  }

  /**
   * Ends the slice because an operation failed.
   * @param {unknown} error
   */
  fail(error) {
    this.running = false;
    this.error ??= error instanceof Error ? error : new Error(String(error));
  }
}

/** Loop of an asynchronous driver. */
async function asyncLane(slice, { operation }, driver, state, { lane, step }) {
  try {
    while (slice.running) {
      await operation(driver, state, slice.turn++, lane, step);
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** The same, and each operation is timed. */
async function asyncLatencyLane(slice, { operation }, driver, state, { lane, step }) {
  const { histogram } = slice;
  try {
    while (slice.running) {
      const began = performance.now();
      await operation(driver, state, slice.turn++, lane, step);
      histogram.record(nanoseconds(performance.now() - began));
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** Loop of a synchronous driver. */
function syncLane(slice, { operation }, driver, state, { step }) {
  try {
    while (slice.running) {
      operation(driver, state, slice.turn++, 0, step);
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** The same, timed; lets the event loop turn at each look at the clock, for the load beside it. */
async function syncLatencyLane(slice, { operation }, driver, state, { step }) {
  const { histogram } = slice;
  try {
    while (slice.running) {
      const began = performance.now();
      operation(driver, state, slice.turn++, 0, step);
      histogram.record(nanoseconds(performance.now() - began));
      if (++slice.operations >= slice.due) {
        slice.check();
        await turnOfTheLoop();
      }
    }
  } catch (error) {
    slice.fail(error);
  }
}

const nanoseconds = (milliseconds) => Math.max(1, Math.round(milliseconds * 1e6));

const turnOfTheLoop = () => new Promise((resolve) => void setImmediate(resolve));

/**
 * Starts the loops of a slice.
 *
 * @param {Slice} slice
 * @param {Pick<import('./harness').Workload, 'operation'|'latency'>} workload
 * @param {import('./drivers').Driver} driver
 * @param {object} state
 * @param {{ c: number, step?: object|null }} row
 * @returns {Promise<void>} Fulfilled when the last loop has ended, for whatever reason.
 */
async function runLanes(slice, workload, driver, state, { c, step = null }) {
  const timed = slice.histogram !== null;
  if (driver.sync) {
    if (timed) await syncLatencyLane(slice, workload, driver, state, { step });
    else syncLane(slice, workload, driver, state, { step });
    return;
  }
  const loop = timed ? asyncLatencyLane : asyncLane;
  const lanes = [];
  for (let lane = 0; lane < c; lane++) {
    lanes.push(loop(slice, workload, driver, state, { lane, step }));
  }
  await Promise.all(lanes);
}

module.exports = { Slice, runLanes, turnOfTheLoop };
