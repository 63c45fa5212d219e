'use strict';

// The native targets: when one is outdated, and how it is built.

const fs = require('node:fs');
const path = require('node:path');
const debian = require('./debian');
const { ensureHeaders } = require('./headers');
const { ROOT, runStep } = require('./run');

/**
 * @typedef {{ name: string, directory: string, sources: string[], binary: string }} Target
 */

/** @type {Target} */
const ADDON = { name: 'the addon', directory: 'src', sources: ['src'], binary: 'uring_fs.node' };

/** @type {Target} */
const TEST_HELPERS = {
  name: 'the native test helpers',
  directory: 'test/native',
  // The addon's own, too: one of the helpers is the addon with failures injected.
  sources: ['test/native', 'src'],
  binary: 'test_helpers.node',
};

/** @type {Target} */
const SANITIZED = {
  name: 'the addon with sanitizers',
  directory: 'test/asan',
  sources: ['test/asan', 'test/native', 'src'],
  binary: 'uring_fs_asan.node',
};

const inTarget = (target, ...names) => path.join(ROOT, target.directory, ...names);
const binaryOf = (target) => inTarget(target, 'build', 'Release', target.binary);

// Carries the time at which the last build began: a source saved while it ran counts as newer, and
// a build that had nothing to link counts as done.
const stampOf = (target) => inTarget(target, 'build', 'setup.stamp');

// What node-gyp recorded when it made the Makefile.
const configOf = (target) => inTarget(target, 'build', 'config.gypi');

/** When the file was last changed; 0 if there is none. */
const changed = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * What it takes to bring the target up to date: null, an incremental 'build', or a 'rebuild'.
 *
 * @param {Target} target
 */
function outdated(target) {
  const built = changed(stampOf(target));
  const configured = changed(configOf(target)) > 0;
  if (!built || !configured || changed(inTarget(target, 'binding.gyp')) > built) return 'rebuild';
  if (globs(target).some((directory) => changed(path.join(ROOT, directory)) > built))
    return 'rebuild';
  if (!changed(binaryOf(target))) return 'build';
  const newer = target.sources.some((directory) =>
    fs
      .readdirSync(path.join(ROOT, directory))
      .some(
        (name) => /\.(c|cc|h)$/.test(name) && changed(path.join(ROOT, directory, name)) > built,
      ),
  );
  return newer ? 'build' : null;
}

/** Folders of which the Makefile has every source there was: one that came since is not in it. */
const globs = ({ directory, sources }) =>
  directory === 'src' ? [] : sources.filter((s) => s === 'src');

/** The directory of headers that the Makefile in build/ was made for. */
function configuredHeaders(target) {
  return /"nodedir": "(.*)"/.exec(fs.readFileSync(configOf(target), 'utf8'))?.[1];
}

/**
 * Builds the target if it is outdated, or in any case with `force`.
 *
 * @param {Target} target
 * @param {{ force?: boolean }} [options]
 */
function ensureBuilt(target, { force = false } = {}) {
  let how = force ? 'rebuild' : outdated(target);
  if (how === null) return;

  debian.ensure(debian.BUILD_NEEDS);
  const headers = ensureHeaders();
  if (how === 'build' && headers && configuredHeaders(target) !== headers) how = 'rebuild';

  const began = new Date();
  const args = [how, '-j', 'max', '--loglevel=error', ...(headers ? [`--nodedir=${headers}`] : [])];
  const gyp = path.join(ROOT, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  runStep(`building ${target.name}`, process.execPath, [gyp, ...args], {
    cwd: inTarget(target),
    next: headers
      ? `npx node-gyp ${args.join(' ')} -C ${target.directory}`
      : 'npm_config_nodedir=PREFIX npm run setup  (where PREFIX/include/node holds node_api.h)',
  });
  fs.writeFileSync(stampOf(target), '');
  fs.utimesSync(stampOf(target), began, began);
}

module.exports = { ADDON, SANITIZED, TEST_HELPERS, binaryOf, ensureBuilt, outdated };
