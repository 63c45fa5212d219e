'use strict';
/**
 * Operations on descriptors that the program has as plain numbers. It may close them, and have the same
 * number again for another file, by whatever means: so nothing that is known of a file is kept for longer
 * than the operations on it last. What has no positions (pipes, terminals, sockets) is left to Node.
 *
 * Each takes a callback, and returns undefined when the call is for Node's own function.
 */

const { isMainThread } = require('node:worker_threads');
const { binding } = require('./binding');
const { callNode } = require('./delegate');
const { Queue } = require('./queue');
const { ReadAhead } = require('./read-ahead');
const { enter, goOn, guard, look, ops, prepare, takeShielded } = require('./request');
const { bigintStatsAt, shapeIsKnown, statsAt } = require('./stats');
const { kChanges, kInTurn, kReadAt, kSettled } = require('./symbols');
const { Turns } = require('./turns');
const { CURRENT_POSITION, isPlainStat, isPosition } = require('./validate');

const { HAS_POSITIONS, IS_WRITABLE } = binding;

const nothing = () => undefined;
/** As an entry of `ops` does. */
const refuse = () => -1;

/**
 * What is under way on a descriptor, so that
 * - operations at the file's own position go one after the other: the kernel reads it when they begin and
 *   stores it when they end, without a lock;
 * - a close comes after all of them.
 */
class Descriptor {
  users = 0;
  turns = new Turns();
  closes = new Queue();

  leave() {
    this.users--;
    if (this.users > 0) return;
    for (let next = this.closes.shift(); next !== undefined; next = this.closes.shift()) next();
  }

  [kSettled](request) {
    if (request.inTurn) this.turns.end();
    this.leave();
  }
}

/** By number. Of those that have been used there is one each, unused again mostly. */
const descriptors = [];

const descriptorOf = (fd) => (descriptors[fd] ??= new Descriptor());

/** request.detail: does the same by Node's own function. */
function viaPool(request) {
  const { detail, handle, inTurn } = request;
  handle.users++;
  request.inTurn = false;
  return detail().finally(() => {
    if (inTurn) handle.turns.end();
    handle.leave();
  });
}

const asIs = (request, result) => result;
const FTRUNCATE = { syscall: 'ftruncate', finish: nothing, pool: viaPool };
const FSTAT = { syscall: 'fstat', finish: (request, result, at) => statsAt(at), pool: viaPool };
const FSTAT_BIGINT = { ...FSTAT, finish: (request, result, at) => bigintStatsAt(at) };
const WRITE = { syscall: 'write', finish: asIs, pool: viaPool };
const READ = {
  syscall: 'read',
  finish(request, count, index) {
    takeShielded(request, index);
    return count;
  },
  pool: viaPool,
};
const READ_OWN = { syscall: 'read', finish: asIs, pool: viaPool };
const OPEN = { syscall: 'open', finish: asIs, pool: ({ detail }) => detail() };
const CLOSE = { syscall: 'close', finish: nothing, pool: ({ detail }) => detail() };

/** For a request that has waited: the caller has been told that the ring has it. */
function startLate(request, start) {
  const id = start();
  goOn(request, request.operation, id);
  if (id < 0) request.handle?.[kSettled](request);
}

/**
 * An operation on the open descriptor.
 *
 * @param {number} fd
 * @param {import('./request').Operation} operation
 * @param {Function | undefined} callback undefined: it returns a promise
 * @param {() => number} start hands it to `ops`, and says its id
 * @param {() => Promise<any>} byPool does the same by Node
 * @param {ArrayBufferView | ArrayBufferView[]} [pin]
 * @param {boolean} [inTurn] whether it uses the file's own position
 */
function submit(fd, operation, callback, start, byPool, pin, inTurn = false) {
  const descriptor = descriptorOf(fd);
  const request = prepare(operation, undefined, undefined, pin, callback);
  request.handle = descriptor;
  request.detail = byPool;
  request.inTurn = inTurn;
  if (inTurn && descriptor.turns.isTaken) {
    descriptor.users++;
    descriptor.turns.begin(() => startLate(request, start));
    return request.promise;
  }
  const id = start();
  if (id >= 0) {
    descriptor.users++;
    if (inTurn) descriptor.turns.begin(nothing);
  } else {
    request.inTurn = false;
  }
  return enter(id, request);
}

/** submit() of a read or write, in turn where it uses the file's own position. */
function transfer(fd, operation, callback, start, byPool, pin, position) {
  const inTurn = position === CURRENT_POSITION;
  return submit(fd, operation, callback, start, byPool, pin, inTurn);
}

/** With the count, and what the caller gave. */
const counted = (callback, given) => (error, count) => callback(error, count ?? 0, given);

/** Node takes null for the file's own position, where the ring takes a number. */
const orNull = (position) => (position === CURRENT_POSITION ? null : position);

/**
 * All but the descriptor and the callback are as the ring takes them: in range, and not empty.
 *
 * @param {ArrayBufferView} given what the callback is told, whose memory `bytes` are
 */
function read(fd, given, bytes, offset, length, position, callback) {
  const found = look(fd);
  if ((found & HAS_POSITIONS) === 0) return undefined;
  const start = () => {
    const id = ops.read(fd, bytes, offset, length, position);
    guard(id, found);
    return id;
  };
  const byPool = () => callNode('read', fd, bytes, offset, length, orNull(position));
  return transfer(fd, READ, counted(callback, given), start, byPool, bytes, position);
}

function readv(fd, given, views, position, callback) {
  const found = look(fd);
  if ((found & HAS_POSITIONS) === 0) return undefined;
  const start = () => {
    const id = ops.readv(fd, views, position);
    guard(id, found);
    return id;
  };
  const byPool = () => callNode('readv', fd, views, orNull(position));
  return transfer(fd, READ, counted(callback, given), start, byPool, views, position);
}

/** Where there is more than one thing wrong, Node and the ring do not meet the same first. */
const canWrite = (fd) =>
  (look(fd) & (HAS_POSITIONS | IS_WRITABLE)) === (HAS_POSITIONS | IS_WRITABLE);

/** @param {ArrayBufferView | string} given */
function write(fd, given, bytes, offset, length, position, callback) {
  if (!canWrite(fd)) return undefined;
  const start = () => ops.write(fd, bytes, offset, length, position);
  const byPool = () => callNode('write', fd, bytes, offset, length, orNull(position));
  return transfer(fd, WRITE, counted(callback, given), start, byPool, bytes, position);
}

function writev(fd, given, views, position, callback) {
  if (!canWrite(fd)) return undefined;
  const start = () => ops.writev(fd, views, position);
  const byPool = () => callNode('writev', fd, views, orNull(position));
  return transfer(fd, WRITE, counted(callback, given), start, byPool, views, position);
}

function fstat(fd, options, callback) {
  if (!shapeIsKnown || !isPlainStat(options)) return undefined;
  const operation = options?.bigint === true ? FSTAT_BIGINT : FSTAT;
  const byPool = () => callNode('fstat', fd, { bigint: options?.bigint });
  return submit(fd, operation, callback, () => ops.fstat(fd), byPool);
}

function ftruncate(fd, length, callback) {
  if (!isPosition(length)) return undefined;
  const byPool = () => callNode('ftruncate', fd, length);
  return submit(fd, FTRUNCATE, callback, () => ops.ftruncate(fd, length), byPool);
}

const sync = (name) => {
  const operation = { syscall: name, finish: nothing, pool: viaPool };
  return (fd, callback) =>
    submit(
      fd,
      operation,
      callback,
      () => ops[name](fd),
      () => callNode(name, fd),
    );
};
const fsync = sync('fsync');
const fdatasync = sync('fdatasync');

/*
 * Node closes what a worker has left open when it ends, and warns of what is closed that it has not seen
 * opened. It sees its own functions only, and those that are synchronous always are.
 */

function open(path, flags, mode, callback) {
  if (!isMainThread) return undefined;
  const byPool = () => callNode('open', path, flags, mode);
  const request = prepare(OPEN, path, undefined, undefined, callback);
  request.detail = byPool;
  return enter(ops.openForProgram(path, flags, mode), request);
}

function close(fd, callback) {
  const descriptor = descriptorOf(fd);
  const isFree = descriptor.users === 0;
  if (isFree && !isMainThread) return undefined;
  const byPool = () => callNode('close', fd);
  const request = prepare(CLOSE, undefined, undefined, undefined, callback);
  request.detail = byPool;
  if (isFree) return enter(ops.close(fd), request);
  const start = isMainThread ? () => ops.close(fd) : refuse;
  descriptor.closes.push(() => startLate(request, start));
  return request.promise;
}

/* ---- for streams ---- */

/**
 * A descriptor as the file that ReadAhead (read-ahead.js) reads. What it reads into is no caller's memory;
 * what is written to the file meanwhile it does not know of.
 */
class DescriptorReader {
  [kChanges] = 0;

  constructor(fd) {
    this.fd = fd;
  }

  async read(bytes, offset, length, position) {
    const bytesRead = await readOwn(this.fd, bytes, position ?? CURRENT_POSITION);
    return { bytesRead, buffer: bytes };
  }

  [kReadAt](bytes, position) {
    return readOwn(this.fd, bytes, position);
  }

  [kInTurn](work) {
    const descriptor = descriptorOf(this.fd);
    descriptor.users++;
    return new Promise((resolve) => {
      descriptor.turns.begin(() => {
        const ended = work().finally(() => {
          descriptor.turns.end();
          descriptor.leave();
        });
        resolve(ended);
      });
    });
  }

  stat() {
    const { fd } = this;
    const start = () => ops.fstat(fd);
    return submit(fd, FSTAT, undefined, start, () => callNode('fstat', fd));
  }
}

function readOwn(fd, bytes, position) {
  const start = () => ops.readOwn(fd, bytes, 0, bytes.length, position);
  const byPool = () => callNode('read', fd, bytes, 0, bytes.length, orNull(position));
  return transfer(fd, READ_OWN, undefined, start, byPool, bytes, position);
}

/**
 * The reads of a stream, one after the other and in order, as far as they can be ahead of it.
 *
 * @param {number} most bytes that the stream will ask for
 * @returns {(fd: number, buffer: Buffer, position: number | undefined) =>
 *   Promise<{ bytesRead: number, buffer: Buffer }> | undefined} undefined: nothing of it can be read ahead
 */
function reader(most) {
  let ahead;
  return (fd, buffer, position) => {
    if (ahead === undefined) {
      if ((look(fd) & HAS_POSITIONS) === 0) return undefined;
      ahead = new ReadAhead(new DescriptorReader(fd), most);
    }
    return ahead.read(buffer, position);
  };
}

module.exports = {
  close,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  reader,
  readv,
  write,
  writev,
};
