'use strict';
/** Which backend serves, why, and what it has done so far. */

const { nodePromises } = require('./delegate');
const { configure, current } = require('./tuning');

/** Operations that have an opcode, with the native operation that they cannot do without. */
const nativeNames = {
  access: 'stat',
  appendFile: 'open',
  close: 'close',
  datasync: 'fdatasync',
  link: 'link',
  lstat: 'stat',
  mkdir: 'mkdir',
  mkdtemp: 'mkdir',
  open: 'open',
  read: 'read',
  readFile: 'open',
  readv: 'readv',
  rename: 'rename',
  rm: 'unlink',
  rmdir: 'rmdir',
  stat: 'stat',
  symlink: 'symlink',
  sync: 'fsync',
  truncate: 'ftruncate',
  unlink: 'unlink',
  write: 'write',
  writeFile: 'open',
  writev: 'writev',
};

/** <linux/io_uring.h> */
const setupFlagNames = {
  SQPOLL: 1 << 1,
  CQSIZE: 1 << 3,
  SQ_AFF: 1 << 2,
  CLAMP: 1 << 4,
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  SINGLE_ISSUER: 1 << 12,
};

/** In the order of the native module's counters (src/engine.h). */
const counterNames = [
  'submitted',
  'completed',
  'inline',
  'enters',
  'queued',
  'inFlight',
  'peakQueued',
  'peakInFlight',
  'helped',
];

/**
 * @returns {{ requests: object | null, failure: { code: string, reason: string } | null }} request.js, or
 *   why there is nothing to ask
 */
function load() {
  try {
    const { binding, failure } = require('./binding');
    return { requests: binding === null ? null : require('./request'), failure };
  } catch (error) {
    // No descriptor is left to load it with (the next call tries again), or it is out of reach by now.
    const [line] = error.message.split('\n', 1);
    const reason = `this package could not be loaded: ${line}`;
    return { requests: null, failure: { code: 'not-loaded', reason } };
  }
}

/** Every operation by name: the functions of fs/promises, and FileHandle's that are not among them. */
function operationNames() {
  const functions = Object.keys(nodePromises).filter(
    (name) => typeof nodePromises[name] === 'function',
  );
  return [...new Set([...functions, ...Object.keys(nativeNames)])].sort();
}

/**
 * Which backend serves this environment (the main thread or a worker) and why. Makes the ring if it has
 * not been used yet.
 *
 * @returns {{
 *   backend: 'io_uring' | 'threadpool',
 *   code: string | null,
 *   reason: string | null,
 *   kernel: string,
 *   setupFlags: string[],
 *   sqEntries: number,
 *   cqEntries: number,
 *   restricted: boolean,
 *   tuning: object,
 *   operations: Record<string, 'ring' | 'pool'>,
 * }} `code`, and `reason` in words: why it is the thread pool; null on the ring
 */
function status() {
  const { requests, failure: cause } = load();
  const { failure, description } = requests?.ringState() ?? { failure: cause };
  const onRing = failure === null;
  const flags = onRing ? description.setupFlags : 0;
  return {
    backend: onRing ? 'io_uring' : 'threadpool',
    code: failure?.code ?? null,
    reason: failure?.reason ?? null,
    kernel: require('node:os').release(),
    setupFlags: Object.keys(setupFlagNames).filter((name) => flags & setupFlagNames[name]),
    sqEntries: onRing ? description.sqEntries : 0,
    cqEntries: onRing ? description.cqEntries : 0,
    restricted: onRing && description.restricted === 1,
    tuning: current().settings,
    operations: Object.fromEntries(
      operationNames().map((name) => {
        const native = nativeNames[name];
        return [name, onRing && description.operations[native] === true ? 'ring' : 'pool'];
      }),
    ),
  };
}

/**
 * Counters of this environment's ring since its start.
 *
 * @returns {{
 *   submitted: number, completed: number, inline: number, enters: number,
 *   queued: number, inFlight: number, peakQueued: number, peakInFlight: number, helped: number,
 * }} requests; `inline`: completed within their own submission; `enters`: io_uring_enter(2) calls;
 *   `queued`: waiting in user space; `inFlight`: with the kernel, or the thread beside the ring; `helped`:
 *   done by that
 */
function stats() {
  const { requests } = load();
  return Object.fromEntries(
    counterNames.map((name, index) => [name, requests?.counters[index] ?? 0]),
  );
}

module.exports = { configure, stats, status };
