'use strict';

/**
 * Runs one workload, so that no other one's heap, memory and compiled code are there. Messages of the
 * parent: { run: { factory, data, quick, name, rounds, slice, only } }, then perhaps { abort: true }. Answers:
 * { slice } (milliseconds) after each slice, then one of { result }, { unavailable } (why) and
 * { failed: { kind, message } }.
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { BASELINE, URING, createDrivers } = require('../drivers');
const { Harness, Interrupted, Stalled } = require('../harness');
const { Spinners } = require('../spinners');
const { Mismatch } = require('../verify');

/** Milliseconds that other programs' dirty pages may hold a workload up. */
const MOST_SYNCING = 5_000;

/** Errors that say all there is to say. */
const KNOWN = [Interrupted, Mismatch, Stalled];

const stopping = new AbortController();
let harness = null;
let finished = false;

process.on('message', ({ run: plan, abort }) => {
  if (plan) run(plan);
  if (!abort) return;
  stopping.abort();
  harness?.abort();
});
// It is the parent who decides; a terminal signals all.
for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(name, () => {});
process.on('disconnect', () => process.exit());
// Also for an operation that never settles, with nothing that keeps the process alive.
process.on('exit', () => {
  if (!finished && process.connected) {
    console.error(`bench: ended early, at: ${harness?.current || 'the preparations'}`);
  }
});

/** `factory`: the module that makes the workloads of `data`, and floors where it has some. */
async function run({ factory, data, quick, name, rounds, slice, only }) {
  const spinners = new Spinners();
  const answer = await measure().catch((error) => ({ failed: failureOf(error) }));
  spinners.end();
  process.send(answer, () => {
    finished = true;
    // Also if an operation is stuck, which nothing else would end.
    process.exit();
  });

  async function measure() {
    const { workloadsOn, floorsOn } = require(factory);
    const workload = workloadsOn(data, quick).find((each) => each.name === name);
    const reason = workload.unavailable?.() ?? null;
    if (reason !== null) return { unavailable: reason };
    if (!quick && data.root !== undefined) await written(data.root);
    harness = new Harness({
      drivers: createDrivers(require('../..'), only),
      baseline: BASELINE,
      measured: URING,
      spinners,
      floor: floorsOn?.(data) ?? null,
      rounds,
      slice,
      onSlice: (milliseconds) => process.send({ slice: milliseconds }),
    });
    if (stopping.signal.aborted) harness.abort();
    return { result: await harness.measure(workload) };
  }
}

function failureOf(error) {
  if (KNOWN.some((known) => error instanceof known)) {
    return { kind: error.constructor.name, message: error.message };
  }
  return { kind: 'Error', message: `failed at: ${harness?.current}: ${error?.stack ?? error}` };
}

/** Waits until what earlier workloads wrote is on the disk, which would be busy with it meanwhile. */
async function written(directory) {
  const sync = spawn('sync', ['-f', directory], { stdio: 'ignore', timeout: MOST_SYNCING });
  // Also when there is no such command: it is a nicety.
  await once(sync, 'exit', { signal: stopping.signal }).catch(() => {});
}
