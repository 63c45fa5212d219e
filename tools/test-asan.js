'use strict';

// The suite with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer in the addon. Any report
// of any process fails the run. On the ring only: the other backend runs none of the addon's code.
//
//   npm run test:asan                             everything
//   npm run test:asan -- --short                  the files that tell the most
//   npm run test:asan -- test/errors.test.js      one file, or several; the rest goes to mocha

const { conclude, runSuites } = require('./lib/suite');
const { exitOnFailure } = require('./lib/run');
const { withSanitizers } = require('./lib/sanitizers');

const SHORT = [
  'test/lifetime/*.test.js',
  'test/binding.test.js',
  'test/directories.test.js',
  'test/faults.test.js',
  'test/fs.test.js',
  'test/helper-thread.test.js',
  'test/many.test.js',
  'test/request.test.js',
  'test/streams.test.js',
  'test/whole-file.test.js',
];

/** Everything takes about three times as long, and a test is not about that. */
const SLOW_TEST_MS = 120_000;

/** What cannot run so, by title, and why. */
const NOT_HERE = [
  {
    title: /the native module is (missing|broken)/,
    why: 'the sanitised one takes the place of any',
  },
  {
    title: /no (kernel worker|thread) can be made/,
    why: 'no thread can be made either, and LeakSanitizer takes one',
  },
  {
    title: /after seteuid to somebody without rights|a group that is given up opens nothing/,
    why: 'LeakSanitizer cannot look at a process whose credentials have changed',
  },
  {
    title: /loading it loads little/,
    why: 'what exchanges the addon loads modules of its own',
  },
  {
    title: /without memory for a copy the pool reads/,
    why: 'AddressSanitizer ends a process that is refused memory',
  },
];

async function main(args) {
  const named = args.filter((arg) => arg !== '--short');
  const files = args.includes('--short') ? [...SHORT, ...named] : named;
  const not = NOT_HERE.map(({ title }) => title.source).join('|');
  const mochaArgs = [...files, '--grep', not, '--invert', '--timeout', `${SLOW_TEST_MS}`];

  let counts;
  const reports = await withSanitizers(async (env) => {
    Object.assign(process.env, env);
    counts = await runSuites({ node: process.execPath, backends: ['default'], mochaArgs });
  });
  for (const { title, why } of NOT_HERE) console.log(`not run: ${title.source} (${why})`);
  for (const report of reports) console.log(`\n${report}`);
  console.log(`\n${reports.length} reports of the sanitizers`);
  counts.failed += reports.length;
  conclude(counts);
}

exitOnFailure(() => main(process.argv.slice(2)));
