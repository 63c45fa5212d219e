'use strict';

const { pbkdf2 } = require('node:crypto');
const { promisify } = require('node:util');

const LOOPS = 8;

/** Of SHA-512: half of what is advised for passwords. Eight such calls at once take half a second of two cores. */
const ITERATIONS = 100_000;

const derive = promisify(pbkdf2);

/** Keeps the libuv thread pool busy with password hashing. */
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

const description = `${LOOPS} pbkdf2 loops, SHA-512, ${ITERATIONS} iterations`;

module.exports = { LOOPS, description, startHashing };
