'use strict';

const { readFileSync } = require('node:fs');
const { URING } = require('../drivers');
const { Mismatch } = require('../verify');
const { verify, workload } = require('./read-file');

/** Operations in flight; the ratios are to the first. */
const IN_FLIGHT = [128, 1000, 10_000];

/** Calls, and paths of one call; the ratios are to the first. */
const COUNTS = [1_000, 10_000, 100_000, 1_000_000];

/** Real files: a list of more paths names each several times. */
const FILES = 1_000;

/** Bytes: a million results have to be in memory at once. */
const SIZE = 64;

const LANES = 128;

/**
 * What becomes of the rate as there is more to do. fs/promises takes no part: with 10,000 at once it runs
 * out of descriptors, and a million calls of it take a minute.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = (context) => [inFlight(context), ...counts(context)];

/** @returns {import('../harness').Workload} */
function inFlight({ readSets }) {
  const [{ label, description, paths }] = readSets;
  return {
    ...workload(`growth: readFile ${label}, more in flight`, description, paths, undefined),
    concurrency: IN_FLIGHT,
    growth: true,
    aside: true,
    // What begins and ends a slice of 10,000 at once should be little beside the rest.
    sliceFactor: 4,
    mostRounds: 5,
    drivers: (drivers) => drivers.filter(({ name }) => name === URING),
  };
}

/** @returns {import('../harness').Workload[]} */
function counts({ workspace, uring, quick }) {
  const files = workspace.files('growth', FILES, SIZE);
  // Through the thread pool a hundred thousand take longer than all else of a quick run.
  const mostQuick = uring.ring.status().backend === 'io_uring' ? 100_000 : 10_000;
  const most = quick ? mostQuick : Infinity;
  const steps = COUNTS.filter((count) => count <= most).map((count) => ({
    label: `${count.toLocaleString('en-US')} files`,
    weight: count,
    paths: Array.from({ length: count }, (_, index) => files.paths[index % FILES]),
  }));
  const common = {
    unit: 'files',
    data: `${files.description}, each read many times`,
    concurrency: [1],
    steps,
    growth: true,
    aside: true,
    mostRounds: quick ? 1 : 3,
    async close() {},
  };
  return [
    {
      ...common,
      name: `growth: readFile ${files.label}, more calls, ${LANES} in flight`,
      drivers: (drivers) => drivers.filter(({ name }) => name === URING),

      async open() {
        files.make();
        return {};
      },

      verify: (driver) => verify(driver, files.paths, undefined),

      operation: (driver, state, turn, lane, { paths }) => readAll(driver, paths),
    },
    {
      ...common,
      name: `growth: readFiles ${files.label}, more paths in a call`,
      drivers: (drivers) => drivers.filter(({ name }) => name === URING),

      async open() {
        files.make();
        return {};
      },

      async verify() {
        const results = await uring.readFiles(steps[0].paths);
        steps[0].paths.forEach((path, index) => {
          if (results[index].equals(readFileSync(path))) return;
          throw new Mismatch(`readFiles ${path}: wrong bytes`);
        });
      },

      operation: (driver, state, turn, lane, { paths }) => uring.readFiles(paths),
    },
  ];
}

/** One call for each path, with some in flight; the results are dropped. */
async function readAll(driver, paths) {
  let next = 0;
  const lane = async () => {
    while (next < paths.length) await driver.readFile(paths[next++]);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
