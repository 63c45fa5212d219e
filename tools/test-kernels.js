'use strict';

// The suite on other kernels, each in a virtual machine, and on this machine's own. Where the processor
// can't run one itself it is emulated, and all takes ten times as long: so nothing is timed there, and what
// says nothing about a kernel is left out.
//
//   npm run test:kernels                     all of them
//   npm run test:kernels -- --short          the oldest, and what goes another way there
//   npm run test:kernels -- 6.1 latest own   these ('own': this machine's)
//   npm run test:kernels -- 6.1 --file-system xfs test/disk.test.js
//                                            with the files of the tests on another file system
//
// Anything else goes to mocha. The table in docs/kernels.md is of the last such run on each kernel.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { FILE_SYSTEMS, RESULT_FILE, TMPDIR, runInGuest } = require('./lib/guest');
const { keepResult, writeTable } = require('./lib/kernel-table');
const { SERIES, kernelOf } = require('./lib/kernels');
const { ROOT, exitOnFailure } = require('./lib/run');
const { conclude, record } = require('./lib/suite');

/** This machine's kernel. */
const OWN = 'own';
const SHORT_SERIES = '5.10';

/** What a guest runs. */
const TESTS = path.join(ROOT, 'tools', 'guest', 'tests.js');
/** By how much the time limits of the tests are longer in a guest. */
const PATIENCE = 10;
/** How long a guest may take in all, s. */
const LIMIT = { short: 20 * 60, whole: 90 * 60 };

/**
 * What concerns a kernel: what each operation does by it (parity), and what it has under way when a call is
 * given up, or a worker or the process ends (lifetime). The rest is about arguments, packaging, types, Node's
 * own functions, or injects what a kernel does seldom (faults), which is the same on all of them.
 */
const FILES = [
  'ring request whole-file file-handle cached directories many atomic',
  'parity/open parity/read-file parity/write-file parity/stat parity/entries parity/handle',
  'parity/handle-read parity/handle-write parity/pipes parity/sequences parity/unprivileged',
  'lifetime/abort lifetime/alive lifetime/exit lifetime/garbage lifetime/pins lifetime/workers',
  'fs starvation disk fallback',
];
/** In these, too, some tests are about arguments, or about time. */
const NOT_THESE = 'each argument|killed at any moment|power cut';

/** Where a kernel without direct descriptors, and with fewer operations, goes other ways. */
const SHORT = ['ring request whole-file file-handle lifetime/abort'];

function mochaArguments({ short, rest }) {
  if (rest.some((arg) => arg.endsWith('.test.js'))) return rest;
  const names = (short ? SHORT : FILES).join(' ').split(' ');
  const files = names.map((name) => path.join('test', `${name}.test.js`));
  return [...files, '--grep', NOT_THESE, '--invert', ...rest];
}

/** Runs the tests on a kernel of another machine; null: they did not come to their end. */
async function onKernel(series, { short, fileSystem, mochaArgs }) {
  const kernel = kernelOf(series);
  console.log(`\n=== kernel ${kernel.version}, files on ${fileSystem}`);
  const { PATH, LANG, PARITY_SEED } = process.env;
  const env = { PATH, LANG, PARITY_SEED, HOME: '/root', TMPDIR, URING_FS_PATIENCE: PATIENCE };
  const { exitCode, result, complaint } = await runInGuest({
    kernel,
    command: [process.execPath, TESTS, RESULT_FILE, ...mochaArgs],
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    seconds: short ? LIMIT.short : LIMIT.whole,
    fileSystem,
  });
  if (complaint !== null) console.log(`\nThe kernel found fault with itself: ${complaint}`);
  if (result === null) console.log(`\nThe tests ended with exit code ${exitCode} and no result.`);
  return result === null ? null : JSON.parse(result);
}

/** Runs the tests here. */
function onOwnKernel(mochaArgs) {
  console.log("\n=== this machine's kernel");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-kernels-'));
  const file = path.join(folder, 'result');
  const { URING_FS_COUNTS: _ours, ...env } = process.env;
  spawnSync(process.execPath, [TESTS, file, ...mochaArgs], { stdio: 'inherit', env });
  const result = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
  fs.rmSync(folder, { recursive: true });
  return result;
}

function optionsFrom(args) {
  const rest = [...args];
  let fileSystem = 'ext4';
  const at = rest.indexOf('--file-system');
  if (at !== -1) [, fileSystem] = rest.splice(at, 2);
  if (!FILE_SYSTEMS.includes(fileSystem)) {
    console.error(`--file-system must be one of: ${FILE_SYSTEMS.join(', ')}`);
    process.exit(2);
  }
  const short = rest.includes('--short');
  const known = [OWN, ...SERIES];
  const named = rest.filter((arg) => known.includes(arg));
  const mochaArgs = rest.filter((arg) => !known.includes(arg) && arg !== '--short');
  return {
    short,
    fileSystem,
    kernels: named.length > 0 ? named : short ? [SHORT_SERIES] : known,
    mochaArgs: mochaArguments({ short, rest: mochaArgs }),
    isForTable: mochaArgs.length === 0 && fileSystem === 'ext4',
  };
}

async function main(args) {
  const options = optionsFrom(args);
  // Where what makes and mounts file systems is, other than root's PATH may leave it out.
  process.env.PATH += ':/usr/sbin:/sbin';
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const name of options.kernels) {
    const result = name === OWN ? onOwnKernel(options.mochaArgs) : await onKernel(name, options);
    const counts = result?.counts ?? { passed: 0, failed: 1, skipped: 0 };
    for (const key of Object.keys(total)) total[key] += counts[key];
    record(counts, counts.failed > 0 ? [`tests on kernel ${name}`] : []);
    if (options.isForTable && result !== null) {
      keepResult(name, { ...result, run: options.short ? 'short' : 'whole' });
    }
  }
  if (options.isForTable) await writeTable([OWN, ...SERIES]);
  conclude(total);
}

// An end by a signal is an end, too: machines and their files go with it.
for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
]) {
  process.once(signal, () => process.exit(128 + number));
}
exitOnFailure(() => main(process.argv.slice(2)));
