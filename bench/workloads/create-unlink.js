'use strict';

const { mkdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { PAGE, formatBytes } = require('../files');
const { Mismatch } = require('../verify');

/**
 * A file is made, written and removed; each loop has a name of its own.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace }) => {
  const folder = path.join(workspace.root, 'create-unlink');
  const content = Buffer.alloc(PAGE, 'created');
  return [
    {
      name: `writeFile ${formatBytes(PAGE)} + unlink, new files`,
      unit: 'files',
      data: `new files of ${formatBytes(PAGE)}`,
      concurrency: [64],

      async open(driver) {
        mkdirSync(folder, { recursive: true });
        const name = driver.name.replaceAll(/\W/g, '-');
        const names = Array.from({ length: 64 }, (_, lane) => path.join(folder, `${name}-${lane}`));
        return { names };
      },

      async verify(driver, { names: [file] }) {
        await driver.writeFile(file, content);
        if (!readFileSync(file).equals(content)) {
          throw new Mismatch(`${driver.name}: writeFile ${file}: wrong bytes`);
        }
        await driver.unlink(file);
      },

      operation: (driver, { names }, turn, lane) => {
        if (driver.sync) {
          driver.writeFile(names[0], content);
          return driver.unlink(names[0]);
        }
        return driver.writeFile(names[lane], content).then(() => driver.unlink(names[lane]));
      },

      async close() {},
    },
  ];
};
