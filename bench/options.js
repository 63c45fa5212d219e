'use strict';

/** What the command is asked for. */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { createDrivers } = require('./drivers');

const DEFAULT_FOLDER = '/usr/share';
const FULL = { rounds: 7, slice: 150 };
const QUICK = { rounds: 2, slice: 30 };

const HELP = `Usage: node bench/run.js [DIR] [options]

Runs uring-fs, fs/promises, callback fs and the synchronous calls side by side:
in alternation, each workload in a process of its own. Files of DIR (default:
generated ones and ${DEFAULT_FOLDER}) are only ever read; what is written goes to a
folder in TMPDIR that is removed at the end.

Options:
  --filter REGEX  only the workloads whose names match, in any case
  --quick         ${QUICK.rounds} rounds of ${QUICK.slice} ms slices, and less of what is long by itself:
                  under a minute
  --rounds N      rounds per workload (default ${FULL.rounds})
  --slice MS      milliseconds per driver and round (default ${FULL.slice})
  --only DRIVER   this one alone, without ratios: for a profile of it
  --json FILE     write everything, with each slice of each round, to FILE
  --svg FILE      draw the ratios to fs/promises
  --help          this text

Exit status: 0 done, 1 failed (a wrong byte included), 2 wrong options.

See also, each with --help: bench/chart.js (several runs in one chart), bench/cost.js
(what the package costs a program that has it), bench/targets.js (runs held against
what the project wants to reach) and bench/publish.js (runs into the documents).
`;

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
        only: { type: 'string' },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        slice: { type: 'string' },
        svg: { type: 'string' },
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
    json: values.json === undefined ? null : outputFile('--json', values.json),
    only: values.only === undefined ? null : driver(values.only),
    quick: values.quick === true,
    rounds: wholeNumber('--rounds', values.rounds, defaults.rounds, 10_000),
    slice: wholeNumber('--slice', values.slice, defaults.slice, 60_000),
    svg: values.svg === undefined ? null : outputFile('--svg', values.svg),
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

function driver(name) {
  const names = createDrivers({}).map((each) => each.name);
  if (names.includes(name)) return name;
  throw new UsageError(`--only takes one of ${names.join(', ')}, not '${name}'`);
}

function pattern(source) {
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    throw new UsageError(`--filter: ${error.message}`);
  }
}

/** Told before the run, not after it. */
function outputFile(option, file) {
  try {
    fs.accessSync(path.dirname(file), fs.constants.W_OK);
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${error.message}`);
  }
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${option} ${file}: a directory`);
  }
  return file;
}

module.exports = { DEFAULT_FOLDER, HELP, UsageError, parseOptions };
