'use strict';

// One run of the whole mocha suite, in a process of its own, with a given Node and backend.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT } = require('./run');

// The file that mocha's own wrapper starts; started directly, there is one process to watch.
const MOCHA = path.join(ROOT, 'node_modules', 'mocha', 'lib', 'cli', 'cli.js');
const REPORTER = path.join(ROOT, 'tools', 'mocha-reporter.js');

/** How many times longer than on an ordinary machine all may take (tools/test-kernels.js). */
const PATIENCE = Number(process.env.URING_FS_PATIENCE ?? 1);

/** No test takes this long: without any progress for so long, the run hangs. */
const STALL_MS = 5 * 60_000 * PATIENCE;
/** How long after its last test the process may take to end by itself. */
const LINGER_MS = 30_000 * PATIENCE;
const POLL_MS = 500;

/** The backends the suite runs on, and what URING_FS_BACKEND selects each. */
const BACKENDS = { default: undefined, threadpool: 'threadpool' };

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/**
 * Runs the suite on each backend and prints a headline before and a line of counts after each.
 *
 * @param {{ node: string, backends: string[], mochaArgs: string[] }} options
 * @returns {Promise<Counts>} the counts of all the runs together
 */
async function runSuites({ node, backends, mochaArgs }) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const backend of backends) {
    const { URING_FS_BACKEND: _theirs, ...env } = process.env;
    if (BACKENDS[backend]) env.URING_FS_BACKEND = BACKENDS[backend];

    console.log(`\n--- ${describe(node, env)}`);
    const { problem, failures, counts } = await runMocha(node, mochaArgs, env);
    if (problem) {
      console.log(`\n${problem}`);
      counts.failed++;
      failures.push(problem);
    }
    record(counts, failures);
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

/** Node's version, and what the package itself says about the backend it chose. */
function describe(node, env) {
  const script = `
    const { backend, reason, kernel } = require(${JSON.stringify(ROOT)}).ring.status();
    console.log(process.version, backend, '(' + [kernel, reason].filter(Boolean).join(': ') + ')');`;
  const { status, stdout, stderr } = spawnSync(node, ['-e', script], { env, encoding: 'utf8' });
  return status === 0 ? `Node ${stdout.trim()}` : `the package does not load:\n${stderr.trim()}`;
}

/**
 * @returns {Promise<{ counts: Counts, failures: string[], problem?: string }>} `failures`: the full
 *   titles of failed tests; `problem`: how the run went wrong apart from them, if it did
 */
async function runMocha(node, mochaArgs, env) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-suite-'));
  const report = path.join(directory, 'report.json');
  const args = ['--expose-gc', MOCHA, ...mochaArgs, '--reporter', REPORTER];
  const child = spawn(node, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...env, URING_FS_REPORT: report },
  });
  const watch = watchProgress(child, report);
  const how = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }));
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  watch.stop();
  const account = readReport(report);
  fs.rmSync(directory, { recursive: true, force: true });
  const { counts, failures } = account;
  return { counts, failures, problem: whatWentWrong(how, account, watch.reason()) };
}

/** Ends a run that makes no progress, or that does not end after its last test. */
function watchProgress(child, report) {
  let last = '';
  let since = Date.now();
  let reason;
  const timer = setInterval(() => {
    const { text, ended, current } = readReport(report);
    if (text !== last) {
      last = text;
      since = Date.now();
    }
    if (reason || Date.now() - since < (ended ? LINGER_MS : STALL_MS)) return;
    reason = ended
      ? `The process was still alive ${LINGER_MS / 1000} s after its last test.`
      : `No progress for ${STALL_MS / 60_000} minutes, in: ${current ?? 'the start of the run'}.`;
    child.kill('SIGKILL');
  }, POLL_MS);
  return { stop: () => clearInterval(timer), reason: () => reason };
}

function readReport(report) {
  let text = '';
  try {
    text = fs.readFileSync(report, 'utf8');
  } catch {
    // Nothing was reported yet.
  }
  try {
    const { passed, failed, skipped, failures, current, ended } = JSON.parse(text);
    return { text, ended, current, failures, counts: { passed, failed, skipped } };
  } catch {
    // Not yet there, or caught while it is being written.
    const counts = { passed: 0, failed: 0, skipped: 0 };
    return { text, ended: false, current: null, failures: [], counts };
  }
}

function whatWentWrong({ error, code, signal }, { ended, current, counts }, killedBecause) {
  if (error) return `mocha could not be started: ${error.message}`;
  if (killedBecause) return killedBecause;
  const how = signal ? `ended by ${signal}` : `ended with exit code ${code}`;
  if (!ended) return `The run ${how} before its end, in: ${current ?? 'the start of the run'}.`;
  if (signal || (code !== 0 && counts.failed === 0)) return `The run ${how} after its last test.`;
  return undefined;
}

/**
 * Leaves the account of a run to a caller that adds up several commands (see .ci/run).
 *
 * @param {Counts} counts
 * @param {string[]} failures what failed
 */
function record({ passed, failed, skipped }, failures) {
  const file = process.env.URING_FS_COUNTS;
  if (!file) return;
  const names = failures.map((name) => `failed: ${name.replaceAll('\n', ' ')}\n`);
  fs.appendFileSync(file, `${passed} ${failed} ${skipped}\n${names.join('')}`);
}

/**
 * Prints the closing line, and fails the process unless tests ran and all passed.
 *
 * @param {Counts} counts
 */
function conclude({ passed, failed, skipped }) {
  console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

module.exports = { BACKENDS, conclude, record, runSuites };
