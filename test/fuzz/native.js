'use strict';

// The functions of the native module called by chance, with arguments of every kind: whatever they are, the
// process may not crash, hang, or get a result that nobody asked for. Each series is a process of its own.
//
//   npm run fuzz:native                      for two minutes
//   npm run fuzz:native -- --seconds 20      for so long
//   npm run fuzz:native -- --seed 12345      one series again, that failed
//   npm run fuzz:native -- --asan            with sanitizers in the addon

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { exitOnFailure } = require('../../tools/lib/run');
const { withSanitizers } = require('../../tools/lib/sanitizers');

const CHILD = path.join(__dirname, 'native-child.js');
const SERIES_MS = 2_000;
/** Sanitizers and slow machines included. */
const HANGS_AFTER_MS = 120_000;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    asan: { type: 'boolean' },
  },
});

/** @returns {string | undefined} what went wrong, if anything did */
function runSeries(seed, env) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-native-'));
  try {
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    const args = ['--expose-gc', CHILD, `${seed}`, `${SERIES_MS}`, folder];
    const { status, signal, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env,
      timeout: HANGS_AFTER_MS,
      killSignal: 'SIGKILL',
    });
    if (status === 0) return undefined;
    return `code ${status}, signal ${signal}\n${stderr}`;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function runAll(env) {
  const one = options.seed !== undefined;
  let seed = one ? Number(options.seed) : Date.now() % 2 ** 31;
  const deadline = Date.now() + Number(options.seconds) * 1000;
  let series = 0;
  do {
    const problem = runSeries(seed, env);
    if (problem !== undefined) {
      console.log(`\n--seed ${seed} failed: ${problem}`);
      process.exitCode = 1;
      return;
    }
    series++;
    seed++;
  } while (!one && Date.now() < deadline);
  console.log(`${series} series ended well`);
}

async function main() {
  console.log(`Node ${process.version}${options.asan ? ', with sanitizers' : ''}`);
  if (!options.asan) {
    runAll({ ...process.env, URING_FS_BACKEND: '' });
    return;
  }
  for (const report of await withSanitizers(runAll)) {
    console.log(`\n${report}`);
    process.exitCode = 1;
  }
}

exitOnFailure(main);
