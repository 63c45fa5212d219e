'use strict';
/**
 * Plain operations on open files: a descriptor of the process, or a slot of the ring (a direct
 * descriptor that a whole-file request left open). Arguments are right by the time they get here.
 */

const { callNode } = require('./delegate');
const { ECANCELED, systemError } = require('./errors');
const {
  enter,
  enterAbortable,
  extras,
  guard,
  ops,
  prepare,
  takeShielded,
  takes,
} = require('./request');

const asIs = (request, result) => result;
const nothing = () => undefined;

/** An operation whose `detail` does the same by the pool; a slot has none, the pool can't see it. */
function operation(syscall, finish) {
  return { syscall, finish, pool: ({ detail }) => detail() };
}

const OPEN = {
  ...operation('open', (request, fd, index) => ({ fd, size: extras[index] })),
  discard: (request, fd) => close(fd).catch(nothing),
};
const CLOSE = operation('close', nothing);
const READ = operation('read', asIs);
const READ_INTO = operation('read', (request, count, index) => {
  takeShielded(request, index);
  return count;
});
const WRITE = operation('write', asIs);
const FSYNC = operation('fsync', nothing);
const POLL = operation('poll', nothing);
const FTRUNCATE = operation('ftruncate', nothing);

/**
 * @param {string | Uint8Array} path
 * @param {number} flags
 * @param {number} mode
 * @param {AbortSignal} [signal] gives up waiting (for the other end of a FIFO, say)
 * @returns {Promise<{ fd: number, size: number }>} size in bytes of what has positions (0 for a
 *   block device), -1 for all else and where it is unknown
 */
function open(path, flags, mode, signal) {
  const byPool = () => callNode('open', path, flags, mode).then((fd) => ({ fd, size: -1 }));
  const request = prepare(OPEN, path);
  request.detail = byPool;
  return enterAbortable(ops.open(path, flags, mode), request, signal);
}

/** @returns {Promise<void>} */
function close(fd) {
  const byPool = () => callNode('close', fd);
  const request = prepare(CLOSE);
  request.detail = byPool;
  return enter(ops.close(fd), request);
}

/** A descriptor of the process as a file: what whole-file.js reads and writes. */
class DescriptorFile {
  /** @param {AbortSignal} [signal] ends reads and writes that wait */
  constructor(fd, signal) {
    this.fd = fd;
    this.signal = signal;
  }

  /** @param {number} position -1: the file's own @returns {Promise<number>} bytes read */
  read(bytes, offset, length, position) {
    return this.#read('readOwn', bytes, offset, length, position);
  }

  /** read() into memory that a caller of the package can get at; from the file's own position. */
  readInto(bytes, offset, length) {
    const { fd } = this;
    const byPool = () => callNode('read', fd, bytes, offset, length, null);
    const request = prepare(READ_INTO, undefined, undefined, bytes);
    request.detail = byPool;
    const id = ops.read(fd, bytes, offset, length, -1);
    guard(id, 0);
    return enterAbortable(id, request, this.signal);
  }

  /** read() into memory that has not been used yet: cheaper for large pieces of it. */
  readFresh(bytes, offset, length, position) {
    const name = takes('readFresh') ? 'readFresh' : 'readOwn';
    return this.#read(name, bytes, offset, length, position);
  }

  /** Writes at the file's own position. @returns {Promise<number>} bytes written */
  write(bytes, offset, length) {
    const { fd } = this;
    const byPool = () => callNode('write', fd, bytes, offset, length, null);
    const request = prepare(WRITE, undefined, undefined, bytes);
    request.detail = byPool;
    return enterAbortable(ops.write(fd, bytes, offset, length, -1), request, this.signal);
  }

  sync() {
    const byPool = () => callNode('fsync', this.fd);
    const request = prepare(FSYNC);
    request.detail = byPool;
    return enter(ops.fsync(this.fd), request);
  }

  truncate(length) {
    const byPool = () => callNode('ftruncate', this.fd, length);
    const request = prepare(FTRUNCATE);
    request.detail = byPool;
    return enter(ops.ftruncate(this.fd, length), request);
  }

  close() {
    return close(this.fd);
  }

  #read(name, bytes, offset, length, position) {
    const { fd } = this;
    const byPool = () => callNode('read', fd, bytes, offset, length, position);
    const request = prepare(READ, undefined, undefined, bytes);
    request.detail = byPool;
    return enterAbortable(ops[name](fd, bytes, offset, length, position), request, this.signal);
  }
}

/**
 * A slot of the ring as a file that is read or written in order. It counts its position itself: the
 * kernel does not move the file's own after a transfer of which a part failed, and nothing else can. What
 * has no positions is not asked for one.
 */
class SlotFile {
  /**
   * @param {number} position where to go on
   * @param {AbortSignal} [signal] ends reads and writes that wait
   */
  constructor(slot, position, signal) {
    this.slot = slot;
    this.position = position;
    this.signal = signal;
  }

  read(bytes, offset, length) {
    const request = this.#prepare(READ, bytes);
    const id = ops.readSlot(this.slot, bytes, offset, length, this.position);
    return this.#count(enterAbortable(id, request, this.signal));
  }

  write(bytes, offset, length) {
    const request = this.#prepare(WRITE, bytes);
    const id = ops.writeSlot(this.slot, bytes, offset, length, this.position);
    return this.#count(enterAbortable(id, request, this.signal));
  }

  /** When a FIFO that had no writer yet has data, or has seen the last one leave. */
  readable() {
    const request = this.#prepare(POLL);
    return enterAbortable(ops.poll_slot(this.slot), request, this.signal);
  }

  sync() {
    const request = this.#prepare(FSYNC);
    return enter(ops.fsyncSlot(this.slot), request);
  }

  close() {
    const request = this.#prepare(CLOSE);
    request.detail = nothing; // refused: the ring is broken, and its slots end with it
    return enter(ops.close_slot(this.slot), request);
  }

  async #count(transfer) {
    const count = await transfer;
    this.position += count;
    return count;
  }

  #prepare(kind, pin) {
    const byPool = () => Promise.reject(systemError(ECANCELED, kind.syscall));
    const request = prepare(kind, undefined, undefined, pin);
    request.detail = byPool;
    return request;
  }
}

/**
 * `use(file)`, then the file is closed, whatever came of it: as Node does, an error of the close counts
 * only when there is no other.
 *
 * @template T
 * @param {DescriptorFile | SlotFile} file
 * @param {(file: DescriptorFile | SlotFile) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function closingAfter(file, use) {
  let value;
  try {
    value = await use(file);
  } catch (error) {
    await file.close().catch(nothing);
    throw error;
  }
  await file.close();
  return value;
}

module.exports = { DescriptorFile, SlotFile, close, closingAfter, open };
