#!/usr/bin/env node
'use strict';

const HELP = `Loads an ES module and all that it imports, as a bundler does.

  node examples/module-graph.js [ENTRY] [--list]

ENTRY is a chart library among the development packages by default. --list prints the modules, each
with the number of its imports. Imports of packages are counted, not followed.`;

const path = require('node:path');
const { parseArgs } = require('node:util');
const { init, parse } = require('es-module-lexer');
const { readFiles } = require('uring-fs');

/** What may be left out at the end of an import, in the order in which it is tried. */
const ENDINGS = ['', '.js', '.mjs', '/index.js'];
const PACKAGE = /^(@[^/]*\/)?[^/]*/;
const MISSING = ['ENOENT', 'ENOTDIR', 'EISDIR'];

/**
 * Reads the graph in waves: what the modules of one wave import is the next, read by one call.
 * Nothing asks whether a file is there before it is read: the outcome says so.
 *
 * @param {string} entry
 * @returns {Promise<Map<string, { source: string, imports: string[] }>>} the modules by path;
 *   `imports` has paths without the ending, and names of packages
 */
async function loadGraph(entry) {
  await init();
  const modules = new Map();
  const wanted = new Set();
  const want = (target, importer) => {
    if (wanted.has(target)) return [];
    wanted.add(target);
    return [{ target, importer, attempt: 0 }];
  };

  let wave = want(path.resolve(entry), 'the command line');
  while (wave.length > 0) {
    const files = wave.map(({ target, attempt }) => target + ENDINGS[attempt]);
    const outcomes = await readFiles(files, { encoding: 'utf8', settled: true });
    wave = wave.flatMap(({ target, importer, attempt }, i) => {
      const { value: source, reason: cause } = outcomes[i];
      if (cause !== undefined) {
        const next = attempt + 1;
        if (MISSING.includes(cause.code) && next < ENDINGS.length) {
          return [{ target, importer, attempt: next }];
        }
        throw new Error(`${target}, imported by ${importer}, cannot be read`, { cause });
      }
      const file = files[i];
      if (modules.has(file)) return []; // imported with its ending, and without
      const imports = importsOf(source, file);
      modules.set(file, { source, imports });
      return imports.filter(path.isAbsolute).flatMap((to) => want(to, file));
    });
  }
  return modules;
}

/** Static imports, and dynamic ones of a constant. */
function importsOf(source, file) {
  const [imports] = parse(source, file);
  return imports
    .filter(({ specifier, glob }) => typeof specifier === 'string' && !glob)
    .map(({ specifier: to }) => {
      return /^\.{0,2}\//.test(to) ? path.resolve(path.dirname(file), to) : to;
    });
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, list: { type: 'boolean' } },
  });
  if (values.help) return console.log(HELP);
  const [entry = require.resolve('echarts/package.json').replace(/package\.json$/, 'index.js')] =
    positionals;

  const before = performance.now();
  const modules = await loadGraph(entry);
  const elapsed = performance.now() - before;

  let bytes = 0;
  let imports = 0;
  const packages = new Set();
  for (const [file, module] of modules) {
    bytes += Buffer.byteLength(module.source);
    imports += module.imports.length;
    for (const to of module.imports) if (!path.isAbsolute(to)) packages.add(PACKAGE.exec(to)[0]);
    if (values.list) console.log(`${module.imports.length}\t${file}`);
  }
  console.log(
    `${modules.size} modules, ${imports} imports, ${bytes} bytes in ${elapsed.toFixed(0)} ms; ` +
      `packages: ${[...packages].sort().join(' ') || 'none'}`,
  );
}

if (require.main === module) main();

module.exports = { loadGraph };
