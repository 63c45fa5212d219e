'use strict';

const fs = require('node:fs');
const { PAGE, formatBytes, randomPositions } = require('../files');
const { FIO } = require('../floor');
const { Mismatch, forEach } = require('../verify');

const IN_FLIGHT = 128;

/** Pages that are compared. */
const VERIFIED = 1024;

/** Node's allocations are aligned to this; O_DIRECT wants more. Bytes. */
const STEP = 8;

/**
 * Past the page cache: the device does the work, and the driver has to keep it busy.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ bigFile }) => {
  const positions = randomPositions(bigFile.size);
  const flags = fs.constants.O_RDONLY | (fs.constants.O_DIRECT ?? 0);
  return [
    {
      name: `FileHandle.read ${formatBytes(PAGE)} O_DIRECT`,
      unit: 'reads',
      data: `${bigFile.description}, past the page cache`,
      concurrency: [16, IN_FLIGHT],
      floor: {
        name: FIO,
        kind: 'direct-read',
        c: IN_FLIGHT,
        size: PAGE,
        paths: [bigFile.path],
      },

      unavailable() {
        if (fs.constants.O_DIRECT === undefined) return 'no O_DIRECT on this platform';
        bigFile.make();
        let fd;
        try {
          fd = fs.openSync(bigFile.path, flags);
        } catch (error) {
          return `the file system has no O_DIRECT (${error.code})`;
        }
        try {
          return alignedPages(fd, 1) === null ? 'the file system takes no O_DIRECT reads' : null;
        } finally {
          fs.closeSync(fd);
        }
      },

      async open(driver) {
        bigFile.make();
        const fd = fs.openSync(bigFile.path, flags);
        const buffers = alignedPages(fd, IN_FLIGHT);
        fs.closeSync(fd);
        return { handle: await driver.open(bigFile.path, flags), buffers };
      },

      async verify(driver, { handle, buffers }) {
        const fd = fs.openSync(bigFile.path, 'r');
        const expected = Buffer.alloc(PAGE);
        try {
          await forEach(positions.slice(0, VERIFIED), async (position, lane) => {
            buffers[lane].fill(0);
            await driver.read(handle, buffers[lane], PAGE, position);
            fs.readSync(fd, expected, 0, PAGE, position);
            if (expected.equals(buffers[lane])) return;
            throw new Mismatch(`${driver.name}: O_DIRECT read at ${position}: wrong bytes`);
          });
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

/**
 * JavaScript cannot see an address: the kernel is asked whether it takes one.
 *
 * @param {number} fd Opened with O_DIRECT.
 * @param {number} count
 * @returns {Buffer[]|null} Pages that reads with O_DIRECT take; null if it takes none.
 */
function alignedPages(fd, count) {
  const memory = Buffer.allocUnsafeSlow((count + 1) * PAGE);
  for (let offset = 0; offset < PAGE; offset += STEP) {
    try {
      fs.readSync(fd, memory, offset, PAGE, 0);
    } catch (error) {
      if (error.code === 'EINVAL') continue;
      throw error;
    }
    return Array.from({ length: count }, (_, page) => {
      const start = offset + page * PAGE;
      return memory.subarray(start, start + PAGE);
    });
  }
  return null;
}
