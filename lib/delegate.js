'use strict';
/**
 * Node's own functions, as they were when this package was loaded: what has no opcode, what the kernel
 * lacks and what is not recognised goes to them unchanged.
 */

const fs = require('node:fs');
const { rejectInJob } = require('./errors');

/** `node:fs/promises` */
const nodePromises = { ...fs.promises };

/** `node:fs` */
const nodeFs = { ...fs };

/**
 * A callback function of `node:fs` as a promise. What it throws at once (bad arguments) is a rejection.
 *
 * @param {string} name
 * @param {...any} args without the callback
 * @returns {Promise<any>} the callback's second argument
 */
function callNode(name, ...args) {
  return new Promise((resolve) => {
    nodeFs[name](...args, (error, value) => {
      if (error) rejectInJob(resolve, () => error);
      else resolve(value);
    });
  });
}

/** The genuine AbortError of an aborted signal: Node rejects before it does anything else. */
function abortError(signal) {
  return nodePromises.readFile('/', { signal });
}

module.exports = { abortError, callNode, nodeFs, nodePromises };
