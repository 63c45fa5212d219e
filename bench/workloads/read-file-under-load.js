'use strict';

const { pbkdf2 } = require('node:crypto');
const { promisify } = require('node:util');
const { verify } = require('./read-file');

const LOOPS = 8;

/** Of SHA-512: some milliseconds of a core, a twentieth of what is advised for passwords. */
const ITERATIONS = 10_000;

const derive = promisify(pbkdf2);

/**
 * Latency of small reads while password hashing keeps the libuv thread pool busy.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets }) => {
  const { label, description, paths } = readSets[0];
  return [
    {
      name: `readFile ${label} beside ${LOOPS} pbkdf2 loops`,
      unit: 'files',
      data: description,
      concurrency: [1, 16],
      latency: true,
      cpu: false,
      sliceFactor: 5,

      async open() {
        return {};
      },

      verify: (driver) => verify(driver, paths, undefined),

      load: {
        description: `${LOOPS} pbkdf2 loops, SHA-512, ${ITERATIONS} iterations`,
        start: startHashing,
      },

      operation: (driver, state, turn) => driver.readFile(paths[turn % paths.length]),

      async close() {},
    },
  ];
};

function startHashing() {
  let running = true;
  const loops = Array.from({ length: LOOPS }, async () => {
    while (running) await derive('password', 'salt', ITERATIONS, 64, 'sha512');
  });
  return {
    async stop() {
      running = false;
      await Promise.all(loops);
    },
  };
}
