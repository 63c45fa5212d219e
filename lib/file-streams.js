'use strict';
/** ReadStream and WriteStream of uring-fs/fs: Node's own, over the functions of uring-fs/fs. */

const { loadNode } = require('./delegate');

/** Our class, if any handle of it has been made. */
const isOurHandle = (value) => value instanceof require('./index').FileHandle;

/**
 * Node's class, with our functions where the caller gives none. What it makes, and what it is made of, is
 * Node's: an instance of one is an instance of the other.
 *
 * @param {Function} Original
 * @param {typeof import('node:fs')} fs uring-fs/fs, with what may have been assigned to it
 */
function streamClass(Original, fs) {
  const { name } = Original;
  const { [name]: Stream } = {
    [name]: function (path, options) {
      if (!(this instanceof Stream)) return new Stream(path, options);
      const make = (given) => {
        Reflect.apply(Original, this, [path, given]);
        return this;
      };
      const { fd, fs: givenFs } = Object(options);
      if (isOurHandle(fd)) return require('./streams').streamOver(fd, make, options);
      const isPlain = !givenFs && (fd === undefined || fd === null || typeof fd === 'number');
      return make(isPlain ? withFs(options, fs) : options);
    },
  };
  Object.setPrototypeOf(Stream, Object.getPrototypeOf(Original));
  return Object.defineProperties(Stream, {
    length: { value: Original.length },
    prototype: { value: Original.prototype, writable: true },
  });
}

/** The options, with one more; all else they have or inherit is there. */
function withFs(options, fs) {
  if (options === undefined || options === null || typeof options === 'function') return { fs };
  if (typeof options === 'string') return { encoding: options, fs };
  return typeof options === 'object' ? { __proto__: options, fs } : options;
}

/** @param {typeof import('node:fs')} fs uring-fs/fs */
const makeStreams = (fs) => ({
  ReadStream: streamClass(loadNode('ReadStream'), fs),
  WriteStream: streamClass(loadNode('WriteStream'), fs),
});

module.exports = { makeStreams };
