'use strict';

// The suite on other versions of Node, all with the one binary that is built already: that is what
// Node-API promises and what users get.
//
//   npm run test:nodes                       every version below, on both backends
//   npm run test:nodes -- --short            the newest alone, which differs most, on the ring: what
//                                            the ring has no operation for goes to its pool there, too
//   npm run test:nodes -- 22 /opt/node/bin/node    the ones named: a version, or a Node on the disk
//
// Anything else goes to mocha.

const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { fetchNode } = require('./lib/fetched');
const { ADDON, binaryOf } = require('./lib/native');
const { exitOnFailure } = require('./lib/run');
const { BACKENDS, conclude, runSuites } = require('./lib/suite');

const VERSIONS = ['22', '24', '26'];
const SHORT = ['26'];

const isNode = (arg) => /^\d+(\.\d+)*$/.test(arg) || /\/node$/.test(arg);

const nodeFromNpm = (version) =>
  fetchNode(version, {
    next: `npm run test:nodes -- PATH/bin/node  (with a Node ${version} of your own)`,
  });

/** Identifies the binary, to show that every version ran the same one. */
function fingerprint() {
  const binary = binaryOf(ADDON);
  if (!fs.existsSync(binary)) return 'no binary here';
  return crypto.createHash('sha256').update(fs.readFileSync(binary)).digest('hex').slice(0, 16);
}

async function main(args) {
  const named = args.filter(isNode);
  const mochaArgs = args.filter((arg) => !isNode(arg) && arg !== '--short');
  const isShort = args.includes('--short');
  const wanted = named.length > 0 ? named : isShort ? SHORT : VERSIONS;
  const backends = isShort ? ['default'] : Object.keys(BACKENDS);
  const nodes = wanted.map((node) => (node.includes('/') ? path.resolve(node) : nodeFromNpm(node)));

  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const node of nodes) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    console.log(`\n=== Node ${version}, binary ${fingerprint()}`);
    const counts = await runSuites({ node, backends, mochaArgs });
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  conclude(total);
}

exitOnFailure(() => main(process.argv.slice(2)));
