'use strict';

// What it costs to have the package in a program, apart from what it does there:
//
//   npm run bench:cost              with this Node
//   npm run bench:cost -- --runs 5  fewer processes (default: 25)
//
// The least of many processes counts: others on the machine can only add to it. Loading is timed in CPU
// time for the same reason.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const CHILD = path.join(__dirname, 'children', 'cost.js');
const MIB = 1024 * 1024;
/** Modules of the program that the package is added to. */
const MODULES = 8;
const IDLE_MS = 5000;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '25' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a number of processes');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-cost-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
for (let i = 0; i < MODULES; i++) {
  fs.writeFileSync(path.join(folder, `module-${i}.js`), `module.exports = ${i};\n`);
}

function run(what, count = 0, flags = []) {
  const args = [...flags, CHILD, what, folder, String(count)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

const many = (what, flags) => Array.from({ length: runs }, () => run(what, 0, flags));
/** Not for all: with a flag of V8's Node compiles its own modules anew. */
const GC = ['--expose-gc'];
const least = (numbers) => Math.min(...numbers);
const ms = (time) => `${time.toFixed(2)} ms`;
const mib = (bytes) => `${(bytes / MIB).toFixed(2)} MiB`;

function loading(what) {
  const all = many(what);
  return [ms(least(all.map(({ time }) => time))), mib(least(all.map(({ memory }) => memory)))];
}

const table = new Table({
  head: [`Node ${process.versions.node}`, 'time', 'memory (RSS)'],
  style: { head: [], border: [] },
});
table.push(['require() of uring-fs', ...loading('load')]);
table.push([`of node:fs/promises, which is a part of that`, ...loading('loadNode')]);

const held = least(many('used', GC)) - least(many('plain', GC));
table.push(['used and idle, over plain Node', '', mib(held)]);

for (const [name, what] of [
  [`${IDLE_MS / 1000} s of that`, 'idle'],
  ['of plain Node, with the same timer', 'idlePlain'],
]) {
  const { time, wakeUps } = run(what, IDLE_MS);
  table.push([name, ms(time), `${wakeUps} wake-ups`]);
}

const samples = run('workers', runs);
const leastOf = (kind, phase) => least(samples.map((sample) => sample[kind][phase]));
table.push(["a worker's ring: to make", ms(leastOf('withRing', 'make')), '']);
table.push(['to end', ms(leastOf('withRing', 'end') - leastOf('without', 'end')), '']);

console.log(table.toString());
