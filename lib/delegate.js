'use strict';
/**
 * Node's own functions, as they were when this package was loaded: what has no opcode, what the kernel
 * lacks and what is not recognised goes to them unchanged. Sometimes that is all.
 */

const fs = require('node:fs');

/** What a copy of this package that has put its own in their place (register.js) has found there. */
const found = globalThis[Symbol.for('uring-fs.registered')];

/** `node:fs/promises` */
const nodePromises = found?.nodePromises ?? { ...fs.promises };

const properties = Object.getOwnPropertyDescriptors(fs);

/** `node:fs`, without what it loads only when it is asked for: streams, for example. */
const nodeFs =
  found?.nodeFs ??
  Object.fromEntries(Object.entries(properties).map(([name, { value }]) => [name, value]));

/** A class or the like that `node:fs` loads only when it is asked for. */
function loadNode(name) {
  const { get, value } = properties[name];
  return get === undefined ? value : Reflect.apply(get, fs, []);
}

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
      if (error) require('./errors').rejectInJob(resolve, () => error);
      else resolve(value);
    });
  });
}

/** The genuine AbortError of an aborted signal: Node rejects before it does anything else. */
function abortError(signal) {
  return nodePromises.readFile('/', { signal });
}

/**
 * Why io_uring is not to be asked for at all, whatever the kernel would say; else null. Of `code`, which
 * ring.status() gives, too, each has its remedy in cli/remedies.js.
 *
 * @type {{ code: string, reason: string } | null}
 */
const ruledOut = whyNot();

function whyNot() {
  const { env, permission, platform, versions } = process;
  if (env.URING_FS_BACKEND === 'threadpool') {
    return { code: 'environment', reason: 'URING_FS_BACKEND=threadpool' };
  }
  if (platform !== 'linux') {
    return { code: 'platform', reason: `io_uring is of Linux, this is ${platform}` };
  }
  // Both run the addon's libuv calls not at all, or abort on them.
  if (versions.bun !== undefined) return { code: 'bun', reason: 'Bun has no libuv loop to wake' };
  if (versions.deno !== undefined) {
    return { code: 'deno', reason: 'Deno has no libuv loop to wake' };
  }
  // Node checks paths in its own fs functions only; an addon would go round the checks.
  if (permission !== undefined) {
    return { code: 'permission-model', reason: "Node's permission model is active" };
  }
  return null;
}

module.exports = { abortError, callNode, loadNode, nodeFs, nodePromises, ruledOut };
