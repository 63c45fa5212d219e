'use strict';

/**
 * From the slices of a workload to its figures.
 *
 * @typedef {import('./harness').Sample} Sample
 * @typedef {import('./harness').Row} Row
 * @typedef {import('./harness').Figure} Figure
 */

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

/** @returns {number|null} The median; null of nothing. */
const medianOrNull = (values) => (values.length > 0 ? median(values) : null);

/**
 * @param {import('node:perf_hooks').Histogram} histogram Of nanoseconds.
 * @returns {import('./harness').Latency}
 */
function latencyOf(histogram) {
  if (histogram.count === 0)
    return { samples: 0, p50: NaN, p90: NaN, p99: NaN, p999: NaN, max: NaN };
  const percentile = (percent) => histogram.percentile(percent) / 1e3;
  return {
    samples: histogram.count,
    p50: percentile(50),
    p90: percentile(90),
    p99: percentile(99),
    p999: percentile(99.9),
    max: histogram.max / 1e3,
  };
}

/** Whether a slice belongs to a row. */
const isOf = (row) => (sample) =>
  sample.c === row.c && sample.busy === row.busy && sample.step === (row.step?.label ?? null);

/** Names a driver in a row, for what is gathered over the rounds. */
const keyOf = (driver, { c, busy, step }) => `${driver} ${c} ${busy} ${step?.label ?? ''}`;

/**
 * The quotients of two drivers' (or two rows') slices, round by round: what moved between rounds,
 * such as the speed of a virtual machine, is in both.
 *
 * @param {Sample[]} own
 * @param {Sample[]} others
 * @param {(sample: Sample) => number|null} value
 * @returns {number[]}
 */
function pairwise(own, others, value) {
  const byRound = new Map(others.map((sample) => [sample.round, value(sample)]));
  return own
    .filter((sample) => value(sample) !== null && byRound.get(sample.round) > 0)
    .map((sample) => value(sample) / byRound.get(sample.round));
}

const rateOf = ({ rate }) => rate;
const cpuOf = ({ cpu }) => cpu;

/**
 * @param {object} gathered
 * @param {string[]} gathered.names Of the drivers.
 * @param {Row} gathered.row
 * @param {Row} gathered.first The row that growth is told from.
 * @param {Sample[]} gathered.samples Of the workload.
 * @param {Map<string, import('node:perf_hooks').Histogram>} gathered.latencies By keyOf().
 * @param {Map<string, import('node:perf_hooks').Histogram>} gathered.delays By keyOf().
 * @param {Map<string, import('./gauge').Allocations>} gathered.allocations By keyOf().
 * @param {string} baseline Name of a driver.
 * @returns {Record<string, Figure>} By driver.
 */
function figuresOf({ names, row, first, samples, latencies, delays, allocations }, baseline) {
  const of = (name, where = row) =>
    samples.filter(({ driver }) => driver === name).filter(isOf(where));
  const theirs = of(baseline);
  const base = latencies.get(keyOf(baseline, row));
  const figureOf = (name) => {
    const own = of(name);
    const ratios = pairwise(own, theirs, rateOf);
    const histogram = latencies.get(keyOf(name, row));
    const delay = delays.get(keyOf(name, row));
    const part = (percent) => base.percentile(percent) / histogram.percentile(percent);
    return {
      rate: median(own.map(rateOf)),
      ratio: medianOrNull(ratios),
      ratioRange: ratios.length > 0 ? [Math.min(...ratios), Math.max(...ratios)] : null,
      ahead: ratios.length > 0 ? ratios.filter((ratio) => ratio > 1).length / ratios.length : null,
      growth: medianOrNull(pairwise(own, of(name, first), rateOf)),
      cpu: medianOrNull(own.map(cpuOf).filter((cpu) => cpu !== null)),
      cpuRatio: medianOrNull(pairwise(own, theirs, cpuOf)),
      latency: histogram ? latencyOf(histogram) : null,
      latencyRatio: histogram && base ? { p50: part(50), p99: part(99) } : null,
      burst: burstOf(own),
      loopDelay: delay ? { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 } : null,
      allocations: allocations.get(keyOf(name, row)) ?? null,
    };
  };
  return Object.fromEntries(names.map((name) => [name, figureOf(name)]));
}

/** @returns {import('./harness').Burst|null} Of all rounds: the worst of each but the time. */
function burstOf(samples) {
  const bursts = samples.flatMap(({ burst }) => burst ?? []);
  if (bursts.length === 0) return null;
  const failed = ({ failures }) => Object.values(failures).reduce((sum, count) => sum + count, 0);
  return {
    milliseconds: median(bursts.map(({ milliseconds }) => milliseconds)),
    failures: bursts.reduce((a, b) => (failed(b) > failed(a) ? b : a)).failures,
    bytes: Math.max(...bursts.map(({ bytes }) => bytes)),
    above: Math.max(...bursts.map(({ above }) => above)),
  };
}

/**
 * @param {Row} row
 * @param {Sample[]} samples
 * @param {string} measured Name of a driver.
 * @returns {Record<string, number>} By each other driver: how many times its rate that driver has.
 */
function ratiosOf(row, samples, measured) {
  const inRow = samples.filter(isOf(row));
  const own = inRow.filter(({ driver }) => driver === measured);
  const others = new Set(inRow.map(({ driver }) => driver));
  others.delete(measured);
  const entries = [...others].map((name) => {
    const theirs = inRow.filter(({ driver }) => driver === name);
    return [name, medianOrNull(pairwise(own, theirs, rateOf))];
  });
  return Object.fromEntries(entries.filter(([, ratio]) => ratio !== null));
}

/**
 * @param {Row} row
 * @param {Sample[]} samples
 * @param {string} measured Name of a driver.
 * @param {string} name Of the floor.
 * @returns {import('./harness').FloorFigure|null}
 */
function floorFigure(row, samples, measured, name) {
  const inRow = samples.filter(isOf(row));
  const floors = inRow.filter(({ driver }) => driver === name);
  if (floors.length === 0) return null;
  const own = inRow.filter(({ driver }) => driver === measured);
  return {
    name,
    rate: median(floors.map(rateOf)),
    share: medianOrNull(pairwise(own, floors, rateOf)),
  };
}

module.exports = { figuresOf, floorFigure, keyOf, latencyOf, median, ratiosOf };
