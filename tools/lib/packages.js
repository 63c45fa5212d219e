'use strict';

// The npm packages of the repository: installed when missing, or when the lock file moved on.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, runStep } = require('./run');

const readJson = (file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));

const sorted = (object = {}) => Object.entries(object).sort();

/** Whether package-lock.json still says what package.json asks for. */
function lockIsCurrent() {
  if (!fs.existsSync(path.join(ROOT, 'package-lock.json'))) return false;
  const wanted = readJson('package.json');
  const locked = readJson('package-lock.json').packages[''];
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(
    (kind) => JSON.stringify(sorted(wanted[kind])) === JSON.stringify(sorted(locked[kind])),
  );
}

/** Whether node_modules holds what package.json asks for, in the versions of the lock file. */
function packagesAreCurrent() {
  // npm's own record of what it put there.
  const record = 'node_modules/.package-lock.json';
  if (!fs.existsSync(path.join(ROOT, record)) || !lockIsCurrent()) return false;
  const installed = readJson(record).packages;
  const { '': _root, ...wanted } = readJson('package-lock.json').packages;
  return Object.entries(wanted).every(([where, { version, optional }]) =>
    // Optional packages are mostly binaries for other platforms.
    installed[where] ? installed[where].version === version : optional === true,
  );
}

/** How to start npm: the one that runs this script, else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  return running && path.basename(running) === 'npm-cli.js'
    ? { command: process.execPath, prefix: [running] }
    : { command: 'npm', prefix: [] };
}

/** Installs the npm packages if they are missing or outdated. */
function ensurePackages() {
  if (packagesAreCurrent()) return;
  const { command, prefix } = npmCommand();
  // No package here needs an install script, so none gets to run one.
  const verb = lockIsCurrent() ? 'ci' : 'install';
  const args = [verb, '--ignore-scripts', '--no-audit', '--no-fund'];
  runStep('installing the npm packages', command, [...prefix, ...args], {
    next: `npm ${args.join(' ')}`,
  });
}

module.exports = { ensurePackages, npmCommand, packagesAreCurrent };
