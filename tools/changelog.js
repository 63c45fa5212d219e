'use strict';

// What `npm version`, and so `npm run release`, does with CHANGELOG.md: what is under "Unreleased" becomes
// the new version's, with today's date.
//
//   node tools/changelog.js --check    fails when there is nothing to release
//   node tools/changelog.js            moves it; the version is that of package.json

const fs = require('node:fs');

const FILE = 'CHANGELOG.md';
const HEADING = '## [Unreleased]\n';

/** @returns {{ before: string, changes: string, after: string }} the text around what is unreleased */
function parse(text) {
  const start = text.indexOf(HEADING);
  if (start === -1) throw new Error(`${FILE} has no line "${HEADING.trim()}"`);
  const rest = text.slice(start + HEADING.length);
  const end = rest.search(/^## /m);
  const changes = end === -1 ? rest : rest.slice(0, end);
  if (!/^- /m.test(changes)) throw new Error(`${FILE} has nothing under "${HEADING.trim()}"`);
  return { before: text.slice(0, start), changes, after: rest.slice(changes.length) };
}

function main(isCheck) {
  const { before, changes, after } = parse(fs.readFileSync(FILE, 'utf8'));
  if (isCheck) return;
  const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
  const today = new Date().toISOString().slice(0, 10);
  fs.writeFileSync(FILE, `${before}${HEADING}\n## [${version}] - ${today}\n${changes}${after}`);
}

try {
  main(process.argv.includes('--check'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
