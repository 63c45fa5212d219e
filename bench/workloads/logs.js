'use strict';

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { PAGE, formatBytes } = require('../files');
const { Mismatch } = require('../verify');

const LOGS = 8;

/**
 * Records made durable one after the other, in several logs at once. The disk decides most of it.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace }) => {
  const record = Buffer.alloc(PAGE, 'record');
  const fileOf = (driver, log) =>
    path.join(workspace.root, `${driver.name.replaceAll(/\W/g, '-')}-${log}.log`);
  return [
    {
      name: `write ${formatBytes(PAGE)} + datasync, ${LOGS} logs`,
      unit: 'records',
      data: `${LOGS} files that are written over`,
      concurrency: [LOGS],
      sliceFactor: 2,

      async open(driver) {
        const handles = [];
        for (let log = 0; log < LOGS; log++) {
          handles.push(await driver.open(fileOf(driver, log), 'w'));
        }
        return { handles };
      },

      async verify(driver, { handles }) {
        for (const [log, handle] of handles.entries()) {
          await driver.write(handle, record, PAGE, 0);
          await driver.datasync(handle);
          if (readFileSync(fileOf(driver, log)).equals(record)) continue;
          throw new Mismatch(`${driver.name}: log ${log}: wrong bytes`);
        }
      },

      operation: (driver, { handles }, turn, lane) => {
        const position = (turn % 256) * PAGE;
        if (driver.sync) {
          driver.write(handles[0], record, PAGE, position);
          return driver.datasync(handles[0]);
        }
        const handle = handles[lane];
        return driver.write(handle, record, PAGE, position).then(() => driver.datasync(handle));
      },

      async close(driver, { handles }) {
        for (const handle of handles) await driver.close(handle);
      },
    },
  ];
};
