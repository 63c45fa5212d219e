'use strict';

// Mocha adds the files named on the command line to `spec`: without any, all of them are meant.
const named = process.argv.slice(2).some((arg) => arg.endsWith('.test.js'));

module.exports = {
  spec: named ? [] : ['test/**/*.test.js'],
  // These have commands of their own: npm run test:apps, test:package and test:report.
  ignore: named ? [] : ['apps', 'native', 'package', 'report'].map((name) => `test/${name}/**`),
  'node-option': ['expose-gc'],
  // Longer where all takes longer: test/helpers/environment.js.
  timeout: 20_000 * Number(process.env.URING_FS_PATIENCE ?? 1),
  slow: 2_000,
  retries: 0,
  'forbid-only': true,
  // Never `exit`: a process that does not end by itself after the last test is a bug to see.
};
