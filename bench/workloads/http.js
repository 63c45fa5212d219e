'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { createHistogram } = require('node:perf_hooks');
const { BASELINE, CALLBACK, URING } = require('../drivers');
const { LOOPS, description } = require('../hashing');
const { Mismatch } = require('../verify');

const SERVER = path.join(__dirname, '..', 'children', 'http-server.js');

const CONNECTIONS = 64;

/** Milliseconds between two looks of autocannon at whether it should end. */
const SAMPLE = 10;

/**
 * Requests to a server of its own process that answers each with a file.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets, quick }) => {
  const [{ label, description: data, paths }] = readSets;
  const name = `HTTP server, readFile ${label}`;
  const common = { paths, data, quick };
  return [
    workload({ ...common, name, load: false }),
    workload({ ...common, name: `${name} beside ${LOOPS} pbkdf2 loops`, load: true }),
  ];
};

/** @returns {import('../harness').Workload} */
function workload({ name, data, paths, load, quick }) {
  // All drivers have one server, as routes of one program would.
  let server = null;
  let users = 0;
  return {
    name,
    unit: 'requests',
    data: load ? `${data}; in the server: ${description}` : data,
    concurrency: [CONNECTIONS],
    latency: true,
    cpu: false,
    // Beside the load, a request can take two seconds.
    sliceFactor: load ? 25 : 10,
    mostRounds: quick ? 1 : load ? 3 : 5,

    drivers(drivers) {
      const few = load || quick ? [URING, BASELINE] : [URING, BASELINE, CALLBACK];
      return drivers.filter(({ name: own }) => few.includes(own));
    },

    async open(driver) {
      if (users++ === 0) server = start(paths, load);
      const url = `http://127.0.0.1:${await server.port}/${encodeURIComponent(driver.name)}`;
      return { url };
    },

    async verify(driver, { url }) {
      const response = await fetch(url, { headers: { connection: 'close' } });
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status === 200 && body.equals(readFileSync(paths[0]))) return;
      throw new Mismatch(`${driver.name}: HTTP: wrong answer (${response.status})`);
    },

    /** The clock runs until all connections have stopped; what is under way then is not counted. */
    slice: (driver, { url }, milliseconds) => cannonade(url, milliseconds),

    async close() {
      if (--users === 0) await server.stop();
    },
  };
}

function start(paths, load) {
  const child = fork(SERVER, paths, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const message = async () => {
    const ended = new AbortController();
    const { signal } = ended;
    try {
      return await Promise.race([
        once(child, 'message', { signal }).then(([value]) => value),
        once(child, 'exit', { signal }).then(() => {
          throw new Error('the HTTP server ended');
        }),
      ]);
    } finally {
      ended.abort();
    }
  };
  const prepare = async () => {
    const { port } = await message();
    if (load) {
      child.send({ load });
      await message();
    }
    return port;
  };
  return {
    port: prepare(),
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** @returns {Promise<import('../harness').Ran>} */
async function cannonade(url, milliseconds) {
  // Here, because it takes as long to load as all else together.
  const autocannon = require('autocannon');
  const histogram = createHistogram();
  const began = performance.now();
  let ended = began;
  const run = autocannon({
    url,
    connections: CONNECTIONS,
    duration: milliseconds / 1e3,
    sampleInt: SAMPLE,
  });
  run.on('response', (client, status, bytes, time) => {
    histogram.record(Math.max(1, Math.round(time * 1e6)));
    ended = performance.now();
  });
  const { errors, timeouts, non2xx } = await run;
  if (errors + timeouts + non2xx > 0) {
    throw new Error(`HTTP: ${errors} errors, ${timeouts} timeouts, ${non2xx} refused`);
  }
  const elapsed = Math.max(ended - began, milliseconds);
  return { operations: histogram.count, milliseconds: elapsed, histogram };
}
