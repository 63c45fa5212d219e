'use strict';

// What of other packages goes into ours, since it has no such dependency: the library that the page of
// `uring-fs bench --html` draws its charts with. A copy in lib/cli/vendor/, made from node_modules.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./run');

const FROM = path.join(ROOT, 'node_modules', 'chartist');
const TO = path.join(ROOT, 'lib', 'cli', 'vendor');

/** By the name there: where it comes from. */
const FILES = { 'chartist.js': 'dist/index.umd.js', 'LICENSE-chartist': 'LICENSE-MIT' };

const contentsOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null);

/** Whether the copies are those of the packages that are installed. */
function copiesAreCurrent() {
  return Object.entries(FILES).every(([name, source]) => {
    const wanted = contentsOf(path.join(FROM, source));
    return wanted !== null && contentsOf(path.join(TO, name)) === wanted;
  });
}

function ensureCopies() {
  if (copiesAreCurrent()) return;
  fs.mkdirSync(TO, { recursive: true });
  for (const [name, source] of Object.entries(FILES)) {
    fs.copyFileSync(path.join(FROM, source), path.join(TO, name));
  }
}

module.exports = { copiesAreCurrent, ensureCopies };
