'use strict';

const { spawn } = require('node:child_process');
const http = require('node:http');

/**
 * A server of the bare repositories below a folder, by git's own program for it.
 *
 * @param {string} folder
 * @returns {http.Server}
 */
function createGitServer(folder) {
  return http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: String(searchParams),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        CONTENT_LENGTH: request.headers['content-length'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    backend.stdin.on('error', () => undefined); // it need not read all
    request.pipe(backend.stdin);
    answer(backend.stdout, response);
  });
}

/** What a CGI program prints is headers, an empty line and the body. */
async function answer(output, response) {
  let head = Buffer.alloc(0);
  for await (const chunk of output) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) continue;
    const headers = head.toString('latin1', 0, end).split('\r\n');
    for (const [, name, value] of headers.map((line) => /^([^:]*): *(.*)$/.exec(line))) {
      if (name === 'Status') response.statusCode = parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
  }
  response.end();
}

module.exports = { createGitServer };
