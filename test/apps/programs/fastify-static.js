'use strict';

const fastify = require('fastify');
const fastifyStatic = require('@fastify/static');
const { sha256 } = require('../contents');

const CLIENTS = 64;
const REQUESTS = 4000;

/** Files over HTTP: each once, in parts and when it is known already, and then many at once. */
module.exports = async ({ site, names }) => {
  const server = fastify();
  server.register(fastifyStatic, { root: site, list: true });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const ask = async (name, headers) => {
    const response = await fetch(`${address}/${name}`, { headers });
    const body = sha256(Buffer.from(await response.arrayBuffer()));
    return { status: response.status, etag: response.headers.get('etag'), body };
  };

  const whole = [];
  const parts = [];
  for (const name of names) {
    const response = await ask(name);
    whole.push(response);
    parts.push(await ask(name, { range: 'bytes=5-70000' }));
    parts.push(await ask(name, { 'if-none-match': response.etag }));
  }
  const refused = [await ask('missing'), await ask('%2e%2e/secret')];

  const served = new Map();
  let sent = 0;
  const client = async () => {
    while (sent < REQUESTS) {
      // Few of the large ones: a server's load is small files.
      const i = sent++ % 20 === 0 ? 0 : 1 + (sent % (names.length - 1));
      const { status, body } = await ask(names[i]);
      const outcome = `${names[i]} ${status} ${body}`;
      served.set(outcome, (served.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await server.close();
  return { whole, parts, refused, served: [...served].sort() };
};
