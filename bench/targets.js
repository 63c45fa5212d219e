#!/usr/bin/env node
'use strict';

/** The command: `node bench/targets.js RUN.json [RUN.json ...]`. */

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const { formatNumber } = require('./format');
const { TARGETS, majorOf, measuredBy } = require('./goals');

const USAGE = `Usage: node bench/targets.js RUN.json [RUN.json ...] [--missed]

Holds what 'node bench/run.js --json' wrote (on one or several versions of Node) against what this
project wants to reach. --missed leaves out what is met.
`;

const VERDICTS = { true: 'met', false: 'MISSED', null: '-' };

/**
 * @typedef {object} Held A goal beside what was measured.
 * @property {import('./goals').Goal} goal
 * @property {string} node Version.
 * @property {string} asked '>= 25x', '<= 3 ms'; empty if nothing is asked on that version.
 * @property {number|null} value Null if it was not measured.
 * @property {boolean|null} met Null if nothing is asked or measured.
 */

/**
 * @param {object[]} runs Contents of JSON files of the benchmark.
 * @returns {Held[]} By goal, then by run.
 */
function hold(runs) {
  return TARGETS.flatMap((goal) =>
    runs.map((run) => {
      const limit = goal.asked[majorOf(run)] ?? goal.asked.any ?? null;
      const value = measuredBy(goal, run);
      const sign = goal.most ? '\u2264' : '\u2265';
      const asked = limit === null ? '' : `${sign} ${limit.toLocaleString('en-US')}${goal.suffix}`;
      const met =
        limit === null || value === null ? null : goal.most ? value <= limit : value >= limit;
      return { goal, node: run.environment.node, asked, value, met };
    }),
  );
}

/** @param {Held} held */
const figureOf = ({ goal, value }) =>
  value === null ? '-' : `${formatNumber(value)}${goal.suffix}`;

function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { missed: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (positionals.length === 0) throw new Error(USAGE.trimEnd());
  const runs = positionals.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
  const all = hold(runs);
  const table = new Table({
    head: ['goal', 'compared with', 'Node', 'asked', 'measured', ''],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const held of all) {
    if (held.asked === '' || (values.missed && held.met !== false)) continue;
    const { goal, node, asked, met } = held;
    table.push([goal.name, goal.against, node.slice(1), asked, figureOf(held), VERDICTS[met]]);
  }
  console.log(table.toString());
  const count = (met) => all.filter((held) => held.asked !== '' && held.met === met).length;
  console.log(`${count(true)} met, ${count(false)} missed, ${count(null)} not measured`);
}

if (require.main === module) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`targets: ${error.message}`);
    process.exitCode = 2;
  }
}

module.exports = { figureOf, hold };
