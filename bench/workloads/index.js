'use strict';

/**
 * All workloads, in the order of the report. Each file exports a function from a Context to a list
 * of Workloads (see ../harness.js): a new workload is a new file and a line here.
 *
 * @typedef {object} Context
 * @property {import('../files').Workspace} workspace For what is written.
 * @property {import('../files').FileSet[]} readSets Sets that are only read.
 * @property {import('../files').BigFile} bigFile A large file that is only read.
 * @property {import('../files').BigFile} hugeFile A far larger one.
 * @property {boolean} quick Leave out or shorten what takes long.
 * @property {object} uring The package.
 */

const FILES = [
  require('./read-file'),
  require('./read-file-into'),
  require('./large-read-file'),
  require('./read-files'),
  require('./file-handle-read'),
  require('./direct-read'),
  require('./read-stream'),
  require('./stat'),
  require('./open-close'),
  require('./file-handle-write'),
  require('./write-file'),
  require('./create-unlink'),
  require('./append-datasync'),
  require('./many-reads'),
  require('./read-file-under-load'),
  require('./http'),
  require('./fairness'),
  require('./growth'),
  require('./workers'),
];

/**
 * @param {Context} context
 * @returns {import('../harness').Workload[]}
 */
function createWorkloads(context) {
  return FILES.flatMap((create) => create(context));
}

module.exports = { createWorkloads };
