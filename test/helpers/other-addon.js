'use strict';

// Preloaded (node -r), it makes the package load the addon that URING_FS_TEST_ADDON names instead of its
// own: one with failures injected, or with sanitizers.

const Module = require('node:module');

const other = process.env.URING_FS_TEST_ADDON;
const resolve = Module._resolveFilename;
if (other) {
  Module._resolveFilename = function (request, ...rest) {
    if (request.endsWith('/build/Release/uring_fs.node')) return other;
    return resolve.call(this, request, ...rest);
  };
}
