#!/usr/bin/env node
'use strict';

/** The command: `node bench/run.js [DIR] [options]`. */

const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { gather, workloadsOn } = require('./context');
const { BASELINE, createDrivers } = require('./drivers');
const { environment } = require('./environment');
const { Workspace } = require('./files');
const { Floors } = require('./floor');
const { Harness } = require('./harness');
const { HELP, UsageError, parseOptions } = require('./options');
const { Progress } = require('./progress');
const { header, json, report, summary } = require('./report');

const CHILD = path.join(__dirname, 'children', 'workload.js');

const EXIT = { failure: 1, usage: 2, signal: 128 };

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** A workload has failed, and its message says all. */
class Failure extends Error {}

/** Runs workloads, each in a process of its own. One at a time. */
class Runner {
  /**
   * @param {object} plan What all workloads get; see children/workload.js.
   * @param {(milliseconds: number) => void} onSlice
   */
  constructor(plan, onSlice) {
    this.plan = plan;
    this.onSlice = onSlice;
    this.child = null;
  }

  /**
   * @param {string} name
   * @returns {Promise<{ result: import('./harness').Result } | { unavailable: string }>}
   */
  async run(name) {
    const child = fork(CHILD);
    this.child = child;
    const exited = once(child, 'exit');
    let answer = null;
    child.on('message', (message) => {
      if (message.slice === undefined) answer = message;
      else this.onSlice(message.slice);
    });
    child.send({ run: { ...this.plan, name } });
    const [status, signal] = await exited;
    this.child = null;
    if (answer === null) throw new Failure(`${name}: ended with ${signal ?? `status ${status}`}`);
    if (answer.failed) throw new Failure(answer.failed.message);
    return answer;
  }

  /** Asks the workload that runs to end, or leaves it no choice. */
  abort(now = false) {
    if (now) this.child?.kill('SIGKILL');
    else if (this.child?.connected) this.child.send({ abort: true });
  }
}

/**
 * @param {ReturnType<typeof parseOptions>} options
 * @param {Workspace} workspace
 * @param {(runner: Runner) => void} onRunner Gets what a signal has to abort.
 */
async function run(options, workspace, onRunner) {
  const { quick, rounds, slice, filter, only } = options;
  const data = gather(options.directory, workspace);
  const uring = require('..');
  const drivers = createDrivers(uring, only);
  const all = workloadsOn(data, quick).filter(
    (each) => (each.drivers?.(drivers) ?? drivers).length,
  );
  const workloads = all.filter(({ name }) => filter === null || filter.test(name));
  if (workloads.length === 0) {
    const names = all.map(({ name }) => `  ${name}`).join('\n');
    throw new UsageError(`--filter ${filter.source} matches none of the workloads:\n${names}`);
  }

  const machine = await environment(uring, workspace.root);
  console.log(`${header(machine, { rounds, slice }, workloads)}\n`);

  const floor = new Floors(workspace.root);
  const skipped = lacking(floor, workloads);
  // Never runs: it knows how long each workload takes.
  const clock = new Harness({
    drivers,
    baseline: BASELINE,
    spinners: { set() {} },
    floor,
    rounds,
    slice,
  });
  const total = workloads.reduce((sum, each) => sum + clock.duration(each), 0);
  const progress = new Progress(total);
  const runner = new Runner({ data, quick, rounds, slice, only }, (time) => progress.add(time));
  onRunner(runner);
  const results = [];
  let done = 0;
  try {
    for (const workload of workloads) {
      progress.workload(workload.name);
      const { result, unavailable } = await runner.run(workload.name);
      if (result) results.push(result);
      else skipped.push({ name: workload.name, reason: unavailable });
      done += clock.duration(workload);
      progress.set(done);
    }
  } finally {
    progress.stop();
  }

  if (results.length > 0) console.log(`${report(results, rounds)}\n`);
  for (const { name, reason } of skipped) console.log(`left out: ${name}: ${reason}`);
  if (results.length > 0) console.log(summary(results));
  const asked = { directory: options.directory, quick, rounds, slice, only };
  const contents = json({
    environment: { ...machine, loadAverageAfter: os.loadavg()[0] },
    options: { ...asked, filter: filter?.source ?? null },
    results,
    skipped,
  });
  if (options.json !== null) {
    fs.writeFileSync(options.json, `${JSON.stringify(contents, null, 2)}\n`);
  }
  if (options.svg !== null) {
    // Here, because it takes longer to load than all else.
    const { chart } = require('./chart');
    fs.writeFileSync(options.svg, chart([contents]));
  }
}

/** The floors that workloads name and that cannot run here. Those that have to be built are built. */
function lacking(floor, workloads) {
  const works = workloads.flatMap((workload) => workload.floor ?? []);
  const byName = new Map(works.map((work) => [work.name, work]));
  return [...byName].flatMap(([name, work]) => {
    const reason = floor.lack(work);
    return reason === null ? [] : [{ name, reason }];
  });
}

async function main(args) {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }

  const workspace = new Workspace();
  let runner = null;
  let signal = null;
  // Also for what ends the process on the way, such as a second signal.
  process.on('exit', () => workspace.remove());
  const onSignal = (name) => {
    if (signal !== null || runner === null) {
      runner?.abort(true);
      process.exit(EXIT.signal + SIGNALS[name]);
    }
    signal = name;
    runner.abort();
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, onSignal);

  try {
    await run(options, workspace, (made) => (runner = made));
  } catch (error) {
    if (signal === null) throw error;
    console.error('bench: interrupted');
    process.exitCode = EXIT.signal + SIGNALS[signal];
  } finally {
    for (const name of Object.keys(SIGNALS)) process.off(name, onSignal);
    workspace.remove();
  }
}

main(process.argv.slice(2)).catch((error) => {
  if (error instanceof UsageError) {
    console.error(`bench: ${error.message}\nTry 'node bench/run.js --help'.`);
    process.exitCode = EXIT.usage;
  } else {
    console.error('bench:', error instanceof Failure ? error.message : error);
    process.exitCode = EXIT.failure;
  }
});
