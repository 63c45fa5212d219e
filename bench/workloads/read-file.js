'use strict';

const { readFileSync } = require('node:fs');
const { C_FLOOR } = require('../floor');
const { compare, forEach } = require('../verify');

const MOST_IN_FLIGHT = 128;

/**
 * Whole files, as a Buffer and as a string.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets: [first, ...more], quick }) => [
  ...ofFirst(first, quick),
  ...more.map(({ label, description, paths }) => ({
    ...workload(`readFile ${label}`, description, paths, undefined),
    busy: false,
  })),
];

/** @returns {import('../harness').Workload[]} */
function ofFirst({ label, description, size, paths, textPaths }, quick) {
  const all = workload(`readFile ${label}`, description, paths, undefined);
  if (!quick) all.concurrency = [1, 16, MOST_IN_FLIGHT];
  if (size) all.floor = { name: C_FLOOR, kind: 'read-file', c: MOST_IN_FLIGHT, size, paths };
  if (textPaths.length === 0) return [all];
  const ofThem = textPaths.length < paths.length ? `, the ${textPaths.length} in UTF-8` : '';
  return [all, workload(`readFile ${label} utf8`, description + ofThem, textPaths, 'utf8')];
}

/** @returns {import('../harness').Workload} */
function workload(name, data, paths, encoding) {
  return {
    name,
    unit: 'files',
    data,
    concurrency: [1, MOST_IN_FLIGHT],

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
