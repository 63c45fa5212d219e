'use strict';

/**
 * Times workloads: drivers in alternation, medians over rounds, latency percentiles.
 *
 * One round of a workload is one short slice per driver and per number of operations in flight.
 * A slice runs c loops, each awaiting one operation after the other, until the clock says stop.
 * The clock is read every so many operations (about once in a millisecond), never by a timer:
 * awaits of uring-fs may settle without the event loop turning. Nothing is allocated per operation
 * but what the operation itself allocates.
 *
 * @typedef {object} Workload
 * @property {string} name What the report calls it and `--filter` matches.
 * @property {string} unit What one operation is, in the plural: 'files', 'reads', 'calls'.
 * @property {string} data One line on the data it works on.
 * @property {number[]} concurrency Operations in flight to measure with.
 * @property {boolean} [latency] Time each operation too (in nanoseconds) and report percentiles.
 * @property {boolean} [cpu] False if CPU per operation would mean nothing (a load runs beside it).
 * @property {boolean} [asyncOnly] Nothing synchronous does the same.
 * @property {number} [sliceFactor] Times the usual slice length, for slow operations. Default 1.
 * @property {(driver: Driver) => Promise<object>} open What the other functions get as `state`.
 * @property {(driver: Driver, state: object) => Promise<void>} verify Throws on a wrong byte.
 * @property {(driver: Driver, state: object, turn: number, lane: number) => any} operation One
 *   operation: a promise, or the value if the driver is a synchronous one. `turn` counts the
 *   operations of this driver, `lane` is the number of the loop, from 0.
 * @property {(driver: Driver, state: object) => Promise<void>} close
 * @property {{ description: string, start: () => { stop: () => Promise<void> } }} [load] What runs
 *   beside it while it is timed.
 *
 * @typedef {import('./drivers').Driver} Driver
 *
 * @typedef {object} Latency In microseconds.
 * @property {number} samples
 * @property {number} p50
 * @property {number} p99
 * @property {number} max
 *
 * @typedef {object} Sample One slice.
 * @property {number} round From 0.
 * @property {string} driver
 * @property {number|null} c Operations in flight; null for a synchronous driver.
 * @property {number} operations Completed ones.
 * @property {number} milliseconds Wall time, until the last loop has ended.
 * @property {number} rate Operations per second.
 * @property {number|null} cpu User and system time of the process, microseconds per operation.
 * @property {Latency|null} latency
 *
 * @typedef {object} Figure One driver at one number of operations in flight.
 * @property {number} rate Operations per second: median of the rounds.
 * @property {number|null} ratio Rate / rate of the baseline in the same round: median of those.
 * @property {[number, number]|null} ratioRange Lowest and highest ratio of a round.
 * @property {number|null} cpu Microseconds per operation: median of the rounds.
 * @property {Latency|null} latency Percentiles over all rounds together.
 * @property {{ p50: number, p99: number }|null} latencyRatio Times lower than the baseline's.
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} unit
 * @property {string} data
 * @property {{ c: number, drivers: Record<string, Figure> }[]} rows
 * @property {Sample[]} samples Every slice, in the order they ran.
 */

const { createHistogram } = require('node:perf_hooks');

/** Milliseconds between two looks at the clock within a slice. */
const CLOCK_INTERVAL = 1;

/** Most operations between two looks at the clock. */
const MOST_UNCHECKED = 4096;

/** Milliseconds after which what is not done, beyond its own time, counts as never to be done. */
const PATIENCE = 60_000;

/** The same, once the user wants to leave. */
const PATIENCE_WHEN_ABORTED = 2_000;

/** Thrown by `measure` after `Harness.abort()`. */
class Interrupted extends Error {}

/** Thrown by `measure` if an operation does not settle. It may keep the process from ending. */
class Stalled extends Error {}

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
async function asyncLane(slice, { operation }, driver, state, lane) {
  try {
    while (slice.running) {
      await operation(driver, state, slice.turn++, lane);
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** The same, and each operation is timed. */
async function asyncLatencyLane(slice, { operation }, driver, state, lane) {
  const { histogram } = slice;
  try {
    while (slice.running) {
      const began = performance.now();
      await operation(driver, state, slice.turn++, lane);
      histogram.record(nanoseconds(performance.now() - began));
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** Loop of a synchronous driver. */
function syncLane(slice, { operation }, driver, state) {
  try {
    while (slice.running) {
      operation(driver, state, slice.turn++, 0);
      if (++slice.operations >= slice.due) slice.check();
    }
  } catch (error) {
    slice.fail(error);
  }
}

/** The same, timed; lets the event loop turn at each look at the clock, for the load beside it. */
async function syncLatencyLane(slice, { operation }, driver, state) {
  const { histogram } = slice;
  try {
    while (slice.running) {
      const began = performance.now();
      operation(driver, state, slice.turn++, 0);
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
 * @param {number[]} values
 * @returns {number} The median; NaN of nothing.
 */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The order of the drivers in a round: rotated by one each round, and turned round after each full
 * rotation, so that no driver always runs after the same other one.
 *
 * @template T
 * @param {T[]} list
 * @param {number} round From 0.
 * @returns {T[]}
 */
function orderOf(list, round) {
  const from = round % list.length;
  const rotated = [...list.slice(from), ...list.slice(0, from)];
  return Math.floor(round / list.length) % 2 === 0 ? rotated : rotated.reverse();
}

/** @returns {Latency} */
function latencyOf(histogram) {
  return {
    samples: histogram.count,
    p50: histogram.percentile(50) / 1e3,
    p99: histogram.percentile(99) / 1e3,
    max: histogram.max / 1e3,
  };
}

/** Runs workloads. One at a time. */
class Harness {
  /**
   * @param {object} settings
   * @param {Driver[]} settings.drivers In the order of the report.
   * @param {string} settings.baseline Name of the driver that the ratios are to.
   * @param {number} settings.rounds
   * @param {number} settings.slice Milliseconds.
   * @param {(milliseconds: number) => void} [settings.onSlice] After each slice, with its length.
   * @param {number} [settings.patience] Milliseconds until an operation counts as stalled.
   */
  constructor({ drivers, baseline, rounds, slice, onSlice = () => {}, patience = PATIENCE }) {
    this.drivers = drivers;
    this.baseline = baseline;
    this.rounds = rounds;
    this.slice = slice;
    this.onSlice = onSlice;
    this.patience = patience;
    /** What runs now, for messages: 'workload, driver, c'. */
    this.current = '';
    this.aborted = false;
    this.running = null;
    this.hurry = () => {};
  }

  /** Ends the current slice early; `measure` then rejects, with Interrupted if all goes well. */
  abort() {
    this.aborted = true;
    if (this.running !== null) this.running.running = false;
    this.hurry();
  }

  /** Waits for a promise, but not for ever. */
  async patiently(promise, expected = 0) {
    let timer;
    const stalled = new Promise((_, reject) => {
      const wait = (milliseconds) => {
        clearTimeout(timer);
        const what = `${this.current}: an operation does not settle`;
        timer = setTimeout(() => reject(new Stalled(what)), milliseconds).unref();
      };
      this.hurry = () => wait(PATIENCE_WHEN_ABORTED);
      wait(this.patience + expected);
    });
    try {
      return await Promise.race([promise, stalled]);
    } finally {
      clearTimeout(timer);
      this.hurry = () => {};
    }
  }

  /**
   * @param {Workload} workload
   * @returns {number} Milliseconds its slices take, warm-up included.
   */
  duration(workload) {
    const drivers = this.driversOf(workload);
    const sync = drivers.filter((driver) => driver.sync).length;
    const slices = (drivers.length - sync) * workload.concurrency.length + sync;
    return slices * this.sliceLength(workload) * (this.rounds + 0.5);
  }

  driversOf({ asyncOnly }) {
    return asyncOnly ? this.drivers.filter((driver) => !driver.sync) : this.drivers;
  }

  sliceLength(workload) {
    return this.slice * (workload.sliceFactor ?? 1);
  }

  /**
   * Verifies, warms up and times a workload.
   *
   * @param {Workload} workload
   * @returns {Promise<Result>}
   */
  async measure(workload) {
    const seats = [];
    let load = null;
    let stalled = false;
    try {
      for (const driver of this.driversOf(workload)) {
        this.current = `${workload.name}, ${driver.name}, verification`;
        const state = await this.patiently(workload.open(driver));
        seats.push({ driver, state, turn: 0 });
        await this.patiently(workload.verify(driver, state));
        this.stopIfAborted();
      }
      if (workload.load) load = workload.load.start();
      return await this.time(workload, seats);
    } catch (error) {
      stalled = error instanceof Stalled;
      throw error;
    } finally {
      if (load !== null) await load.stop();
      // Closing would wait for what never ends.
      if (!stalled) await this.patiently(closeAll(workload, seats));
    }
  }

  /** Warm-up (a half slice each, for the compiler and the caches), then the rounds. */
  async time(workload, seats) {
    const length = this.sliceLength(workload);
    for (const { seat, c } of this.plan(workload, seats, 0)) {
      await this.runSlice(workload, seat, c, length / 2);
    }
    const samples = [];
    const histograms = new Map();
    for (let round = 0; round < this.rounds; round++) {
      for (const { seat, c } of this.plan(workload, seats, round)) {
        const { histogram, ...sample } = await this.runSlice(workload, seat, c, length);
        samples.push({ round, ...sample });
        if (histogram !== null) {
          const key = keyOf(seat.driver.name, sample.c);
          if (!histograms.has(key)) histograms.set(key, createHistogram());
          histograms.get(key).add(histogram);
        }
      }
    }
    const { name, unit, data } = workload;
    const rows = workload.concurrency.map((c) => ({
      c,
      drivers: this.figures(c, samples, histograms),
    }));
    return { name, unit, data, rows, samples };
  }

  /** The slices of a round. Synchronous drivers take part once, beside the first c. */
  plan(workload, seats, round) {
    return workload.concurrency.flatMap((c, index) =>
      orderOf(
        seats.filter(({ driver }) => !driver.sync || index === 0),
        round,
      ).map((seat) => ({ seat, c })),
    );
  }

  async runSlice(workload, seat, c, milliseconds) {
    const { driver, state } = seat;
    this.stopIfAborted();
    await turnOfTheLoop();
    if (typeof globalThis.gc === 'function') globalThis.gc();
    this.stopIfAborted();
    this.current = `${workload.name}, ${driver.name}${driver.sync ? '' : `, ${c} in flight`}`;

    const timed = workload.latency === true;
    const cpuBefore = process.cpuUsage();
    const slice = new Slice(milliseconds, seat.turn, timed);
    this.running = slice;
    const began = performance.now();
    if (driver.sync) {
      if (timed) await syncLatencyLane(slice, workload, driver, state);
      else syncLane(slice, workload, driver, state);
    } else {
      const loop = timed ? asyncLatencyLane : asyncLane;
      const lanes = [];
      for (let lane = 0; lane < c; lane++) lanes.push(loop(slice, workload, driver, state, lane));
      await this.patiently(Promise.all(lanes), milliseconds);
    }
    const elapsed = performance.now() - began;
    const cpu = process.cpuUsage(cpuBefore);
    this.running = null;
    seat.turn = slice.turn;

    if (slice.error !== null) throw slice.error;
    this.stopIfAborted();
    this.onSlice(milliseconds);
    return {
      driver: driver.name,
      c: driver.sync ? null : c,
      operations: slice.operations,
      milliseconds: elapsed,
      rate: (slice.operations / elapsed) * 1e3,
      cpu: workload.cpu === false ? null : (cpu.user + cpu.system) / slice.operations,
      latency: timed ? latencyOf(slice.histogram) : null,
      histogram: slice.histogram,
    };
  }

  /** The figures of one row: every driver with c operations in flight. */
  figures(c, samples, histograms) {
    const of = (driver) =>
      samples.filter((sample) => {
        return sample.driver === driver.name && sample.c === (driver.sync ? null : c);
      });
    const baseline = this.drivers.find(({ name }) => name === this.baseline);
    const baseRates = new Map(baseline ? of(baseline).map(({ round, rate }) => [round, rate]) : []);
    const baseHistogram = histograms.get(keyOf(this.baseline, c));

    const figures = {};
    for (const driver of this.drivers) {
      const own = of(driver);
      if (own.length === 0) continue; // it has no part in this workload
      const ratios = own
        .filter(({ round }) => baseRates.has(round))
        .map(({ round, rate }) => rate / baseRates.get(round));
      const cpus = own.map(({ cpu }) => cpu).filter((cpu) => cpu !== null);
      const histogram = histograms.get(keyOf(driver.name, driver.sync ? null : c));
      figures[driver.name] = {
        rate: median(own.map(({ rate }) => rate)),
        ratio: ratios.length > 0 ? median(ratios) : null,
        ratioRange: ratios.length > 0 ? [Math.min(...ratios), Math.max(...ratios)] : null,
        cpu: cpus.length > 0 ? median(cpus) : null,
        latency: histogram ? latencyOf(histogram) : null,
        latencyRatio:
          histogram && baseHistogram
            ? {
                p50: baseHistogram.percentile(50) / histogram.percentile(50),
                p99: baseHistogram.percentile(99) / histogram.percentile(99),
              }
            : null,
      };
    }
    return figures;
  }

  stopIfAborted() {
    if (this.aborted) throw new Interrupted('interrupted');
  }
}

async function closeAll(workload, seats) {
  for (const { driver, state } of seats) await workload.close(driver, state);
}

const keyOf = (driver, c) => `${driver} ${c}`;

module.exports = { Harness, Interrupted, Stalled, median, orderOf };
