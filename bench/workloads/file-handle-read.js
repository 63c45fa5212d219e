'use strict';

const fs = require('node:fs');
const { PAGE, formatBytes, randomPositions } = require('../files');
const { C_FLOOR } = require('../floor');
const { IN_FLIGHT, compare, forEach } = require('../verify');

const MOST_IN_FLIGHT = 128;

/** Pages that are compared; all of a large file would take as long as a workload. */
const VERIFIED = 4096;

/**
 * One handle that all loops share; each loop has one Buffer.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ bigFile, quick }) => {
  const positions = randomPositions(bigFile.size);
  return [
    {
      name: `FileHandle.read ${formatBytes(PAGE)} random`,
      unit: 'reads',
      data: bigFile.description,
      concurrency: quick ? [1, MOST_IN_FLIGHT] : [1, 16, MOST_IN_FLIGHT],
      allocations: true,
      floor: { name: C_FLOOR, kind: 'read', c: MOST_IN_FLIGHT, size: PAGE, paths: [bigFile.path] },

      async open(driver) {
        bigFile.make();
        const handle = await driver.open(bigFile.path, 'r');
        const buffers = Array.from({ length: MOST_IN_FLIGHT }, () => Buffer.alloc(PAGE));
        return { handle, buffers };
      },

      async verify(driver, { handle, buffers }) {
        const fd = fs.openSync(bigFile.path, 'r');
        const expected = Array.from({ length: IN_FLIGHT }, () => Buffer.alloc(PAGE));
        try {
          await forEach(positions.slice(0, VERIFIED), (position, lane) =>
            compare(
              `${driver.name}: read at ${position} of ${bigFile.path}`,
              () => {
                fs.readSync(fd, expected[lane], 0, PAGE, position);
                return expected[lane];
              },
              async () => {
                buffers[lane].fill(0);
                await driver.read(handle, buffers[lane], PAGE, position);
                return buffers[lane];
              },
            ),
          );
        } finally {
          fs.closeSync(fd);
        }
      },

      operation: (driver, { handle, buffers }, turn, lane) =>
        driver.read(handle, buffers[lane], PAGE, positions[turn % positions.length]),

      close: async (driver, { handle }) => driver.close(handle),
    },
  ];
};
