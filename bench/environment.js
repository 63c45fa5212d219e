'use strict';

const os = require('node:os');
const { fileSystemOf } = require('./files');

/** Average load per core from which other work on the machine is worth a warning. */
const BUSY = 0.3;

/** Threads of the libuv pool if UV_THREADPOOL_SIZE is not set. */
const DEFAULT_POOL = 4;

/**
 * What the figures depend on besides the code.
 *
 * @param {object} uring The package.
 * @param {string} folder That is worked in.
 * @returns {Promise<object>}
 */
async function environment(uring, folder) {
  // The ring is made on first use, and knows only then what it is.
  await uring.stat(folder);
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    uv: process.versions.uv,
    v8: process.versions.v8,
    platform: process.platform,
    architecture: process.arch,
    kernel: os.release(),
    cpus: os.availableParallelism(),
    cpuModel: cpus.length > 0 ? cpus[0].model : 'unknown',
    loadAverage: os.loadavg()[0],
    threadPoolSize: Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_POOL,
    fileSystem: fileSystemOf(folder),
    package: require('../package.json').version,
    ring: uring.ring.status(),
  };
}

/** Whether other programs use the machine so much that figures are noisy. */
const isBusy = ({ loadAverage, cpus }) => loadAverage > cpus * BUSY;

module.exports = { environment, isBusy };
