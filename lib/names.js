'use strict';
/** The functions that go through the ring, by name. */

/** Of node:fs/promises: those in promises.js. */
const promiseNames = [
  'access',
  'appendFile',
  'link',
  'lstat',
  'mkdir',
  'mkdtemp',
  'open',
  'readFile',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'symlink',
  'truncate',
  'unlink',
  'writeFile',
];

/** Of node:fs: those in callbacks.js. */
const callbackNames = [
  ...promiseNames,
  'close',
  'exists',
  'fdatasync',
  'fstat',
  'fsync',
  'ftruncate',
  'read',
  'readv',
  'write',
  'writev',
];

module.exports = { callbackNames, promiseNames };
