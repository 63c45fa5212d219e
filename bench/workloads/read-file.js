'use strict';

const { readFileSync } = require('node:fs');
const { compare, forEach } = require('../verify');

const MOST_IN_FLIGHT = 128;

/** @param {import('.').Context} context Whole files, as a Buffer and as a string. */
module.exports = ({ readSets }) =>
  readSets.flatMap((set) => {
    const { label, description, size, paths, textPaths } = set;
    const all = workload(`readFile ${label}`, description, paths, undefined);
    if (size) all.floor = { kind: 'read-file', c: MOST_IN_FLIGHT, size, paths };
    if (textPaths.length === 0) return [all];
    const ofThem = textPaths.length < paths.length ? `, the ${textPaths.length} in UTF-8` : '';
    return [all, workload(`readFile ${label} utf8`, description + ofThem, textPaths, 'utf8')];
  });

/** @returns {import('../harness').Workload} */
function workload(name, data, paths, encoding) {
  return {
    name,
    unit: 'files',
    data,
    concurrency: [1, 16, MOST_IN_FLIGHT],

    async open() {
      return {};
    },

    verify: (driver) => verify(driver, paths, encoding),

    operation: (driver, state, turn) => driver.readFile(paths[turn % paths.length], encoding),

    async close() {},
  };
}

/**
 * @param {import('../drivers').Driver} driver
 * @param {string[]} paths
 * @param {'utf8'} [encoding]
 */
async function verify(driver, paths, encoding) {
  await forEach(paths, (path) =>
    compare(
      `${driver.name}: readFile ${path}`,
      () => readFileSync(path, encoding),
      async () => driver.readFile(path, encoding),
    ),
  );
}

module.exports.verify = verify;
module.exports.workload = workload;
