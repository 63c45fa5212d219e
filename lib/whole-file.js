'use strict';
/**
 * Whole files: readFile, writeFile and appendFile, of paths and of handles.
 *
 * A small file is one request of the native module. What that leaves unfinished (the file is larger, or
 * no regular file, or a write was short) goes on here, or in read-steps.js.
 */

const { constants } = require('node:fs');
const { binding } = require('./binding');
const { callNode, nodeFs, nodePromises } = require('./delegate');
const { DescriptorFile, SlotFile, closingAfter, open } = require('./descriptor');
const { ECANCELED, invalidValue } = require('./errors');
const { O_CLOEXEC, O_PATH } = require('./fcntl');
const { toCallback } = require('./callback-request');
const { enter, enterAbortable, extras, ops, prepare, slab, takes } = require('./request');
const {
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
} = require('./read-steps');
const { typeAt } = require('./stats');
const { toBytes } = require('./validate');

const { BLOCK_SIZE, LARGE, SLOTS, STEP_OPEN, STEP_SYNC, STEP_CLOSE, UNFINISHED } = binding;
const {
  O_APPEND,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TRUNC,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
} = constants;

/** As much as goes to the kernel in one write, so that a signal is heeded in between. Bytes. */
const WRITE_SIZE = 512 * 1024;

/** Reading with other flags is rare, and may make, empty or not wait for the file: it is left to Node. */
const READ_FLAGS = O_RDONLY | O_RDWR | O_SYNC | O_CLOEXEC;

/** Where C says, beside a result, which slot it used, which step decided, whether more is to come. */
const slotAt = (index) => extras[index] >> 4;
const stepAt = (index) => extras[index] & 3;
const isUnfinished = (index) => (extras[index] & UNFINISHED) !== 0;
/** Whether it is a regular file, open as a descriptor of the process; the result is its size, then. */
const isLarge = (index) => (extras[index] & LARGE) !== 0;
const largeSlotAt = (index) => Math.floor(extras[index] / 16) % SLOTS;
const largeFdAt = (index) => Math.floor(extras[index] / 16 / SLOTS) - 1;

/** The call that failed, by the step; `transfer` is the name of the one in the middle. */
function syscallAt(index, transfer) {
  const step = stepAt(index);
  if (step === STEP_OPEN) return 'open';
  if (step === STEP_SYNC) return 'fsync';
  return step === STEP_CLOSE ? 'close' : transfer;
}

const nothing = () => undefined;

/** Whether the kernel gave a step up without being asked to: it could make no worker thread. */
const isGivenUp = ({ errno }, signal) => errno === ECANCELED && !signal?.aborted;

/* ---- reading ---- */

/** A small file that was read whole, decoded. */
function textAt(index, length, encoding) {
  noteSmall();
  const start = slotAt(index) * BLOCK_SIZE;
  return slab().toString(encoding, start, start + length);
}

/** The same, copied into `target`. @returns {Buffer} that */
function bytesAt(index, length, target) {
  noteSmall();
  const start = slotAt(index) * BLOCK_SIZE;
  slab().copy(target, 0, start, start + length);
  return target;
}

/** The beginning of a large file. */
function headAt(index) {
  const start = largeSlotAt(index) * BLOCK_SIZE;
  return slab().subarray(start, start + BLOCK_SIZE);
}

/** detail: the encoding, if any */
const READ_FILE = {
  syscall: 'open',
  finish(request, length, index) {
    const { path, detail: encoding, signal } = request;
    if (isLarge(index)) {
      return goOnLarge(request, largeFdAt(index), length, headAt(index), encoding);
    }
    if (isUnfinished(index)) {
      const readAgain = () => readSteps(path, O_RDONLY, encoding, signal);
      const take = (contents) => decode(contents, encoding);
      return readOn(request, length, index, readAgain, take);
    }
    return encoding
      ? textAt(index, length, encoding)
      : bytesAt(index, length, Buffer.allocUnsafeSlow(length));
  },
  syscallAt: (index) => syscallAt(index, 'read'),
  namesPath: () => NAMES_PATH,
  // No direct descriptors here, or no kernel worker: by steps, each of which may go to the pool.
  pool: ({ path, detail: encoding, signal }) =>
    takes('open')
      ? readSteps(path, O_RDONLY, encoding, signal)
      : nodePromises.readFile(path, { encoding, signal }),
  discard(request, length, index) {
    if (isLarge(index)) closeLarge(largeFdAt(index)).catch(nothing);
    else if (isUnfinished(index)) new SlotFile(slotAt(index), 0).close().catch(nothing);
  },
};

/** Many of it at once: see many.js. */
const READ_MANY = {
  name: 'readFileMany',
  flags: O_RDONLY,
  isReady: () => !isLargeNext(),
  operation: READ_FILE,
  detail: (path, { encoding }) => encoding,
  value(batch, length, index) {
    if (isUnfinished(index)) return undefined;
    const { encoding } = batch.options;
    return encoding ? textAt(index, length, encoding) : bytesAt(index, length, batch.room(length));
  },
};

/** detail: the path once more, which is in no error */
const TYPE = {
  syscall: 'stat',
  finish: (request, result, index) => typeAt(index),
  pool: ({ detail: path }) => callNode('stat', path).then(({ mode }) => mode & S_IFMT),
};

function typeOf(path) {
  const request = prepare(TYPE);
  request.detail = path;
  return enter(ops.stat(path, 0), request);
}

/**
 * What one request could not read whole. A regular file that is larger than the slab's block is read
 * again from the start, its size known then; what a FIFO or a terminal has given does not come twice, so
 * that is read on. A FIFO that nobody has written to yet is waited for.
 *
 * @param {() => Promise<any>} readAgain from the start
 * @param {(contents: Buffer) => any} take makes the result of what has been read on
 */
async function readOn({ path, signal }, length, index, readAgain, take) {
  const number = slotAt(index);
  const slot = new SlotFile(number, length, signal);
  const type = await typeOf(path).catch(() => undefined);
  if (type === S_IFREG && length > 0) {
    noteLarge();
    await slot.close();
    await checkAborted(signal);
    return readAgain();
  }
  const contents = await closingAfter(slot, async () => {
    // The slot's block is nobody else's until the slot is closed.
    const start = number * BLOCK_SIZE;
    const head = Buffer.from(slab().subarray(start, start + length));
    if (length === 0 && type === S_IFIFO) await slot.readable();
    // Nothing at all may be the end, or a read that was interrupted: only one more tells.
    return readToEnd(slot, head, undefined, signal).catch((error) => {
      if (!isGivenUp(error, signal) || type !== S_IFREG) throw error;
      return nodePromises.readFile(path, { signal });
    });
  });
  return take(contents);
}

/**
 * Reads a whole file by path.
 *
 * @param {string | Uint8Array} path
 * @param {number} flags
 * @param {string | null | undefined} encoding none: a Buffer
 * @param {AbortSignal} [signal] not aborted yet
 * @param {Function} [callback] instead of the promise
 * @returns {Promise<Buffer | string> | true | undefined} undefined: it is for Node's own function
 */
function readPath(path, flags, encoding, signal, callback) {
  if (flags & ~READ_FLAGS) return undefined;
  // Where there are no direct descriptors Node's own function need not have it for that.
  if (flags & O_RDWR || isLargeNext() || !takes('readFile')) {
    return readSteps(path, flags, encoding, signal, callback);
  }
  const request = prepare(READ_FILE, path, undefined, undefined, callback);
  request.detail = encoding;
  return enterAbortable(ops.readFile(path, flags), request, signal);
}

/**
 * Reads what is left of an open file, from its own position.
 *
 * @param {{ read: Function }} file
 * @param {number} size bytes, if it is a regular file, else 0: a guess at what is left
 * @returns {Promise<Buffer | string>}
 */
async function readRest(file, size, encoding, signal) {
  await checkAborted(signal);
  if (size === 0) return readToEnd(file, Buffer.alloc(0), encoding, signal);
  const contents = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const count = await file.read(contents, length, Math.min(size - length, WRITE_SIZE), -1);
    await checkAborted(signal);
    if (count === 0) break;
    length += count;
  }
  return decode(upTo(contents, length), encoding);
}

/** Node's words for memory that does not hold what a file of unknown size has. */
const TOO_SMALL = 'is too small to contain the entire file';

/**
 * Reads what is left of an open file into the caller's memory.
 *
 * @param {{ read: Function, readInto: Function }} file
 * @param {number} size bytes, if it is a regular file, else 0
 * @param {ArrayBufferView | ((size: number) => ArrayBufferView)} buffer
 * @returns {Promise<Buffer | string>} the part of the memory that was filled
 */
async function readInto(file, size, buffer, encoding, signal) {
  await checkAborted(signal);
  const isFactory = typeof buffer === 'function';
  const view = isFactory ? buffer(size) : buffer;
  if (!ArrayBuffer.isView(view)) {
    // Node words it; it looks at the file first, so any will do.
    return nodePromises.readFile('/dev/null', { buffer: () => view });
  }
  // In this way, as Node: memory that was taken away is met here, or further on.
  const memory = Buffer.isBuffer(view) ? view : startOf(view, view.byteLength);
  const name = isFactory ? 'options.buffer().byteLength' : 'options.buffer.byteLength';
  const room = memory.length;
  if (size > room) throw invalidValue(name, room, `is smaller than the file size of ${size} bytes`);
  const most = size === 0 ? room : size;
  let length = 0;
  let ended = false;
  while (length < most && !ended) {
    await checkAborted(signal);
    const count = await file.readInto(memory, length, most - length);
    length += count;
    ended = count === 0;
  }
  if (size === 0 && !ended && (await file.read(Buffer.alloc(1), 0, 1, -1)) !== 0) {
    throw invalidValue(name, room, TOO_SMALL);
  }
  return encoding ? memory.toString(encoding, 0, length) : memory.subarray(0, length);
}

/** detail: { buffer: the caller's view, encoding, options: all of them } */
const READ_FILE_INTO = {
  ...READ_FILE,
  finish(request, length, index) {
    const { path, detail, signal } = request;
    const { buffer, encoding, options } = detail;
    const readAgain = () => readStepsInto(path, O_RDONLY, detail, signal);
    if (isLarge(index)) {
      noteLarge();
      return closeLarge(largeFdAt(index)).then(readAgain);
    }
    if (isUnfinished(index)) {
      return readOn(request, length, index, readAgain, (contents) => copyInto(contents, detail));
    }
    if (length > buffer.byteLength) return nodePromises.readFile(path, options); // which words it
    return decode(bytesAt(index, length, startOf(buffer, length)), encoding);
  },
  namesPath: undefined, // Node takes the steps of earlier versions then
  pool: ({ path, detail, signal }) =>
    takes('open')
      ? readStepsInto(path, O_RDONLY, detail, signal)
      : nodePromises.readFile(path, detail.options),
};

/** The first bytes of the caller's view, as a Buffer. */
function startOf(view, length) {
  return Buffer.from(view.buffer, view.byteOffset, length);
}

/** What came from no regular file, whose size nothing told before. */
function copyInto(contents, { buffer, encoding }) {
  const room = buffer.byteLength;
  if (contents.length > room) throw invalidValue('options.buffer.byteLength', room, TOO_SMALL);
  const memory = startOf(buffer, contents.length);
  contents.copy(memory);
  return decode(memory, encoding);
}

function readStepsInto(path, flags, { buffer, encoding, options }, signal) {
  return inItsTurn(signal, async () => {
    const { fd, size } = await open(path, flags, 0o666, signal);
    return closingAfter(new DescriptorFile(fd, signal), (file) =>
      size > MAX_SIZE
        ? nodePromises.readFile(path, options)
        : readInto(file, Math.max(size, 0), buffer, encoding, signal),
    );
  });
}

const isReadBuffer = (value) => ArrayBuffer.isView(value) || typeof value === 'function';

/**
 * Reads a whole file by path into the caller's memory.
 *
 * @param {string | Uint8Array} path
 * @param {number} flags
 * @param {{ buffer: ArrayBufferView | ((size: number) => ArrayBufferView), encoding?: string | null,
 *   options: object }} detail `options`: what the caller gave
 * @param {AbortSignal} [signal] not aborted yet
 * @param {Function} [callback] instead of the promise
 * @returns {Promise<Buffer | string> | true | undefined} undefined: it is for Node's own function
 */
function readPathInto(path, flags, detail, signal, callback) {
  if (flags & ~READ_FLAGS) return undefined;
  // Nothing can be read into no memory; what Node says of it depends on whether there ever was any.
  if (!isReadBuffer(detail.buffer) || detail.buffer.byteLength === 0) return undefined;
  // A factory is told the size, which one request doesn't know.
  if (typeof detail.buffer === 'function' || flags & O_RDWR || isLargeNext()) {
    return toCallback(readStepsInto(path, flags, detail, signal), callback);
  }
  const request = prepare(READ_FILE_INTO, path, undefined, undefined, callback);
  request.detail = detail;
  return enterAbortable(ops.readFile(path, flags), request, signal);
}

let readBufferTaken;
/** Whether the running Node's readFile has the option `buffer`: then it refuses a wrong one. */
function takesReadBuffer() {
  if (readBufferTaken === undefined) {
    try {
      nodeFs.readFileSync('/dev/null', { buffer: 0 });
      readBufferTaken = false;
    } catch ({ code }) {
      if (code !== 'ERR_INVALID_ARG_TYPE') return false; // no descriptor is left, say: not known yet
      readBufferTaken = true;
    }
  }
  return readBufferTaken;
}

/* ---- writing ---- */

/** Node's writeFile takes a flag of 0 for none. */
const nodeFlag = (flags) => (flags === O_RDONLY ? 'r' : flags);

/** detail: { bytes, flags, mode, flush } */
const WRITE_FILE = {
  syscall: 'open',
  finish(request, written, index) {
    if (!isUnfinished(index)) return undefined;
    return writeOn(request, new SlotFile(slotAt(index), written, request.signal), written);
  },
  syscallAt: (index) => syscallAt(index, 'write'),
  pool: ({ path, detail, signal }) => {
    const { bytes, flags, mode, flush } = detail;
    return takes('open')
      ? writeSteps(path, bytes, flags, mode, flush, undefined, signal)
      : nodePromises.writeFile(path, bytes, { flag: nodeFlag(flags), mode, flush, signal });
  },
  discard(request, written, index) {
    if (isUnfinished(index)) new SlotFile(slotAt(index), 0).close().catch(nothing);
  },
};

/** What one request could not write whole. The pool, which cannot see the slot, has the path. */
function writeOn({ path, detail, signal }, slot, written) {
  const { bytes, flags, mode, flush } = detail;
  return closingAfter(slot, async () => {
    await writeAll(slot, bytes.subarray(written), signal);
    if (flush) await slot.sync();
  }).catch((error) => {
    if (!isGivenUp(error, signal)) throw error;
    // All of it once more, or after what has been appended.
    const isAppend = (flags & O_APPEND) !== 0;
    const rest = isAppend ? bytes.subarray(slot.position) : bytes;
    const flag = nodeFlag(flags & ~(isAppend ? O_EXCL | O_TRUNC : O_EXCL));
    return nodePromises.writeFile(path, rest, { flag, mode, flush, signal });
  });
}

/**
 * Writes all of `data` at the file's own position.
 *
 * @param {{ write: Function }} file
 * @param {ArrayBufferView | Iterable | AsyncIterable} data
 * @param {AbortSignal | undefined} signal
 * @param {string} [encoding] of strings that `data` yields
 */
async function writeAll(file, data, signal, encoding) {
  await checkAborted(signal);
  if (ArrayBuffer.isView(data)) return writeBytes(file, attached(data), signal);
  for await (const chunk of data) {
    await checkAborted(signal);
    const bytes = ArrayBuffer.isView(chunk) ? chunk : Buffer.from(chunk, encoding || 'utf8');
    await writeBytes(file, toBytes(bytes), signal);
  }
  return undefined;
}

/** The bytes of a view. As Node does, it throws when there is no memory (any more) behind it. */
function attached(view) {
  return view.byteLength > 0
    ? toBytes(view)
    : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

async function writeBytes(file, bytes, signal) {
  let offset = 0;
  while (offset < bytes.length) {
    await checkAborted(signal);
    offset += await file.write(bytes, offset, Math.min(bytes.length - offset, WRITE_SIZE));
  }
}

async function writeSteps(path, data, flags, mode, flush, encoding, signal) {
  const { fd } = await open(path, flags, mode, signal);
  return closingAfter(new DescriptorFile(fd, signal), async (file) => {
    await writeAll(file, data, signal, encoding);
    if (flush) await file.sync();
  });
}

/**
 * Writes a whole file by path.
 *
 * @param {string | Uint8Array} path
 * @param {ArrayBufferView | Iterable | AsyncIterable} data
 * @param {{ flags: number, mode: number, flush: boolean, encoding?: string, signal?: AbortSignal }} how
 * @returns {Promise<void> | undefined} undefined: it is for Node's own function
 */
function writePath(path, data, { flags, mode, flush, encoding, signal }) {
  // A slot with O_PATH can be synced, if only in words of its own.
  if (flags & (O_NONBLOCK | O_PATH)) return undefined;
  if (!ArrayBuffer.isView(data) || data.byteLength > WRITE_SIZE) {
    return writeSteps(path, data, flags, mode, flush, encoding, signal);
  }
  const bytes = attached(data);
  const request = prepare(WRITE_FILE, path, undefined, bytes);
  request.detail = { bytes, flags, mode, flush };
  const id = ops.writeFile(path, flags, mode, bytes, 0, bytes.length, flush);
  return enterAbortable(id, request, signal);
}

module.exports = {
  READ_MANY,
  isReadBuffer,
  readInto,
  readPath,
  readPathInto,
  readRest,
  takesReadBuffer,
  writeAll,
  writePath,
};
