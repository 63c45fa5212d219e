'use strict';

// Packages of npm that are not the repository's own: other versions of Node, other runtimes and package
// managers. Each is in a folder of its own in .nodes/, and none runs an install script.

const fs = require('node:fs');
const path = require('node:path');
const { npmCommand } = require('./packages');
const { ROOT, runStep } = require('./run');

/**
 * The folder of a package, which is fetched if it is not there.
 *
 * @param {string} name
 * @param {string} version a version or a range
 * @param {{ arch?: string, next: string }} options `next`: what to type when it cannot be fetched
 */
function fetchPackage(name, version, { arch = process.arch, next }) {
  const of = path.join(ROOT, '.nodes', `${name.replace('/', '-')}@${version}`);
  const folder = path.join(of, 'node_modules', name);
  if (fs.existsSync(folder)) return folder;

  // A folder with a package.json of its own, or npm would take the repository for its project.
  fs.mkdirSync(of, { recursive: true });
  fs.writeFileSync(path.join(of, 'package.json'), '{ "private": true }\n');
  const { command, prefix } = npmCommand();
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  // npm refuses what is for another processor.
  const force = arch === process.arch ? [] : ['--force'];
  const what = [...force, '--prefix', of, `${name}@${version}`];
  runStep(`fetching ${name} ${version}`, command, [...prefix, ...args, ...what], { next });
  return folder;
}

/**
 * A Node binary. Its platform package holds the binary itself; the package `node` fetches that by an
 * install script, which newer versions of npm do not run.
 *
 * @param {string} version
 * @param {{ arch?: string, next: string }} options
 */
function fetchNode(version, options) {
  const { arch = process.arch } = options;
  const folder = fetchPackage(`node-${process.platform}-${arch}`, version, options);
  return path.join(folder, 'bin', 'node');
}

module.exports = { fetchNode, fetchPackage };
