'use strict';

const fs = require('node:fs');
const os = require('node:os');
const { KIB, MIB, formatBytes } = require('../files');
const { workload } = require('./read-file');

/** Files of each size, bytes of each, operations in flight. */
const SIZES = [
  { count: 256, size: 64 * KIB, c: 64 },
  { count: 32, size: MIB, c: 16 },
  { count: 8, size: 8 * MIB, c: 2 },
];

/** Results that may be alive at once, the collector being late: memory to have, in file sizes. */
const COPIES = 6;

/**
 * Whole files for which the copy, not the call, is the cost.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ workspace, hugeFile, quick }) => [
  ...SIZES.map(({ count, size, c }) => {
    const files = workspace.files(`read-${size}`, count, size);
    return large(`readFile ${files.label}`, c, files);
  }),
  {
    ...large(`readFile ${formatBytes(hugeFile.size)}`, 1, {
      description: hugeFile.description,
      paths: [hugeFile.path],
      make: hugeFile.make,
    }),
    busy: false,
    loopDelay: true,
    unavailable: () => (quick ? 'takes too long for --quick' : lack(hugeFile)),
  },
];

/** @returns {import('../harness').Workload} */
function large(name, c, { description, paths, make }) {
  return {
    ...workload(name, description, paths, undefined),
    concurrency: [c],
    async open() {
      make();
      return {};
    },
  };
}

/**
 * @param {import('../files').BigFile} file
 * @returns {string|null} What there is too little of.
 */
function lack({ path, size }) {
  if (os.freemem() < COPIES * size) {
    return `needs ${formatBytes(COPIES * size)} of free memory, has ${formatBytes(os.freemem())}`;
  }
  if (fs.existsSync(path)) return null;
  const { bavail, bsize } = fs.statfsSync(os.tmpdir());
  if (bavail * bsize >= 2 * size) return null;
  return `needs ${formatBytes(2 * size)} of disk, has ${formatBytes(bavail * bsize)}`;
}

module.exports.lack = lack;
