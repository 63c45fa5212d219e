'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { verify } = require('./read-file');

const CHILD = path.join(__dirname, '..', 'children', 'many-reads.js');

const READS = 100_000;
const QUICK_READS = 2_000;

/** Some fail before they are waited for. */
const QUIET = ['--unhandled-rejections=none', '--no-warnings'];

/** Each takes seconds. */
const ROUNDS = 3;

/**
 * All at once, with nobody to limit them; each driver in a process of its own, for its peak memory.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets, quick }) => {
  const [{ label, description, paths }] = readSets;
  const reads = quick ? QUICK_READS : READS;
  let child = null;
  return [
    {
      name: `readFile ${label}, ${reads.toLocaleString('en-US')} at once`,
      unit: 'files',
      data: description,
      concurrency: [reads],
      cpu: false,
      cold: true,
      mostRounds: quick ? 1 : ROUNDS,

      drivers: (drivers) => drivers.filter(({ sync }) => !sync),

      async open() {
        return {};
      },

      verify: (driver) => verify(driver, paths, undefined),

      async slice(driver) {
        child = fork(CHILD, [driver.name, String(reads), ...paths], { execArgv: QUIET });
        const exited = once(child, 'exit');
        let result = null;
        child.once('message', (message) => (result = message));
        const [status, signal] = await exited;
        child = null;
        if (result === null) throw new Error(`ended with ${signal ?? status}`);
        const { milliseconds, succeeded, failures, bytes, above } = result;
        const burst = { milliseconds, failures, bytes, above };
        return { operations: succeeded, milliseconds, histogram: null, burst };
      },

      abort: () => child?.kill('SIGKILL'),

      async close() {},
    },
  ];
};
