'use strict';
/** Which backend serves, why, and what it has done so far. */

const os = require('node:os');
const { binding, reason } = require('./binding');
const { nodePromises } = require('./delegate');
// Without the native module there is nothing to make requests of.
const requests = binding === null ? null : require('./request');

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
  CLAMP: 1 << 4,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13,
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
];

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
 *   reason: string | null,
 *   kernel: string,
 *   setupFlags: string[],
 *   sqEntries: number,
 *   cqEntries: number,
 *   operations: Record<string, 'ring' | 'pool'>,
 * }} `reason`: why it is the thread pool; null on the ring
 */
function status() {
  const { failure, description } = requests?.ringState() ?? { failure: reason };
  const onRing = failure === null;
  const flags = onRing ? description.setupFlags : 0;
  return {
    backend: onRing ? 'io_uring' : 'threadpool',
    reason: failure,
    kernel: os.release(),
    setupFlags: Object.keys(setupFlagNames).filter((name) => flags & setupFlagNames[name]),
    sqEntries: onRing ? description.sqEntries : 0,
    cqEntries: onRing ? description.cqEntries : 0,
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
 *   queued: number, inFlight: number, peakQueued: number, peakInFlight: number,
 * }} requests; `inline`: completed within their own submission; `enters`: io_uring_enter(2) calls;
 *   `queued`: waiting in user space; `inFlight`: with the kernel
 */
function stats() {
  return Object.fromEntries(
    counterNames.map((name, index) => [name, requests?.counters[index] ?? 0]),
  );
}

module.exports = { stats, status };
