'use strict';

const { fstatSync, statSync } = require('node:fs');
const { Mismatch, forEach } = require('../verify');

/** @param {import('.').Context} context */
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

      async verify(driver) {
        await forEach(paths, async (path) => {
          const handle = await driver.open(path, 'r');
          const { dev, ino } = fstatSync(typeof handle === 'number' ? handle : handle.fd);
          await driver.close(handle);
          const expected = statSync(path);
          if (dev === expected.dev && ino === expected.ino) return;
          throw new Mismatch(`${driver.name}: open ${path}: another file`);
        });
      },

      operation(driver, state, turn) {
        const path = paths[turn % paths.length];
        if (driver.sync) return driver.close(driver.open(path, 'r'));
        return driver.open(path, 'r').then((handle) => driver.close(handle));
      },

      async close() {},
    },
  ];
};
