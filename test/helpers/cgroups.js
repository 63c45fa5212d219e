'use strict';

// Control groups of the tests' own, where they can be made: below the group that the tests run in.

const nodeFs = require('node:fs');
const path = require('node:path');
const { skip } = require('./environment');

/** Folders that may hold groups: this process's own, in each hierarchy. */
function ownGroups() {
  const lines = (file) => nodeFs.readFileSync(file, 'utf8').trim().split('\n');
  const mounts = lines('/proc/mounts').map((line) => line.split(' '));
  return lines('/proc/self/cgroup').flatMap((line) => {
    const [, names, own] = line.split(':');
    return mounts
      .filter(([, , type, options]) =>
        names === ''
          ? type === 'cgroup2'
          : type === 'cgroup' && options.split(',').includes(names.split(',')[0]),
      )
      .map(([, point]) => path.join(point, own));
  });
}

/**
 * Makes a group for the test of `context`, or skips it.
 *
 * @param {Mocha.Context} context
 * @param {string[]} limits names of the file that sets the limit: it differs by version
 * @returns {{ limit: string, launcher: string[], remove: () => void }} `limit`: the file's path; `launcher`: a
 *   command that runs the command after it in the group
 */
function makeGroup(context, ...limits) {
  for (const own of ownGroups()) {
    const group = path.join(own, `uring-fs-test-${process.pid}`);
    try {
      nodeFs.mkdirSync(group);
    } catch {
      continue; // read-only, or not ours
    }
    const remove = () => nodeFs.rmdirSync(group);
    const name = limits.find((limit) => nodeFs.existsSync(path.join(group, limit)));
    if (name !== undefined) {
      const script = `echo $$ >'${group}/cgroup.procs' && exec "$0" "$@"`;
      return { limit: path.join(group, name), launcher: ['sh', '-c', script], remove };
    }
    remove();
  }
  return skip(context, `no control group with ${limits.join(' or ')} can be made`);
}

module.exports = { makeGroup };
