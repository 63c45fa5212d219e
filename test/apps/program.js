'use strict';

// One of programs/, with Node's fs or with ours: a process of its own each time.
//
//   node [-r uring-fs/register] test/apps/program.js NAME WAY OPTIONS
//
// Prints what the program gave, and how many requests the ring had, as JSON.

const nodeFs = require('node:fs');
const uring = require('uring-fs');

const [name, way, options] = process.argv.slice(2);

async function main() {
  const fs = way === 'option' ? require('uring-fs/fs') : nodeFs;
  const result = await require(`./programs/${name}`)({ fs, ...JSON.parse(options) });
  process.stdout.write(JSON.stringify({ result, submitted: uring.ring.stats().submitted }));
}

main();
