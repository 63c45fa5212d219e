'use strict';
/** Operations on directories that are many calls each: mkdir with parents, mkdtemp, rm. */

const { constants } = require('node:fs');
const { sep } = require('node:path');
const { nodePromises } = require('./delegate');
const { ECANCELED, errnoOf, systemError } = require('./errors');
const { AT_SYMLINK_NOFOLLOW } = require('./fcntl');
const { enter, ops, prepare } = require('./request');
const { typeAt } = require('./stats');
const { isBoolean, isUint32, toPath } = require('./validate');

const { S_IFDIR } = constants;
const { EACCES, EEXIST, ENOENT, ENOTDIR, EPERM } = errnoOf;

/**
 * Single calls that resolve with 0 or -errno: a failure that is expected needs no Error. What the ring
 * refuses, or could not do, is -ECANCELED.
 */
const pool = () => Promise.resolve(ECANCELED);
const OUTCOME = { takesErrors: true, finish: (request, result) => result, pool };
/** Resolves with the type bits, or -errno. */
const TYPE = {
  takesErrors: true,
  finish: (request, result, at) => (result < 0 ? result : typeAt(at)),
  pool,
};

/** `queue` hands the request to `ops`. */
function call(operation, queue) {
  const request = prepare(operation);
  return enter(queue(), request);
}

const mkdir = (path, mode) => call(OUTCOME, () => ops.mkdir(path, mode));
const unlink = (path) => call(OUTCOME, () => ops.unlink(path));
const rmdir = (path) => call(OUTCOME, () => ops.rmdir(path));
const typeOf = (path, flags = 0) => call(TYPE, () => ops.stat(path, flags));

/**
 * mkdir -p, with Node's way of going up and down and its errors (MKDirpAsync() in node_file.cc).
 *
 * @param {string | Uint8Array} path
 * @param {number} mode
 * @returns {Promise<string | undefined> | undefined} the first directory made; no promise when the call
 *   is for Node's own function
 */
function makeWithParents(path, mode) {
  if (typeof path !== 'string' || path.includes('\0')) return undefined;
  return makeAll(path.toWellFormed(), mode);
}

async function makeAll(path, mode) {
  const missing = [path];
  let first;
  while (missing.length > 0) {
    const current = missing.pop();
    let result = await mkdir(current, mode);
    if (result === 0) {
      first ??= current;
      continue;
    }
    if (result === ECANCELED) return nodePromises.mkdir(path, { recursive: true, mode });
    if (result === EACCES || result === ENOTDIR || result === EPERM) {
      throw systemError(result, 'mkdir', current);
    }
    if (result === ENOENT) {
      const parent = current.slice(0, Math.max(current.lastIndexOf(sep), 0));
      if (current.includes(sep) && parent !== current) {
        missing.push(current, parent);
        continue;
      }
      if (missing.length > 0) {
        missing.push(current);
        continue;
      }
      result = EEXIST;
    }
    const type = await typeOf(current);
    if (type === S_IFDIR) continue;
    if (result === EEXIST && missing.length > 0) throw systemError(ENOTDIR, 'mkdir', current);
    throw systemError(type < 0 ? type : EEXIST, 'mkdir', current);
  }
  return first;
}

/* ---- mkdtemp ---- */

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const SUFFIX_LENGTH = 6;
/** Of 62^6 names; mkdtemp(3) gives up after as many. */
const ATTEMPTS = LETTERS.length ** 3;

function randomSuffix() {
  // Here, because it takes longer to load than all of this package.
  const { randomFillSync } = require('node:crypto');
  // The tiny bias of the remainder makes no name guessable that was not.
  const bytes = randomFillSync(new Uint8Array(SUFFIX_LENGTH));
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('');
}

/**
 * @returns {Promise<string> | undefined} undefined: it is for Node's own function
 */
function makeTemporary(prefix, options) {
  const encoding = typeof options === 'object' ? options?.encoding : options;
  const isPlain =
    typeof prefix === 'string' &&
    prefix !== '' &&
    !prefix.includes('\0') &&
    // Node warns that such a name is not portable.
    !prefix.endsWith('X') &&
    (encoding === undefined || encoding === null || encoding === 'utf8');
  return isPlain ? makeUnique(prefix.toWellFormed(), options) : undefined;
}

async function makeUnique(prefix, options) {
  for (let attempt = 1; ; attempt++) {
    const path = prefix + randomSuffix();
    const result = await mkdir(path, 0o700);
    if (result === 0) return path;
    if (result === ECANCELED) return nodePromises.mkdtemp(prefix, options);
    if (result !== EEXIST || attempt === ATTEMPTS) throw systemError(result, 'mkdtemp', path);
  }
}

/* ---- rm ---- */

/** How many entries of one directory are removed at once. */
const REMOVALS_AT_ONCE = 32;

/**
 * Removes through the ring what goes smoothly. At the first trouble Node's rm takes over: it goes on
 * from there, with its retries, or says what is wrong.
 *
 * @returns {Promise<void> | undefined} undefined: it is for Node's own function
 */
function remove(path, options) {
  const plainPath = toPath(path);
  const own = ownOptions(options);
  if (plainPath === undefined || own === undefined || !isPlainRemoval(own)) return undefined;
  return removeAll(plainPath, own.recursive === true, path, options);
}

/** As Node, which spreads the options over its defaults: one that is inherited is not there. */
function ownOptions(options) {
  if (options === undefined) return {};
  if (options === null || typeof options !== 'object' || Array.isArray(options)) return undefined;
  return { ...options };
}

function isPlainRemoval(own) {
  return (
    isAbsentOr(isBoolean, own, 'force') &&
    isAbsentOr(isBoolean, own, 'recursive') &&
    isAbsentOr(isUint32, own, 'maxRetries') &&
    isAbsentOr(isDelay, own, 'retryDelay')
  );
}

/** One that is there may not be undefined. */
function isAbsentOr(check, own, name) {
  return !(name in own) || (own[name] !== undefined && check(own[name]));
}

function isDelay(value) {
  return isUint32(value) && value < 2 ** 31;
}

async function removeAll(path, recursive, givenPath, options) {
  const type = await typeOf(path, AT_SYMLINK_NOFOLLOW);
  if (type >= 0) {
    const isDirectory = type === S_IFDIR;
    if (!isDirectory && isGone(await unlink(path))) return;
    // Only strings can be joined with the names of entries.
    if (isDirectory && recursive && typeof path === 'string' && (await removeTree(path))) return;
  }
  await nodePromises.rm(givenPath, options);
}

/** Somebody else may have removed it, which is as good; Node says the same. */
const isGone = (result) => result === 0 || result === ENOENT;

/** @returns {Promise<boolean>} whether nothing of it is left */
async function removeTree(path) {
  let entries;
  try {
    entries = await nodePromises.readdir(path, { withFileTypes: true });
  } catch (error) {
    return isGone(error.errno);
  }
  for (let at = 0; at < entries.length; at += REMOVALS_AT_ONCE) {
    const removed = await Promise.all(
      entries.slice(at, at + REMOVALS_AT_ONCE).map((entry) => {
        // Not by path.join(), which takes `link/..` for the folder that the link is in.
        const name = `${path}/${entry.name}`;
        return entry.isDirectory() ? removeTree(name) : unlink(name).then(isGone);
      }),
    );
    if (removed.includes(false)) return false;
  }
  return isGone(await rmdir(path));
}

module.exports = { makeTemporary, makeWithParents, remove };
