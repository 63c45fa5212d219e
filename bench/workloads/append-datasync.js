'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { MIB, PAGE, formatBytes } = require('../files');
const { Mismatch } = require('../verify');

const LOGS = 8;

/** Bytes after which a log starts over. */
const LONGEST = 16 * MIB;

/**
 * What databases do: an entry at the end of a log, and not on until it is on the disk.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace }) => [
  {
    name: `append ${formatBytes(PAGE)} + datasync, ${LOGS} logs`,
    unit: 'entries',
    data: `${LOGS} logs of up to ${formatBytes(LONGEST)}`,
    concurrency: [LOGS],

    async open(driver) {
      const directory = fs.mkdtempSync(path.join(workspace.root, 'logs-'));
      const paths = Array.from({ length: LOGS }, (_, log) => path.join(directory, `${log}`));
      const handles = [];
      for (const file of paths) handles.push(await driver.open(file, 'w+'));
      return { paths, handles, ends: paths.map(() => 0), entry: Buffer.alloc(PAGE, driver.name) };
    },

    async verify(driver, state) {
      for (let lane = 0; lane < LOGS; lane++) {
        await this.operation(driver, state, 0, lane);
        if (fs.readFileSync(state.paths[lane]).equals(state.entry)) continue;
        throw new Mismatch(`${driver.name}: write + datasync: wrong bytes`);
      }
    },

    operation(driver, { handles, ends, entry }, turn, lane) {
      const position = ends[lane];
      ends[lane] = (position + PAGE) % LONGEST;
      if (!driver.sync) return append(driver, handles[lane], entry, position);
      driver.write(handles[lane], entry, PAGE, position);
      return driver.datasync(handles[lane]);
    },

    async close(driver, { handles }) {
      for (const handle of handles) await driver.close(handle);
    },
  },
];

async function append(driver, handle, entry, position) {
  await driver.write(handle, entry, PAGE, position);
  await driver.datasync(handle);
}
