'use strict';

// The gates. Every gate runs, even after one has failed; a gate that passes takes one line.
//
//   npm run lint                   all of them
//   npm run lint:c                 one group: c, js or types
//   npm run format                 lets the formatters and eslint change the files instead

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const api = require('./api');
const { faultsOf, faultsOfPrebuild } = require('./lib/binary');
const debian = require('./lib/debian');
const { ensureHeaders } = require('./lib/headers');
const { ADDON, binaryOf } = require('./lib/native');
const { TARGETS, fileOf, isCurrent } = require('./lib/prebuilds');
const { ROOT, exitOnFailure, say } = require('./lib/run');

/**
 * A gate: the commands that must all succeed, or a function that returns what is wrong.
 *
 * @typedef {{ name: string, commands?: string[][], check?: () => string | Promise<string> }} Gate
 */

const GROUPS = { c: gatesForC, js: gatesForJs, types: gatesForTypes };

/** The files directly in `directory` with one of these endings, relative to the repository. */
function files(directory, ...endings) {
  return fs
    .readdirSync(path.join(ROOT, directory))
    .filter((name) => endings.includes(path.extname(name)))
    .map((name) => path.join(directory, name));
}

/** Deals `items` into as many hands as there are processors. */
function deal(items) {
  const hands = Array.from({ length: Math.min(os.availableParallelism(), items.length) }, () => []);
  items.forEach((item, i) => hands[i % hands.length].push(item));
  return hands;
}

/** @returns {Gate[]} */
function gatesForC({ fix }) {
  if (process.platform !== 'linux') {
    say('not Linux: the gates for C need its headers, and are left out');
    return [];
  }
  debian.ensure(['clang-format', 'clang-tidy', 'cppcheck'].map((name) => debian.command(name)));

  const sources = files('src', '.c');
  const helpers = files('test/native', '.cc');
  const beside = [
    ...files('bench/floor', '.c'),
    ...files('test/asan', '.c', '.h'),
    ...files('test/helpers', '.c'),
    ...files('test/native', '.c'),
    ...files('test/native', '.h'),
  ];
  const all = [...sources, ...files('src', '.h'), ...helpers, ...beside];
  const format = ['clang-format', ...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...all];
  if (fix) return [{ name: 'clang-format', commands: [format] }];

  // As in binding.gyp; the headers of others with -isystem, so that only our own are judged.
  const defines = ['-D_GNU_SOURCE', '-DNAPI_VERSION=9'];
  const nodeHeaders = path.join(ensureHeaders() ?? '/usr', 'include', 'node');
  const c = ['-std=c11', ...defines, '-isystem', nodeHeaders];
  const addonApi = ['-isystem', 'node_modules/node-addon-api'];
  const cc = ['-std=c++17', ...defines, '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', ...addonApi];
  const tidy = (batch, flags) => ['clang-tidy', '--quiet', ...batch, '--', ...flags];
  const cppcheck = [
    'cppcheck',
    '--quiet',
    '--std=c11',
    '--enable=warning,performance,portability',
    '--inline-suppr',
    '--error-exitcode=1',
    ...defines,
    'src',
  ];
  return [
    { name: 'clang-format', commands: [format] },
    {
      name: 'clang-tidy',
      commands: [
        ...deal(sources).map((batch) => tidy(batch, c)),
        tidy(helpers, [...cc, '-isystem', nodeHeaders]),
      ],
    },
    { name: 'cppcheck', commands: [cppcheck] },
    { name: 'binary', check: faultsOfBinaries },
  ];
}

/** What is wrong with the built addon, and with what of prebuilds/ is made of these sources. */
function faultsOfBinaries() {
  const told = (file, faults) => faults.map((fault) => `${path.relative(ROOT, file)} ${fault}`);
  const own = binaryOf(ADDON);
  return [
    ...told(own, faultsOf(own)),
    ...TARGETS.filter(isCurrent).flatMap((target) => {
      const file = fileOf(target);
      return told(file, faultsOfPrebuild(file, target));
    }),
  ].join('\n');
}

/** @returns {Gate[]} */
function gatesForJs({ fix }) {
  const all = '**/*.{js,cjs,mjs,ts,cts,mts,json}';
  return [
    { name: 'eslint', commands: [npx('eslint', '--max-warnings', '0', fix ? '--fix' : [], '.')] },
    { name: 'prettier', commands: [npx('prettier', fix ? '--write' : '--check', all)] },
  ];
}

/** @returns {Gate[]} */
function gatesForTypes({ fix }) {
  const tsc = { name: 'tsc', commands: [npx('tsc', '-p', 'test/types')] };
  return fix
    ? [{ name: 'docs/api.md', check: api.write }]
    : [tsc, { name: 'docs/api.md', check: faultsOfApi }];
}

/** The types say more, or else, than docs/api.md, which is written from them. */
async function faultsOfApi() {
  const isSame = (await api.render()) === fs.readFileSync(api.DOCUMENT, 'utf8');
  return isSame ? '' : 'not what the types say: npm run format';
}

/** A command of the npm packages. */
function npx(name, ...args) {
  return [path.join(ROOT, 'node_modules', '.bin', name), ...args.flat()];
}

/** Runs one command; resolves to what it printed if it failed, else to nothing. */
function failureOf([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? '' : output.trim() || `exit code ${code}`));
  });
}

/** @param {Gate} gate */
async function passes({ name, commands = [], check = () => '' }) {
  const failures = [await check(), ...(await Promise.all(commands.map(failureOf)))].filter(Boolean);
  console.log(failures.length === 0 ? `ok      ${name}` : `FAILED  ${name}`);
  if (failures.length > 0) console.log(`${failures.join('\n')}\n`);
  return failures.length === 0;
}

async function main(args) {
  const fix = args.includes('--fix');
  const named = args.filter((arg) => arg !== '--fix');
  const unknown = named.filter((name) => !Object.hasOwn(GROUPS, name));
  if (unknown.length > 0) {
    console.error(
      `unknown gates: ${unknown.join(', ')}; there are: ${Object.keys(GROUPS).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }

  const groups = named.length > 0 ? named : Object.keys(GROUPS);
  for (const gate of groups.flatMap((name) => GROUPS[name]({ fix }))) {
    if (!(await passes(gate))) process.exitCode = 1;
  }
}

exitOnFailure(() => main(process.argv.slice(2)));
