'use strict';

// What comes from the system's packages: the compiler, liburing, and the tools of the gates.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { StepError, run, say, which } = require('./run');

/**
 * A thing that must be on the machine, and the Debian package that brings it.
 *
 * @typedef {{ what: string, package: string, present: () => boolean }} Need
 */

/**
 * A command that a package brings.
 *
 * @param {string} name
 * @param {string} [packageName]
 * @returns {Need}
 */
function command(name, packageName = name) {
  return { what: name, package: packageName, present: () => which(name) !== null };
}

/** What the preprocessor must accept: 2.3 is the first liburing that knows DEFER_TASKRUN. */
const LIBURING_PROBE = `
#include <liburing.h>
#ifndef IORING_SETUP_DEFER_TASKRUN
#error "liburing is older than 2.3"
#endif
`;

/** The header compiles and the compiler finds the archive, wherever the system keeps it. */
function hasLiburing() {
  const cc = process.env.CC ?? 'cc';
  const header = spawnSync(cc, ['-E', '-x', 'c', '-'], { input: LIBURING_PROBE });
  if (header.status !== 0) return false;
  const archive = spawnSync(cc, ['-print-file-name=liburing.a'], { encoding: 'utf8' });
  return archive.status === 0 && path.isAbsolute(archive.stdout.trim());
}

/** What building the addon takes. */
const BUILD_NEEDS = [
  command('cc', 'build-essential'),
  command('g++', 'build-essential'),
  command('make', 'build-essential'),
  command('python3'),
  { what: 'liburing 2.3 or newer', package: 'liburing-dev', present: hasLiburing },
];

/**
 * Installs what is missing of `needs`, and throws with the exact command if it cannot.
 *
 * @param {Need[]} needs
 */
function ensure(needs) {
  const missing = needs.filter((need) => !need.present());
  if (missing.length === 0) return;

  const packages = [...new Set(missing.map((need) => need.package))];
  const next = commandToType(packages);
  const step = `installing ${packages.join(', ')}`;
  if (!which('apt-get')) {
    const wanted = missing.map((need) => need.what).join(', ');
    throw new StepError(
      step,
      `There is no apt-get here. Needed: ${wanted}; your system's package manager has them.`,
      `${next}  (on Debian or Ubuntu)`,
    );
  }

  say(step);
  const result = install(packages);
  if (!result.ok) throw new StepError(step, result.output, next);

  const still = missing.filter((need) => !need.present()).map((need) => need.what);
  if (still.length > 0) {
    throw new StepError(step, `Installed, but still not usable: ${still.join(', ')}.`, next);
  }
}

/** @param {string[]} packages */
function commandToType(packages) {
  const asRoot = (prefix) =>
    `${prefix}apt-get update && ${prefix}apt-get install -y ${packages.join(' ')}`;
  if (process.getuid() === 0) return asRoot('');
  return which('sudo') ? asRoot('sudo ') : `su -c '${asRoot('')}'`;
}

/** @param {string[]} packages */
function install(packages) {
  // --no-remove: never trade away something the person has, such as another build of Node.
  const args = ['install', '-y', '--no-install-recommends', '--no-remove', ...packages];
  const first = aptGet(args);
  if (first.ok) return first;
  // Lists that are empty (a fresh container) or outdated are the usual reason.
  const update = aptGet(['update']);
  return update.ok ? aptGet(args) : update;
}

/** @param {string[]} args */
function aptGet(args) {
  // A fresh machine may be updating itself at this moment: wait for its lock.
  const full = ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (process.getuid() === 0) return run('apt-get', full, { env });
  if (!which('sudo')) return { ok: false, output: 'Not root, and there is no sudo here.' };
  // Without a terminal nobody can type a password: fail at once instead of waiting for one.
  const interactive = process.stdin.isTTY;
  return run('sudo', [...(interactive ? [] : ['-n']), 'apt-get', ...full], {
    env,
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'],
  });
}

module.exports = { BUILD_NEEDS, command, ensure };
