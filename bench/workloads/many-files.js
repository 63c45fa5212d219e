'use strict';

const { readFileSync, statSync } = require('node:fs');
const { Mismatch } = require('../verify');

/**
 * Lists of files: by readFiles and statFiles, or where a driver has no such function, by 128 loops.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets }) => {
  const { label, description, paths } = readSets[0];
  const common = {
    unit: 'lists',
    data: `a list of ${description}`,
    concurrency: [1],
    async open() {
      return {};
    },
    async close() {},
  };
  return [
    {
      ...common,
      name: `readFiles ${paths.length} x ${label}`,
      async verify(driver) {
        const all = await driver.readFiles(paths);
        check(driver, paths, (path, n) => all[n].equals(readFileSync(path)));
      },
      operation: (driver) => driver.readFiles(paths),
    },
    {
      ...common,
      name: `readFiles ${paths.length} x ${label} utf8`,
      async verify(driver) {
        const all = await driver.readFiles(paths, 'utf8');
        check(driver, paths, (path, n) => all[n] === readFileSync(path, 'utf8'));
      },
      operation: (driver) => driver.readFiles(paths, 'utf8'),
    },
    {
      ...common,
      name: `statFiles ${paths.length} x ${label}`,
      async verify(driver) {
        const all = await driver.statFiles(paths);
        check(driver, paths, (path, n) => all[n].ino === statSync(path).ino);
      },
      operation: (driver) => driver.statFiles(paths),
    },
  ];
};

function check(driver, paths, isRight) {
  const wrong = paths.find((path, n) => !isRight(path, n));
  if (wrong !== undefined) throw new Mismatch(`${driver.name}: ${wrong}: wrong`);
}
