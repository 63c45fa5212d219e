'use strict';

// Brings a clone to the point where it runs, and says nothing when it is there already:
// npm packages, what of them goes into the package, compiler and liburing, the addon.
//
//   node tools/setup.js              what using the addon takes
//   node tools/setup.js --tests      the native test helpers too
//   node tools/setup.js --packages   the npm packages alone
//   node tools/setup.js --rebuild    builds from scratch even if nothing changed
//
// Only Node's own modules are used here: nothing else is installed yet.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ADDON, TEST_HELPERS, ensureBuilt, outdated } = require('./lib/native');
const { ensurePackages, packagesAreCurrent } = require('./lib/packages');
const { ROOT, StepError, exitOnFailure, say, which } = require('./lib/run');
const { copiesAreCurrent, ensureCopies } = require('./lib/vendored');

const OLDEST_NODE = 20;
const LOCKED = 'URING_FS_SETUP_LOCKED';

const options = new Set(process.argv.slice(2));
const force = options.has('--rebuild');
const targets = options.has('--packages')
  ? []
  : options.has('--tests')
    ? [ADDON, TEST_HELPERS]
    : [ADDON];
const onLinux = process.platform === 'linux';

const nothingToDo = () =>
  !force &&
  packagesAreCurrent() &&
  copiesAreCurrent() &&
  (!onLinux || targets.every((target) => !outdated(target)));

/**
 * Runs this script again under a lock, so that two set-ups at once (a test run beside a benchmark)
 * take turns: the second finds everything done. The lock goes with the process that holds it.
 */
function runLocked() {
  const lockFile = path.join(ROOT, 'package.json');
  const { status } = spawnSync('flock', [lockFile, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [LOCKED]: '1' },
  });
  process.exitCode = status ?? 1;
}

function setUp() {
  if (parseInt(process.versions.node, 10) < OLDEST_NODE) {
    const next = `node --version  (and install Node ${OLDEST_NODE} or newer)`;
    throw new StepError('the check of Node', `This is Node ${process.version}.`, next);
  }
  ensurePackages();
  ensureCopies();
  if (!onLinux) {
    say("not Linux: no addon to build, Node's own fs serves every call");
    return;
  }
  for (const target of targets) ensureBuilt(target, { force });
}

exitOnFailure(() => {
  if (nothingToDo()) return;
  if (!process.env[LOCKED] && which('flock')) runLocked();
  else setUp();
});
