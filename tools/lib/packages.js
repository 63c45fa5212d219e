'use strict';

// The npm packages of the repository, or of a folder in it with a package.json of its own: installed when
// missing, or when the lock file moved on.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, runStep } = require('./run');

const readJson = (folder, file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));

const sorted = (object = {}) => Object.entries(object).sort();

/** Whether package-lock.json still says what package.json asks for. */
function lockIsCurrent(folder) {
  if (!fs.existsSync(path.join(folder, 'package-lock.json'))) return false;
  const wanted = readJson(folder, 'package.json');
  const locked = readJson(folder, 'package-lock.json').packages[''];
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every(
    (kind) => JSON.stringify(sorted(wanted[kind])) === JSON.stringify(sorted(locked[kind])),
  );
}

/**
 * Whether node_modules holds what package.json asks for, in the versions of the lock file.
 *
 * @param {string} [folder]
 */
function packagesAreCurrent(folder = ROOT) {
  // npm's own record of what it put there.
  const record = 'node_modules/.package-lock.json';
  if (!fs.existsSync(path.join(folder, record)) || !lockIsCurrent(folder)) return false;
  const installed = readJson(folder, record).packages;
  const { '': _root, ...wanted } = readJson(folder, 'package-lock.json').packages;
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

/**
 * Installs the npm packages if they are missing or outdated.
 *
 * @param {string} [folder]
 */
function ensurePackages(folder = ROOT) {
  if (packagesAreCurrent(folder)) return;
  const { command, prefix } = npmCommand();
  // No package here needs an install script, so none gets to run one.
  const verb = lockIsCurrent(folder) ? 'ci' : 'install';
  const args = [verb, '--ignore-scripts', '--no-audit', '--no-fund'];
  const where = path.relative(ROOT, folder);
  const options = { cwd: folder, next: `${where && `cd ${where} && `}npm ${args.join(' ')}` };
  const step = `installing the npm packages${where && ` of ${where}`}`;
  runStep(step, command, [...prefix, ...args], options);
}

module.exports = { ensurePackages, npmCommand, packagesAreCurrent };
