'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Mismatch } = require('../verify');

const IN_FLIGHT = 64;

/**
 * An empty file comes and goes, one per loop: open with O_EXCL, close, unlink.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace }) => {
  const directory = path.join(workspace.root, 'create');
  const paths = Array.from({ length: IN_FLIGHT }, (_, lane) => path.join(directory, `${lane}`));
  return [
    {
      name: 'create + unlink',
      unit: 'files',
      data: `${IN_FLIGHT} names in one folder`,
      concurrency: [IN_FLIGHT],

      async open() {
        fs.mkdirSync(directory, { recursive: true });
        return {};
      },

      async verify(driver) {
        await driver.close(await driver.open(paths[0], 'wx'));
        if (!fs.existsSync(paths[0])) throw new Mismatch(`${driver.name}: open 'wx' made no file`);
        await driver.unlink(paths[0]);
        if (fs.existsSync(paths[0])) throw new Mismatch(`${driver.name}: unlink left the file`);
      },

      operation(driver, state, turn, lane) {
        const file = paths[lane];
        if (!driver.sync) return createAndUnlink(driver, file);
        driver.close(driver.open(file, 'wx'));
        return driver.unlink(file);
      },

      async close() {},
    },
  ];
};

async function createAndUnlink(driver, file) {
  await driver.close(await driver.open(file, 'wx'));
  await driver.unlink(file);
}
