'use strict';
/** What a FileHandle's contents flow through: Node's own stream classes over the handle's operations. */

const { ReadableStream } = require('node:stream/web');
const { Interface } = require('node:readline');
const { nodeFs } = require('./delegate');
const { invalidType, nodeError } = require('./errors');
const { ReadAhead } = require('./read-ahead');
const { kRef, kSeekable, kUnref } = require('./symbols');

/** Bytes. */
const WEB_CHUNK_SIZE = 16384;
const BUFFER_CHUNK_SIZE = 65536;

/**
 * The operations that a Node file stream uses through its `fs` option. The stream is a user of the
 * handle until it asks for the close.
 *
 * @param {import('./file-handle').FileHandle} handle
 * @param {{ start?: number, end?: number | null }} options
 */
function operationsOf(handle, { start = 0, end }) {
  let ahead;
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
      if (handle[kSeekable]) ahead ??= new ReadAhead(handle, (end ?? Infinity) + 1 - start);
      const reading =
        ahead === undefined
          ? handle.read(buffer, offset, length, position)
          : ahead.read(buffer, position);
      // What has the chunk before this one runs first, and may want no more.
      reading.then(
        (result) => process.nextTick(callback, null, result.bytesRead, result.buffer),
        (error) => process.nextTick(callback, error, 0, buffer),
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

/** @param {(options: object) => import('node:stream').Stream} create */
function streamOver(handle, create, options) {
  if (options?.fs) throw notImplemented('FileHandle with fs');
  handle[kRef]();
  let stream;
  try {
    stream = create({
      ...options,
      fd: handle.fd,
      fs: operationsOf(handle, { ...options }),
    });
  } catch (error) {
    handle[kUnref]();
    throw error;
  }
  handle.on('close', () => stream.close());
  return stream;
}

/** @returns {import('node:fs').ReadStream} as FileHandle.createReadStream() of Node */
function createReadStream(handle, options) {
  return streamOver(handle, (over) => nodeFs.createReadStream(undefined, over), options);
}

/** @returns {import('node:fs').WriteStream} as FileHandle.createWriteStream() of Node */
function createWriteStream(handle, options) {
  return streamOver(handle, (over) => nodeFs.createWriteStream(undefined, over), options);
}

/** The class that Node's readLines() makes: what readline.Interface is based on. */
const { constructor: LineReader } = Object.getPrototypeOf(Interface.prototype);

/** @returns {Interface} as FileHandle.readLines() of Node */
function readLines(handle, options) {
  return new LineReader({ input: createReadStream(handle, options), crlfDelay: Infinity });
}

/** Up to Node 20 readableWebStream() makes a byte stream when asked to only, and knows no autoClose. */
const ALWAYS_BYTES = Number.parseInt(process.versions.node, 10) > 20;

/**
 * As FileHandle.readableWebStream() of Node. The handle is open, and locked for it.
 *
 * @param {import('./file-handle').FileHandle} handle
 * @param {{ type?: string, autoClose?: boolean }} options
 * @returns {ReadableStream}
 */
function readableWebStream(handle, options) {
  return ALWAYS_BYTES ? newWebStream(handle, options) : oldWebStream(handle, options);
}

function newWebStream(handle, options) {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalidType('"options" argument', 'object', options);
  }
  const { type = 'bytes', autoClose = false } = options;
  if (typeof autoClose !== 'boolean') {
    throw invalidType('"options.autoClose" property', 'boolean', autoClose);
  }
  if (type !== 'bytes') {
    process.emitWarning(
      'A non-"bytes" options.type has no effect. A byte-oriented steam is always created.',
      'ExperimentalWarning',
    );
  }
  return byteStream(handle, autoClose);
}

function oldWebStream(handle, options) {
  const type = options.type; // throws as Node does for null
  if (type !== undefined && typeof type !== 'string') {
    throw invalidType('"options.type" property', 'string', type);
  }
  return type === 'bytes' ? byteStream(handle, false) : bufferStream(handle);
}

/** The handle has one user more until end(); its close ends the stream, locked or not. */
function useUntilEnd(handle, autoClose, endStream) {
  let ended = false;
  handle[kRef]();
  async function end() {
    if (ended) return;
    ended = true;
    handle[kUnref]();
    if (autoClose) await handle.close();
  }
  handle.once('close', () => {
    if (ended) return;
    endStream();
    end();
  });
  /** One that fails is the stream's end, too: with Node, the handle could never be closed any more. */
  async function read(...args) {
    try {
      return await handle.read(...args);
    } catch (error) {
      await end();
      throw error;
    }
  }
  return { end, hasEnded: () => ended, read };
}

function byteStream(handle, autoClose) {
  let controller;
  const use = useUntilEnd(handle, autoClose, () => {
    controller.close();
    controller.byobRequest?.respond(0);
  });
  return new ReadableStream({
    type: 'bytes',
    autoAllocateChunkSize: WEB_CHUNK_SIZE,
    start(its) {
      controller = its;
    },
    async pull() {
      const { view } = controller.byobRequest;
      const { bytesRead } = await use.read(view, 0, view.byteLength);
      if (use.hasEnded()) return;
      if (bytesRead === 0) {
        controller.close();
        await use.end();
      }
      controller.byobRequest.respond(bytesRead);
    },
    cancel: use.end,
  });
}

/** Node 20's other kind: its chunks are ArrayBuffers. */
function bufferStream(handle) {
  let controller;
  const use = useUntilEnd(handle, false, () => controller.close());
  return new ReadableStream({
    start(its) {
      controller = its;
    },
    async pull() {
      const { bytesRead, buffer } = await use.read(Buffer.allocUnsafeSlow(BUFFER_CHUNK_SIZE));
      if (use.hasEnded()) return;
      if (bytesRead > 0) {
        controller.enqueue(buffer.buffer.slice(0, bytesRead));
      } else {
        controller.close();
        await use.end();
      }
    },
    cancel: use.end,
  });
}

module.exports = { createReadStream, createWriteStream, readLines, readableWebStream, streamOver };
