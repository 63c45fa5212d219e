'use strict';

/**
 * What people and programs get to see.
 *
 * @typedef {import('./harness').Result} Result
 */

const Table = require('cli-table3');
const { BASELINE, URING } = require('./drivers');
const { isBusy } = require('./environment');
const { formatBytes } = require('./files');
const { C_FLOOR } = require('./floor');
const { formatNumber, formatRatio, formatTime } = require('./format');

/** Version of the shape of the JSON. */
const SCHEMA = 2;

/** Fewest samples for a 99th percentile that is not just the maximum. */
const ENOUGH_SAMPLES = 100;

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
  if (
    workloads.some(
      ({ concurrency, latency, busy }) => concurrency.includes(1) && !latency && busy !== false,
    )
  ) {
    lines.push(
      "c=1 runs twice, the second time ('1 busy') with the other cores kept busy: waking a sleeping",
      'core costs tens of microseconds on a virtual machine, which only a thread pool pays at c=1.',
    );
  }
  if (ring.backend !== 'io_uring') {
    lines.push('No io_uring here: the uring-fs column is fs/promises behind one more call.');
  }
  if (isBusy(environment)) {
    lines.push('Other programs are using this machine: expect noise.');
  }
  return lines.join('\n');
}

const distinct = (label, texts) => [...new Set(texts)].map((text) => `${label}: ${text}`);

/**
 * @param {string[]} head
 * @param {Result[]} results
 * @param {(figure: import('./harness').Figure, name: string) => string} cell
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
    const cells = rows.map((row) => [
      labelOf(row),
      ...names.map((driver) => cell(row.drivers[driver], driver)),
    ]);
    // One table row for all: a border between each would double the length.
    table.push(head.map((_, column) => cells.map((row) => row[column]).join('\n')));
  }
  return table.toString();
}

/**
 * @param {import('./harness').RowFigures} row
 * @returns {string} '128', '1 busy', or what a step is called.
 */
const labelOf = ({ c, busy, step }) => step ?? `${c.toLocaleString('en-US')}${busy ? ' busy' : ''}`;

/** The same within a sentence. */
const whereOf = (row) => (row.step === null ? `${labelOf(row)} in flight` : row.step);

/** Texts in columns of the given widths, aligned to the right. */
const columns = (widths, ...texts) =>
  texts.map((text, index) => text.padStart(widths[index])).join(' ');

/**
 * @param {Result[]} results
 * @returns {string} Of the rates.
 */
function rateTable(results) {
  const names = Object.keys(results[0].rows[0].drivers);
  const line = (name, rate, ratio, cpu) =>
    name === BASELINE ? columns([9, 5], rate, cpu) : columns([9, 6, 5], rate, ratio, cpu);
  const headings = names.map((name) => `${name}\n${line(name, 'per s', 'ratio', 'CPU')}`);
  return tableOf(['c', ...headings], results, ({ rate, ratio, cpu }, name) =>
    line(name, formatNumber(rate), formatRatio(ratio), formatNumber(cpu)),
  );
}

/**
 * @param {Result[]} results
 * @returns {string} Of the latencies.
 */
function latencyTable(results) {
  const names = Object.keys(results[0].rows[0].drivers);
  const line = (...texts) => columns([7, 8, 6], ...texts);
  const headings = names.map((name) => `${name}\n${line('p50', 'p99 ', 'per s')}`);
  return tableOf(['c', ...headings], results, ({ latency, rate }) => {
    const few = latency.samples < ENOUGH_SAMPLES ? '*' : ' ';
    return line(formatTime(latency.p50), formatTime(latency.p99) + few, formatNumber(rate));
  });
}

/**
 * @param {Result} result
 * @returns {string} How the latency compares, with the fewest in flight.
 */
function latencySentence({ name, rows }) {
  const [row] = rows;
  const { drivers } = row;
  const { latency: ours, latencyRatio } = drivers[URING];
  const { latency: theirs } = drivers[BASELINE];
  const compare = (part) =>
    `${part} ${formatTime(ours[part])} against ${formatTime(theirs[part])} ` +
    `(${formatNumber(latencyRatio[part])} times lower)`;
  return (
    `${name}, ${whereOf(row)}, ${URING} against ${BASELINE}: ` +
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
  const compared = timed.filter(isCompared);
  if (compared.length > 0 && rated.length > 0) {
    parts.push(compared.map(latencySentence).join('\n'));
  }
  const kinds = [floorSentences, growthSentences, burstSentences, delaySentences];
  for (const sentencesOf of [...kinds, allocationSentences]) {
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

/** @returns {string[]} How near the package comes to a program that does only this. */
function floorSentences({ name, unit, rows }) {
  return rows.flatMap((row) => {
    if (!row.floor || row.floor.share === null) return [];
    const { name: floor, share, rate } = row.floor;
    const beside = `${formatNumber(share)} of ${floor === C_FLOOR ? 'the C floor' : floor}`;
    return `${name}, ${whereOf(row)}: ${beside} (${formatNumber(rate)} ${unit}/s).`;
  });
}

/** @returns {string[]} How the rates move from row to row, if that is what a workload is about. */
function growthSentences({ name, rows, growth }) {
  if (!growth) return [];
  return Object.keys(rows[0].drivers).map((driver) => {
    const parts = rows.slice(1).map((row) => {
      return `${formatNumber(row.drivers[driver].growth)} (${whereOf(row)})`;
    });
    return `${name}, ${driver}: times the rate with ${whereOf(rows[0])}: ${parts.join(', ')}.`;
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
  return rows.flatMap((row) => {
    const delays = Object.entries(row.drivers)
      .filter(([, { loopDelay }]) => loopDelay !== null)
      .map(
        ([
          driver,
          {
            loopDelay: { p99, max },
          },
        ]) => {
          return `${driver} ${formatTime(p99 * 1e3)}, at most ${formatTime(max * 1e3)}`;
        },
      );
    if (delays.length === 0) return [];
    return `${name}, ${whereOf(row)}, delay of the event loop (p99): ${delays.join('; ')}.`;
  });
}

/** @returns {string[]} What each operation allocates, if that was measured. */
function allocationSentences({ name, rows }) {
  return rows.flatMap((row) => {
    const parts = Object.entries(row.drivers)
      .filter(([, { allocations }]) => allocations !== null)
      .map(
        ([
          driver,
          {
            allocations: { heap, outside },
          },
        ]) => {
          const bytes = [heap, outside].map((each) => formatBytes(Math.round(each)));
          return `${driver} ${bytes[0]} of heap, ${bytes[1]} outside it`;
        },
      );
    if (parts.length === 0) return [];
    return `${name}, ${whereOf(row)}, allocated per operation: ${parts.join('; ')}.`;
  });
}

/** Whether the operations of a workload were timed one by one. */
const isTimed = ({ rows }) => Object.values(rows[0].drivers)[0].latency !== null;

/** Whether the driver that is measured and the one that ratios are to both took part. */
const isCompared = ({ rows: [{ drivers }] }) => Boolean(drivers[URING] && drivers[BASELINE]);

/**
 * The result in one sentence: that of the first workload with a rate, with the most in flight.
 *
 * @param {Result[]} results
 * @returns {string}
 */
function summary(results) {
  const result = results.find((each) => isCompared(each) && !isTimed(each));
  if (result === undefined) {
    const timed = results.find(isCompared);
    return timed ? latencySentence(timed) : `Nothing here is held against ${BASELINE}.`;
  }
  const row = result.rows.at(-1);
  const { [URING]: ours, [BASELINE]: theirs } = row.drivers;
  return (
    `${result.name}, ${whereOf(row)}: ${URING} served ${formatNumber(ours.ratio)} times as many as ` +
    `${BASELINE} (${formatNumber(ours.rate)} against ${formatNumber(theirs.rate)} ${result.unit}/s).`
  );
}

/**
 * @param {object} contents
 * @param {object} contents.environment See environment.js.
 * @param {object} contents.options What was asked for.
 * @param {Result[]} contents.results
 * @param {{ name: string, reason: string }[]} contents.skipped
 * @param {import('./cost').Cost|null} contents.cost
 * @returns {object} What `--json` writes.
 */
function json({ environment, options, results, skipped, cost }) {
  return {
    schema: SCHEMA,
    environment,
    options,
    baseline: BASELINE,
    units: {
      rate: 'operations/s',
      cpu: 'us/operation',
      latency: 'us',
      milliseconds: 'ms',
      loopDelay: 'ms',
      allocations: 'bytes/operation',
    },
    summary: results.length > 0 ? summary(results) : null,
    workloads: results,
    skipped,
    cost,
  };
}

module.exports = { header, json, labelOf, report, summary };
