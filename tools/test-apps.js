'use strict';

// Programs of others, with Node's fs and with ours (test/apps/): what they take is installed there.
//
//   npm run test:apps                  all of them
//   npm run test:apps -- -g webpack    the rest goes to mocha

const fs = require('node:fs');
const path = require('node:path');
const debian = require('./lib/debian');
const { ensurePackages } = require('./lib/packages');
const { ROOT, exitOnFailure } = require('./lib/run');
const { conclude, runSuites } = require('./lib/suite');

const APPS = path.join(ROOT, 'test', 'apps');

exitOnFailure(async () => {
  debian.ensure([debian.command('git')]);
  ensurePackages(APPS);
  // The package itself, to be found by its name. npm takes the link away when it installs.
  const link = path.join(APPS, 'node_modules', 'uring-fs');
  fs.rmSync(link, { force: true });
  fs.symlinkSync('../../..', link);
  const mochaArgs = ['test/apps/apps.test.js', ...process.argv.slice(2)];
  conclude(await runSuites({ node: process.execPath, backends: ['default'], mochaArgs }));
});
