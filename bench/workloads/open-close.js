'use strict';

/**
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets }) => {
  const { label, description, paths } = readSets[0];
  return [
    {
      name: `open + close ${label}`,
      unit: 'files',
      data: description,
      concurrency: [64],

      async open() {
        return {};
      },

      /** A handle that could be opened and closed is all there is to see. */
      async verify(driver) {
        await driver.close(await driver.open(paths[0], 'r'));
      },

      operation: (driver, state, turn) => {
        const file = paths[turn % paths.length];
        if (driver.sync) return driver.close(driver.open(file, 'r'));
        return driver.open(file, 'r').then((handle) => driver.close(handle));
      },

      async close() {},
    },
  ];
};
