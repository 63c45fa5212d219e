'use strict';

// The headers of Node. node-gyp would download them; they are nearly always on the machine already,
// and Node-API is the same in all of them: an addon built with one version's runs in every other.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const debian = require('./debian');
const { StepError, say } = require('./run');

/** Whether `prefix` holds the headers that the addon and node-gyp need. */
function holdsHeaders(prefix) {
  const include = path.join(prefix, 'include', 'node');
  const has = (file) => fs.existsSync(file);
  if (!has(path.join(include, 'node_api.h')) || !has(path.join(include, 'common.gypi'))) {
    return false;
  }
  // Debian keeps libuv's header apart from Node's.
  if (!has(path.join(include, 'uv.h')) && !has('/usr/include/uv.h')) return false;
  const api = fs.readFileSync(path.join(include, 'js_native_api.h'), 'utf8');
  return api.includes('NAPI_VERSION >= 9');
}

/** Where headers may lie, the likeliest to fit first. */
function candidates() {
  const caches = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return [
    process.env.npm_config_nodedir,
    path.dirname(path.dirname(fs.realpathSync(process.execPath))),
    process.config.variables.node_prefix,
    path.join(caches, 'node-gyp', process.versions.node),
    '/usr/local',
    '/usr',
  ].filter(Boolean);
}

/**
 * The directory to give node-gyp as --nodedir, or null if there is none.
 *
 * @returns {string | null}
 */
function findHeaders() {
  return candidates().find(holdsHeaders) ?? null;
}

/**
 * The same, installing Debian's package of the headers if there are none. Null if even that cannot
 * be had: then node-gyp has to fetch them.
 *
 * @returns {string | null}
 */
function ensureHeaders() {
  const need = { what: "Node's headers", present: () => findHeaders() !== null };
  try {
    debian.ensure(['libnode-dev', 'libuv1-dev'].map((name) => ({ ...need, package: name })));
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say("no Node headers on this machine: node-gyp downloads them from Node's own site");
  }
  return findHeaders();
}

module.exports = { ensureHeaders, findHeaders };
