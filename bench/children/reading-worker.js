'use strict';

/**
 * A worker thread that reads files in loops, as it is told: { name (of a driver), milliseconds }. It
 * answers { operations, milliseconds } or { error }, and at first that it is there.
 */

const { parentPort, workerData } = require('node:worker_threads');
const { createDrivers } = require('../drivers');
const { Slice, runLanes } = require('../slice');

const { paths, c } = workerData;
const drivers = createDrivers(require('../..'));
const operation = (driver, state, turn) => driver.readFile(paths[turn % paths.length]);
let turn = 0;

parentPort.on('message', async ({ name, milliseconds }) => {
  const driver = drivers.find((each) => each.name === name);
  const began = performance.now();
  const slice = new Slice(milliseconds, turn, false);
  await runLanes(slice, { operation }, driver, {}, { c });
  turn = slice.turn;
  parentPort.postMessage({
    operations: slice.operations,
    milliseconds: performance.now() - began,
    error: slice.error?.stack ?? null,
  });
});
parentPort.postMessage({});
