'use strict';

/**
 * A server that sends files, one route per driver: /NAME. Its arguments are the paths;
 * it tells its port to the parent, and ends with it. Messages of the parent: { load: boolean }.
 */

const http = require('node:http');
const { createDrivers } = require('../drivers');
const { startHashing } = require('../hashing');

const paths = process.argv.slice(2);
const drivers = createDrivers(require('../..'));
const names = drivers.map(({ name }) => name);
const turns = drivers.map(() => 0);

const server = http.createServer(async (request, response) => {
  try {
    const index = names.indexOf(decodeURIComponent(request.url.slice(1)));
    const data = await drivers[index].readFile(paths[turns[index]++ % paths.length]);
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': data.length });
    response.end(data);
  } catch (error) {
    response.writeHead(500);
    response.end(String(error));
  }
});

let load = null;
process.on('message', async (message) => {
  const stopping = load;
  load = message.load ? startHashing() : null;
  await stopping?.stop();
  process.send({ load: message.load });
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
