'use strict';

// The test suite, on the default backend and then again on the thread pool.
//
//   npm test                                  everything
//   npm test -- test/errors.test.js           one file, or several
//   npm test -- --backend threadpool -g stat  one backend; the rest goes to mocha

const { BACKENDS, conclude, runSuites } = require('./lib/suite');

const mochaArgs = process.argv.slice(2);
let backends = Object.keys(BACKENDS);

const at = mochaArgs.indexOf('--backend');
if (at !== -1) {
  const [, backend] = mochaArgs.splice(at, 2);
  if (!backends.includes(backend)) {
    console.error(`--backend must be one of: ${backends.join(', ')}`);
    process.exit(2);
  }
  backends = [backend];
}

runSuites({ node: process.execPath, backends, mochaArgs }).then(conclude);
