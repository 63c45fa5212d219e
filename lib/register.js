'use strict';
/**
 * uring-fs/register: `node -r uring-fs/register app.js`, or with --import. Puts the asynchronous functions of
 * uring-fs/fs and uring-fs in the place of those of `node:fs` and `node:fs/promises`, for CommonJS and ES
 * modules. Where io_uring is ruled out nothing is replaced.
 */

const nodeFs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { nodeFs: originals, nodePromises } = require('./delegate');
const { makeStreams } = require('./file-streams');
const { callbackNames, promiseNames } = require('./names');

/**
 * Of the thread, whichever copy of this package has replaced the functions: what was there (delegate.js), or
 * modules of a copy that is loaded anew would take ours for Node's, and call them for ever.
 */
const kRegistered = Symbol.for('uring-fs.registered');

/** What has been replaced: on which object, what was there before, and what is now. */
const replaced = [];

/** Assigns: the classes of streams are accessors, so that Node makes what was assigned. */
function replace(target, name, value) {
  if (!Object.hasOwn(target, name)) return; // newer than the running Node
  const before = target[name];
  if (Reflect.set(target, name, value)) replaced.push({ target, name, before, value });
}

/**
 * Replaces the functions, unless that has been done or io_uring is ruled out.
 *
 * @returns {boolean} whether they are replaced now
 */
function register() {
  if (globalThis[kRegistered]) return true;
  if (require('./binding').binding === null) return false;
  const fs = require('./fs');
  for (const name of callbackNames) replace(nodeFs, name, fs[name]);
  for (const name of promiseNames) replace(nodeFs.promises, name, fs.promises[name]);
  const { ReadStream, WriteStream } = makeStreams(nodeFs, fs.read);
  replace(nodeFs, 'ReadStream', ReadStream);
  replace(nodeFs, 'FileReadStream', ReadStream);
  replace(nodeFs, 'WriteStream', WriteStream);
  replace(nodeFs, 'FileWriteStream', WriteStream);
  syncBuiltinESMExports();
  const value = { nodeFs: originals, nodePromises };
  Object.defineProperty(globalThis, kRegistered, { configurable: true, value });
  return true;
}

/**
 * Undoes register(). What others have put in the place of our functions since stays, and calls them as
 * before.
 */
function unregister() {
  if (replaced.length === 0) return;
  for (const { target, name, before, value } of replaced.splice(0)) {
    if (target[name] === value) target[name] = before;
  }
  syncBuiltinESMExports();
  delete globalThis[kRegistered];
}

register();

module.exports = { register, unregister };
