'use strict';

// Runs the command `uring-fs`.

const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./environment');

/**
 * @param {string[]} args
 * @param {{ env?: object, flags?: string[], root?: string, cwd?: string }} [options] `flags`: of Node;
 *   `root`: of the package
 * @returns {{ status: number | null, stdout: string, stderr: string }}
 */
function runCli(args, { env, flags = [], root = ROOT, cwd = ROOT } = {}) {
  const cli = path.join(root, 'lib', 'cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, cli, ...args], {
    encoding: 'utf8',
    cwd,
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

/**
 * @param {string} name of a document
 * @param {string} after a heading, or a line
 * @returns {string[]} the names in the first column of the table that comes next
 */
function documented(name, after) {
  const text = nodeFs.readFileSync(path.join(ROOT, 'docs', name), 'utf8');
  const [table] = text.slice(text.indexOf(after)).match(/(^\|.*\n)+/m);
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, member]) => member);
}

module.exports = { documented, runCli };
