'use strict';

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { CALLBACK } = require('../drivers');
const { verify } = require('./read-file');

const WORKER = path.join(__dirname, '..', 'children', 'reading-worker.js');

const WORKERS = [1, 2, 4];

const IN_FLIGHT = 128;

/**
 * Worker threads that read at once, each with a ring of its own. How far the cores themselves scale,
 * the synchronous calls show.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets, quick }) => {
  const [{ label, description, paths }] = readSets;
  // All drivers have the same threads.
  let workers = [];
  let users = 0;
  return [
    {
      name: `workers: readFile ${label}, ${IN_FLIGHT} in flight in each`,
      unit: 'files',
      data: description,
      concurrency: [IN_FLIGHT],
      steps: WORKERS.map((count) => ({
        label: count === 1 ? '1 worker' : `${count} workers`,
        count,
      })),
      growth: true,
      aside: true,
      sliceFactor: 2,
      mostRounds: quick ? 1 : 5,

      drivers: (drivers) => drivers.filter(({ name }) => name !== CALLBACK),

      async open() {
        if (users++ > 0) return {};
        const workerData = { paths, c: IN_FLIGHT };
        const most = Math.max(...WORKERS);
        workers = Array.from({ length: most }, () => new Worker(WORKER, { workerData }));
        await Promise.all(workers.map((worker) => once(worker, 'message')));
        return {};
      },

      verify: (driver) => verify(driver, paths, undefined),

      async slice(driver, state, milliseconds, { step }) {
        const before = process.cpuUsage();
        const ran = await Promise.all(
          workers.slice(0, step.count).map(async (worker) => {
            worker.postMessage({ name: driver.name, milliseconds });
            const [result] = await once(worker, 'message');
            if (result.error) throw new Error(result.error);
            return result;
          }),
        );
        const { user, system } = process.cpuUsage(before);
        const operations = ran.reduce((sum, each) => sum + each.operations, 0);
        return {
          operations,
          milliseconds: Math.max(...ran.map((each) => each.milliseconds)),
          cpu: (user + system) / operations,
          histogram: null,
        };
      },

      async close() {
        if (--users > 0) return;
        await Promise.all(workers.map((worker) => worker.terminate()));
      },
    },
  ];
};
