'use strict';

const os = require('node:os');
const { fileSystemOf } = require('./files');

/** Threads of the libuv pool if UV_THREADPOOL_SIZE is not set. */
const DEFAULT_POOL = 4;

/**
 * What the figures depend on besides the code.
 *
 * @param {object} uring The package.
 * @param {string} temporary Folder that is written to.
 * @returns {Promise<object>}
 */
async function environment(uring, temporary) {
  // The ring is made on first use, and knows only then what it is.
  await uring.stat(temporary);
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
    fileSystem: fileSystemOf(temporary),
    package: require('../package.json').version,
    ring: uring.ring.status(),
  };
}

module.exports = { environment };
