'use strict';
/** `uring-fs bench`: how fast the user's own files are read, by uring-fs, fs/promises and the synchronous calls. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { BASELINE, URING, createDrivers } = require('../../bench/drivers');
const { environment, isBusy } = require('../../bench/environment');
const { Folder, MIB, PAGE, formatBytes, readable } = require('../../bench/files');
const { median } = require('../../bench/figures');
const { formatNumber, formatRatio, formatTime } = require('../../bench/format');
const { Harness } = require('../../bench/harness');
const { Failure, Runner } = require('../../bench/runner');
const { inLanes } = require('./passes');
const { Progress } = require('./progress');
const { fileSystemTypeOf } = require('./system');
const { styled, table, wrapped } = require('./text');
const { UsageError, parse } = require('./usage');
const { PERCENTILES, describe, percentileOf, sentenceOf } = require('./verdict');
const { workloadsOn } = require('./workloads');

/** Of the JSON; docs/bench.md describes it. */
const SCHEMA = 1;

const FACTORY = require.resolve('./workloads');

/** `pass`: milliseconds that fs/promises may take for all the files; more are left out by chance. */
const FULL = {
  rounds: 5,
  slice: 150,
  pass: 1500,
  bounds: { files: 20_000, total: 256 * MIB, largest: 32 * MIB, entries: 200_000 },
};
const QUICK = {
  rounds: 5,
  slice: 30,
  pass: 200,
  bounds: { files: 2000, total: 32 * MIB, largest: 8 * MIB, entries: 20_000 },
};

/** Bytes of a FILE that are read, from its start. */
const MOST_OF_FILE = 256 * MIB;

const HELP = `Usage: uring-fs bench [DIR|FILE] [options]

Reads the files of DIR (default: the current folder), or FILE in pieces, through
uring-fs, fs/promises and the synchronous calls: in alternation, checked byte by
byte, from the page cache. Writes nothing there. Takes up to ${FULL.bounds.files.toLocaleString('en-US')} files, of up to
${formatBytes(FULL.bounds.largest)} each and ${formatBytes(FULL.bounds.total)} in all.

Options:
  --quick       some seconds, not half a minute: fewer files, less certain
  --html FILE   a page with charts of it, which needs nothing but itself
  --json FILE   everything, with each slice of each round (docs/bench.md)
  --help        this text

Exit status: 0 done, 1 failed (a wrong byte included), 2 wrong usage.
`;

/* ---- what is asked for ---- */

/** Told before the run, not after it. */
function outputFile(option, file) {
  if (file === undefined) return null;
  try {
    fs.accessSync(path.dirname(file), fs.constants.W_OK);
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${error.message}`);
  }
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) return file;
  throw new UsageError(`${option} ${file}: a directory`);
}

/* ---- the files ---- */

/** @returns {Promise<{ target: object, data: import('./workloads').Data }>} */
async function gather(place, { pass, bounds }) {
  let stats;
  try {
    stats = fs.statSync(place);
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (stats.isDirectory()) return gatherFolder(place, pass, bounds);
  if (stats.isFile()) return gatherFile(place, stats.size);
  throw new UsageError(`${place}: neither a folder nor a regular file`);
}

async function gatherFolder(place, milliseconds, bounds) {
  const folder = new Folder(place, bounds);
  const sample = folder.sample();
  if (sample === null) {
    const largest = formatBytes(bounds.largest);
    throw new UsageError(`${place}: no file there that can be read, of no more than ${largest}`);
  }
  const { paths, sizes } = await fitting(sample.paths, milliseconds);
  const target = {
    kind: 'folder',
    path: path.resolve(place),
    fileSystem: fileSystemTypeOf(place),
    files: paths.length,
    found: folder.files.length,
    complete: folder.complete,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    median: median(sizes),
  };
  return { target, data: { kind: 'folder', paths, sizes } };
}

/**
 * As many of the files as fs/promises reads in the time.
 *
 * @param {string[]} paths in an order of chance
 */
async function fitting(paths, milliseconds) {
  const sizes = [];
  const [{ readFile }] = createDrivers({}, BASELINE);
  const began = performance.now();
  await inLanes(readFile)(paths, (index, { length }) => (sizes[index] = length));
  const share = Math.min(1, milliseconds / (performance.now() - began));
  const count = Math.ceil(paths.length * share);
  return { paths: paths.slice(0, count), sizes: sizes.slice(0, count) };
}

function gatherFile(place, found) {
  const size = Math.min(found, MOST_OF_FILE);
  if (size < PAGE)
    throw new UsageError(`${place}: smaller than ${formatBytes(PAGE)}; name its folder`);
  const file = path.resolve(place);
  if (!readable({ path: file }, size)) throw new UsageError(`${place}: it cannot be read`);
  const fileSystem = fileSystemTypeOf(file);
  const target = { kind: 'file', path: file, fileSystem, found, bytes: size };
  const description = `${formatBytes(size)} of ${file}`;
  return { target, data: { kind: 'file', file: { path: file, size, description } } };
}

/* ---- the run ---- */

/** @returns {Promise<import('../../bench/harness').Result[]>} */
async function measure(data, { quick, rounds, slice }) {
  const workloads = workloadsOn(data, quick);
  // Never runs: it knows how long each workload takes.
  const drivers = createDrivers({});
  const clock = new Harness({ drivers, baseline: BASELINE, rounds, slice });
  const progress = new Progress(workloads.reduce((sum, each) => sum + clock.duration(each), 0));
  const plan = { factory: FACTORY, data, quick, rounds, slice, only: null };
  const runner = new Runner(plan, (time) => progress.set(progress.value + time));
  const results = [];
  let done = 0;
  try {
    for (const workload of workloads) {
      progress.set(done, workload.name);
      const { result } = await runner.run(workload.name);
      results.push(result);
      done += clock.duration(workload);
    }
  } finally {
    progress.end();
  }
  return results;
}

/* ---- for people ---- */

function headerOf({ target, environment: machine }) {
  const { ring, cpus, cpuModel, threadPoolSize, loadAverage } = machine;
  const { setupFlags } = ring;
  const lines = [
    describe(target),
    `Node ${machine.node.slice(1)}, ${machine.platform} ${machine.kernel}, ${cpus} x ${cpuModel}, ` +
      `load ${loadAverage.toFixed(2)}, thread pool of ${threadPoolSize}`,
    `uring-fs ${machine.package}: ${ring.backend}${setupFlags.length > 0 ? ` (${setupFlags.join(' ')})` : ''}`,
  ];
  if (isBusy(machine)) lines.push('Other programs are using this machine: expect noise.');
  return lines.map((line) => wrapped(line, 2, 0)).join('\n');
}

/** A table of a workload: a line for each driver. */
function tableOf({ name, unit, rows: [{ drivers }] }) {
  const timed = drivers[URING].latency !== null;
  const head = ['', `${unit}/s`, 'ratio'];
  const hasCpu = drivers[URING].cpu !== null;
  if (hasCpu) head.push('CPU each');
  if (timed) head.push(...Object.values(PERCENTILES).map(({ label }) => label));
  const lines = Object.entries(drivers).map(([driver, { rate, ratio, cpu, latency }]) => [
    driver,
    formatNumber(rate),
    driver === BASELINE ? '' : formatRatio(ratio),
    ...(hasCpu ? [formatTime(cpu)] : []),
    ...(timed ? Object.keys(PERCENTILES).map((each) => percentileOf(latency, each).text) : []),
  ]);
  return `${styled('bold', wrapped(name, 0))}\n${table([head, ...lines])}`;
}

const NOTES =
  `ratio: to ${BASELINE}, median of those within each round. CPU: of the whole process, kernel workers ` +
  'included. p50 and so on: from call to result. One at a time flatters uring-fs on an idle machine: each ' +
  'hand-over to a pool thread wakes a sleeping processor.';

/** Measures what is there, and says so first. */
async function measureAt(place, settings) {
  const looking = new Progress(1);
  looking.set(0, `looking at ${place}`);
  const { target, data } = await gather(place, settings).finally(() => looking.end());
  const machine = await environment(require('../..'), target.path);
  process.stdout.write(`${headerOf({ target, environment: machine })}\n\n`);
  return { target, machine, results: await measure(data, settings) };
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit status
 * @throws {UsageError}
 */
async function run(args) {
  const { values, positional } = parse(
    args,
    { html: { type: 'string' }, json: { type: 'string' }, quick: { type: 'boolean' } },
    'DIR or FILE',
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const html = outputFile('--html', values.html);
  const json = outputFile('--json', values.json);
  // Here, for what it lacks is to be told before the run, too.
  const { page } = html === null ? {} : require('./page');
  const quick = values.quick === true;
  const { rounds, slice, ...limits } = quick ? QUICK : FULL;
  let measured;
  try {
    measured = await measureAt(positional ?? '.', { quick, rounds, slice, ...limits });
  } catch (error) {
    // A file that is gone by now, say.
    if (!(error instanceof Failure) && error.syscall === undefined) throw error;
    process.stderr.write(`uring-fs bench: ${error.message}\n`);
    return 1;
  }
  const { target, machine, results } = measured;
  const contents = {
    schema: SCHEMA,
    environment: { ...machine, loadAverageAfter: os.loadavg()[0] },
    target,
    options: { quick, rounds, slice },
    units: { rate: 'units/s', cpu: 'us/unit', latency: 'us', milliseconds: 'ms' },
    sentence: sentenceOf({ target, environment: machine, results }),
    workloads: results.map(({ name, unit, rows, samples }) => ({ name, unit, rows, samples })),
  };
  process.stdout.write(`${results.map(tableOf).join('\n\n')}\n\n${wrapped(NOTES, 0)}\n`);
  if (json !== null) fs.writeFileSync(json, `${JSON.stringify(contents, null, 2)}\n`);
  if (html !== null) fs.writeFileSync(html, page(contents));
  process.stdout.write(`\n${styled('bold', wrapped(contents.sentence, 0))}\n`);
  return 0;
}

module.exports = { run };
