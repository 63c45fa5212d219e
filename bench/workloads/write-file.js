'use strict';

const { readFileSync } = require('node:fs');
const { PAGE } = require('../files');
const { Mismatch, forEach } = require('../verify');

/**
 * Files that exist are truncated and written; more of them than are ever in flight, so that no two
 * operations meet on one.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace }) => {
  const { label, description, paths } = workspace.smallFiles('overwrite');
  return [
    {
      name: `writeFile ${label} overwrite`,
      unit: 'files',
      data: description,
      concurrency: [1, 128],

      async open() {
        return { content: Buffer.alloc(PAGE, 'overwritten') };
      },

      async verify(driver) {
        const content = (path) => Buffer.alloc(PAGE, `${driver.name} to ${path}\n`);
        await forEach(paths, async (path) => driver.writeFile(path, content(path)));
        for (const path of paths) {
          if (readFileSync(path).equals(content(path))) continue;
          throw new Mismatch(`${driver.name}: writeFile ${path}: wrong bytes`);
        }
      },

      operation: (driver, { content }, turn) =>
        driver.writeFile(paths[turn % paths.length], content),

      async close() {},
    },
  ];
};
