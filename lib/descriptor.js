'use strict';
/**
 * Plain operations on open files: a descriptor of the process, or a slot of the ring (a direct
 * descriptor that a whole-file request left open). Arguments are right by the time they get here.
 */

const { abortError, callNode } = require('./delegate');
const { ECANCELED, systemError } = require('./errors');
const { abortable, extras, ops, track } = require('./request');

const asIs = (request, result) => result;
const nothing = () => undefined;

const OPEN = {
  syscall: 'open',
  finish: (request, fd, index) => ({ fd, size: extras[index] }),
  pool: ({ path, detail }) => poolOpen(path, detail.flags, detail.mode),
  discard: (request, fd) => close(fd),
};
const CLOSE = {
  syscall: 'close',
  finish: nothing,
  pool: ({ detail: fd }) => callNode('close', fd),
};
const READ = operation('read', asIs);
const WRITE = operation('write', asIs);
const FSYNC = operation('fsync', nothing);
const POLL = operation('poll', nothing);
const FTRUNCATE = operation('ftruncate', nothing);

/** `detail` is a function that does it by the pool; a slot has none, the pool can't see it. */
function operation(syscall, finish) {
  return { syscall, finish, pool: ({ detail }) => detail() };
}

function poolOpen(path, flags, mode) {
  // Size unknown: it is read until the end comes.
  return callNode('open', path, flags, mode).then((fd) => ({ fd, size: -1 }));
}

/**
 * @param {string | Uint8Array} path
 * @param {number} flags
 * @param {number} mode
 * @param {AbortSignal} [signal] gives up waiting (for the other end of a FIFO, say)
 * @returns {Promise<{ fd: number, size: number }>} size in bytes of what has positions (0 for a
 *   block device), -1 for all else
 */
function open(path, flags, mode, signal) {
  const id = ops.open(path, flags, mode);
  if (id < 0) return poolOpen(path, flags, mode);
  const request = track(id, OPEN, path);
  request.detail = { flags, mode };
  if (signal !== undefined) abortable(id, request, signal, () => abortError(signal));
  return request.promise;
}

/** @returns {Promise<void>} */
function close(fd) {
  const id = ops.close(fd);
  if (id < 0) return callNode('close', fd);
  const request = track(id, CLOSE);
  request.detail = fd;
  return request.promise;
}

function promiseOf(id, kind, byPool, pin, signal) {
  if (id < 0) return byPool();
  const request = track(id, kind, undefined, undefined, pin);
  request.detail = byPool;
  if (signal !== undefined) abortable(id, request, signal, () => abortError(signal));
  return request.promise;
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
    const { fd } = this;
    const id = ops.read(fd, bytes, offset, length, position);
    const byPool = () => callNode('read', fd, bytes, offset, length, position);
    return promiseOf(id, READ, byPool, bytes, this.signal);
  }

  /** Writes at the file's own position. @returns {Promise<number>} bytes written */
  write(bytes, offset, length) {
    const { fd } = this;
    const id = ops.write(fd, bytes, offset, length, -1);
    const byPool = () => callNode('write', fd, bytes, offset, length, null);
    return promiseOf(id, WRITE, byPool, bytes, this.signal);
  }

  sync() {
    const { fd } = this;
    return promiseOf(ops.fsync(fd), FSYNC, () => callNode('fsync', fd));
  }

  truncate(length) {
    const { fd } = this;
    const byPool = () => callNode('ftruncate', fd, length);
    return promiseOf(ops.ftruncate(fd, length), FTRUNCATE, byPool);
  }

  close() {
    return close(this.fd);
  }
}

/** A slot of the ring as a file. Its position is the file's own, always. */
class SlotFile {
  /** @param {AbortSignal} [signal] ends reads and writes that wait */
  constructor(slot, signal) {
    this.slot = slot;
    this.signal = signal;
  }

  read(bytes, offset, length) {
    const id = ops.readSlot(this.slot, bytes, offset, length, -1);
    return promiseOf(id, READ, lost('read'), bytes, this.signal);
  }

  write(bytes, offset, length) {
    const id = ops.writeSlot(this.slot, bytes, offset, length, -1);
    return promiseOf(id, WRITE, lost('write'), bytes, this.signal);
  }

  /** When a FIFO that had no writer yet has data, or has seen the last one leave. */
  readable() {
    const id = ops.poll_slot(this.slot);
    return promiseOf(id, POLL, lost('poll'), undefined, this.signal);
  }

  sync() {
    return promiseOf(ops.fsyncSlot(this.slot), FSYNC, lost('fsync'));
  }

  close() {
    return promiseOf(ops.close_slot(this.slot), CLOSE, lost('close'));
  }
}

const lost = (syscall) => () => Promise.reject(systemError(ECANCELED, syscall));

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
