'use strict';

const { readFileSync } = require('node:fs');
const { MIB } = require('../files');
const { compare, forEach } = require('../verify');

const CONCURRENCY = [1, 16, 128];

/** Larger files, fewer at once: bytes, files, in flight. */
const LARGER = [
  { size: MIB / 16, count: 128, concurrency: [64] },
  { size: MIB, count: 32, concurrency: [16] },
];

/** @param {import('.').Context} context Whole files, as a Buffer and as a string. */
module.exports = ({ readSets, workspace }) => [
  ...readSets.flatMap((set) => {
    const { label, description, paths, textPaths } = set;
    const all = workload(`readFile ${label}`, description, paths, undefined);
    if (textPaths.length === 0) return [all];
    const ofThem = textPaths.length < paths.length ? `, the ${textPaths.length} in UTF-8` : '';
    return [all, workload(`readFile ${label} utf8`, description + ofThem, textPaths, 'utf8')];
  }),
  ...LARGER.map(({ size, count, concurrency }) => {
    const { label, description, paths } = workspace.files(`read-${size}`, count, size);
    return workload(`readFile ${label}`, description, paths, undefined, concurrency);
  }),
];

/** @returns {import('../harness').Workload} */
function workload(name, data, paths, encoding, concurrency = CONCURRENCY) {
  return {
    name,
    unit: 'files',
    data,
    concurrency,

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
