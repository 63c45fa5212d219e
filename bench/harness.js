'use strict';

/**
 * Times workloads: drivers in alternation, medians over rounds, latency percentiles.
 *
 * One round of a workload is one short slice (see slice.js) per driver and row; a row is a number of
 * operations in flight, or a step of something else. Ratios are taken within a round.
 *
 * @typedef {object} Workload
 * @property {string} name What the report calls it and `--filter` matches.
 * @property {string} unit What one operation is, in the plural: 'files', 'reads', 'calls'.
 * @property {string} data One line on the data it works on.
 * @property {number[]} concurrency Operations in flight to measure with: a row each.
 * @property {Step[]} [steps] Rows instead, all with the first of `concurrency`.
 * @property {boolean} [growth] Report the rates as multiples of the first row's too.
 * @property {boolean} [aside] It is about something else than the ratios: charts leave it out.
 * @property {boolean} [latency] Time each operation too (in nanoseconds) and report percentiles.
 * @property {boolean} [cpu] False if CPU per operation would mean nothing (a load runs beside it).
 * @property {boolean} [busy] False if c=1 has no second row with the other cores kept busy.
 * @property {number} [sliceFactor] Times the usual slice length, for slow operations. Default 1.
 * @property {number} [weight] Units that one operation does (files of a batch, MiB of a stream).
 *   Default 1. Rates and CPU are per unit.
 * @property {boolean} [loopDelay] Report how long the event loop was held up (not for synchronous
 *   drivers, which hold it up all the time).
 * @property {boolean} [allocations] Report what an operation allocates.
 * @property {(drivers: Driver[]) => Driver[]} [drivers] Who takes part, if not all as they are.
 * @property {import('./floor').FloorWork} [floor] What another program does for comparison.
 * @property {() => string|null} [unavailable] Why it cannot run here, asked right before it would.
 * @property {(driver: Driver) => Promise<object>} open What the other functions get as `state`.
 * @property {(driver: Driver, state: object) => Promise<void>} verify Throws on a wrong byte.
 * @property {(driver: Driver, state: object, turn: number, lane: number, step: Step|null) => any}
 *   operation One operation: a promise, or the value if the driver is a synchronous one. `turn`
 *   counts the operations of this driver, `lane` is the number of the loop, from 0.
 * @property {(driver: Driver, state: object, milliseconds: number, row: Row) => Promise<Ran>}
 *   [slice] Takes the place of `operation` where others (processes, workers) do the work.
 * @property {() => void} [abort] Ends the processes of a slice early.
 * @property {boolean} [cold] No warm-up.
 * @property {number} [mostRounds] Rounds that are enough of a long slice.
 * @property {(driver: Driver, state: object) => Promise<void>} close
 * @property {{ description: string, start: () => { stop: () => Promise<void> } }} [load] What runs
 *   beside it while it is timed.
 *
 * @typedef {import('./drivers').Driver} Driver
 *
 * @typedef {object} Step
 * @property {string} label
 * @property {number} [weight] In the place of the workload's.
 *
 * @typedef {object} Row
 * @property {number} c Operations in flight (synchronous drivers: always one).
 * @property {boolean} busy The other cores are kept busy.
 * @property {Step|null} step
 *
 * @typedef {object} Ran A slice that others did.
 * @property {number} operations
 * @property {number} milliseconds
 * @property {number} [cpu] Microseconds per operation.
 * @property {import('node:perf_hooks').RecordableHistogram|null} histogram Latencies, nanoseconds.
 * @property {Burst} [burst]
 *
 * @typedef {object} Burst Operations all at once.
 * @property {number} milliseconds Until all have settled.
 * @property {Record<string, number>} failures How many, by error code.
 * @property {number} bytes Of all results.
 * @property {number} above Peak memory above that before the burst and `bytes`; bytes.
 *
 * @typedef {object} Latency In microseconds.
 * @property {number} samples
 * @property {number} p50
 * @property {number} p90
 * @property {number} p99
 * @property {number} p999 The 99.9th percentile.
 * @property {number} max
 *
 * @typedef {object} Sample One slice.
 * @property {number} round From 0.
 * @property {string} driver
 * @property {number} c
 * @property {boolean} busy
 * @property {string|null} step Its label.
 * @property {number} at When it ended, by CLOCK_MONOTONIC: milliseconds.
 * @property {number} operations Completed ones, in units.
 * @property {number} milliseconds Wall time, until the last loop has ended.
 * @property {number} rate Operations per second.
 * @property {number|null} cpu User and system time of the process, microseconds per operation.
 * @property {Latency|null} latency
 * @property {Burst} [burst]
 *
 * @typedef {object} Figure One driver in one row.
 * @property {number} rate Operations per second: median of the rounds.
 * @property {number|null} ratio Rate / rate of the baseline in the same round: median of those.
 * @property {[number, number]|null} ratioRange Lowest and highest ratio of a round.
 * @property {number|null} ahead The share of the rounds in which the ratio is above 1.
 * @property {number|null} growth Rate / rate of this driver in the first row, likewise.
 * @property {number|null} cpu Microseconds per operation: median of the rounds.
 * @property {number|null} cpuRatio To that of the baseline, as `ratio`.
 * @property {Latency|null} latency Percentiles over all rounds together.
 * @property {{ p50: number, p99: number }|null} latencyRatio Times lower than the baseline's.
 * @property {Burst|null} burst
 * @property {{ p99: number, max: number }|null} loopDelay Milliseconds, over all rounds together.
 * @property {import('./gauge').Allocations|null} allocations
 *
 * @typedef {object} FloorFigure
 * @property {string} name
 * @property {number} rate Operations per second, median of the rounds.
 * @property {number} share Rate of the measured driver / that: median of those of each round.
 *
 * @typedef {object} RowFigures
 * @property {number} c
 * @property {boolean} busy
 * @property {string|null} step
 * @property {Record<string, Figure>} drivers
 * @property {Record<string, number>} times How many times the rate of each other driver the measured
 *   one has: median over the rounds.
 * @property {FloorFigure|null} floor
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} unit
 * @property {string} data
 * @property {boolean} growth
 * @property {boolean} aside
 * @property {RowFigures[]} rows
 * @property {Sample[]} samples Every slice, in the order they ran.
 */

const { createHistogram } = require('node:perf_hooks');
const { figuresOf, floorFigure, keyOf, latencyOf, ratiosOf } = require('./figures');
const { countAllocations, startDelayGauge } = require('./gauge');
const { Slice, runLanes, turnOfTheLoop } = require('./slice');

/** Stands for the floor in the order of a round. */
const FLOOR_SEAT = Object.freeze({});

/**
 * Least milliseconds of warm-up of each driver in each row, if the slices are not shorter: after less,
 * the first rounds are a tenth slower, for want of compiled code.
 */
const WARM_UP = 250;

/** Part of each slice that runs before it, uncounted. */
const LEAD_IN = 1 / 3;

/** Longest operation that a lead-in has room for: part of it. */
const SHORT = 1 / 4;

/** Milliseconds after which what is not done, beyond its own time, counts as never to be done. */
const PATIENCE = 60_000;

/** The same, once the user wants to leave. */
const PATIENCE_WHEN_ABORTED = 2_000;

/** Thrown by `measure` after `Harness.abort()`. */
class Interrupted extends Error {}

/** Thrown by `measure` if an operation does not settle. It may keep the process from ending. */
class Stalled extends Error {}

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

/** What is gathered over the rounds of a workload. */
class Gathered {
  constructor() {
    this.samples = [];
    this.latencies = new Map();
    this.delays = new Map();
    this.allocations = new Map();
  }

  /**
   * @param {number} round
   * @param {Row} row
   * @param {object} sample
   */
  add(round, row, { histogram = null, delay = null, ...sample }) {
    this.samples.push({ round, ...sample });
    const key = keyOf(sample.driver, row);
    for (const [all, own] of [
      [this.latencies, histogram],
      [this.delays, delay],
    ]) {
      if (own === null) continue;
      if (!all.has(key)) all.set(key, createHistogram());
      all.get(key).add(own);
    }
  }
}

/** Runs workloads. One at a time. */
class Harness {
  /**
   * @param {object} settings
   * @param {Driver[]} settings.drivers In the order of the report.
   * @param {string} settings.baseline Name of the driver that the ratios are to.
   * @param {string} [settings.measured] Name of the driver that others are held against.
   * @param {Pick<import('./floor').Floors, 'lack'|'run'|'abort'>|null} [settings.floor]
   * @param {{ set: (busy: boolean) => Promise<void> }} [settings.spinners] Keep the other cores
   *   busy. Without them no row is measured so.
   * @param {number} settings.rounds
   * @param {number} settings.slice Milliseconds.
   * @param {(milliseconds: number) => void} [settings.onSlice] After each slice, with its length.
   * @param {number} [settings.patience] Milliseconds until an operation counts as stalled.
   */
  constructor(settings) {
    this.drivers = settings.drivers;
    this.baseline = settings.baseline;
    this.measured = settings.measured ?? null;
    this.floor = settings.floor ?? null;
    this.spinners = settings.spinners ?? null;
    this.rounds = settings.rounds;
    this.slice = settings.slice;
    this.onSlice = settings.onSlice ?? (() => {});
    this.patience = settings.patience ?? PATIENCE;
    /** What runs now, for messages: 'workload, driver, c'. */
    this.current = '';
    this.aborted = false;
    this.running = null;
    this.workload = null;
    this.hurry = () => {};
  }

  /** Ends the current slice early; `measure` then rejects, with Interrupted if all goes well. */
  abort() {
    this.aborted = true;
    if (this.running !== null) this.running.running = false;
    this.floor?.abort();
    this.workload?.abort?.();
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
    const slices = this.plan(workload, this.driversOf(workload), 0).length;
    const length = this.sliceLength(workload);
    return slices * (length * this.roundsOf(workload) + this.warmUp(workload));
  }

  driversOf(workload) {
    return workload.drivers?.(this.drivers) ?? this.drivers;
  }

  roundsOf({ mostRounds = Infinity }) {
    return Math.min(this.rounds, mostRounds);
  }

  /** @returns {Row[]} c=1 also with the other cores busy. */
  rowsOf({ concurrency, steps, latency, load, slice, busy = true }) {
    if (steps) return steps.map((step) => ({ c: concurrency[0], busy: false, step }));
    const both = busy && this.spinners !== null && !latency && !load && !slice;
    return concurrency.flatMap((c) => {
      const row = { c, busy: false, step: null };
      return c === 1 && both ? [row, { ...row, busy: true }] : [row];
    });
  }

  /** Whether a slice of each round of a row is a floor's. */
  hasFloor({ floor }, { c, busy }) {
    return Boolean(floor) && this.floor !== null && floor.c === c && !busy && !this.lackOf(floor);
  }

  lackOf(floor) {
    return this.floor.lack?.(floor) ?? null;
  }

  sliceLength(workload) {
    return this.slice * (workload.sliceFactor ?? 1);
  }

  /** Milliseconds. */
  warmUp(workload) {
    if (workload.cold) return 0;
    const length = this.sliceLength(workload);
    return Math.max(length / 2, Math.min(2 * length, WARM_UP));
  }

  /**
   * Verifies, warms up and times a workload.
   *
   * @param {Workload} workload
   * @returns {Promise<Result>}
   */
  async measure(workload) {
    const seats = [];
    this.workload = workload;
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
      this.workload = null;
      if (load !== null) await load.stop();
      // Closing would wait for what never ends.
      if (!stalled) await this.patiently(closeAll(workload, seats));
    }
  }

  /** Warm-up, for the compiler and the caches, then the rounds. */
  async time(workload, seats) {
    const warmUp = this.warmUp(workload);
    for (const { seat, row } of this.plan(workload, seats, 0)) {
      if (seat === FLOOR_SEAT || workload.cold) this.onSlice(warmUp);
      else await this.runSlice(workload, seat, row, warmUp);
    }
    const gathered = new Gathered();
    if (workload.allocations) await this.weigh(workload, seats, gathered);
    for (let round = 0; round < this.roundsOf(workload); round++) {
      for (const { seat, row } of this.plan(workload, seats, round)) {
        const length = this.sliceLength(workload);
        const sample =
          seat === FLOOR_SEAT
            ? await this.runFloor(workload, row, length)
            : await this.runSlice(workload, seat, row, length);
        gathered.add(round, row, sample);
      }
    }
    return this.result(workload, seats, gathered);
  }

  /** @returns {Result} */
  result({ name, unit, data, growth = false, aside = false, floor, ...workload }, seats, gathered) {
    const names = seats.map(({ driver }) => driver.name);
    const rows = this.rowsOf(workload);
    const { samples } = gathered;
    return {
      name,
      unit,
      data,
      growth,
      aside,
      rows: rows.map((row) => ({
        c: row.c,
        busy: row.busy,
        step: row.step?.label ?? null,
        drivers: figuresOf({ ...gathered, names, row, first: rows[0] }, this.baseline),
        times: ratiosOf(row, samples, this.measured),
        floor: floor ? floorFigure(row, samples, this.measured, floor.name) : null,
      })),
      samples,
    };
  }

  /** What an operation allocates, of each driver in each row. */
  async weigh(workload, seats, { allocations }) {
    for (const row of this.rowsOf(workload).filter(({ busy }) => !busy)) {
      for (const { driver, state } of seats) {
        this.current = `${workload.name}, ${driver.name}, allocations`;
        const counted = countAllocations(workload, driver, state, row);
        allocations.set(keyOf(driver.name, row), await this.patiently(counted));
      }
    }
  }

  /** The slices of a round. */
  plan(workload, seats, round) {
    return this.rowsOf(workload).flatMap((row) =>
      orderOf([...seats, ...(this.hasFloor(workload, row) ? [FLOOR_SEAT] : [])], round).map(
        (seat) => ({ seat, row }),
      ),
    );
  }

  async runSlice(workload, seat, row, milliseconds) {
    const { driver, state } = seat;
    const { c, busy, step } = row;
    this.stopIfAborted();
    await this.spinners?.set(busy);
    await turnOfTheLoop();
    this.stopIfAborted();
    const where = step?.label ?? `${c} in flight`;
    this.current = `${workload.name}, ${driver.name}${driver.sync && !step ? '' : `, ${where}`}`;

    if (workload.slice) return this.runElsewhere(workload, seat, row, milliseconds);
    await this.leadIn(workload, seat, row, milliseconds);
    const gauge = workload.loopDelay === true && !driver.sync ? startDelayGauge() : null;
    const cpuBefore = process.cpuUsage();
    // Before the slice, or one that ends at once at its deadline would be shorter than was asked for.
    const began = performance.now();
    const slice = new Slice(milliseconds, seat.turn, workload.latency === true);
    this.running = slice;
    const lanes = runLanes(slice, workload, driver, state, row);
    await (driver.sync ? lanes : this.patiently(lanes, milliseconds));
    const elapsed = performance.now() - began;
    const cpu = process.cpuUsage(cpuBefore);
    this.running = null;
    const ended = sampleOf(driver.name, row);
    seat.turn = slice.turn;
    seat.pace = (elapsed * (driver.sync ? 1 : c)) / slice.operations;
    const delay = gauge === null ? null : gauge();

    if (slice.error !== null) throw slice.error;
    this.stopIfAborted();
    this.onSlice(milliseconds);
    const operations = slice.operations * (step?.weight ?? workload.weight ?? 1);
    return {
      ...ended,
      operations,
      milliseconds: elapsed,
      rate: (operations / elapsed) * 1e3,
      cpu: workload.cpu === false ? null : (cpu.user + cpu.system) / operations,
      latency: slice.histogram === null ? null : latencyOf(slice.histogram),
      histogram: slice.histogram,
      delay,
    };
  }

  /** Lets a driver find its own pace again, after what others left in the caches and the heap. */
  async leadIn(workload, seat, row, milliseconds) {
    const length = milliseconds * LEAD_IN;
    if (!(seat.pace < length * SHORT)) return;
    const slice = new Slice(length, seat.turn, false);
    this.running = slice;
    const lanes = runLanes(slice, workload, seat.driver, seat.state, row);
    await (seat.driver.sync ? lanes : this.patiently(lanes, length));
    this.running = null;
    seat.turn = slice.turn;
    if (slice.error !== null) throw slice.error;
    this.stopIfAborted();
  }

  /** A slice whose work others do. */
  async runElsewhere(workload, { driver, state }, row, milliseconds) {
    const ran = await this.ended(workload.slice(driver, state, milliseconds, row), milliseconds);
    return {
      ...sampleOf(driver.name, row),
      latency: ran.histogram === null ? null : latencyOf(ran.histogram),
      ...ran,
    };
  }

  /** What another process did in a slice, with its rate. What an abort broke is Interrupted. */
  async ended(running, milliseconds) {
    let ran;
    try {
      ran = await this.patiently(running, milliseconds);
    } catch (error) {
      this.stopIfAborted();
      throw error;
    }
    this.onSlice(milliseconds);
    return { ...ran, rate: (ran.operations / ran.milliseconds) * 1e3 };
  }

  /** A slice of another program. It warms itself up. */
  async runFloor({ name, floor }, row, milliseconds) {
    this.stopIfAborted();
    await this.spinners?.set(false);
    this.current = `${name}, ${floor.name}, ${row.c} in flight`;
    const ran = await this.ended(this.floor.run(floor, milliseconds), milliseconds);
    return { ...sampleOf(floor.name, row), ...ran };
  }

  stopIfAborted() {
    if (this.aborted) throw new Interrupted('interrupted');
  }
}

/** What is the same in all samples of a driver in a row, and what most have not. */
const sampleOf = (driver, { c, busy, step }) => ({
  driver,
  c,
  busy,
  step: step?.label ?? null,
  at: Number(process.hrtime.bigint()) / 1e6,
  cpu: null,
  latency: null,
});

async function closeAll(workload, seats) {
  for (const { driver, state } of seats) await workload.close(driver, state);
}

module.exports = { Harness, Interrupted, Stalled, orderOf };
