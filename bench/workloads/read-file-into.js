'use strict';

const fs = require('node:fs');
const { Mismatch, forEach } = require('../verify');

const MOST_IN_FLIGHT = 128;

/**
 * Small files into memory of the caller, one Buffer per loop: what is left to allocate is a promise and
 * a view.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets }) => {
  const { label, description, size, paths } = readSets[0];
  // A folder of the user's: its largest file is not known, and would have to fit.
  if (!size) return [];
  return [
    {
      name: `readFile ${label} into a Buffer`,
      unit: 'files',
      data: description,
      concurrency: [1, MOST_IN_FLIGHT],
      allocations: true,

      unavailable: () => (nodeReadsInto() ? null : `readFile of this Node takes no 'buffer'`),

      async open() {
        const options = Array.from({ length: MOST_IN_FLIGHT }, () => ({
          buffer: Buffer.alloc(size),
        }));
        return { options };
      },

      async verify(driver, { options }) {
        await forEach(paths, async (path, lane) => {
          const { buffer } = options[lane];
          buffer.fill(0);
          const result = await driver.readFile(path, options[lane]);
          const expected = fs.readFileSync(path);
          if (result.buffer === buffer.buffer && expected.equals(buffer)) return;
          throw new Mismatch(`${driver.name}: readFile ${path} into a Buffer: wrong bytes`);
        });
      },

      operation: (driver, { options }, turn, lane) =>
        driver.readFile(paths[turn % paths.length], options[lane]),

      async close() {},
    },
  ];
};

/** Whether the running Node's readFile has the option `buffer`. */
function nodeReadsInto() {
  const buffer = Buffer.alloc(1);
  return fs.readFileSync('/dev/null', { buffer }).buffer === buffer.buffer;
}
