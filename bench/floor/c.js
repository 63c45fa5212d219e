'use strict';

/** Builds floor.c, and knows how it is called. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const SOURCE = path.join(__dirname, 'floor.c');
const BINARY = path.join(__dirname, '..', '..', 'build', 'bench', 'floor');

/**
 * @returns {string|null} Why there is no floor, or null if it is built.
 */
function prepare() {
  const { mtimeMs } = fs.statSync(SOURCE);
  if (fs.statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs > mtimeMs) return null;
  const compiler = process.env.CC || 'cc';
  fs.mkdirSync(path.dirname(BINARY), { recursive: true });
  // Two benchmarks may build at once: each its own file, renamed when it is whole.
  const temporary = `${BINARY}.${process.pid}`;
  const flags = ['-O2', '-std=gnu11', '-Wall', '-Wextra'];
  const { error, status, stderr } = spawnSync(
    compiler,
    [...flags, '-o', temporary, SOURCE, '-luring'],
    { encoding: 'utf8' },
  );
  if (error) return `no C compiler (${compiler}: ${error.code})`;
  if (status !== 0) {
    fs.rmSync(temporary, { force: true });
    if (/liburing\.h|-luring/.test(stderr)) return 'liburing and its header are not installed';
    return `${compiler}: ${stderr.split('\n').find((line) => line.includes('error')) ?? status}`;
  }
  fs.renameSync(temporary, BINARY);
  return null;
}

/**
 * @param {import('.').FloorWork} work
 * @param {number} milliseconds
 * @param {string} directory For its list of files.
 * @returns {(string|number)[]}
 */
function command({ kind, c, depth = c, size, paths }, milliseconds, directory) {
  let [input] = paths;
  if (kind !== 'read') {
    input = path.join(directory, 'floor-list');
    fs.writeFileSync(input, paths.map((file) => `${file}\0`).join(''));
  }
  return [BINARY, kind, depth, milliseconds, size, input];
}

const result = ({ operations, seconds }) => ({ operations, milliseconds: seconds * 1e3 });

module.exports = { command, prepare, result };
