#!/usr/bin/env node
'use strict';

/** The command: `node bench/run.js [DIR] [options]`. */

const fs = require('node:fs');
const os = require('node:os');
const { gather, workloadsOn } = require('./context');
const costs = require('./cost');
const { BASELINE, createDrivers } = require('./drivers');
const { environment } = require('./environment');
const { Workspace } = require('./files');
const { Floors } = require('./floor');
const { Harness } = require('./harness');
const { HELP, UsageError, parseOptions } = require('./options');
const { Progress } = require('./progress');
const { header, json, report, summary } = require('./report');
const { Failure, Runner } = require('./runner');

/** Of the workloads. */
const FACTORY = require.resolve('./context');

const EXIT = { failure: 1, usage: 2, signal: 128 };

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Milliseconds that the look at what the package costs takes, about. */
const COST_TIME = { quick: 4_000, full: 65_000 };

/** Processes for each of its figures. */
const COST_RUNS = { quick: 3, full: 10 };

/**
 * @param {ReturnType<typeof parseOptions>} options
 * @param {Workspace} workspace
 * @param {(runner: Runner) => void} onRunner Gets what a signal has to abort.
 */
async function run(options, workspace, onRunner) {
  const { quick, rounds, slice, only } = options;
  const data = gather(options.directory, workspace, quick);
  const uring = require('..');
  const drivers = createDrivers(uring, only);
  const { workloads, withCost } = chosen(options, workloadsOn(data, quick), drivers);

  const machine = await environment(uring, workspace.root);
  console.log(`${header(machine, { rounds, slice }, workloads)}\n`);

  const floor = new Floors(workspace.root);
  const skipped = lacking(floor, workloads);
  // Never runs: it knows how long each workload takes.
  const spinners = { set() {} };
  const clock = new Harness({ drivers, baseline: BASELINE, spinners, floor, rounds, slice });
  const size = quick ? 'quick' : 'full';
  const costTime = withCost ? COST_TIME[size] : 0;
  const total = workloads.reduce((sum, each) => sum + clock.duration(each), costTime);
  const progress = new Progress(total);
  const runner = new Runner({ factory: FACTORY, data, quick, rounds, slice, only }, (time) =>
    progress.add(time),
  );
  onRunner(runner);
  const results = [];
  let done = 0;
  let cost = null;
  try {
    for (const workload of workloads) {
      progress.workload(workload.name);
      const { result, unavailable } = await runner.run(workload.name);
      if (result) results.push(result);
      else skipped.push({ name: workload.name, reason: unavailable });
      done += clock.duration(workload);
      progress.set(done);
    }
    if (withCost) {
      progress.workload(costs.NAME);
      const { signal } = runner.stopping;
      cost = await costs.measure({ runs: COST_RUNS[size], idle: !quick, signal });
    }
  } finally {
    progress.stop();
  }
  tell(options, { machine, results, skipped, cost });
}

/** The workloads that are wanted, and whether the look at what the package costs is. */
function chosen({ filter, only }, workloads, drivers) {
  const all = workloads.filter((each) => (each.drivers?.(drivers) ?? drivers).length);
  const isWanted = (name) => filter === null || filter.test(name);
  const wanted = all.filter(({ name }) => isWanted(name));
  const withCost = only === null && isWanted(costs.NAME);
  if (wanted.length > 0 || withCost) return { workloads: wanted, withCost };
  const names = [...all.map(({ name }) => name), costs.NAME].map((name) => `  ${name}`);
  throw new UsageError(
    `--filter ${filter.source} matches none of the workloads:\n${names.join('\n')}`,
  );
}

/** Prints the report, and writes what was asked for. */
function tell(options, { machine, results, skipped, cost }) {
  const { directory, quick, rounds, slice, only, filter } = options;
  if (results.length > 0) console.log(`${report(results, rounds)}\n`);
  if (cost !== null) console.log(`${costs.tableOf(cost)}\n`);
  for (const { name, reason } of skipped) console.log(`left out: ${name}: ${reason}`);
  if (results.length > 0) console.log(summary(results));
  const contents = json({
    environment: { ...machine, loadAverageAfter: os.loadavg()[0] },
    options: { directory, quick, rounds, slice, only, filter: filter?.source ?? null },
    results,
    skipped,
    cost,
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
