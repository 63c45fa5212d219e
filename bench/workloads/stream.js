'use strict';

const { MIB, formatBytes } = require('../files');
const { Mismatch } = require('../verify');

/**
 * A ReadStream over an open file, from its start to its end; bytes are counted.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ bigFile }) => {
  const size = Math.min(bigFile.size, 16 * MIB);
  return [
    {
      name: `createReadStream ${formatBytes(size)}`,
      unit: 'streams',
      data: bigFile.description,
      concurrency: [1],
      asyncOnly: true,

      async open() {
        bigFile.make();
        return {};
      },

      async verify(driver) {
        const length = await read(driver);
        if (length !== size) throw new Mismatch(`${driver.name}: a stream of ${length} bytes`);
      },

      operation: read,

      async close() {},
    },
  ];

  /** A handle of its own for each: streams leave listeners on theirs. */
  async function read(driver) {
    const handle = await driver.open(bigFile.path, 'r');
    const length = await driver.stream(handle, size);
    await driver.close(handle);
    return length;
  }
};
