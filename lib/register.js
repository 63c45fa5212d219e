'use strict';
/**
 * uring-fs/register: `node -r uring-fs/register app.js`, or with --import. Puts the asynchronous functions of
 * uring-fs/fs and uring-fs in the place of those of `node:fs` and `node:fs/promises`, for CommonJS and ES
 * modules. Where io_uring is ruled out nothing is replaced.
 */

const nodeFs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { callbackNames, promiseNames } = require('./names');

/** Of the thread, whichever copy of this package has replaced the functions. */
const kRegistered = Symbol.for('uring-fs.registered');

/** What has been replaced: on which object, its descriptor before, and what it is now. */
const replaced = [];

function replace(target, name, value) {
  const before = Object.getOwnPropertyDescriptor(target, name);
  if (before === undefined || before.value === value) return;
  Object.defineProperty(target, name, { ...before, value });
  replaced.push({ target, name, before, value });
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
  syncBuiltinESMExports();
  Object.defineProperty(globalThis, kRegistered, { configurable: true, value: true });
  return true;
}

/**
 * Undoes register(). What others have put in the place of our functions since stays, and calls them as
 * before.
 */
function unregister() {
  for (const { target, name, before, value } of replaced.splice(0)) {
    if (target[name] === value) Object.defineProperty(target, name, before);
  }
  syncBuiltinESMExports();
  delete globalThis[kRegistered];
}

register();

module.exports = { register, unregister };
