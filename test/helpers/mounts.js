'use strict';

// Small file systems for the tests, where mounting is permitted.

const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const { skip } = require('./environment');

function run(command, ...args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : (error?.message ?? stderr.trim());
}

/**
 * Mounts a file system of its own for the suite this is called in, or skips the suite.
 *
 * @param {{ in: (...names: string[]) => string }} folder of the suite
 * @param {'tmpfs' | 'ext4'} type
 * @param {number} size bytes
 * @returns {(...names: string[]) => string} a path on it
 */
function useMount(folder, type, size) {
  const point = () => folder.in(`${type}-mount`);
  let mounted = false;
  before(function () {
    nodeFs.mkdirSync(point());
    let problem;
    if (type === 'tmpfs') {
      problem = run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', point());
    } else {
      const image = folder.in(`${type}-image`);
      nodeFs.writeFileSync(image, '');
      nodeFs.truncateSync(image, size);
      problem =
        run('mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', image) ||
        run('mount', '-o', 'loop', image, point());
    }
    if (problem) skip(this, `no ${type} can be mounted: ${problem}`);
    mounted = true;
  });
  after(() => {
    if (mounted) run('umount', '-l', point());
  });
  return (...names) => folder.in(`${type}-mount`, ...names);
}

module.exports = { useMount };
