'use strict';
/** What a FileHandle's contents flow through: Node's own stream classes over the handle's operations. */

const fs = require('node:fs');
const { ReadableStream } = require('node:stream/web');
const { createInterface } = require('node:readline');
const { nodeError } = require('./errors');
const { kRef, kUnref } = require('./symbols');

/** Bytes. */
const WEB_CHUNK_SIZE = 16384;

/**
 * The operations that a Node file stream uses through its `fs` option. The stream is a user of the
 * handle until it asks for the close.
 *
 * @param {import('./file-handle').FileHandle} handle
 */
function operationsOf(handle) {
  return {
    // Streams insist on having it, and do not call it when they have a descriptor.
    open(path, flags, mode, callback) {
      callback(
        nodeError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The open() method is not implemented'),
      );
    },
    close(fd, callback) {
      handle[kUnref]();
      handle.close().then(() => callback(), callback);
    },
    fsync(fd, callback) {
      handle.sync().then(() => callback(), callback);
    },
    read(fd, buffer, offset, length, position, callback) {
      handle.read(buffer, offset, length, position).then(
        ({ bytesRead }) => callback(null, bytesRead, buffer),
        (error) => callback(error, 0, buffer),
      );
    },
    write(fd, buffer, offset, length, position, callback) {
      handle.write(buffer, offset, length, position).then(
        ({ bytesWritten }) => callback(null, bytesWritten, buffer),
        (error) => callback(error, 0, buffer),
      );
    },
    writev(fd, buffers, position, callback) {
      handle.writev(buffers, position).then(
        ({ bytesWritten }) => callback(null, bytesWritten, buffers),
        (error) => callback(error, 0, buffers),
      );
    },
  };
}

function notImplemented(what) {
  return nodeError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `The ${what} method is not implemented`);
}

function streamOver(handle, create, options) {
  if (options?.fs) throw notImplemented('FileHandle with fs');
  const stream = create(undefined, { ...options, fd: handle.fd, fs: operationsOf(handle) });
  handle[kRef]();
  handle.on('close', () => stream.close());
  return stream;
}

/** @returns {fs.ReadStream} as FileHandle.createReadStream() of Node */
function createReadStream(handle, options) {
  return streamOver(handle, fs.createReadStream, options);
}

/** @returns {fs.WriteStream} as FileHandle.createWriteStream() of Node */
function createWriteStream(handle, options) {
  return streamOver(handle, fs.createWriteStream, options);
}

/** @returns {import('node:readline').Interface} as FileHandle.readLines() of Node */
function readLines(handle, options) {
  return createInterface({ input: createReadStream(handle, options), crlfDelay: Infinity });
}

/**
 * As FileHandle.readableWebStream() of Node 24: a byte stream. The handle has been checked.
 *
 * @param {import('./file-handle').FileHandle} handle
 * @param {boolean} autoClose
 * @returns {ReadableStream}
 */
function readableWebStream(handle, autoClose) {
  let ended = false;
  async function end() {
    ended = true;
    handle[kUnref]();
    if (autoClose) await handle.close();
  }
  const stream = new ReadableStream({
    type: 'bytes',
    autoAllocateChunkSize: WEB_CHUNK_SIZE,
    async pull(controller) {
      const { view } = controller.byobRequest;
      const { bytesRead } = await handle.read(view, 0, view.byteLength);
      if (ended) return;
      if (bytesRead === 0) {
        controller.close();
        await end();
      }
      controller.byobRequest.respond(bytesRead);
    },
    cancel: end,
  });
  handle[kRef]();
  handle.once('close', () => {
    // Without effect on a stream that has ended; one that is being read ends with its reader.
    if (!stream.locked) stream.cancel().catch(() => {});
  });
  return stream;
}

module.exports = { createReadStream, createWriteStream, readLines, readableWebStream };
