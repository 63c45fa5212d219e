'use strict';

const { statSync } = require('node:fs');
const { C_FLOOR } = require('../floor');
const { compare, forEach } = require('../verify');

/** Few enough to be answered in the calling thread. */
const SOME_IN_FLIGHT = 16;
const MOST_IN_FLIGHT = 128;

/**
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets: [first, ...more] }) => [
  workload(first),
  ...more.map((set) => ({ ...workload(set), busy: false })),
];

/** @returns {import('../harness').Workload} */
function workload({ label, description, size, paths }) {
  return {
    name: `stat ${label}`,
    unit: 'calls',
    data: description,
    concurrency: [1, SOME_IN_FLIGHT, MOST_IN_FLIGHT],
    floor: size ? { name: C_FLOOR, kind: 'stat', c: MOST_IN_FLIGHT, size, paths } : undefined,

    async open() {
      return {};
    },

    async verify(driver) {
      await forEach(paths, (path) =>
        compare(
          `${driver.name}: stat ${path}`,
          () => essence(statSync(path)),
          async () => essence(await driver.stat(path)),
        ),
      );
    },

    operation: (driver, state, turn) => driver.stat(paths[turn % paths.length]),

    async close() {},
  };
}

/** All but the access time, which our own reads move. */
function essence(stats) {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks } = stats;
  const { mtimeMs, ctimeMs, birthtimeMs } = stats;
  const numbers = [dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks];
  return [...numbers, mtimeMs, ctimeMs, birthtimeMs, stats.isFile(), stats.mtime.getTime()];
}

module.exports.essence = essence;
