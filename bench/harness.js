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
 * @property {number} [sliceFactor] Times the usual slice length, for slow operations. Default 1.
 * @property {number} [weight] Units that one operation does (files of a batch, MiB of a stream).
 *   Default 1. Rates and CPU are per unit.
 * @property {boolean} [loopDelay] Report how long the event loop was held up (not for synchronous
 *   drivers, which hold it up all the time).
 * @property {(drivers: Driver[]) => Driver[]} [drivers] Who takes part, if not all as they are.
 * @property {import('./floor').FloorWork} [floor] What a program in C does for comparison.
 * @property {() => string|null} [unavailable] Why it cannot run here, asked right before it would.
 * @property {(driver: Driver) => Promise<object>} open What the other functions get as `state`.
 * @property {(driver: Driver, state: object) => Promise<void>} verify Throws on a wrong byte.
 * @property {(driver: Driver, state: object, turn: number, lane: number) => any} operation One
 *   operation: a promise, or the value if the driver is a synchronous one. `turn` counts the
 *   operations of this driver, `lane` is the number of the loop, from 0.
 * @property {(driver: Driver, state: object, milliseconds: number) => Promise<Ran>} [slice] Takes
 *   the place of `operation` where other processes do the work.
 * @property {() => void} [abort] Ends the processes of a slice early.
 * @property {boolean} [cold] No warm-up.
 * @property {number} [mostRounds] Rounds that are enough of a long slice.
 * @property {(driver: Driver, state: object) => Promise<void>} close
 * @property {{ description: string, start: () => { stop: () => Promise<void> } }} [load] What runs
 *   beside it while it is timed.
 *
 * @typedef {import('./drivers').Driver} Driver
 *
 * @typedef {object} Ran A slice that another process did.
 * @property {number} operations
 * @property {number} milliseconds
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
 * @property {number} p99
 * @property {number} max
 *
 * @typedef {object} Sample One slice.
 * @property {number} round From 0.
 * @property {string} driver
 * @property {number|null} c Operations in flight; null for a synchronous driver.
 * @property {boolean} busy The other cores were kept busy.
 * @property {number} operations Completed ones, in units.
 * @property {number} milliseconds Wall time, until the last loop has ended.
 * @property {number} rate Operations per second.
 * @property {number|null} cpu User and system time of the process, microseconds per operation.
 * @property {Latency|null} latency
 * @property {Burst} [burst]
 * @property {number|null} loopDelay Longest delay of the event loop, in milliseconds.
 *
 * @typedef {object} Figure One driver at one number of operations in flight.
 * @property {number} rate Operations per second: median of the rounds.
 * @property {number|null} ratio Rate / rate of the baseline in the same round: median of those.
 * @property {[number, number]|null} ratioRange Lowest and highest ratio of a round.
 * @property {number|null} cpu Microseconds per operation: median of the rounds.
 * @property {Latency|null} latency Percentiles over all rounds together.
 * @property {{ p50: number, p99: number }|null} latencyRatio Times lower than the baseline's.
 * @property {Burst|null} burst Of the last round.
 * @property {number|null} loopDelay Milliseconds: the longest of all rounds.
 *
 * @typedef {object} FloorFigure
 * @property {number} rate Of the program in C: operations per second, median of the rounds.
 * @property {number} share Rate of the measured driver / that: median of those of each round.
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} unit
 * @property {string} data
 * @property {{ c: number, busy: boolean, drivers: Record<string, Figure>, floor: FloorFigure|null }[]} rows
 * @property {Sample[]} samples Every slice, in the order they ran.
 */

const { createHistogram } = require('node:perf_hooks');

const { FLOOR } = require('./floor');

/** Stands for the floor in the order of a round. */
const FLOOR_SEAT = Object.freeze({});

/** Milliseconds between two looks at the clock within a slice. */
const CLOCK_INTERVAL = 1;

/** Most operations between two looks at the clock. */
const MOST_UNCHECKED = 4096;

/** Milliseconds between two looks of the timer that sees how late the event loop is. */
const DELAY_RESOLUTION = 1;

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
  if (histogram.count === 0) return { samples: 0, p50: NaN, p99: NaN, max: NaN };
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
   * @param {string} [settings.measured] Name of the driver that the floor is held against.
   * @param {import('./floor').Floor|null} [settings.floor] Null if there is none here.
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
    const drivers = this.driversOf(workload);
    const sync = drivers.filter((driver) => driver.sync).length;
    const rows = this.rowsOf(workload);
    const slices =
      (drivers.length - sync) * rows.length +
      sync * rows.filter(({ sync: too }) => too).length +
      this.floors(workload);
    return slices * this.sliceLength(workload) * (this.roundsOf(workload) + 0.5);
  }

  driversOf(workload) {
    return workload.drivers?.(this.drivers) ?? this.drivers;
  }

  roundsOf({ mostRounds = Infinity }) {
    return Math.min(this.rounds, mostRounds);
  }

  /** Rows: c=1 also with the other cores busy. Synchronous drivers take part once in each state. */
  rowsOf(workload) {
    const { concurrency, latency, load, slice } = workload;
    const both = this.spinners !== null && !latency && !load && !slice;
    return concurrency.flatMap((c, index) => {
      const row = { c, busy: false, sync: index === 0 };
      return c === 1 && both ? [row, { c, busy: true, sync: true }] : [row];
    });
  }

  /** How many slices of a round are the floor's. */
  floors(workload) {
    return this.floor !== null && workload.floor ? 1 : 0;
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

  /** Warm-up (a half slice each, for the compiler and the caches), then the rounds. */
  async time(workload, seats) {
    const length = this.sliceLength(workload);
    for (const { seat, c, busy } of this.plan(workload, seats, 0)) {
      if (seat === FLOOR_SEAT || workload.cold) this.onSlice(length / 2);
      else await this.runSlice(workload, seat, { c, busy }, length / 2);
    }
    const samples = [];
    const histograms = new Map();
    for (let round = 0; round < this.roundsOf(workload); round++) {
      for (const { seat, c, busy } of this.plan(workload, seats, round)) {
        if (seat === FLOOR_SEAT) {
          samples.push({ round, ...(await this.runFloor(workload, c, length)) });
          continue;
        }
        const { histogram, ...sample } = await this.runSlice(workload, seat, { c, busy }, length);
        samples.push({ round, ...sample });
        if (histogram !== null) {
          const key = keyOf(seat.driver.name, sample.c, busy);
          if (!histograms.has(key)) histograms.set(key, createHistogram());
          histograms.get(key).add(histogram);
        }
      }
    }
    const { name, unit, data } = workload;
    const rows = this.rowsOf(workload).map(({ c, busy }) => ({
      c,
      busy,
      drivers: this.figures(
        seats.map(({ driver }) => driver),
        { c, busy },
        samples,
        histograms,
      ),
      floor: busy ? null : this.floorFigure(c, samples),
    }));
    return { name, unit, data, rows, samples };
  }

  /** The slices of a round. */
  plan(workload, seats, round) {
    return this.rowsOf(workload).flatMap(({ c, busy, sync }) =>
      orderOf(
        [
          ...seats.filter(({ driver }) => !driver.sync || sync),
          ...(this.floors(workload) > 0 && workload.floor.c === c && !busy ? [FLOOR_SEAT] : []),
        ],
        round,
      ).map((seat) => ({ seat, c, busy })),
    );
  }

  async runSlice(workload, seat, { c, busy }, milliseconds) {
    const { driver, state } = seat;
    this.stopIfAborted();
    await this.spinners?.set(busy);
    await turnOfTheLoop();
    if (typeof globalThis.gc === 'function') globalThis.gc();
    this.stopIfAborted();
    this.current = `${workload.name}, ${driver.name}${driver.sync ? '' : `, ${c} in flight`}`;

    if (workload.slice) return this.runElsewhere(workload, seat, c, milliseconds);
    const timed = workload.latency === true;
    const gauge = workload.loopDelay === true && !driver.sync ? startGauge() : null;
    const cpuBefore = process.cpuUsage();
    // Before the slice, or one that ends at once at its deadline would be shorter than was asked for.
    const began = performance.now();
    const slice = new Slice(milliseconds, seat.turn, timed);
    this.running = slice;
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
    const loopDelay = gauge === null ? null : gauge();

    if (slice.error !== null) throw slice.error;
    this.stopIfAborted();
    this.onSlice(milliseconds);
    const operations = slice.operations * (workload.weight ?? 1);
    return {
      driver: driver.name,
      c: driver.sync ? null : c,
      busy,
      operations,
      milliseconds: elapsed,
      rate: (operations / elapsed) * 1e3,
      cpu: workload.cpu === false ? null : (cpu.user + cpu.system) / operations,
      latency: timed ? latencyOf(slice.histogram) : null,
      loopDelay,
      histogram: slice.histogram,
    };
  }

  /** A slice whose work other processes do. */
  async runElsewhere(workload, { driver, state }, c, milliseconds) {
    const ran = await this.ended(workload.slice(driver, state, milliseconds), milliseconds);
    return {
      driver: driver.name,
      c: driver.sync ? null : c,
      busy: false,
      cpu: null,
      latency: ran.histogram === null ? null : latencyOf(ran.histogram),
      loopDelay: null,
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

  /** A slice of the program in C. It warms itself up. */
  async runFloor({ name, floor }, c, milliseconds) {
    this.stopIfAborted();
    await this.spinners?.set(false);
    this.current = `${name}, ${FLOOR}, ${c} in flight`;
    const ran = await this.ended(this.floor.run(floor, milliseconds), milliseconds);
    return {
      driver: FLOOR,
      c,
      busy: false,
      ...ran,
      cpu: null,
      latency: null,
      loopDelay: null,
    };
  }

  /** @returns {FloorFigure|null} */
  floorFigure(c, samples) {
    const of = (name) =>
      samples.filter((sample) => sample.driver === name && sample.c === c && !sample.busy);
    const floors = of(FLOOR);
    if (floors.length === 0) return null;
    const own = new Map(of(this.measured).map(({ round, rate }) => [round, rate]));
    return {
      rate: median(floors.map(({ rate }) => rate)),
      share: median(floors.map(({ round, rate }) => own.get(round) / rate)),
    };
  }

  /** The figures of one row: every driver with c operations in flight. */
  figures(drivers, { c, busy }, samples, histograms) {
    const of = (driver) =>
      samples.filter((sample) => {
        return (
          sample.driver === driver.name &&
          sample.busy === busy &&
          sample.c === (driver.sync ? null : c)
        );
      });
    const baseline = drivers.find(({ name }) => name === this.baseline);
    const baseRates = new Map(baseline ? of(baseline).map(({ round, rate }) => [round, rate]) : []);
    const baseHistogram = histograms.get(keyOf(this.baseline, c, busy));

    const figures = {};
    for (const driver of drivers) {
      const own = of(driver);
      const ratios = own
        .filter(({ round }) => baseRates.has(round))
        .map(({ round, rate }) => rate / baseRates.get(round));
      const cpus = own.map(({ cpu }) => cpu).filter((cpu) => cpu !== null);
      const histogram = histograms.get(keyOf(driver.name, driver.sync ? null : c, busy));
      const delays = own.map(({ loopDelay }) => loopDelay).filter((delay) => delay !== null);
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
        burst: own.at(-1)?.burst ?? null,
        loopDelay: delays.length > 0 ? Math.max(...delays) : null,
      };
    }
    return figures;
  }

  stopIfAborted() {
    if (this.aborted) throw new Interrupted('interrupted');
  }
}

/**
 * Sees how late a timer is. Ours, because that of `perf_hooks` forgets the first delay.
 *
 * @returns {() => number} Ends it, and gives the longest delay in milliseconds.
 */
function startGauge() {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last - DELAY_RESOLUTION);
    last = now;
  };
  const timer = setInterval(look, DELAY_RESOLUTION);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}

async function closeAll(workload, seats) {
  for (const { driver, state } of seats) await workload.close(driver, state);
}

const keyOf = (driver, c, busy) => `${driver} ${c} ${busy}`;

module.exports = { Harness, Interrupted, Stalled, median, orderOf };
