'use strict';
/**
 * Recognition of plainly valid arguments. Nothing here throws: what is not recognised comes back as
 * undefined, and the call goes unchanged to Node's own function, which serves it or words the error.
 */

const { constants } = require('node:fs');
const { fileURLToPath, URL } = require('node:url');

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;

/** Node's limit for one read or write, bytes. */
const MAX_LENGTH = 2 ** 31 - 1;
/** For the file's own position. */
const CURRENT_POSITION = -1;
const HEX = /^hex$/i;

/** The string flags of fs.open (Node's documentation, "File system flags"). */
const flagsOf = new Map([
  ['r', O_RDONLY],
  ['rs', O_RDONLY | O_SYNC],
  ['sr', O_RDONLY | O_SYNC],
  ['r+', O_RDWR],
  ['rs+', O_RDWR | O_SYNC],
  ['sr+', O_RDWR | O_SYNC],
  ['w', O_TRUNC | O_CREAT | O_WRONLY],
  ['wx', O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ['xw', O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ['w+', O_TRUNC | O_CREAT | O_RDWR],
  ['wx+', O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ['xw+', O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ['a', O_APPEND | O_CREAT | O_WRONLY],
  ['ax', O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ['xa', O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ['as', O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ['sa', O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ['a+', O_APPEND | O_CREAT | O_RDWR],
  ['ax+', O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ['xa+', O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ['as+', O_APPEND | O_CREAT | O_RDWR | O_SYNC],
  ['sa+', O_APPEND | O_CREAT | O_RDWR | O_SYNC],
]);

/**
 * @param {unknown} path
 * @returns {string | Uint8Array | undefined} what the native module takes (it refuses null bytes itself)
 */
function toPath(path) {
  if (typeof path === 'string' || path instanceof Uint8Array) return path;
  if (path instanceof URL) {
    try {
      return fileURLToPath(path);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/**
 * @param {unknown} flags a string flag or a number
 * @param {number} byDefault for undefined and null
 * @returns {number | undefined}
 */
function toFlags(flags, byDefault) {
  if (flags === undefined || flags === null) return byDefault;
  if (typeof flags === 'string') return flagsOf.get(flags);
  return isInt32(flags) ? flags : undefined;
}

/**
 * @param {unknown} mode a number, or a string of octal digits
 * @param {number} byDefault for undefined (what null stands for differs by version)
 * @returns {number | undefined}
 */
function toMode(mode, byDefault) {
  if (mode === undefined) return byDefault;
  if (typeof mode === 'string') {
    if (!/^[0-7]{1,10}$/.test(mode)) return undefined;
    mode = Number.parseInt(mode, 8);
  }
  return isUint32(mode) ? mode : undefined;
}

/**
 * @param {unknown} options
 * @returns {object | undefined} an options object: what a string (an encoding) or nothing stands for
 */
function toOptions(options) {
  if (options === undefined || options === null || typeof options === 'function') return NO_OPTIONS;
  if (typeof options === 'string') return { encoding: options };
  return typeof options === 'object' ? options : undefined;
}
const NO_OPTIONS = Object.freeze({ __proto__: null });

/** Whether toMode() knows it, or it stands for the default as null does where Node has one. */
function isMode(mode) {
  return mode === null || toMode(mode, 0) !== undefined;
}

/** Whether Buffers can be decoded so; anything falsy stands for no decoding. */
function isEncoding(encoding) {
  return !encoding || Buffer.isEncoding(encoding);
}

function isSignal(signal) {
  return signal === undefined || signal instanceof AbortSignal;
}

function isBoolean(value) {
  return value === undefined || typeof value === 'boolean';
}

function isFlush(flush) {
  return flush === null || isBoolean(flush);
}

/** Options of stat and its like: none of the newer options. */
function isPlainStat(options) {
  return (
    options === undefined ||
    (options !== null &&
      typeof options === 'object' &&
      !Array.isArray(options) &&
      options.signal === undefined &&
      (options.throwIfNoEntry === undefined || options.throwIfNoEntry === true))
  );
}

/** What writeFile takes apart from strings and views. */
function isCustomIterable(data) {
  return (
    data !== null &&
    typeof data === 'object' &&
    !ArrayBuffer.isView(data) &&
    (typeof data[Symbol.asyncIterator] === 'function' ||
      typeof data[Symbol.iterator] === 'function')
  );
}

/** The bytes of any view, as the native module takes them: the same memory. */
function toBytes(view) {
  if (view instanceof Uint8Array) return view;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A file position or length that is exact as a number. */
function isPosition(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A position as the ring takes it; undefined when it is for Node to judge. */
function toPosition(position) {
  if (position === null || position === undefined) return CURRENT_POSITION;
  if (typeof position === 'bigint') {
    if (position < -1n || position > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    position = Number(position);
  }
  return isPosition(position) || position === CURRENT_POSITION ? position : undefined;
}

/** Whether [offset, offset + length) lies in the view, and is not empty. */
function isRange(view, offset, length) {
  return (
    isPosition(offset) &&
    isPosition(length) &&
    length > 0 &&
    length <= MAX_LENGTH &&
    length <= view.byteLength - offset
  );
}

/**
 * A copy: what the caller's array gives, and the code that may run when it does, must not change any more.
 * Without those that are empty.
 *
 * @returns {Uint8Array[] | undefined} undefined: it is for Node to judge
 */
function toViews(buffers) {
  if (!Array.isArray(buffers)) return undefined;
  const views = [];
  for (let i = 0; i < buffers.length; i++) {
    const view = buffers[i];
    if (!ArrayBuffer.isView(view)) return undefined;
    if (view.byteLength > 0) views.push(toBytes(view));
  }
  return views;
}

/**
 * The bytes of a string that is to be written.
 *
 * @returns {Buffer | undefined} undefined: there are none, or it is for Node to judge
 */
function toEncoded(string, encoding) {
  if (typeof string !== 'string' || !isEncoding(encoding)) return undefined;
  // Node refuses hexadecimal digits that do not pair.
  if (HEX.test(encoding) && string.length % 2 !== 0) return undefined;
  const bytes = Buffer.from(string, encoding || 'utf8');
  return bytes.length > 0 && bytes.length <= MAX_LENGTH ? bytes : undefined;
}

function isInt32(value) {
  return typeof value === 'number' && value === (value | 0);
}

function isUint32(value) {
  return typeof value === 'number' && value === value >>> 0;
}

module.exports = {
  CURRENT_POSITION,
  MAX_LENGTH,
  isBoolean,
  isCustomIterable,
  isEncoding,
  isFlush,
  isInt32,
  isMode,
  isPlainStat,
  isPosition,
  isRange,
  isSignal,
  isUint32,
  toBytes,
  toEncoded,
  toFlags,
  toMode,
  toOptions,
  toPath,
  toPosition,
  toViews,
};
