'use strict';
/** What comes of a benchmark, in a sentence that says it as it is. */

const { BASELINE, URING } = require('../../bench/drivers');
const { formatBytes } = require('../../bench/files');
const { formatNumber, formatTime } = require('../../bench/format');

/** Of latencies: by the names of the figures, what they are called, and the fewest samples for one. */
const PERCENTILES = {
  p50: { label: 'p50', samples: 2 },
  p90: { label: 'p90', samples: 10 },
  p99: { label: 'p99', samples: 100 },
  p999: { label: 'p99.9', samples: 1000 },
};

/**
 * @param {import('../../bench/harness').Latency} latency
 * @param {keyof typeof PERCENTILES} part
 * @returns {{ value: number | null, text: string }} microseconds; null if it would be but the maximum
 */
function percentileOf(latency, part) {
  if (latency.samples < PERCENTILES[part].samples) return { value: null, text: 'too few' };
  return { value: latency[part], text: formatTime(latency[part]) };
}

/** Ratios from which on a difference is one. */
const FASTER = 1.05;
const SLOWER = 0.95;

/** The share of the rounds that must agree on who is faster: one of five may have been disturbed. */
const AGREED = 0.75;

/** '24.1' of 'v24.1.0' */
const shortOf = (version) => version.slice(1).split('.').slice(0, 2).join('.');

/**
 * Which one is faster, if the rounds agree.
 *
 * @param {Pick<import('../../bench/harness').Figure, 'ratio' | 'ratioRange' | 'ahead'>} figure
 * @returns {'faster' | 'slower' | 'even' | 'unclear'}
 */
function outcome({ ratio, ahead }) {
  if (ratio > SLOWER && ratio < FASTER) return 'even';
  if (ahead >= AGREED) return 'faster';
  return ahead <= 1 - AGREED ? 'slower' : 'unclear';
}

/** In a few words. @param {Parameters<typeof outcome>[0]} figure */
function gistOf(figure) {
  const [least, most] = figure.ratioRange.map(formatNumber);
  const rate = `${formatNumber(figure.ratio)} times the rate of ${BASELINE}`;
  return outcome(figure) === 'unclear'
    ? `${rate}, but ${least} to ${most} from round to round`
    : rate;
}

/** @returns {string} what is read, and where it is */
function describe({ kind, path, fileSystem, files, bytes, found, median }) {
  const where = `on ${fileSystem ?? 'an unknown file system'}`;
  if (kind === 'file') return `${formatBytes(bytes)} of ${path} (${formatBytes(found)}), ${where}`;
  const sizes = `${formatBytes(bytes)}, median ${formatBytes(median)}`;
  return `${files.toLocaleString('en-US')} files of ${path}, ${sizes}, ${where}`;
}

/** @returns {string} 'your 12,412 files' */
function objectOf(target) {
  if (target.kind === 'file') return `your file in pieces of 4 KiB`;
  const count = (number) => number.toLocaleString('en-US');
  const { files, found, complete } = target;
  const noun = files === 1 ? 'file' : 'files';
  if (files === found && complete) return `your ${count(files)} ${noun}`;
  return `${count(files)} of your ${count(found)}${complete ? '' : ' or more'} files`;
}

/**
 * @param {{ target: object, environment: object, results: import('../../bench/harness').Result[] }} run
 * @returns {string}
 */
function sentenceOf({ target, environment, results }) {
  const { ring } = environment;
  if (ring.backend !== 'io_uring') {
    return (
      `On this machine uring-fs does what ${BASELINE} does, since io_uring is not in use: ${ring.reason}. ` +
      "'npx uring-fs doctor' says what to do about that."
    );
  }
  const figure = results[0].rows[0].drivers[URING];
  const times = `${formatNumber(figure.ratio)} times`;
  const where = `(Node ${shortOf(environment.node)}, page cache, 64 at a time)`;
  const start = `On this machine uring-fs reads ${objectOf(target)}`;
  switch (outcome(figure)) {
    case 'faster':
      return `${start} ${times} as fast as ${BASELINE} ${where}.`;
    case 'slower':
      return `${start} more slowly than ${BASELINE}: at ${times} its rate ${where}.`;
    case 'even':
      return `${start} about as fast as ${BASELINE}: at ${times} its rate ${where}.`;
    default:
      return (
        `Whether uring-fs reads ${objectOf(target)} faster than ${BASELINE} is not clear: at ${gistOf(figure)} ` +
        `${where}. Try again while the machine is quiet, and without --quick.`
      );
  }
}

module.exports = { PERCENTILES, describe, gistOf, outcome, percentileOf, sentenceOf };
