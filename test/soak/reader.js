'use strict';

// A worker that reads files and looks whose bytes it gets, with a garbage collector that is always at it.
// It ends by itself, or is ended amid its reads.

const path = require('node:path');
const { workerData } = require('node:worker_threads');
const fs = require('../..');
const { loads } = require('./loads');

const { folder, milliseconds, withPipe } = workerData;
const deadline = Date.now() + milliseconds;
const context = {
  fs,
  folder,
  isOver: () => Date.now() >= deadline,
  counts: { files: 0, aborts: 0 },
};

// What waits for ever is under way when the worker is ended.
if (withPipe) fs.readFile(path.join(folder, 'lonely')).catch(() => {});
const chosen = [loads.readFile, loads.readFiles, loads.handles, loads.aborts];
Promise.all(chosen.map((load) => load(context))).catch((error) => {
  // Thrown where the parent sees it.
  setImmediate(() => {
    throw error;
  });
});
