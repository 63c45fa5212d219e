'use strict';

// The binaries of the package, into prebuilds/.
//
//   npm run prebuild                       all of them
//   npm run prebuild -- linux-x64-glibc    the ones named

const fs = require('node:fs');
const path = require('node:path');
const { newestGlibc } = require('./lib/binary');
const { TARGETS, fileOf, makePrebuild } = require('./lib/prebuilds');
const { ROOT, exitOnFailure } = require('./lib/run');

function main(names) {
  const unknown = names.filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0) {
    const known = TARGETS.map(({ name }) => name).join(', ');
    console.error(`unknown targets: ${unknown.join(', ')}; there are: ${known}`);
    process.exitCode = 2;
    return;
  }
  for (const target of TARGETS) {
    if (names.length > 0 && !names.includes(target.name)) continue;
    makePrebuild(target);
    const file = fileOf(target);
    const needs = target.libc === 'glibc' ? `glibc ${newestGlibc(file)}` : 'musl';
    const kib = Math.round(fs.statSync(file).size / 1024);
    console.log(`${path.relative(ROOT, file)}  ${kib} KiB, needs ${needs}`);
  }
}

exitOnFailure(() => main(process.argv.slice(2)));
