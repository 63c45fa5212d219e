#!/usr/bin/env node
'use strict';

/** The command: `node bench/publish.js RUN.json [RUN.json ...]`. */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { chart } = require('./chart');
const costs = require('./cost');
const { BASELINE, URING } = require('./drivers');
const { formatBytes } = require('./files');
const { formatNumber, formatTime } = require('./format');
const { labelOf } = require('./report');
const { figureOf, hold } = require('./targets');

const USAGE = `Usage: node bench/publish.js RUN.json [RUN.json ...]
       node bench/publish.js --again

Puts what 'node bench/run.js --json' wrote, one run for each version of Node, into README.md and
docs/performance.md, between their marks, and draws docs/performance.svg. Keeps the runs, without
their single slices, in docs/runs; --again takes them from there.
`;

const ROOT = path.join(__dirname, '..');
const DOCUMENTS = ['README.md', 'docs/performance.md'];
const CHART = 'docs/performance.svg';
const RUNS = 'docs/runs';

/** Rows that the README has no room for: of folders of this machine, the odd 16, what waits for no file. */
const ASIDE = /\/usr\/share|c=16$|c=1 busy$|into a Buffer/;

/** Rows of the README's table: of which workload, which of its rows, and how it is called. */
const SUMMARY = [
  ['readFile 4 KiB', '1', '`readFile` 4 KiB'],
  ['readFile 4 KiB', '128', '`readFile` 4 KiB'],
  ['readFile 1 MiB', '16', '`readFile` 1 MiB'],
  ['readFile 1 GiB', '1', '`readFile` 1 GiB'],
  ['readFiles 4 KiB, 4096 paths a call', '1', '`readFiles`, 4,096 of 4 KiB'],
  ['FileHandle.read 4 KiB random', '128', '`FileHandle.read` 4 KiB, random'],
  ['FileHandle.read 4 KiB O_DIRECT', '128', 'the same past the page cache'],
  ['FileHandle.createReadStream 1 GiB', '1', '`FileHandle.createReadStream`, 1 GiB'],
  ['stat 4 KiB', '128', '`stat`'],
  ['writeFile 4 KiB overwrite', '128', '`writeFile` 4 KiB, over an old one'],
  ['create + unlink', '64', 'create and `unlink`'],
  ['HTTP server, readFile 4 KiB', '64', 'HTTP server that sends 4 KiB files'],
  [
    'HTTP server, readFile 4 KiB beside 8 pbkdf2 loops',
    '64',
    'the same with 8 `pbkdf2` loops beside it',
  ],
];

const times = (ratio) => (Number.isFinite(ratio) ? formatNumber(ratio) : '-');

/** 'Node 24', of a run. */
const nodeOf = ({ environment }) => `Node ${environment.node.slice(1).split('.')[0]}`;

/**
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {string} alignment A letter for each column: l or r.
 * @returns {string} A table in Markdown, its columns as wide as they must be.
 */
function tableOf(head, rows, alignment) {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...escaped.map((row) => row[column].length)),
  );
  const line = (cells) =>
    `| ${cells
      .map((cell, column) =>
        alignment[column] === 'r' ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join(' | ')} |`;
  const rule = widths.map((width, column) =>
    alignment[column] === 'r' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), line(rule), ...escaped.map(line)].join('\n');
}

/** The row of a run with a label, if there is one. */
function rowOf({ workloads }, name, label) {
  return workloads.find((each) => each.name === name)?.rows.find((row) => labelOf(row) === label);
}

/** @returns {string} For the README: ratios by version of Node, the rates of the first, the chart. */
function summaryTable(runs) {
  const [first] = runs;
  const rows = SUMMARY.map(([name, label, title]) => {
    const ours = rowOf(first, name, label)?.drivers;
    const rates = ours ? [ours[URING].rate, ours[BASELINE].rate].map(formatNumber) : ['-', '-'];
    return [
      title,
      label.replace(' ', ', '),
      ...runs.map((run) => times(rowOf(run, name, label)?.drivers[URING].ratio)),
      `${rates[0]} against ${rates[1]}`,
    ];
  });
  const head = ['', 'c', ...runs.map(nodeOf), `${nodeOf(first)}, a second`];
  const table = tableOf(head, rows, `lr${'r'.repeat(runs.length)}r`);
  return `${table}\n\n![Times the operations a second of ${BASELINE}](${CHART})`;
}

/** @returns {string} What is wanted beside what was measured. */
function goalsTable(runs) {
  const byRun = runs.map((run) => hold([run]));
  const verdict = ({ met }) => (met === null ? '' : met ? ' ✓' : ' ✗');
  const rows = byRun[0]
    .map((_, index) => byRun.map((held) => held[index]))
    .filter((held) => held.some(({ asked }) => asked !== ''))
    .map((held) => [
      held[0].goal.name,
      held[0].goal.against,
      ...held.flatMap((each) => [each.asked || '-', `${figureOf(each)}${verdict(each)}`]),
    ]);
  const head = [
    '',
    'compared with',
    ...runs.flatMap((run) => [`${nodeOf(run)}: wanted`, 'reached']),
  ];
  return tableOf(head, rows, `ll${'rr'.repeat(runs.length)}`);
}

/** @returns {string} How many goals are met and missed. */
function verdictLine(runs) {
  return runs
    .map((run) => {
      const held = hold([run]).filter(({ met }) => met !== null);
      const met = held.filter((each) => each.met).length;
      return `${nodeOf(run)}: ${met} of ${held.length} met.`;
    })
    .join(' ');
}

/** @returns {string} All rates, a table for each run. */
function ratesTables(runs) {
  return runs
    .map((run) => {
      const rows = run.workloads.flatMap(({ name, unit, rows: all }) =>
        all.map((row) => {
          const ours = row.drivers[URING];
          const [low, high] = ours.ratioRange ?? [NaN, NaN];
          return [
            name,
            labelOf(row),
            `${formatNumber(ours.rate)} ${unit}`,
            times(ours.ratio),
            Number.isFinite(low) ? `${times(low)} to ${times(high)}` : '-',
            times(row.times['callback fs']),
            times(row.times.sync),
            row.floor ? times(row.floor.share) : '-',
            formatNumber(ours.cpu),
            times(ours.cpuRatio),
          ];
        }),
      );
      const head = [
        'workload',
        'c',
        'a second',
        `times ${BASELINE}`,
        'of a round',
        'callback `fs`',
        'synchronous',
        'floor',
        'CPU, µs',
        'CPU ratio',
      ];
      return `### ${run.environment.node.slice(1)}\n\n${tableOf(head, rows, 'lrrrrrrrrr')}`;
    })
    .join('\n\n');
}

/** @returns {string} Latencies beside a load, delays of the event loop, growth, allocations. */
function otherTables(runs) {
  const gathered = { latency: [], delay: [], growth: [], allocations: [] };
  for (const run of runs) {
    for (const { name, rows, growth } of run.workloads) {
      for (const row of rows) {
        const label = `${name}, ${row.step === null ? 'c=' : ''}${labelOf(row)}`;
        for (const [driver, figure] of Object.entries(row.drivers)) {
          collect(gathered, { start: [nodeOf(run), label, driver], figure, growth });
        }
      }
    }
  }
  const table = (title, head, rows) =>
    rows.length === 0
      ? []
      : [
          `**${title}**\n\n${tableOf(['', '', '', ...head], rows, `lll${'r'.repeat(head.length)}`)}`,
        ];
  return [
    ...table('Latency', ['p50', 'p99'], gathered.latency),
    ...table('Delay of the event loop', ['p99', 'at most'], gathered.delay),
    ...table("Growth: times the first row's rate", [''], gathered.growth),
    ...table('Allocated per call', ['heap', 'outside it'], gathered.allocations),
  ].join('\n\n');
}

/** Puts a figure into the tables that have a row for it. */
function collect(gathered, { start, figure, growth }) {
  const { latency, loopDelay, allocations } = figure;
  if (latency) {
    gathered.latency.push([...start, formatTime(latency.p50), formatTime(latency.p99)]);
  }
  if (loopDelay) {
    const delays = [loopDelay.p99, loopDelay.max].map((each) => formatTime(each * 1e3));
    gathered.delay.push([...start, ...delays]);
  }
  if (growth) gathered.growth.push([...start, times(figure.growth)]);
  if (allocations) {
    const bytes = [allocations.heap, allocations.outside].map((n) => formatBytes(Math.round(n)));
    gathered.allocations.push([...start, ...bytes]);
  }
}

/** @returns {string} What the runs ran on. */
function machineLines(runs) {
  return runs
    .map(({ environment: on, options }) => {
      const { rounds, slice } = options;
      return (
        `- Node ${on.node.slice(1)}, ${on.date.slice(0, 10)}: ${on.cpus} CPUs (${on.cpuModel}), ` +
        `Linux ${on.kernel.split('-')[0]}, ${on.fileSystem}, ${on.threadPoolSize} pool threads, ` +
        `load before ${on.loadAverage.toFixed(2)}; ${rounds} rounds of ${slice} ms slices.`
      );
    })
    .join('\n');
}

/** @returns {string} What the package costs a program that has it. */
function costTable(runs) {
  const told = runs.filter(({ cost }) => cost);
  if (told.length === 0) return '';
  const byRun = told.map(({ cost }) => costs.rowsOf(cost));
  const rows = byRun[0].map(([what], index) => [
    what,
    ...byRun.map((all) => all[index].slice(1).filter(Boolean).join(', ')),
  ]);
  return tableOf(['', ...told.map(nodeOf)], rows, `l${'r'.repeat(told.length)}`);
}

const PARTS = {
  machine: machineLines,
  summary: summaryTable,
  goals: goalsTable,
  verdict: verdictLine,
  rates: ratesTables,
  others: otherTables,
  cost: costTable,
};

/**
 * @param {string} text Of a document.
 * @param {object[]} runs
 * @returns {string} The same, with what is between the marks made anew.
 */
function filled(text, runs) {
  return text.replaceAll(
    /(<!-- bench: (\w+) -->\n).*?(<!-- end of bench -->)/gs,
    (whole, begin, part, end) => {
      if (!Object.hasOwn(PARTS, part)) throw new Error(`no part called '${part}'`);
      return `${begin}\n${PARTS[part](runs)}\n\n${end}`.replace(/\n{3,}/g, '\n\n');
    },
  );
}

/** A run without its slices. */
const withoutSamples = ({ workloads, ...run }) => ({
  ...run,
  workloads: workloads.map(({ samples: _samples, ...result }) => result),
});

/** @returns {object[]} The runs that were published; none so far, perhaps. */
function publishedRuns() {
  const folder = path.join(ROOT, RUNS);
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
  const runs = names.map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')));
  return inOrder(runs);
}

const inOrder = (runs) =>
  [...runs].sort((a, b) =>
    a.environment.node.localeCompare(b.environment.node, 'en', { numeric: true }),
  );

/** @returns {Record<string, string>} The documents and the chart by path, as the runs make them. */
function rendered(runs) {
  const files = { [CHART]: chart(runs, (label) => !ASIDE.test(label)) };
  for (const name of DOCUMENTS) {
    files[name] = filled(fs.readFileSync(path.join(ROOT, name), 'utf8'), runs);
  }
  return files;
}

function keep(runs) {
  const folder = path.join(ROOT, RUNS);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const run of runs) {
    const major = run.environment.node.slice(1).split('.')[0];
    fs.writeFileSync(path.join(folder, `node-${major}.json`), `${JSON.stringify(run, null, 1)}\n`);
  }
}

function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { again: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if ((positionals.length === 0) === !values.again) throw new Error(USAGE.trimEnd());
  if (!values.again) {
    const given = positionals.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
    keep(inOrder(given.map(withoutSamples)));
  }
  for (const [name, text] of Object.entries(rendered(publishedRuns()))) {
    fs.writeFileSync(path.join(ROOT, name), text);
  }
}

if (require.main === module) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`publish: ${error.message}`);
    process.exitCode = 2;
  }
}

module.exports = { filled, publishedRuns, rendered };
