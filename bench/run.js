#!/usr/bin/env node
'use strict';

/** The command: `node bench/run.js [DIR] [options]`. */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { SingleBar } = require('cli-progress');
const { BASELINE, URING, createDrivers } = require('./drivers');
const { environment } = require('./environment');
const { Folder, HUGE_FILE, Workspace } = require('./files');
const floors = require('./floor');
const { Harness, Interrupted, Stalled } = require('./harness');
const { header, report, summary, writeJson } = require('./report');
const { Spinners } = require('./spinners');
const { Mismatch } = require('./verify');
const { createWorkloads } = require('./workloads');

const DEFAULT_FOLDER = '/usr/share';
const FULL = { rounds: 9, slice: 160 };
const QUICK = { rounds: 2, slice: 40 };

const HELP = `Usage: node bench/run.js [DIR] [options]

Runs uring-fs, fs/promises, callback fs and the synchronous calls side by side.
Files of DIR (default: generated ones and ${DEFAULT_FOLDER}) are only ever read;
what is written goes to a folder in TMPDIR that is removed at the end.

Options:
  --filter REGEX  only the workloads whose names match, in any case
  --quick         ${QUICK.rounds} rounds of ${QUICK.slice} ms slices: under a minute
  --rounds N      rounds per workload (default ${FULL.rounds})
  --slice MS      milliseconds per driver and round (default ${FULL.slice})
  --json FILE     write everything, with each slice of each round, to FILE
  --help          this text

Exit status: 0 done, 1 failed (a wrong byte included), 2 wrong options.
`;

const EXIT = { failure: 1, usage: 2, signal: 128 };

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** What the user asked for makes no sense. */
class UsageError extends Error {}

/**
 * @param {string[]} args
 * @returns {object} What was asked for, with the defaults filled in.
 */
function parseOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        filter: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        json: { type: 'string' },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        slice: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new UsageError(`one DIR, not ${positionals.length}`);
  const defaults = values.quick ? QUICK : FULL;
  return {
    help: values.help === true,
    directory: positionals.length === 1 ? existingFolder(positionals[0]) : null,
    filter: values.filter === undefined ? null : pattern(values.filter),
    json: values.json === undefined ? null : outputFile(values.json),
    quick: values.quick === true,
    rounds: wholeNumber('--rounds', values.rounds, defaults.rounds, 10_000),
    slice: wholeNumber('--slice', values.slice, defaults.slice, 60_000),
  };
}

function wholeNumber(name, value, otherwise, most) {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= most) return number;
  throw new UsageError(`${name} takes a whole number from 1 to ${most}, not '${value}'`);
}

function existingFolder(name) {
  const stats = fs.statSync(name, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return name;
  throw new UsageError(`${name}: ${stats ? 'not a directory' : 'no such directory'}`);
}

function pattern(source) {
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    throw new UsageError(`--filter: ${error.message}`);
  }
}

/** Told before the run, not after it. */
function outputFile(file) {
  try {
    fs.accessSync(path.dirname(file), fs.constants.W_OK);
  } catch (error) {
    throw new UsageError(`--json ${file}: ${error.message}`);
  }
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--json ${file}: a directory`);
  }
  return file;
}

/**
 * @param {string|null} directory The user's folder.
 * @param {Workspace} workspace
 * @returns {Pick<import('./workloads').Context, 'workspace'|'readSets'|'bigFile'|'hugeFile'>}
 */
function dataFor(directory, workspace) {
  const hugeFile = workspace.bigFile('huge', HUGE_FILE);
  if (directory !== null) {
    const folder = openFolder(directory);
    const set = folder.sample();
    if (set === null)
      throw new UsageError(`${directory}: no readable file of a size to read whole`);
    const bigFile = folder.bigFile() ?? workspace.bigFile('random-read');
    return { workspace, readSets: [set], bigFile, hugeFile };
  }
  const readSets = [workspace.smallFiles('read')];
  if (fs.existsSync(DEFAULT_FOLDER)) {
    const set = openFolder(DEFAULT_FOLDER).sample();
    if (set !== null) readSets.push(set);
  }
  return { workspace, readSets, bigFile: workspace.bigFile('random-read'), hugeFile };
}

function openFolder(directory) {
  try {
    return new Folder(directory);
  } catch (error) {
    throw new UsageError(`${directory}: ${error.message}`);
  }
}

/** A progress bar on a terminal, and nothing anywhere else. */
class Progress {
  /** @param {number} total Milliseconds that will be measured. */
  constructor(total) {
    this.bar = null;
    if (!process.stderr.isTTY) return;
    this.bar = new SingleBar({
      format: '{bar} {percentage}% | {eta_formatted} left | {workload}',
      barCompleteChar: '\u2588',
      barIncompleteChar: '\u2591',
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      // Drawn between slices where possible: each drawing within one costs it some microseconds.
      fps: 2,
      synchronousUpdate: true,
      etaBuffer: 100,
    });
    this.bar.start(Math.round(total), 0, { workload: '' });
    this.value = 0;
  }

  workload(name) {
    this.bar?.update({ workload: name });
  }

  add(milliseconds) {
    this.value += milliseconds;
    this.bar?.update(Math.round(this.value));
  }

  stop() {
    this.bar?.stop();
  }
}

/**
 * @param {ReturnType<typeof parseOptions>} options
 * @param {Workspace} workspace
 * @param {(harness: Harness) => void} onHarness Gets what a signal has to abort.
 */
async function run(options, workspace, onHarness) {
  const { rounds, slice, filter } = options;
  const data = dataFor(options.directory, workspace);
  const uring = require('..');
  const all = createWorkloads({ ...data, uring, quick: options.quick });
  const workloads = all.filter(({ name }) => filter === null || filter.test(name));
  if (workloads.length === 0) {
    const names = all.map(({ name }) => `  ${name}`).join('\n');
    throw new UsageError(`--filter ${filter.source} matches none of the workloads:\n${names}`);
  }

  const machine = await environment(uring, workspace.root);
  console.log(`${header(machine, { rounds, slice }, workloads)}\n`);

  const skipped = [];
  const noFloor = workloads.some(({ floor }) => floor) ? floors.build() : null;
  if (noFloor !== null) skipped.push({ name: floors.FLOOR, reason: noFloor });

  const spinners = new Spinners();
  let progress = null;
  const harness = new Harness({
    drivers: createDrivers(uring),
    baseline: BASELINE,
    measured: URING,
    spinners,
    floor: noFloor === null ? new floors.Floor(workspace.root) : null,
    rounds,
    slice,
    onSlice: (milliseconds) => progress.add(milliseconds),
  });
  onHarness(harness);
  progress = new Progress(workloads.reduce((sum, each) => sum + harness.duration(each), 0));
  const results = [];
  try {
    for (const workload of workloads) {
      progress.workload(workload.name);
      const reason = workload.unavailable?.() ?? null;
      if (reason === null) {
        results.push(await harness.measure(workload));
      } else {
        skipped.push({ name: workload.name, reason });
        progress.add(harness.duration(workload));
      }
    }
  } catch (error) {
    if ([Interrupted, Mismatch, Stalled].some((known) => error instanceof known)) throw error;
    throw new Error(`failed at: ${harness.current}`, { cause: error });
  } finally {
    spinners.end();
    progress.stop();
  }

  if (results.length > 0) console.log(`${report(results, rounds)}\n`);
  for (const { name, reason } of skipped) console.log(`left out: ${name}: ${reason}`);
  if (results.length > 0) console.log(summary(results));
  if (options.json !== null) {
    const { directory, quick } = options;
    const asked = { directory, quick, rounds, slice, filter: filter?.source ?? null };
    writeJson(options.json, { environment: machine, options: asked, results, skipped });
  }
}

async function main(args) {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }

  const workspace = new Workspace();
  let harness = null;
  let signal = null;
  let finished = false;
  // Also for what ends the process on the way: a second signal, an operation that never settles.
  process.on('exit', () => {
    workspace.remove();
    if (finished) return;
    process.exitCode ||= EXIT.failure;
    console.error(`bench: ended early, at: ${harness?.current || 'the preparations'}`);
  });
  const onSignal = (name) => {
    if (signal !== null || harness === null) process.exit(EXIT.signal + SIGNALS[name]);
    signal = name;
    harness.abort();
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, onSignal);

  try {
    await run(options, workspace, (made) => (harness = made));
    finished = true;
  } catch (error) {
    finished = true;
    if (signal === null) throw error;
    console.error('bench: interrupted');
    process.exit(EXIT.signal + SIGNALS[signal]);
  } finally {
    for (const name of Object.keys(SIGNALS)) process.off(name, onSignal);
    workspace.remove();
  }
}

main(process.argv.slice(2)).catch((error) => {
  if (error instanceof UsageError) {
    console.error(`bench: ${error.message}\nTry 'node bench/run.js --help'.`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof Stalled) {
    console.error(`bench: ${error.message}`);
    process.exit(EXIT.failure);
  } else {
    console.error('bench:', error instanceof Mismatch ? error.message : error);
    process.exitCode = EXIT.failure;
  }
});
