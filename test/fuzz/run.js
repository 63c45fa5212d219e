'use strict';

// Series of calls by chance, good and bad, on uring-fs and on node:fs/promises, in twin folders: results,
// errors and folders are compared.
//
//   npm run fuzz                              100,000 steps
//   npm run fuzz -- --steps 5000              so many
//   npm run fuzz -- --seconds 60              for so long
//   npm run fuzz -- --seed 12345              begins there: repeats a failure that was printed
//
// A difference is printed with its seed, and with the shortest series of calls that still shows it.

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const fc = require('fast-check');
const { Parity, ourFs, quietly } = require('../helpers/parity-compare');
const { series } = require('./steps');

const SERIES_IN_A_ROUND = 50;
const SHRINK_MS = 60_000;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string' },
    seconds: { type: 'string' },
    help: { type: 'boolean' },
  },
});

/** A number that an option gives. */
function numberOf(name, byDefault) {
  if (options[name] === undefined) return byDefault;
  const number = Number(options[name]);
  if (Number.isFinite(number)) return number;
  console.error(`--${name} must be a number`);
  return process.exit(2);
}

const firstSeed = numberOf('seed', Date.now() % 2 ** 31);
const seconds = numberOf('seconds', Infinity);
const most = numberOf('steps', seconds === Infinity ? 100_000 : Infinity);
const deadline = Date.now() + seconds * 1000;

let steps = 0;
let shrinking = false;

/** Of the side at work: rejections that nobody handles, of which Node has some of its own. */
let unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

/** Takes the series on both sides; throws when they differ. */
async function compare(parity, calls) {
  parity.failures.length = 0;
  const unhandledOf = [];
  const takeSteps = async (side) => {
    side.handles = [];
    side.descriptors = [];
    side.handleAt = (index) => side.handles[index % side.handles.length];
    side.nodeFsSync = fs;
    unhandledOf.push((unhandled = []));
    for (const [index, { label, run }] of calls.entries()) await run(side, `${index}: ${label}`);
    await new Promise(setImmediate);
  };
  try {
    await parity.script('', takeSteps);
  } catch (error) {
    parity.twin.rebuild();
    throw error.cause ?? error; // a mistake of the fuzzer
  }
  const [ofNode, ofOurs] = unhandledOf;
  if (ofOurs.length > ofNode.length) throw ofOurs[0];
  if (!shrinking) steps += calls.length;
  if (parity.failures.length === 0) return;
  shrinking = true;
  throw new Error(parity.explain());
}

/** @returns {Promise<string | undefined>} what differs, if anything does */
async function round(seed) {
  // Made anew, so that a round that is repeated finds what it found.
  const parity = new Parity('fuzz');
  try {
    const property = fc.asyncProperty(series, (calls) => compare(parity, calls));
    const details = await fc.check(property, {
      seed,
      numRuns: SERIES_IN_A_ROUND,
      skipAllAfterTimeLimit: SHRINK_MS,
    });
    if (!details.failed) return undefined;
    const calls =
      details.counterexample?.[0].map(({ label }, index) => `  ${index}: ${label}`) ?? [];
    const { errorInstance } = details;
    const found = errorInstance?.stack ?? fc.defaultReportMessage(details);
    return [`The shortest series (--seed ${seed}):`, ...calls, '', found].join('\n');
  } finally {
    parity.close();
  }
}

async function main() {
  const { backend, reason } = ourFs.ring?.status() ?? {};
  console.log(
    `Node ${process.version}, ${backend}${reason ? ` (${reason})` : ''}, --seed ${firstSeed}`,
  );
  process.emitWarning = quietly(process.emitWarning);
  let seed = firstSeed;
  while (steps < most && Date.now() < deadline) {
    const found = await round(seed);
    if (found !== undefined) {
      console.log(`\n${found}\n\na difference after ${steps} steps`);
      process.exitCode = 1;
      return;
    }
    seed++;
  }
  console.log(`no difference in ${steps} steps`);
}

main();
