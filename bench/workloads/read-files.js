'use strict';

const { readFileSync, statSync } = require('node:fs');
const { URING, BASELINE } = require('../drivers');
const { PAGE } = require('../files');
const { C_FLOOR } = require('../floor');
const { Mismatch, same } = require('../verify');
const { essence } = require('./stat');

/** Paths of a call. */
const BATCHES = [256, 4096];
const QUICK_BATCHES = [256];

/** Operations in flight where there is no call for many files. */
const LANES = 128;

/**
 * Many files in one call, against as many single calls with 128 in flight.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace, uring, quick }) => {
  const batches = quick ? QUICK_BATCHES : BATCHES;
  const files = workspace.files('batch', Math.max(...batches), PAGE);
  const kinds = [
    {
      call: 'readFiles',
      single: 'readFile',
      name: `readFiles ${files.label}`,
      unit: 'files',
      floor: 'read-file',
      reference: (path) => readFileSync(path),
      view: (result) => result,
    },
    {
      call: 'statFiles',
      single: 'stat',
      name: `statFiles ${files.label}`,
      unit: 'calls',
      floor: 'stat',
      reference: (path) => essence(statSync(path)),
      view: essence,
    },
  ];
  return kinds.flatMap((kind) => batches.map((batch) => workload(kind, batch, files, uring)));
};

/** @returns {import('../harness').Workload} */
function workload(kind, batch, files, uring) {
  const { call, single, name, unit, reference, view } = kind;
  const paths = files.paths.slice(0, batch);
  return {
    name: `${name}, ${batch} paths a call`,
    unit,
    data: files.description,
    concurrency: [1],
    weight: batch,
    busy: false,
    floor: { name: C_FLOOR, kind: kind.floor, c: 1, depth: LANES, size: PAGE, paths },

    unavailable: () => (typeof uring[call] === 'function' ? null : `no uring.${call}`),

    /** The call itself takes the place of the driver; its single calls come beside it. */
    drivers: (drivers) =>
      drivers
        .filter((driver) => driver.sync || [URING, BASELINE].includes(driver.name))
        .flatMap((driver) => {
          const many = {
            name: driver.name === URING ? `${URING} ${single}` : driver.name,
            sync: driver.sync,
            many: driver.sync ? allSync(driver[single]) : allAsync(driver[single]),
          };
          if (driver.name !== URING) return [many];
          return [{ name: URING, sync: false, many: (list) => uring[call](list) }, many];
        }),

    async open() {
      files.make();
      return {};
    },

    async verify(driver) {
      const results = await driver.many(paths);
      paths.forEach((path, index) => {
        if (same(view(results[index]), reference(path))) return;
        throw new Mismatch(`${driver.name}: ${call}, ${path}: not what the synchronous call gives`);
      });
    },

    operation: (driver) => driver.many(paths),

    async close() {},
  };
}

/** All results at once, as the call for many files gives them. */
const allSync = (one) => (paths) => paths.map((path) => one(path));

const allAsync = (one) => async (paths) => {
  const results = new Array(paths.length);
  let next = 0;
  const lane = async () => {
    while (next < paths.length) {
      const index = next++;
      results[index] = await one(paths[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, paths.length) }, lane));
  return results;
};
