'use strict';

/**
 * What the project wants to reach on a machine with two cores, and where a run tells how far it got.
 *
 * @typedef {object} Goal
 * @property {string} name Of the workload, for people.
 * @property {string} against What it is compared with.
 * @property {Record<string, number>} asked By major version of Node, or 'any'.
 * @property {string} suffix Of the figure: 'x', ' ms'.
 * @property {boolean} [most] The figure is to be at most that, not at least.
 * @property {RegExp} [workload] Name of the workload in a run.
 * @property {(row: import('./harness').RowFigures) => boolean} [row] Which of its rows.
 * @property {(row: import('./harness').RowFigures) => number|null|undefined} [figure]
 * @property {(cost: import('./cost').Cost) => number|null} [cost] In the place of those three.
 */

const { BASELINE, URING } = require('./drivers');
const { MIB } = require('./files');

const inFlight =
  (c, busy = false) =>
  (row) =>
    row.c === c && row.busy === busy && row.step === null;
const step = (label) => (row) => row.step === label;
const any = () => true;

const ratio = (row) => row.drivers[URING].ratio;
const times = (driver) => (row) => row.times[driver];
const share = (row) => row.floor?.share;
const cpuRatio = (row) => row.drivers[URING].cpuRatio;
const growth = (row) => row.drivers[URING].growth;
const lower = (part) => (row) => row.drivers[URING].latencyRatio?.[part];
const delay = (part) => (row) => row.drivers[URING].loopDelay?.[part];
const outside = (row) => row.drivers[URING].allocations?.outside;

const asked = (node24, node26) => ({ 24: node24, 26: node26 });
const always = (value) => ({ any: value });

const goals = [];

/** Adds goals for one row of a workload: each an array of what differs. */
function add(name, workload, row, ...figures) {
  for (const [against, limits, figure, suffix = 'x', most = false] of figures) {
    goals.push({ name, against, asked: limits, suffix, most, workload, row, figure });
  }
}

const fsPromises = (node24, node26) => [BASELINE, asked(node24, node26), ratio];
const sync = (name, limit) => [name, always(limit), times('sync')];
const cFloor = (limit) => ['C floor', always(limit), share];
const atMost = (against, limit, figure, suffix) => [against, always(limit), figure, suffix, true];

add(
  'readFile 4 KiB, c=1',
  /^readFile 4 KiB$/,
  inFlight(1),
  fsPromises(25, 6),
  sync('readFileSync', 0.9),
);
add(
  'readFile 4 KiB, c=128',
  /^readFile 4 KiB$/,
  inFlight(128),
  fsPromises(10, 1.6),
  sync('readFileSync', 1.3),
  [`CPU, ${BASELINE}`, asked(0.2, 0.6), cpuRatio, 'x', true],
);
add(
  'readFile 4 KiB utf8, c=128',
  /^readFile 4 KiB utf8$/,
  inFlight(128),
  fsPromises(12, 1.8),
  sync('readFileSync utf8', 2),
);
add(
  'readFile 64 KiB, c=64',
  /^readFile 64 KiB$/,
  inFlight(64),
  fsPromises(2.5, 1.5),
  sync('readFileSync', 1.1),
);
add(
  'readFile 1 MiB, c=16',
  /^readFile 1 MiB$/,
  inFlight(16),
  fsPromises(1.5, 1.3),
  sync('readFileSync', 1.2),
);
add(
  'readFile 1 GiB, c=1',
  /^readFile 1 GiB$/,
  inFlight(1),
  fsPromises(1.5, 1.3),
  atMost('loop delay, max', 10, delay('max'), ' ms'),
);
for (const [c, node24, node26] of [
  [1, 15, 12],
  [128, 6, 3.5],
]) {
  add(
    `FileHandle.read 4 KiB random, c=${c}`,
    /^FileHandle\.read 4 KiB random$/,
    inFlight(c),
    fsPromises(node24, node26),
    ...(c === 128 ? [cFloor(0.75)] : []),
  );
}
add(
  'FileHandle.read 4 KiB O_DIRECT, c=128',
  /^FileHandle\.read 4 KiB O_DIRECT$/,
  inFlight(128),
  fsPromises(3, 3),
  ['fio, io_uring', always(0.95), share],
);
for (const [c, node24, node26] of [
  [1, 1.2, 1.2],
  [128, 2.5, 2],
]) {
  add(
    `FileHandle.write 4 KiB random, c=${c}`,
    /^FileHandle\.write 4 KiB random$/,
    inFlight(c),
    fsPromises(node24, node26),
  );
}
for (const [c, node24, node26] of [
  [1, 1.3, 1.2],
  [128, 1.2, 1.2],
]) {
  add(
    `writeFile 4 KiB overwrite, c=${c}`,
    /^writeFile 4 KiB overwrite$/,
    inFlight(c),
    fsPromises(node24, node26),
  );
}
add('create + unlink, c=64', /^create \+ unlink$/, inFlight(64), fsPromises(1.5, 1.2));
for (const [c, node24, node26] of [
  [1, 2, 1.5],
  [128, 4.5, 4],
]) {
  add(`stat, c=${c}`, /^stat 4 KiB$/, inFlight(c), fsPromises(node24, node26));
}
add('open + close, c=64', /^open \+ close 4 KiB$/, inFlight(64), fsPromises(5, 4));
add(
  'FileHandle.createReadStream 1 GiB',
  /^FileHandle\.createReadStream 1 GiB$/,
  any,
  fsPromises(2, 1.8),
);
add('write + datasync, 8 logs', /^append 4 KiB \+ datasync/, any, fsPromises(1.2, 1.2));
add(
  'readFile beside 8 pbkdf2 loops, c=1',
  /^readFile 4 KiB beside 8 pbkdf2/,
  inFlight(1),
  [`p50, ${BASELINE}: times lower`, always(1000), lower('p50')],
  [`p99, ${BASELINE}: times lower`, always(300), lower('p99')],
);
add(
  'HTTP server sending 4 KiB files, 64 connections',
  /^HTTP server, readFile 4 KiB$/,
  any,
  fsPromises(1.8, 1.2),
  [`p99, ${BASELINE}: times lower`, always(1), lower('p99')],
);
add(
  'HTTP server beside 8 pbkdf2 loops',
  /^HTTP server, readFile 4 KiB beside/,
  any,
  fsPromises(50, 10),
  [`p99, ${BASELINE}: times lower`, always(5), lower('p99')],
);
add(
  '100,000 readFile at once',
  /^readFile 4 KiB, 100,000 at once$/,
  any,
  atMost(
    'failures',
    0,
    ({ drivers }) =>
      Object.values(drivers[URING].burst.failures).reduce((sum, count) => sum + count, 0),
    '',
  ),
  ["Node 26's rate", { 26: 2 }, ratio],
  atMost(
    'peak memory above the results',
    64,
    ({ drivers }) => Math.max(0, drivers[URING].burst.above) / MIB,
    ' MiB',
  ),
);
for (const [call, single, syncCall] of [
  ['readFiles', 'readFile', 'readFileSync'],
  ['statFiles', 'stat', 'statSync'],
]) {
  const row = (count) => `${call} of ${count} files`;
  for (const count of ['256', '4096']) {
    add(
      row(count),
      new RegExp(`^${call} 4 KiB, ${count} paths a call$`),
      any,
      [`our ${single}, c=128`, always(1.5), times(`${URING} ${single}`)],
      sync(syncCall, 2),
      cFloor(0.55),
    );
  }
}
for (const c of [1, 128]) {
  add(
    `readFile 4 KiB into a Buffer, c=${c}`,
    /^readFile 4 KiB into a Buffer$/,
    inFlight(c),
    atMost('memory allocated outside the heap', 0, outside, ' bytes a call'),
  );
  add(
    `FileHandle.read 4 KiB into a Buffer, c=${c}`,
    /^FileHandle\.read 4 KiB random$/,
    inFlight(c),
    atMost('memory allocated outside the heap', 0, outside, ' bytes a call'),
  );
}
for (const [name, workload, c] of [
  ['4 KiB', /^fairness: readFile 4 KiB/, 1],
  ['4 KiB', /^fairness: readFile 4 KiB/, 128],
  ['1 MiB', /^fairness: readFile 1 MiB/, 16],
  ['1 GiB', /^readFile 1 GiB$/, 1],
]) {
  add(
    `fairness: readFile ${name}, c=${c}`,
    workload,
    inFlight(c),
    atMost('loop delay, p99', 3, delay('p99'), ' ms'),
    atMost('loop delay, max', 12, delay('max'), ' ms'),
  );
}
for (const c of [1_000, 10_000]) {
  add(
    `growth: readFile 4 KiB, c=${c.toLocaleString('en-US')}`,
    /^growth: readFile 4 KiB, more in flight$/,
    inFlight(c),
    ['the rate at c=128', always(0.8), growth],
  );
}
for (const [call, workload] of [
  ['readFile', /^growth: readFile 64 bytes, more calls/],
  ['readFiles', /^growth: readFiles 64 bytes, more paths/],
]) {
  for (const count of ['100,000', '1,000,000']) {
    add(`growth: ${call}, ${count} files`, workload, step(`${count} files`), [
      'the rate with 1,000 files',
      always(0.8),
      growth,
    ]);
  }
}
add(
  'workers: 4 at once, readFile 4 KiB, c=128 each',
  /^workers: readFile 4 KiB/,
  step('4 workers'),
  [
    'as far as readFileSync scales',
    always(0.9),
    ({ drivers }) => drivers[URING].growth / drivers.sync.growth,
  ],
);

for (const [name, against, limit, suffix, cost] of [
  ['require()', 'CPU time', 3, ' ms', ({ load }) => load.milliseconds],
  ['require()', 'memory', 2, ' MiB', ({ load }) => load.bytes / MIB],
  ['idle, with a used ring', 'memory above plain Node', 8, ' MiB', ({ held }) => held / MIB],
  [
    'idle, with a used ring',
    'wake-ups above plain Node',
    0,
    '',
    ({ idle }) => (idle === null ? null : Math.max(0, idle.used.wakeUps - idle.plain.wakeUps)),
  ],
  ["a worker's ring", 'to make', 1, ' ms', ({ worker }) => worker.make],
  ["a worker's ring", 'to end', 1, ' ms', ({ worker }) => Math.max(0, worker.end)],
]) {
  goals.push({ name, against, asked: always(limit), suffix, most: true, cost });
}

/** @type {readonly Goal[]} */
const TARGETS = Object.freeze(goals);

/** @param {object} run */
const majorOf = (run) => run.environment.node.slice(1).split('.')[0];

/**
 * @param {Goal} goal
 * @param {object} run
 * @returns {number|null} Null if the run does not tell.
 */
function measuredBy({ workload, row, figure, cost }, run) {
  let value = null;
  if (cost) {
    if (run.cost) value = cost(run.cost);
  } else {
    const result = run.workloads.find(({ name }) => workload.test(name));
    const found = result?.rows.find(row);
    if (found) value = figure(found);
  }
  return Number.isFinite(value) ? value : null;
}

module.exports = { TARGETS, majorOf, measuredBy };
