#!/usr/bin/env node
'use strict';

const HELP = `Serves the files of a folder over HTTP.

  node examples/static-server.js [FOLDER] [--port 8080] [--host 127.0.0.1]

FOLDER is the current one by default. Answers GET and HEAD, with ETag, ranges and index.html. Names
that begin with a dot are not served; symbolic links are followed, wherever they lead.`;

const http = require('node:http');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');
const { parseArgs } = require('node:util');
const fs = require('uring-fs');

/** Bytes: up to here a file is sent in one piece, above by a stream. */
const WHOLE = 256 * 1024;

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** Errors that mean: there is no such file for this client. */
const NOT_FOUND = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'];

/**
 * @param {string} folder all that is served lies below
 * @returns {http.Server} not yet listening
 */
function createServer(folder) {
  const root = path.resolve(folder);
  return http.createServer((request, response) => {
    serve(root, request, response).catch((error) => {
      // With part of the body sent there is no other way to say that the rest does not come.
      if (response.headersSent) return response.destroy();
      if (NOT_FOUND.includes(error.code)) return refuse(response, 404);
      console.error(error);
      refuse(response, 500);
    });
  });
}

async function serve(root, request, response) {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, { Allow: 'GET, HEAD' });
  const name = toName(request.url);
  if (name === undefined) return refuse(response, 400);
  if (name.includes('/.')) return refuse(response, 404);

  let file = path.join(root, name);
  let stats = await fs.stat(file);
  if (stats.isDirectory()) {
    // Relative links of its page count from the folder only with a slash at the end.
    if (!name.endsWith('/')) return redirect(response, name, request.url);
    file = path.join(file, 'index.html');
    stats = await fs.stat(file);
  }
  // Opening a FIFO would wait for its writer.
  if (!stats.isFile()) return refuse(response, 404);
  if (isKnown(headers['if-none-match'], etagOf(stats))) {
    response.writeHead(304, { ETag: etagOf(stats) });
    return response.end();
  }

  const handle = await fs.open(file);
  try {
    // What is sent is described by the file that is open: another may have the name by now.
    stats = await handle.stat();
    const range = rangeOf(headers, stats);
    if (range === null) {
      return refuse(response, 416, { 'Content-Range': `bytes */${stats.size}` });
    }
    const { start, length } = range ?? { start: 0, length: stats.size };
    response.writeHead(range === undefined ? 200 : 206, {
      'Accept-Ranges': 'bytes',
      'Content-Length': length,
      'Content-Type': TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
      ETag: etagOf(stats),
      'Last-Modified': stats.mtime.toUTCString(),
      'X-Content-Type-Options': 'nosniff',
      ...(range && { 'Content-Range': `bytes ${start}-${start + length - 1}/${stats.size}` }),
    });
    if (method === 'HEAD' || length === 0) return response.end();
    const sent = await send(handle, start, length, response);
    // A client that gets less than it was promised has to know: the file was truncated meanwhile.
    if (sent < length) response.destroy();
    else response.end();
  } finally {
    await handle.close();
  }
}

/** @returns {Promise<number>} bytes that were there to send */
async function send(handle, start, length, response) {
  if (length <= WHOLE) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, start);
    response.write(buffer.subarray(0, bytesRead));
    return bytesRead;
  }
  const stream = handle.createReadStream({ start, end: start + length - 1, autoClose: false });
  await pipeline(stream, response, { end: false });
  return stream.bytesRead;
}

/** The path below the root, with '/' before it and no '..' in it; undefined when it is none. */
function toName(url) {
  try {
    const name = decodeURIComponent(url.split(/[?#]/, 1)[0]);
    // On Windows these lead elsewhere, too.
    if (name.includes('\0') || (path.sep === '\\' && /[\\:]/.test(name))) return undefined;
    return path.posix.normalize(`/${name}`);
  } catch {
    return undefined; // broken percent-encoding
  }
}

function etagOf({ size, mtimeMs }) {
  return `"${size.toString(16)}-${Math.floor(mtimeMs * 1000).toString(16)}"`;
}

/** Whether the client has that state of the file. */
function isKnown(ifNoneMatch, etag) {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag);
}

/**
 * The one range that is asked for. Undefined: all of the file, also for what is no range or is
 * several. Null: none of it lies in the file.
 */
function rangeOf(headers, stats) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const ifRange = headers['if-range'];
  if (from === undefined || (from === '' && to === '')) return undefined;
  if (ifRange !== undefined && ifRange !== etagOf(stats)) return undefined;
  const { size } = stats;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  return start > end ? null : { start, length: end - start + 1 };
}

/** To the name and not to what was asked for, which can begin as the address of another host. */
function redirect(response, name, url) {
  const [, query] = /(\?[^#]*)/.exec(url) ?? [];
  const to = `${name.split('/').map(encodeURIComponent).join('/')}/${query ?? ''}`;
  response.writeHead(301, { Location: to });
  response.end();
}

function refuse(response, status, headers) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
  response.end(`${status} ${http.STATUS_CODES[status]}\n`);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8080' },
    },
  });
  if (values.help) return console.log(HELP);
  const [folder = '.'] = positionals;
  const server = createServer(folder);
  server.listen(Number(values.port), values.host, () => {
    const { address, port } = server.address();
    const { backend } = fs.ring.status();
    console.log(`${path.resolve(folder)} by ${backend} at http://${address}:${port}/`);
  });
}

if (require.main === module) main();

module.exports = { createServer };
