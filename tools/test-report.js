'use strict';

// The page that `uring-fs bench --html` writes, in headless Chromium; installs that through apt where it is
// missing.
//
//   npm run test:report             what is given goes to mocha

const debian = require('./lib/debian');
const { exitOnFailure } = require('./lib/run');
const { conclude, runSuites } = require('./lib/suite');

exitOnFailure(async () => {
  debian.ensure([debian.command('chromium')]);
  const mochaArgs = ['test/report/page.test.js', ...process.argv.slice(2)];
  conclude(await runSuites({ node: process.execPath, backends: ['default'], mochaArgs }));
});
