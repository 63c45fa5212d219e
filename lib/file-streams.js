'use strict';
/**
 * ReadStream and WriteStream of uring-fs/fs: Node's own over the functions of uring-fs/fs, which give a
 * stream what it asks for before it asks.
 */

const { loadNode } = require('./delegate');
const { withoutStack } = require('./errors');
const { kRef } = require('./symbols');

/** @returns {typeof import('./descriptor-calls') | null} null: there is no ring */
function load() {
  try {
    if (require('./binding').binding === null || !require('./request').serves()) return null;
    return require('./descriptor-calls');
  } catch {
    return null; // no descriptor is left to load it with
  }
}

/** @returns {Function | undefined} see descriptor-calls.js; undefined: there is no ring */
function startReader(most) {
  const descriptors = load();
  if (descriptors === null) return undefined;
  const next = descriptors.reader(most);
  // What has the chunk before this one runs first, and may want no more.
  return (fd, buffer, position, callback) =>
    next(fd, buffer, position)?.then(
      (result) => process.nextTick(callback, null, result.bytesRead, result.buffer),
      (error) => process.nextTick(callback, withoutStack(error), 0, buffer),
    );
}

/**
 * What a stream uses of `fs`: whatever is assigned there, and reads that are ahead of it, unless something
 * has been assigned for them.
 *
 * @param {typeof import('node:fs')} fs
 * @param {Function} ourRead
 * @param {{ start?: number, end?: number }} options
 */
function readingAhead(fs, ourRead, { start = 0, end = Infinity }) {
  let reader;
  return {
    __proto__: fs,
    read(fd, buffer, offset, length, position, callback) {
      if (fs.read === ourRead && offset === 0 && length === buffer.length) {
        reader ??= startReader(end + 1 - start);
        if (reader?.(fd, buffer, position, callback) !== undefined) return;
      }
      fs.read(fd, buffer, offset, length, position, callback);
    },
  };
}

const isOurHandle = (value) => typeof Object(value)[kRef] === 'function';

/**
 * Node's class, with the functions of `fs` where the caller gives none. What it makes, and what it is made
 * of, is Node's: an instance of one is an instance of the other.
 *
 * @param {Function} Original
 * @param {(options: object) => object} fsFor what the stream uses
 */
function streamClass(Original, fsFor) {
  const { name } = Original;
  const { [name]: Stream } = {
    [name]: function (path, options) {
      if (!(this instanceof Stream)) return new Stream(path, options);
      const make = (given) => {
        Reflect.apply(Original, this, [path, given]);
        return this;
      };
      const { fd, fs } = Object(options);
      if (isOurHandle(fd)) return require('./streams').streamOver(fd, make, options);
      // Node refuses its own handles together with functions.
      const isPlain = !fs && (fd === undefined || fd === null || typeof fd === 'number');
      return make(isPlain ? withFs(options, fsFor) : options);
    },
  };
  Object.setPrototypeOf(Stream, Object.getPrototypeOf(Original));
  return Object.defineProperties(Stream, {
    length: { value: Original.length },
    prototype: { value: Original.prototype, writable: true },
  });
}

/** The options with one more, copied as Node does: what they inherit is there, too. */
function withFs(options, fsFor) {
  if (options === undefined || options === null || typeof options === 'function') {
    return { fs: fsFor({}) };
  }
  if (typeof options === 'string') return { encoding: options, fs: fsFor({}) };
  if (typeof options !== 'object') return options;
  const copy = {};
  for (const name in options) copy[name] = options[name];
  copy.fs = fsFor(copy);
  return copy;
}

/**
 * @param {typeof import('node:fs')} fs whose functions the streams use, with what is assigned to it
 * @param {Function} ourRead its read(), unless something is
 */
const makeStreams = (fs, ourRead) => ({
  ReadStream: streamClass(loadNode('ReadStream'), (options) => readingAhead(fs, ourRead, options)),
  WriteStream: streamClass(loadNode('WriteStream'), () => fs),
});

module.exports = { makeStreams };
