'use strict';

const fs = require('node:fs');
const { BIG_FILE, PAGE, QUICK_BIG_FILE, formatBytes, randomPositions } = require('../files');
const { Mismatch, forEach } = require('../verify');

/** Pages that are written and compared before the timing. */
const VERIFIED = 1024;

/**
 * Over what is there, into the page cache: nothing waits for the disk, the file does not grow.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace, quick }) => {
  const size = quick ? QUICK_BIG_FILE : BIG_FILE;
  const name = `FileHandle.write ${formatBytes(PAGE)} random`;
  const made = workload(name, workspace.bigFile('random-write', size));
  if (quick) return [made];
  // As a database's, which grew by pages: the page cache has it in pages. What is written in large
  // pieces it has in large folios, and ext4 looks at all of one for each write to it.
  const grown = workspace.bigFile('random-write-pages', size, PAGE);
  return [made, { ...workload(`${name}, file that grew by pages`, grown), busy: false }];
};

/** @returns {import('../harness').Workload} */
function workload(name, file) {
  const positions = randomPositions(file.size);
  return {
    name,
    unit: 'writes',
    data: file.description,
    concurrency: [1, 128],

    async open(driver) {
      file.make();
      return { handle: await driver.open(file.path, 'r+'), page: Buffer.alloc(PAGE, 'written') };
    },

    async verify(driver, { handle }) {
      const written = positions.slice(0, VERIFIED);
      const page = (position) => Buffer.alloc(PAGE, `${driver.name} at ${position}\n`);
      await forEach(written, async (position) => {
        await driver.write(handle, page(position), PAGE, position);
      });
      const fd = fs.openSync(file.path, 'r');
      try {
        const actual = Buffer.alloc(PAGE);
        for (const position of written) {
          fs.readSync(fd, actual, 0, PAGE, position);
          if (actual.equals(page(position))) continue;
          throw new Mismatch(`${driver.name}: write at ${position} of ${file.path}: wrong bytes`);
        }
      } finally {
        fs.closeSync(fd);
      }
    },

    operation: (driver, { handle, page }, turn) =>
      driver.write(handle, page, PAGE, positions[turn % positions.length]),

    close: async (driver, { handle }) => driver.close(handle),
  };
}
