'use strict';

// The table in docs/kernels.md: what each kernel gave, and how its tests went.

const fs = require('node:fs');
const path = require('node:path');
const prettier = require('prettier');
const { CACHE } = require('./kernels');
const { ROOT } = require('./run');

/** The result of the last run on each kernel, of all its tests or of the short list. */
const RESULTS = path.join(CACHE, 'results');
const DOCUMENT = path.join(ROOT, 'docs', 'kernels.md');
const BEGIN = '<!-- written by npm run test:kernels -->';
const END = '<!-- end -->';

const HEADER = [
  'kernel',
  'backend',
  'set-up flags',
  'operations on the ring',
  'not among them',
  'requests for a small `readFile`',
  'run',
  'tests passed',
  'failed',
  'skipped',
];

/** Of the release, what says which kernel it is: the rest is the distribution's, or the machine's. */
const versionOf = (release) => /^\d+(\.\d+)*/.exec(release)[0];

const code = (names) => names.map((name) => `\`${name}\``).join(' ');

/**
 * @param {{ status: object, counts: import('./suite').Counts, run: 'short' | 'whole' }} result
 * @param {string[]} possible operations that some kernel has
 */
function row({ status, counts, run }, possible) {
  const missing = possible.filter((name) => status.operations[name] !== 'ring');
  return [
    versionOf(status.kernel),
    status.reason === null ? status.backend : `${status.backend}: ${status.reason}`,
    code(status.setupFlags),
    possible.length - missing.length,
    code(missing) || 'none',
    status.requests,
    run,
    counts.passed,
    counts.failed,
    counts.skipped,
  ];
}

/**
 * Keeps the result of a run for the table.
 *
 * @param {string} name
 * @param {{ status: object, counts: import('./suite').Counts, run: 'short' | 'whole' }} result
 */
function keepResult(name, result) {
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(path.join(RESULTS, `${name}.json`), JSON.stringify(result));
}

/**
 * Writes the table, from what has been kept, if that is of every kernel: a part of it would be no table.
 *
 * @param {string[]} names in their order
 * @returns {Promise<boolean>} whether it has been written
 */
async function writeTable(names) {
  const files = names.map((name) => path.join(RESULTS, `${name}.json`));
  if (!files.every((file) => fs.existsSync(file))) return false;
  const results = files.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
  const { operations } = results[0].status;
  const possible = Object.keys(operations).filter((name) =>
    results.some(({ status }) => status.operations[name] === 'ring'),
  );
  const rows = [HEADER, HEADER.map(() => '---'), ...results.map((result) => row(result, possible))];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const text = fs.readFileSync(DOCUMENT, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest.split(END)[1];
  const made = `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
  const options = await prettier.resolveConfig(DOCUMENT);
  fs.writeFileSync(DOCUMENT, await prettier.format(made, { ...options, parser: 'markdown' }));
  return true;
}

module.exports = { keepResult, writeTable };
