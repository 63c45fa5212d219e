'use strict';

/** fio, the tool that storage is measured with: random reads through its io_uring engine. */

const { spawnSync } = require('node:child_process');

/** @returns {string|null} Why there is none. */
function prepare() {
  const { error, status } = spawnSync('fio', ['--version'], { stdio: 'ignore' });
  if (error) return `fio is not installed (Debian and Ubuntu: the package fio)`;
  return status === 0 ? null : `fio: ended with ${status}`;
}

/**
 * @param {import('.').FloorWork} work
 * @param {number} milliseconds
 * @returns {(string|number)[]}
 */
function command({ c, depth = c, size, paths: [file] }, milliseconds) {
  const options = {
    name: 'floor',
    filename: file,
    readonly: null,
    rw: 'randread',
    bs: size,
    direct: 1,
    ioengine: 'io_uring',
    iodepth: depth,
    time_based: null,
    ramp_time: `${Math.ceil(milliseconds / 10)}ms`,
    runtime: `${Math.ceil(milliseconds)}ms`,
    thread: null,
    'output-format': 'json',
  };
  const args = Object.entries(options).map(([name, value]) =>
    value === null ? `--${name}` : `--${name}=${value}`,
  );
  return ['fio', ...args];
}

const result = ({ jobs: [{ read }] }) => ({
  operations: read.total_ios,
  milliseconds: read.runtime,
});

module.exports = { command, prepare, result };
