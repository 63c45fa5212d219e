'use strict';

const { LOOPS, description: hashing, startHashing } = require('../hashing');
const { verify } = require('./read-file');

/**
 * Latency of small reads while password hashing keeps the libuv thread pool busy.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets, quick }) => {
  const { label, description, paths } = readSets[0];
  return [
    {
      name: `readFile ${label} beside ${LOOPS} pbkdf2 loops`,
      unit: 'files',
      data: description,
      concurrency: quick ? [1] : [1, 16],
      latency: true,
      cpu: false,
      // A read by the pool takes half a second.
      sliceFactor: 20,
      mostRounds: quick ? 1 : 3,

      async open() {
        return {};
      },

      verify: (driver) => verify(driver, paths, undefined),

      load: {
        description: hashing,
        start: startHashing,
      },

      operation: (driver, state, turn) => driver.readFile(paths[turn % paths.length]),

      async close() {},
    },
  ];
};
