'use strict';

// Running Node with the sanitised build of the addon (test/asan) in place of the ordinary one.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { SANITIZED, binaryOf, ensureBuilt } = require('./native');
const { ROOT, StepError } = require('./run');

const ASAN = path.join(ROOT, 'test', 'asan');

/** The mistakes of test/asan/checks.c, and what the report of each says. */
const PROOFS = {
  overflow: /heap-buffer-overflow/,
  freed: /heap-use-after-free/,
  lent: /heap-use-after-free/,
  undefined: /signed integer overflow/,
  leak: /detected memory leaks/,
};

/** Must be in the process before anything allocates, so the loader is told to load it first. */
function runtimeLibrary() {
  const cc = process.env.CC ?? 'cc';
  const { stdout } = spawnSync(cc, ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const library = stdout?.trim() ?? '';
  if (path.isAbsolute(library)) return library;
  const next = 'CC=gcc npm run test:asan  (gcc brings libasan)';
  throw new StepError('finding libasan', `${cc} has none.`, next);
}

/**
 * The environment for a Node with the sanitised addon. Whatever any process of it reports lands in
 * `reports`, however the process is started and whether anyone looks at its exit code.
 *
 * @param {string} reports a folder
 * @returns {NodeJS.ProcessEnv}
 */
function sanitizedEnvironment(reports) {
  // Node's children run as other users, too.
  fs.chmodSync(reports, 0o777);
  const report = path.join(reports, 'report');
  // Leaks are looked for in Node alone: the tests start shells and tools with leaks of their own.
  const perProgram = `include_if_exists=${path.join(ASAN, '%b.options')}`;
  return {
    ...process.env,
    URING_FS_BACKEND: '',
    URING_FS_TEST_ADDON: binaryOf(SANITIZED),
    NODE_OPTIONS: `-r ${JSON.stringify(path.join(ROOT, 'test', 'helpers', 'other-addon.js'))}`,
    LD_PRELOAD: runtimeLibrary(),
    ASAN_OPTIONS: `detect_leaks=0:handle_segv=0:exitcode=99:log_path=${report}:${perProgram}`,
    LSAN_OPTIONS: `suppressions=${path.join(ASAN, 'leaks.supp')}:print_suppressions=0`,
    UBSAN_OPTIONS: 'print_stacktrace=1:exitcode=99',
    URING_FS_ASAN_REPORT: report, // for UndefinedBehaviorSanitizer: see checks.c
  };
}

/** LeakSanitizer says so on a busy machine, and looks again. */
const REMARK = /^==\d+==Running thread \d+ was not suspended\. False leaks are possible\.\n/gm;

/** @returns {string[]} what the processes have reported */
function readReports(folder) {
  return fs
    .readdirSync(folder)
    .map((name) => fs.readFileSync(path.join(folder, name), 'utf8').replace(REMARK, '').trim())
    .filter((report) => report !== '');
}

/** Makes each mistake in a process of its own: one that is not reported shows that nothing would be. */
function proveItCatches() {
  for (const [kind, report] of Object.entries(PROOFS)) {
    const reports = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-proof-'));
    const env = { ...sanitizedEnvironment(reports), URING_FS_ASAN_PROOF: kind };
    const program = `require(${JSON.stringify(ROOT)}).ring.status()`;
    const { status } = spawnSync(process.execPath, ['-e', program], { env });
    const found = readReports(reports).join('\n');
    fs.rmSync(reports, { recursive: true, force: true });
    if (status === 0 || !report.test(found)) {
      const next = 'npm run test:asan';
      throw new StepError(`proof that ${kind} is reported`, `code ${status}\n${found}`, next);
    }
  }
}

/**
 * Builds the addon, and runs `use` with the environment for it.
 *
 * @param {(env: NodeJS.ProcessEnv) => Promise<void> | void} use
 * @returns {Promise<string[]>} the reports of all its processes
 */
async function withSanitizers(use) {
  ensureBuilt(SANITIZED);
  proveItCatches();
  const reports = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-asan-'));
  try {
    await use(sanitizedEnvironment(reports));
    return readReports(reports);
  } finally {
    fs.rmSync(reports, { recursive: true, force: true });
  }
}

module.exports = { withSanitizers };
