'use strict';

/**
 * What people and programs get to see.
 *
 * @typedef {import('./harness').Result} Result
 */

const fs = require('node:fs');
const Table = require('cli-table3');
const { BASELINE, URING } = require('./drivers');
const { formatBytes } = require('./files');

/** Version of the shape of the JSON. */
const SCHEMA = 1;

/** Average load per core from which other work on the machine is worth a warning. */
const BUSY = 0.3;

/** Fewest samples for a 99th percentile that is not just the maximum. */
const ENOUGH_SAMPLES = 100;

/**
 * @param {number} value
 * @returns {string} With about three significant digits, and no more.
 */
function formatNumber(value) {
  if (!Number.isFinite(value)) return '-';
  if (value >= 99.95) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

const formatRatio = (ratio) => `${formatNumber(ratio)}x`;

/** @param {number} microseconds */
function formatTime(microseconds) {
  if (microseconds < 1e3) return `${formatNumber(microseconds)} \u00b5s`;
  if (microseconds < 1e6) return `${formatNumber(microseconds / 1e3)} ms`;
  return `${formatNumber(microseconds / 1e6)} s`;
}

/**
 * @param {object} environment See environment.js.
 * @param {{ rounds: number, slice: number }} settings
 * @param {import('./harness').Workload[]} workloads Those that will run.
 * @returns {string}
 */
function header(environment, { rounds, slice }, workloads) {
  const { ring, loadAverage, cpus } = environment;
  const because = ring.reason ? ` (${ring.reason})` : '';
  const setup = ring.setupFlags?.length ? `, ${[ring.setupFlags].flat().join(' ')}` : '';
  const lines = [
    `Node ${environment.node.slice(1)}, libuv ${environment.uv}; ` +
      `${environment.platform} ${environment.kernel}, ${environment.architecture}`,
    `${cpus} CPUs (${environment.cpuModel}), load ${loadAverage.toFixed(2)}; ` +
      `thread pool: ${environment.threadPoolSize} (UV_THREADPOOL_SIZE)`,
    `uring-fs ${environment.package}: backend ${ring.backend}${because}${setup}`,
    `temporary files on ${environment.fileSystem}; ${rounds} rounds of ${slice} ms slices`,
    ...distinct(
      'data',
      workloads.map(({ data }) => data),
    ),
    ...distinct(
      'load',
      workloads.flatMap(({ load }) => load?.description ?? []),
    ),
  ];
  if (workloads.some(({ concurrency, latency }) => concurrency.includes(1) && !latency)) {
    lines.push(
      "c=1 runs twice, the second time ('1 busy') with the other cores kept busy: waking a sleeping",
      'core costs tens of microseconds on a virtual machine, which only a thread pool pays at c=1.',
    );
  }
  if (ring.backend !== 'io_uring') {
    lines.push('No io_uring here: the uring-fs column is fs/promises behind one more call.');
  }
  if (loadAverage > cpus * BUSY) {
    lines.push('Other programs are using this machine: expect noise.');
  }
  return lines.join('\n');
}

const distinct = (label, texts) => [...new Set(texts)].map((text) => `${label}: ${text}`);

/**
 * @param {string[]} head
 * @param {Result[]} results
 * @param {(figure: import('./harness').Figure, name: string, first: boolean) => string} cell
 */
function tableOf(head, results, cell) {
  const names = Object.keys(results[0].rows[0].drivers);
  const table = new Table({
    head,
    colAligns: head.map(() => 'right'),
    style: { head: [], border: [], 'padding-left': 1, 'padding-right': 1 },
  });
  for (const { name, unit, rows } of results) {
    table.push([{ colSpan: head.length, hAlign: 'left', content: `${name} (${unit})` }]);
    const cells = rows.map(({ c, busy, drivers }, index) => [
      busy ? `${c} busy` : c,
      ...names.map((driver) => cell(drivers[driver], driver, index === 0 || busy)),
    ]);
    // One table row for all: a border between each would double the length.
    table.push(head.map((_, column) => cells.map((row) => row[column]).join('\n')));
  }
  return table.toString();
}

/** Texts in columns of the given widths, aligned to the right. */
const columns = (widths, ...texts) =>
  texts.map((text, index) => text.padStart(widths[index])).join(' ');

/** Whether a driver was measured once only, as synchronous ones are. */
const measuredOnce = ({ samples }, name) =>
  samples.some(({ driver, c }) => driver === name && c === null);

/**
 * @param {Result[]} results
 * @returns {string} Of the rates.
 */
function rateTable(results) {
  const names = Object.keys(results[0].rows[0].drivers);
  const line = (name, rate, ratio, cpu) =>
    name === BASELINE ? columns([9, 5], rate, cpu) : columns([9, 6, 5], rate, ratio, cpu);
  const headings = names.map((name) => `${name}\n${line(name, 'per s', 'ratio', 'CPU')}`);
  return tableOf(['c', ...headings], results, ({ rate, ratio, cpu }, name, first) => {
    // Only the ratio differs from row to row.
    if (measuredOnce(results[0], name) && !first) return line(name, '', formatRatio(ratio), '');
    return line(name, formatNumber(rate), formatRatio(ratio), formatNumber(cpu));
  });
}

/**
 * @param {Result[]} results
 * @returns {string} Of the latencies.
 */
function latencyTable(results) {
  const names = Object.keys(results[0].rows[0].drivers);
  const line = (...texts) => columns([7, 8, 6], ...texts);
  const headings = names.map((name) => `${name}\n${line('p50', 'p99 ', 'per s')}`);
  return tableOf(['c', ...headings], results, ({ latency, rate }, name, first) => {
    if (measuredOnce(results[0], name) && !first) return '';
    const few = latency.samples < ENOUGH_SAMPLES ? '*' : ' ';
    return line(formatTime(latency.p50), formatTime(latency.p99) + few, formatNumber(rate));
  });
}

/**
 * @param {Result} result
 * @returns {string} How the latency compares, with the fewest in flight.
 */
function latencySentence({ name, rows }) {
  const [{ c, drivers }] = rows;
  const { latency: ours, latencyRatio } = drivers[URING];
  const { latency: theirs } = drivers[BASELINE];
  const compare = (part) =>
    `${part} ${formatTime(ours[part])} against ${formatTime(theirs[part])} ` +
    `(${formatNumber(latencyRatio[part])} times lower)`;
  return (
    `${name}, ${c} in flight, ${URING} against ${BASELINE}: ` +
    `${compare('p50')}, ${compare('p99')}, ` +
    `${formatNumber(drivers[URING].ratio)} times the rate.`
  );
}

/**
 * @param {Result[]} results
 * @param {number} rounds
 * @returns {string} The tables and how to read them.
 */
function report(results, rounds) {
  const timed = results.filter(isTimed);
  const rated = results.filter((result) => !isTimed(result));
  const parts = [];
  if (rated.length > 0) {
    parts.push(
      ...groups(rated).map(rateTable),
      `c: operations in flight (sync: always one). per s: operations a second, median of ` +
        `${rounds} rounds.\nratio: to ${BASELINE}, median of the ratios within each round. ` +
        `CPU: the whole process, \u00b5s/operation.`,
    );
  }
  if (timed.length > 0) {
    const few = timed.some(({ rows }) =>
      rows.some(({ drivers }) =>
        Object.values(drivers).some(({ latency }) => latency.samples < ENOUGH_SAMPLES),
      ),
    );
    parts.push(
      ...groups(timed).map(latencyTable),
      `p50, p99: time from call to result, over all ${rounds} rounds. sync blocks the event loop.` +
        (few ? `\n*: of fewer than ${ENOUGH_SAMPLES} samples, so near the maximum.` : ''),
    );
  }
  if (timed.length > 0 && rated.length > 0) parts.push(timed.map(latencySentence).join('\n'));
  for (const sentencesOf of [floorSentences, burstSentences, delaySentences]) {
    const sentences = results.flatMap(sentencesOf);
    if (sentences.length > 0) parts.push(sentences.join('\n'));
  }
  parts.push(
    `Read c=1 with care: on an idle machine, a virtual one above all, each hand-over to a pool\n` +
      `thread wakes a sleeping core. That costs tens of microseconds and flatters every c=1 ratio ` +
      `to\n${BASELINE}; where the cores are busy anyway it is smaller. All files are in the page ` +
      `cache:\nnothing here waits for a disk, except where the kernel makes a write wait.`,
  );
  return parts.join('\n\n');
}

/** Lists of results that have the same drivers, for one table each. */
function groups(results) {
  const byDrivers = new Map();
  for (const result of results) {
    const key = Object.keys(result.rows[0].drivers).join();
    byDrivers.set(key, [...(byDrivers.get(key) ?? []), result]);
  }
  return [...byDrivers.values()];
}

/** @returns {string[]} How near the C floor the package comes. */
function floorSentences({ name, unit, rows }) {
  return rows.flatMap(({ c, floor }) => {
    if (!floor) return [];
    const share = formatNumber(floor.share);
    return `${name}, ${c} in flight: ${share} of the C floor (${formatNumber(floor.rate)} ${unit}/s).`;
  });
}

/** @returns {string[]} What came of operations all at once. */
function burstSentences({ name, rows }) {
  return Object.entries(rows[0].drivers)
    .filter(([, { burst }]) => burst)
    .map(([driver, { burst }]) => {
      const failures = Object.entries(burst.failures).map(([code, count]) => `${count} ${code}`);
      return (
        `${name}, ${driver}: ${formatTime(burst.milliseconds * 1e3)}, ` +
        `failures: ${failures.join(', ') || 'none'}, ` +
        `peak memory ${formatBytes(Math.max(0, burst.above))} above the results' bytes.`
      );
    });
}

/** @returns {string[]} How long the event loop was held up, if that was measured. */
function delaySentences({ name, rows }) {
  return rows.flatMap(({ c, drivers }) => {
    const delays = Object.entries(drivers)
      .filter(([, { loopDelay }]) => loopDelay !== null)
      .map(([driver, { loopDelay }]) => `${driver} ${formatTime(loopDelay * 1e3)}`);
    if (delays.length === 0) return [];
    return `${name}, ${c} in flight, longest delay of the event loop: ${delays.join(', ')}.`;
  });
}

/** Whether the operations of a workload were timed one by one. */
const isTimed = ({ rows }) => rows[0].drivers[URING].latency !== null;

/**
 * The result in one sentence: that of the first workload with a rate, with the most in flight.
 *
 * @param {Result[]} results
 * @returns {string}
 */
function summary(results) {
  const result = results.find((each) => !isTimed(each));
  if (result === undefined) return latencySentence(results[0]);
  const { c, drivers } = result.rows.at(-1);
  const { rate, ratio } = drivers[URING];
  return (
    `${result.name}, ${c} in flight: ${URING} served ${formatNumber(ratio)} times as many as ` +
    `${BASELINE} (${formatNumber(rate)} against ${formatNumber(drivers[BASELINE].rate)} ` +
    `${result.unit}/s).`
  );
}

/**
 * @param {string} file Written, or replaced.
 * @param {object} contents
 * @param {object} contents.environment See environment.js.
 * @param {object} contents.options What was asked for.
 * @param {Result[]} contents.results
 * @param {{ name: string, reason: string }[]} contents.skipped
 */
function writeJson(file, { environment, options, results, skipped }) {
  const contents = {
    schema: SCHEMA,
    environment,
    options,
    baseline: BASELINE,
    units: { rate: 'operations/s', cpu: 'us/operation', latency: 'us', milliseconds: 'ms' },
    summary: results.length > 0 ? summary(results) : null,
    workloads: results,
    skipped,
  };
  fs.writeFileSync(file, `${JSON.stringify(contents, null, 2)}\n`);
}

module.exports = { header, report, summary, writeJson };
