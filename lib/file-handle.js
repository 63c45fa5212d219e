'use strict';
/**
 * FileHandle: the class of Node's fs/promises over our operations. What is plainly valid goes to the
 * ring; all else goes to the function of `node:fs` that does the same on a descriptor, which serves it
 * or rejects it in Node's words.
 */

const { AsyncResource } = require('node:async_hooks');
const { EventEmitter } = require('node:events');
const { abortError, callNode, nodeFs, nodePromises } = require('./delegate');
const { close } = require('./descriptor');
const { closedError, errnoOf, nodeError, systemError } = require('./errors');
const { enter, guard, ops, prepare, takeShielded } = require('./request');
const { bigintStatsAt, shapeIsKnown, statsAt } = require('./stats');
const {
  kChanges,
  kFile,
  kInTurn,
  kReadAt,
  kRef,
  kSeekable,
  kSettled,
  kUnref,
} = require('./symbols');
const { Turns } = require('./turns');
const {
  CURRENT_POSITION,
  MAX_LENGTH,
  isCustomIterable,
  isEncoding,
  isFlush,
  isMode,
  isPosition,
  isRange,
  isSignal,
  toBytes,
  toEncoded,
  toOptions,
  toPosition,
  toViews,
} = require('./validate');
const { isReadBuffer, readInto, readRest, takesReadBuffer, writeAll } = require('./whole-file');

/** Of the Buffer that read() makes when it is given none, bytes. */
const READ_SIZE = 16384;

const major = Number.parseInt(process.versions.node, 10);
/** Up to Node 20, read() takes what is no safe integer (a bigint too) for the file's own position. */
const CHECKS_POSITIONS = major > 20;
/** Up to Node 24, read() takes a length as it is, where the callback function keeps 32 bits of it. */
const WRAPS_LENGTH = major > 24;
/** From Node 22 on, a write looks at the descriptor before the kernel does. */
const CHECKS_DESCRIPTOR = major > 20;
/** Up to Node 24, writeFile() does not look at the mode, which means nothing for an open file. */
const CHECKS_MODE = major > 24;

const kDescriptor = Symbol('descriptor');
const kWaits = Symbol('waits');
const kFound = Symbol('found');
const kRefs = Symbol('refs');
const kClosing = Symbol('closing');
const kCloseLater = Symbol('closeLater');
const kTurns = Symbol('turns');
const kLocked = Symbol('locked');
const kResource = Symbol('asyncResource');

/** request.detail: the call, see submit(). In its turn until the pool is done. */
function viaPool(request) {
  const { detail, handle } = request;
  if (!request.inTurn) return detail.byPool();
  request.inTurn = false;
  return detail.byPool().finally(() => turnsOf(handle).end());
}

/*
 * What transfers resolve with has no prototype, as Node's. A literal with `__proto__: null` would take
 * three times as long to make.
 */

function readResult(bytesRead, buffer) {
  const result = Object.create(null);
  result.bytesRead = bytesRead;
  result.buffer = buffer;
  return result;
}

function writeResult(bytesWritten, buffer) {
  const result = Object.create(null);
  result.bytesWritten = bytesWritten;
  result.buffer = buffer;
  return result;
}

const READ = {
  syscall: 'read',
  finish(request, bytesRead, index) {
    takeShielded(request, index);
    return readResult(bytesRead, request.detail.value);
  },
  pool: viaPool,
};
const WRITE = {
  syscall: 'write',
  changes: true,
  finish: ({ detail }, bytesWritten) => writeResult(bytesWritten, detail.value),
  pool: viaPool,
};
const READV = {
  syscall: 'read',
  finish(request, bytesRead, index) {
    takeShielded(request, index);
    return { __proto__: null, bytesRead, buffers: request.detail.value };
  },
  pool: viaPool,
};
const WRITEV = {
  syscall: 'write',
  changes: true,
  finish: ({ detail }, bytesWritten) => ({ __proto__: null, bytesWritten, buffers: detail.value }),
  pool: viaPool,
};
/** For whole-file.js and streams: the count alone. */
const COUNT = (syscall) => ({ syscall, finish: (request, count) => count, pool: viaPool });
const READ_COUNT = COUNT('read');
const READ_INTO_COUNT = {
  ...READ_COUNT,
  finish(request, count, index) {
    takeShielded(request, index);
    return count;
  },
};
const WRITE_COUNT = { ...COUNT('write'), changes: true };

const nothing = () => undefined;

/** Loaded with the first stream: Node's stream classes take longer than all of this package. */
const streams = () => require('./streams');
const FSYNC = { syscall: 'fsync', finish: nothing, pool: viaPool };
const FDATASYNC = { syscall: 'fdatasync', finish: nothing, pool: viaPool };
const FTRUNCATE = { syscall: 'ftruncate', changes: true, finish: nothing, pool: viaPool };
const FSTAT = {
  syscall: 'fstat',
  finish: (request, result, index) => statsAt(index),
  pool: viaPool,
};
const FSTAT_BIGINT = { ...FSTAT, finish: (request, result, index) => bigintStatsAt(index) };

/** Descriptors of handles that were dropped without close(). */
const dropped = new FinalizationRegistry((descriptor) => {
  process.emitWarning(`Closing file descriptor ${descriptor.fd} on garbage collection`);
  close(descriptor.fd).catch(nothing);
});

/**
 * An open file: see `FileHandle` in Node's documentation of fs/promises. Made by open() only.
 */
class FileHandle extends EventEmitter {
  /** Closes the file once all operations on it are done. An own property, as Node's. */
  close = () => closeHandle(this);

  /**
   * @param {number} fd
   * @param {boolean} seekable whether it has positions: a pipe or a terminal has none
   * @param {boolean} nonBlocking whether it was opened with O_NONBLOCK
   * @param {number} found what look() (request.js) says of one that was opened with O_DIRECT, else 0
   */
  constructor(fd, seekable, nonBlocking, found) {
    super();
    /** Apart from the handle, so that it can be closed once the handle is gone. */
    this[kDescriptor] = { fd };
    this[kSeekable] = seekable;
    this[kWaits] = seekable || !nonBlocking;
    this[kFound] = found;
    /** Users: the handle itself until close(), and every operation. */
    this[kRefs] = 1;
    this[kChanges] = 0;
    this[kClosing] = undefined;
    this[kCloseLater] = undefined;
    this[kTurns] = undefined;
    this[kLocked] = false;
    this[kResource] = undefined;
    dropped.register(this, this[kDescriptor], this);
  }

  /** The number of the file descriptor; -1 once closed. */
  get fd() {
    return this[kDescriptor].fd;
  }

  getAsyncId() {
    this[kResource] ??= new AsyncResource('FILEHANDLE');
    return this[kResource].asyncId();
  }

  appendFile(data, options) {
    return writeFile(this, data, options);
  }

  chmod(mode) {
    return callOn(this, 'fchmod', mode);
  }

  chown(uid, gid) {
    return callOn(this, 'fchown', uid, gid);
  }

  datasync() {
    if (this.fd === -1) return closed('fdatasync');
    return submit(this, FDATASYNC, {
      start: () => ops.fdatasync(this.fd),
      byPool: () => callOn(this, 'fdatasync'),
    });
  }

  sync() {
    if (this.fd === -1) return closed('fsync');
    return submit(this, FSYNC, {
      start: () => ops.fsync(this.fd),
      byPool: () => callOn(this, 'fsync'),
    });
  }

  read(buffer, offset, length, position) {
    if (this.fd === -1) return closed('read');
    try {
      return read(this, buffer, offset, length, position);
    } catch (error) {
      return Promise.reject(error); // a getter of the options has thrown
    }
  }

  readv(buffers, position) {
    if (this.fd === -1) return closed('readv');
    try {
      return transferVector(this, 'readv', READV, buffers, position);
    } catch (error) {
      return Promise.reject(error); // a getter of the array has thrown
    }
  }

  readFile(options) {
    return readFile(this, options);
  }

  readLines(options = undefined) {
    return streams().readLines(this, options);
  }

  stat(options) {
    if (this.fd === -1) return closed('fstat');
    try {
      return stat(this, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  truncate(len = 0) {
    if (this.fd === -1) return closed('ftruncate');
    // The callback function would take a function for the callback; of no file in particular it is refused.
    if (typeof len === 'function') return nodePromises.truncate('/dev/null', len);
    const byPool = () => callOn(this, 'ftruncate', len);
    if (!isPosition(len)) return byPool();
    return submit(this, FTRUNCATE, { start: () => ops.ftruncate(this.fd, len), byPool });
  }

  utimes(atime, mtime) {
    return callOn(this, 'futimes', atime, mtime);
  }

  write(buffer, offset, length, position) {
    if (this.fd === -1) return closed('write');
    try {
      return write(this, buffer, offset, length, position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writev(buffers, position) {
    if (this.fd === -1) return closed('writev');
    if (Array.isArray(buffers) && buffers.length === 0 && this[kRefs] > 0) {
      return Promise.resolve({ __proto__: null, bytesWritten: 0, buffers });
    }
    try {
      return transferVector(this, 'writev', WRITEV, buffers, position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writeFile(data, options) {
    return writeFile(this, data, options);
  }

  readableWebStream(options = {}) {
    return readableWebStream(this, options);
  }

  createReadStream(options = undefined) {
    return streams().createReadStream(this, options);
  }

  createWriteStream(options = undefined) {
    return streams().createWriteStream(this, options);
  }

  async [Symbol.asyncDispose]() {
    return this.close();
  }

  [kRef]() {
    this[kRefs]++;
  }

  [kUnref]() {
    this[kRefs]--;
    if (this[kRefs] > 0 || this[kCloseLater] === undefined) return;
    const closeLater = this[kCloseLater];
    this[kCloseLater] = undefined; // a stream that is refused a closed handle comes by once more
    closeLater(closeNow(this));
  }

  [kSettled](request) {
    if (request.operation.changes === true) this[kChanges]++;
    if (request.inTurn) turnsOf(this).end();
    this[kUnref]();
  }

  [kReadAt](bytes, position) {
    const { length } = bytes;
    const byPool = () => callOn(this, 'read', bytes, 0, length, position);
    const start = () => ops.readOwn(this.fd, bytes, 0, length, position);
    return submit(this, READ_COUNT, { start, byPool }, bytes);
  }

  [kInTurn](work) {
    this[kRef]();
    const start = () =>
      work().finally(() => {
        turnsOf(this).end();
        this[kUnref]();
      });
    return inTurn(this, start);
  }

  /**
   * For whole-file.js, which reads and writes in order.
   *
   * @param {boolean} inOne it has its turn already: see inOneTurn()
   */
  [kFile](inOne) {
    const move = (operation, call, bytes) =>
      inOne
        ? submit(this, operation, call, bytes)
        : transfer(this, operation, call, bytes, CURRENT_POSITION);
    return {
      read: (bytes, offset, length) => {
        const byPool = () => callOn(this, 'read', bytes, offset, length, null);
        const start = () => ops.readOwn(this.fd, bytes, offset, length, CURRENT_POSITION);
        return move(READ_COUNT, { start, byPool }, bytes);
      },
      readInto: (bytes, offset, length) => {
        const byPool = () => callOn(this, 'read', bytes, offset, length, null);
        const call = new ReadCall(this, bytes, bytes, offset, length, CURRENT_POSITION);
        const start = () => call.start();
        return move(READ_INTO_COUNT, { start, byPool }, bytes);
      },
      write: (bytes, offset, length) => {
        const byPool = () => callOn(this, 'write', bytes, offset, length, null);
        const start = () => ops.write(this.fd, bytes, offset, length, CURRENT_POSITION);
        return move(WRITE_COUNT, { start, byPool }, bytes);
      },
    };
  }
}

/* ---- the end of a handle ---- */

function closeHandle(handle) {
  if (handle.fd === -1) return Promise.resolve();
  if (handle[kClosing] !== undefined) return handle[kClosing];
  handle[kRefs]--;
  const done =
    handle[kRefs] === 0
      ? closeNow(handle)
      : new Promise((resolve) => {
          handle[kCloseLater] = resolve;
        });
  handle[kClosing] = done.finally(() => {
    handle[kClosing] = undefined;
  });
  handle.emit('close');
  return handle[kClosing];
}

function closeNow(handle) {
  const { fd } = handle;
  handle[kDescriptor].fd = -1;
  dropped.unregister(handle);
  return close(fd);
}

function closed(syscall) {
  return Promise.reject(closedError(syscall));
}

/* ---- turns: operations at the file's own position, one after the other ---- */

/*
 * The kernel reads the position when such an operation begins and stores it when it ends, without a
 * lock: two at once would get the same bytes, or lose some. Pipes and the like have no position, and a
 * read that waits there must not hold up a write.
 */
function takesTurn(handle, position) {
  return position === CURRENT_POSITION && handle[kSeekable];
}

/** Most handles need none. */
const turnsOf = (handle) => (handle[kTurns] ??= new Turns());

/** Runs `start` now, or when all before it are done; the handle stays open until then. */
function inTurn(handle, start) {
  const turns = turnsOf(handle);
  if (!turns.isTaken) return turns.begin(start);
  handle[kRef]();
  return new Promise((resolve) => {
    turns.begin(() => {
      resolve(start());
      handle[kUnref]();
    });
  });
}

/**
 * A call that moves the position several times, in one turn, which it has by its place among the calls.
 *
 * @template T
 * @param {(file: object) => Promise<T>} use is given the handle as a file
 * @returns {Promise<T>}
 */
function inOneTurn(handle, use) {
  if (!handle[kSeekable]) return use(handle[kFile](false));
  return handle[kInTurn](async () => use(handle[kFile](true)));
}

/* ---- operations ---- */

/*
 * An operation on a handle, as submit() and transfer() take it:
 *   start()   hands the request to `ops`, and says its id
 *   byPool()  does the same by Node
 *   value     what the result gives back to the caller
 */

/** Of the caller's memory. Classes, as there are many of them: closures would cost more. */
class Transfer {
  constructor(handle, value, bytes, offset, length, position) {
    this.handle = handle;
    this.value = value;
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
    this.position = position;
  }
}

class ReadCall extends Transfer {
  start() {
    const { handle } = this;
    const id = ops.read(handle.fd, this.bytes, this.offset, this.length, this.position);
    guard(id, handle[kFound]);
    return id;
  }

  byPool() {
    const { handle, value, offset, length, position } = this;
    return callOn(handle, 'read', value, offset, length, position).then((bytesRead) =>
      readResult(bytesRead, value),
    );
  }
}

/** `value`: what it was called with, a string perhaps. */
class WriteCall extends Transfer {
  start() {
    return ops.write(this.handle.fd, this.bytes, this.offset, this.length, this.position);
  }

  byPool() {
    const { handle, value, bytes, offset, length } = this;
    const position = this.position === CURRENT_POSITION ? null : this.position;
    return callOn(handle, 'write', bytes, { offset, length, position }).then((bytesWritten) =>
      writeResult(bytesWritten, value),
    );
  }
}

/**
 * The promise of an operation on the handle, which stays open meanwhile.
 *
 * @param {{ start: () => number, byPool: () => Promise<any>, value?: any }} call
 * @param {ArrayBufferView | ArrayBufferView[]} [pin]
 * @param {boolean} [turn] whether it uses the file's position, and the next waits for it
 */
function submit(handle, operation, call, pin, turn = false) {
  const request = prepare(operation, undefined, undefined, pin);
  request.handle = handle;
  request.inTurn = turn;
  request.detail = call;
  const id = call.start();
  if (id >= 0) handle[kRef]();
  return enter(id, request);
}

/** submit(), in turn where the position asks for it. */
function transfer(handle, operation, call, pin, position) {
  // The ring would ignore the position where pread(2) says ESPIPE.
  if (position !== CURRENT_POSITION && !handle[kSeekable]) return call.byPool();
  // It would wait, too, where read(2) says EAGAIN.
  if (!handle[kWaits]) return call.byPool();
  if (!takesTurn(handle, position)) return submit(handle, operation, call, pin);
  return inTurn(handle, () => submit(handle, operation, call, pin, true));
}

const CHANGING = new Set(['ftruncate', 'write', 'writev']);

/** A callback function of `node:fs` on the handle's descriptor, as the handle's operation. */
function callOn(handle, name, ...args) {
  if (handle.fd === -1) return closed(name);
  handle[kRef]();
  return callNode(name, handle.fd, ...args).finally(() => {
    if (CHANGING.has(name)) handle[kChanges]++;
    handle[kUnref]();
  });
}

/** As Node's: (buffer, offset, length, position), (buffer, options) or (options). */
function read(handle, bufferOrOptions, offset, length, position) {
  let buffer = bufferOrOptions;
  if (!ArrayBuffer.isView(buffer)) {
    if (buffer !== undefined && (typeof buffer !== 'object' || Array.isArray(buffer))) {
      return callOn(handle, 'read', buffer);
    }
    const options = bufferOrOptions ?? {};
    ({
      buffer = Buffer.alloc(READ_SIZE),
      offset = 0,
      length = buffer.byteLength - offset,
      position = null,
    } = options);
    if (!ArrayBuffer.isView(buffer)) return callOn(handle, 'read', bufferOrOptions);
  }
  if (offset !== null && typeof offset === 'object') {
    ({ offset = 0, length = buffer.byteLength - offset, position = null } = offset);
  }
  offset ??= 0;
  if (typeof offset === 'number') length ??= buffer.byteLength - offset;
  if (!CHECKS_POSITIONS && !Number.isSafeInteger(position)) position = null;

  if (!WRAPS_LENGTH && isFarOut(buffer, offset, length)) {
    return refuse(buffer, offset, length, position);
  }
  const from = toPosition(position);
  const call = new ReadCall(handle, buffer, buffer, offset, length, from ?? position);
  if (from === undefined || !isRange(buffer, offset, length)) return call.byPool();
  call.bytes = toBytes(buffer);
  return transfer(handle, READ, call, call.bytes, from);
}

/** Whether a length is wrong, and might not be any more with 32 of its bits. */
function isFarOut(buffer, offset, length) {
  if (typeof length !== 'number' || typeof offset !== 'number') return false;
  return length < -MAX_LENGTH || (length > MAX_LENGTH && length > buffer.byteLength - offset);
}

/** A read() of no file in particular: for arguments that a handle of Node rejects, in its words. */
async function refuse(...args) {
  const handle = await nodePromises.open('/dev/null');
  try {
    return await handle.read(...args);
  } finally {
    await handle.close();
  }
}

/** As Node's: (buffer, offset, length, position), (buffer, options) or (string, position, encoding). */
function write(handle, buffer, offset, length, position) {
  if (buffer?.byteLength === 0) return Promise.resolve(writeResult(0, buffer));
  if (!ArrayBuffer.isView(buffer)) return writeString(handle, buffer, offset, length);
  if (typeof offset === 'object') {
    ({ offset = 0, length = buffer.byteLength - offset, position = null } = offset ?? {});
  }
  offset ??= 0;
  if (typeof length !== 'number') {
    length = typeof offset === 'number' ? buffer.byteLength - offset : 0; // which is refused
  }
  if (typeof position !== 'number') position = null;

  // The callback function takes a function for no offset; readSync() words it as this method does.
  if (typeof offset === 'function') nodeFs.readSync(handle.fd, buffer, offset, 0, null);
  const to = toPosition(position);
  const call = new WriteCall(handle, buffer, buffer, offset, length, to ?? position);
  if (to === undefined || !isRange(buffer, offset, length)) return call.byPool();
  call.bytes = toBytes(buffer);
  return transfer(handle, WRITE, call, call.bytes, to);
}

function writeString(handle, string, position, encoding) {
  const byNode = () =>
    callOn(handle, 'write', string, position, encoding).then((bytesWritten) =>
      writeResult(bytesWritten, string),
    );
  const to = toPosition(typeof position === 'number' ? position : null);
  const bytes = toEncoded(string, encoding);
  if (bytes === undefined || to === undefined) return byNode();
  const call = new WriteCall(handle, string, bytes, 0, bytes.length, to);
  return transfer(handle, WRITE, call, bytes, to);
}

/** readv and writev. */
function transferVector(handle, name, operation, buffers, position) {
  if (typeof position !== 'number') position = null;
  const countName = name === 'readv' ? 'bytesRead' : 'bytesWritten';
  const pack = (count) => ({ __proto__: null, [countName]: count, buffers });
  const byPool = () => callOn(handle, name, buffers, position).then(pack);
  const at = toPosition(position);
  const views = toViews(buffers);
  if (at === undefined || views === undefined) return byPool();
  const start = () => {
    const id = ops[name](handle.fd, views, at);
    if (name === 'readv') guard(id, handle[kFound]);
    return id;
  };
  return transfer(handle, operation, { start, byPool, value: buffers }, views, at);
}

function stat(handle, options) {
  const byPool = () => callOn(handle, 'fstat', options ?? {});
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (options !== undefined && !isObject) {
    // Node's function for paths words it, or takes it (Node 20 does).
    return nodePromises.stat(`/proc/self/fd/${handle.fd}`, options);
  }
  if (options?.signal !== undefined || !shapeIsKnown) return byPool();
  const operation = options?.bigint === true ? FSTAT_BIGINT : FSTAT;
  return submit(handle, operation, { start: () => ops.fstat(handle.fd), byPool });
}

async function readFile(handle, options) {
  if (handle.fd === -1) throw closedError('readFile');
  return readFileOf(handle, options);
}

/** readFile() of fs/promises with a handle, which does not look whether it is closed: fstat(-1) fails. */
async function readFileOf(handle, options) {
  const plain = recognise(() => {
    const known = toOptions(options) ?? { encoding: 'unknown' };
    const { encoding, signal } = known;
    // Where Node does not look for it, its getter may throw.
    const buffer = known === options && takesReadBuffer() ? known.buffer : undefined;
    return { buffer, encoding, signal };
  });
  if (plain === undefined) return nodePromises.readFile('', options);
  const { buffer, encoding, signal } = plain;
  // A call that is wrong in whatever way is rejected before Node looks at the path.
  if (buffer !== undefined && !isReadBuffer(buffer)) return nodePromises.readFile('', options);
  // 'buffer' passes there, and fails where Node makes the decoder.
  if (encoding === 'buffer' && isSignal(signal))
    return new (require('node:string_decoder').StringDecoder)(encoding);
  if (!isEncoding(encoding) || !isSignal(signal)) return nodePromises.readFile('', options);
  if (handle.fd === -1) return signal?.aborted ? abortError(signal) : callNode('fstat', -1);
  handle[kRef]();
  try {
    return await inOneTurn(handle, async (file) => {
      const stats = await stat(handle);
      const size = stats.isFile() ? stats.size : 0;
      // Too large for Node, which says so when it meets the file.
      if (size > MAX_LENGTH) return nodePromises.readFile(`/proc/self/fd/${handle.fd}`, options);
      return buffer === undefined
        ? readRest(file, size, encoding, signal)
        : readInto(file, size, buffer, encoding, signal);
    });
  } finally {
    handle[kUnref]();
  }
}

async function writeFile(handle, data, options) {
  if (handle.fd === -1) throw closedError('writeFile');
  return writeFileOf(handle, data, options);
}

/** writeFile() of fs/promises with a handle: a closed one is met by the first write, if there is any. */
async function writeFileOf(handle, data, options, name = 'writeFile') {
  const plain = recognise(() => plainWrite(data, options));
  if (plain === undefined) return nodePromises[name]('', data, options);
  const { bytes, encoding, signal } = plain;
  handle[kRef]();
  try {
    if (handle.fd === -1) return await writeAll(CLOSED, bytes, signal, encoding);
    const writeTo = (file) => writeAll(file, bytes, signal, encoding);
    if (ArrayBuffer.isView(bytes)) return await inOneTurn(handle, writeTo);
    // What yields pieces is code that may use the handle, too, and would wait for its own turn's end.
    return await writeTo(handle[kFile](false));
  } finally {
    handle[kUnref]();
  }
}

/** @returns {{ bytes: any, encoding?: string, signal?: AbortSignal } | undefined} */
function plainWrite(data, options) {
  const { encoding, signal, flush, mode } = toOptions(options) ?? { encoding: 'unknown' };
  const isData = typeof data === 'string' || ArrayBuffer.isView(data) || isCustomIterable(data);
  const isPlain =
    isData &&
    // 'buffer' is no matter before a string is to be encoded.
    (isEncoding(encoding) || encoding === 'buffer') &&
    isSignal(signal) &&
    isFlush(flush) &&
    (!CHECKS_MODE || isMode(mode));
  if (!isPlain) return undefined;
  const bytes = typeof data === 'string' ? Buffer.from(data, encoding || 'utf8') : data;
  return { bytes, encoding, signal };
}

/** What `look` finds; undefined when looking throws (a getter, a proxy), which is for Node to meet. */
function recognise(look) {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** In place of a closed handle's file. */
const CLOSED = {
  write: () =>
    CHECKS_DESCRIPTOR ? callNode('fstat', -1) : Promise.reject(systemError(errnoOf.EBADF, 'write')),
};

function readableWebStream(handle, options) {
  if (handle.fd === -1) throw invalidState('The FileHandle is closed');
  if (handle[kClosing] !== undefined) throw invalidState('The FileHandle is closing');
  if (handle[kLocked]) throw invalidState('The FileHandle is locked');
  handle[kLocked] = true;
  return streams().readableWebStream(handle, options);
}

function invalidState(text) {
  return nodeError(Error, 'ERR_INVALID_STATE', `Invalid state: ${text}`);
}

module.exports = { FileHandle, readFileOf, writeFileOf };
