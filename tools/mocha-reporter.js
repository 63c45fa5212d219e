'use strict';

// Mocha's spec reporter, which also keeps a running account in the file URING_FS_REPORT: what
// passed, what failed, and which test is under way. It is written as the run goes, so that it is
// right even when the process crashes or hangs in the middle of a test.

// Taken before any test patches node:fs.
const { writeFileSync } = require('node:fs');
const { Runner, reporters } = require('mocha');

const { EVENT_TEST_BEGIN, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING, EVENT_RUN_END } =
  Runner.constants;

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.URING_FS_REPORT;
    if (!file) return;
    // The child processes that tests start are no part of the account.
    delete process.env.URING_FS_REPORT;

    const account = {
      passed: 0,
      failed: 0,
      skipped: 0,
      failures: [],
      current: null,
      ended: false,
    };
    const on = (event, change) =>
      runner.on(event, (test) => {
        change(test);
        writeFileSync(file, JSON.stringify(account));
      });

    on(EVENT_TEST_BEGIN, (test) => (account.current = test.fullTitle()));
    on(EVENT_TEST_PASS, () => account.passed++);
    on(EVENT_TEST_FAIL, (test) => {
      account.failed++;
      account.failures.push(test.fullTitle());
    });
    on(EVENT_TEST_PENDING, () => account.skipped++);
    on(EVENT_RUN_END, () => (account.ended = true));
  }
}

module.exports = CountingReporter;
