'use strict';
/**
 * Whole files by steps: open, read into memory of their size, close. For what is larger than one request
 * takes, or does not say its size.
 */

const { O_RDONLY } = require('node:fs').constants;
const { binding } = require('./binding');
const { abortError, callNode, nodePromises } = require('./delegate');
const { toCallback } = require('./callback-request');
const { DescriptorFile, close, closingAfter, open } = require('./descriptor');
const { ECANCELED, systemError } = require('./errors');
const { CONTINUES, counters, extras, fail, goOn, ops, prepare } = require('./request');
const { Turns } = require('./turns');

/** Node refuses larger files, in words that differ by version. */
const MAX_SIZE = 2 ** 31 - 1;

/** A large file is read in pieces, several at once: by several kernel workers. Bytes. */
const PIECE_SIZE = 1024 * 1024;
const PIECES_AT_ONCE = 4;

/**
 * From this size on the memory of a file is sure to be fresh from the system: it is prepared before it is
 * read into. Smaller pieces the allocator has mostly used before, and preparing them would cost more than it
 * saves. (Huge pages would be fewer, but each of them comes from memory that a virtual machine may have given
 * back: measured, they took twice the time.) Bytes.
 */
const FRESH_SIZE = 4 * 1024 * 1024;

/** For files that do not say how large they are. Bytes. */
const CHUNK_SIZE = 64 * 1024;

/** From 26.8 on Node reads small files in one step, and its errors name the path whatever call failed. */
const [major, minor] = process.versions.node.split('.').map(Number);
const NAMES_PATH = major > 26 || (major === 26 && minor >= 8);

/** Throws what Node throws once the signal is aborted. */
async function checkAborted(signal) {
  if (signal !== undefined && signal.aborted) await abortError(signal);
}

/* ---- in a row of large files the next begin here ---- */

const LARGE_STREAK = 4;
let largeStreak = 0;

/** After a file that was too large for one request, and after one that was not. */
function noteLarge() {
  largeStreak++;
}

function noteSmall() {
  largeStreak = 0;
}

/** Whether the next file had better be read by steps from its beginning. */
function isLargeNext() {
  return largeStreak >= LARGE_STREAK;
}

/* ---- turns ---- */

/**
 * Files that are read by steps have a descriptor of the process each, and memory: no more than so many at
 * once, the others wait in order. (A small file needs no descriptor, and is bounded by the ring.)
 */
const FILES_AT_ONCE = 96;
// C goes by it, which has opened those that begin as one request.
const turns = new Turns(FILES_AT_ONCE, counters.subarray(binding.COUNT_FREE_TURNS));
const endTurn = () => turns.end();

/**
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {() => Promise<T>} read
 * @returns {Promise<T>}
 */
function inItsTurn(signal, read) {
  return new Promise((resolve) => {
    turns.begin(() => {
      const reading = checkAborted(signal).then(read);
      resolve(reading.finally(endTurn));
    });
  });
}

/* ---- files that tell their size ---- */

/**
 * @param {string | Uint8Array} path
 * @param {number} flags
 * @param {string | null | undefined} encoding none: a Buffer
 * @param {AbortSignal} [signal]
 * @param {Function} [callback] instead of the promise
 * @returns {Promise<Buffer | string> | true}
 */
function readSteps(path, flags, encoding, signal, callback) {
  // Each step with a promise and a signal of its own.
  if (signal !== undefined) {
    const contents = inItsTurn(signal, () => readOpened(path, flags, encoding, signal));
    return toCallback(contents, callback);
  }
  const request = prepare(OPEN_SIZED, path, undefined, undefined, callback);
  request.detail = { flags, encoding, fd: -1, contents: undefined, from: 0 };
  turns.begin(() => goOn(request, OPEN_SIZED, ops.open(path, flags, 0o666)));
  return request.promise;
}

/**
 * The steps of a file of up to PIECE_SIZE: one request, and one promise, that goes on from operation to
 * operation. What does not go by the book leaves them for the functions below.
 *
 * detail: { flags, encoding, fd, contents, from: where the rest of the contents begins }
 */
const OPEN_SIZED = {
  syscall: 'open',
  takesErrors: true,
  finish(request, fd, index) {
    if (fd === ECANCELED) return leave(request, OPEN_SIZED.pool(request));
    if (fd < 0) return giveUp(request, fd);
    const { path, detail } = request;
    const size = extras[index];
    detail.fd = fd;
    if (size <= 0 || size > PIECE_SIZE) {
      return leave(
        request,
        readFrom(fd, size, path, detail.flags, detail.encoding).finally(endTurn),
      );
    }
    if (size < binding.BLOCK_SIZE) noteSmall();
    const contents = allocate(request, fd, size);
    if (contents === undefined) return CONTINUES;
    detail.contents = request.pin = contents;
    return goOn(request, READ_SIZED, ops.readWhole(fd, contents, 0, size, 0));
  },
  pool: ({ path, detail: { flags, encoding } }) =>
    readOpened(path, flags, encoding).finally(endTurn),
};

const READ_SIZED = {
  syscall: 'read',
  takesErrors: true,
  finish(request, count) {
    const { fd, contents, from } = request.detail;
    if (count !== contents.length - from) return leave(request, finishRead(request, count));
    return goOn(request, CLOSE_SIZED, ops.close(fd));
  },
  pool: (request) => finishRead(request, 0),
};

const CLOSE_SIZED = {
  syscall: 'close',
  takesErrors: true,
  finish(request, result) {
    if (result === ECANCELED) return leave(request, CLOSE_SIZED.pool(request));
    if (result < 0) {
      request.path = undefined; // as of any call on a descriptor
      return giveUp(request, result);
    }
    const { contents, encoding } = request.detail;
    endTurn();
    return decode(contents, encoding);
  },
  pool: ({ detail: { fd, contents, encoding } }) =>
    callNode('close', fd)
      .then(() => decode(contents, encoding))
      .finally(endTurn),
};

/** The rest of a file that was read in part, or not at all: `count` bytes, or -errno. */
function finishRead({ detail: { fd, contents, encoding, from } }, count) {
  return closingAfter(new DescriptorFile(fd), async (file) => {
    if (count < 0 && count !== ECANCELED) throw systemError(count, 'read');
    const end = await readRange(file, contents, from + Math.max(count, 0), contents.length);
    return decode(upTo(contents, end), encoding);
  }).finally(endTurn);
}

/**
 * A file that is open, of which the beginning has been read already, goes on as one of the above; in a
 * finish().
 *
 * @param {import('./request').Request} request
 * @param {Buffer} head
 * @returns {typeof CONTINUES}
 */
function goOnLarge(request, fd, size, head, encoding) {
  const { path, signal } = request;
  noteLarge();
  if (signal !== undefined) {
    const again = () => readSteps(path, O_RDONLY, encoding, signal);
    return leave(request, closeLarge(fd).then(again));
  }
  turns.take();
  if (size > PIECE_SIZE) {
    return leave(request, readFrom(fd, size, path, O_RDONLY, encoding).finally(endTurn));
  }
  const contents = allocate(request, fd, size);
  if (contents === undefined) return CONTINUES;
  head.copy(contents);
  request.pin = contents;
  request.detail = { flags: O_RDONLY, encoding, fd, contents, from: head.length };
  const id = ops.readWhole(fd, contents, head.length, size - head.length, head.length);
  return goOn(request, READ_SIZED, id);
}

/** Such a file that is not gone on with: its descriptor counts until it is closed. */
function closeLarge(fd) {
  const closed = close(fd);
  turns.take();
  return closed.finally(endTurn);
}

/** @returns {Buffer | undefined} undefined: there is no memory, and the request has been ended */
function allocate(request, fd, size) {
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch (error) {
    const ended = closingAfter(new DescriptorFile(fd), () => Promise.reject(error));
    leave(request, ended.finally(endTurn));
    return undefined;
  }
}

function giveUp(request, errno) {
  endTurn();
  fail(request, errno);
  return CONTINUES;
}

function leave(request, promise) {
  request.resolve(promise);
  return CONTINUES;
}

/* ---- any file ---- */

async function readOpened(path, flags, encoding, signal) {
  const { fd, size } = await open(path, flags, 0o666, signal);
  return readFrom(fd, size, path, flags, encoding, signal);
}

/** @param {number} size as descriptor.js has it */
async function readFrom(fd, size, path, flags, encoding, signal) {
  if (size > MAX_SIZE) {
    await new DescriptorFile(fd).close();
    return nodePromises.readFile(path, { encoding, flag: flags, signal });
  }
  if (size < binding.BLOCK_SIZE) noteSmall();
  return closingAfter(new DescriptorFile(fd, signal), async (file) => {
    await checkAborted(signal);
    if (size <= 0) {
      return readToEnd(file, Buffer.alloc(0), encoding, signal).catch((error) => {
        throw NAMES_PATH && error.syscall === 'read'
          ? systemError(error.errno, 'read', path)
          : error;
      });
    }
    return decode(await readSized(file, size, signal), encoding);
  });
}

function decode(contents, encoding) {
  return encoding ? contents.toString(encoding) : contents;
}

/** A regular file of `size` bytes, from the start: less when it shrinks meanwhile, never more. */
async function readSized(file, size, signal) {
  const contents = Buffer.allocUnsafeSlow(size);
  let next = 0;
  let end = size;
  async function readPieces() {
    while (next < end) {
      await checkAborted(signal);
      const from = next;
      const to = Math.min(from + PIECE_SIZE, size);
      next = to;
      const reached = await readRange(file, contents, from, to);
      if (reached < to) end = Math.min(end, reached);
    }
  }
  if (size <= PIECE_SIZE) {
    end = await readRange(file, contents, 0, size);
    await checkAborted(signal);
  } else {
    const readers = Array.from({ length: PIECES_AT_ONCE }, readPieces);
    // All of them must be done with the memory and the descriptor, even after one has failed.
    const outcomes = await Promise.allSettled(readers);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  return upTo(contents, end);
}

/** The first bytes, without what lies behind them in memory. */
function upTo(contents, end) {
  return end === contents.length ? contents : concat([contents.subarray(0, end)]);
}

function readPiece(file, contents, from, to) {
  const length = to - from;
  return contents.length >= FRESH_SIZE
    ? file.readFresh(contents, from, length, from)
    : file.read(contents, from, length, from);
}

/** @returns {Promise<number>} where it ended: before `to` at the end of the file only */
async function readRange(file, contents, from, to) {
  while (from < to) {
    const count = await readPiece(file, contents, from, to);
    if (count === 0) break;
    from += count;
  }
  return from;
}

/**
 * From the file's own position until a read finds nothing.
 *
 * @param {{ read: Function }} file
 * @param {Buffer} head what has been read already
 */
async function readToEnd(file, head, encoding, signal) {
  const chunks = [head];
  for (;;) {
    await checkAborted(signal);
    const chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    const count = await file.read(chunk, 0, CHUNK_SIZE, -1);
    if (count === 0) break;
    chunks.push(count === CHUNK_SIZE ? chunk : chunk.subarray(0, count));
  }
  return decode(concat(chunks), encoding);
}

/** One Buffer with an ArrayBuffer of its own, as all that readFile resolves with. */
function concat(chunks) {
  const contents = Buffer.allocUnsafeSlow(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(contents, at);
  return contents;
}

module.exports = {
  MAX_SIZE,
  NAMES_PATH,
  checkAborted,
  closeLarge,
  decode,
  goOnLarge,
  inItsTurn,
  isLargeNext,
  noteLarge,
  noteSmall,
  readSteps,
  readToEnd,
  upTo,
};
