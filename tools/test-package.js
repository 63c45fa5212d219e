'use strict';

// The package as users get it: packed, installed into an empty folder, run by each version of Node, by Bun
// and Deno, bundled, compiled against, and on other processors. Takes the binaries of tools/prebuild.js, and
// makes those that are missing or older than the sources.
//
//   npm run test:package                                  everything
//   npm run test:package -- test/package/nodes.test.js    one file, or several; the rest goes to mocha

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { npmCommand } = require('./lib/packages');
const { TARGETS, isCurrent, makePrebuild } = require('./lib/prebuilds');
const { StepError, exitOnFailure, run } = require('./lib/run');
const { conclude, runSuites } = require('./lib/suite');

/** Packs the package into `folder`, and gives the file. */
function pack(folder) {
  const { command, prefix } = npmCommand();
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const { ok, output } = run(command, [...prefix, ...args]);
  if (!ok) throw new StepError('packing the package', output, 'npm pack');
  return path.join(folder, fs.readdirSync(folder)[0]);
}

async function main(args) {
  for (const target of TARGETS) {
    if (!isCurrent(target)) makePrebuild(target);
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-package-'));
  try {
    process.env.URING_FS_TARBALL = pack(folder);
    const named = args.some((arg) => arg.endsWith('.test.js'));
    const mochaArgs = [...(named ? [] : ['test/package/*.test.js']), ...args];
    conclude(await runSuites({ node: process.execPath, backends: ['default'], mochaArgs }));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

exitOnFailure(() => main(process.argv.slice(2)));
