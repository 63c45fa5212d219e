'use strict';

// What runs on each kernel: node tools/guest/tests.js RESULT_FILE MOCHA_ARGUMENT...
// The tests, on the default backend; beside their counts, the result says what the ring is like here.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../lib/run');
const { conclude, runSuites } = require('../lib/suite');

const SMALL_FILE = path.join(ROOT, 'package.json');

/**
 * @returns {Promise<object>} ring.status(), and how many requests a readFile of a small file took
 */
async function aboutRing() {
  const { readFile, ring } = require(ROOT);
  const status = ring.status();
  await readFile(SMALL_FILE);
  return { ...status, requests: ring.stats().submitted };
}

async function main([resultFile, ...mochaArgs]) {
  const status = await aboutRing();
  const counts = await runSuites({ node: process.execPath, backends: ['default'], mochaArgs });
  fs.writeFileSync(resultFile, JSON.stringify({ status, counts }));
  conclude(counts);
}

void main(process.argv.slice(2));
