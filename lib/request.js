'use strict';
/**
 * The way of every operation through the native module, which is called from here and nowhere else:
 * prepare() makes the request, an entry of `ops` queues it and says its id, enter() puts both together;
 * one flush a tick submits, settle() hands the results out.
 */

const { binding } = require('./binding');
const { CallbackRequest, callNext, deferCallbacks } = require('./callback-request');
const { abortError } = require('./delegate');
const { ECANCELED, EIO, rejectInJob, systemError } = require('./errors');
const { listen, unlisten } = require('./signals');
const { kSettled } = require('./symbols');
const { take } = require('./tuning');

const uncurryThis = (method) => Function.prototype.call.bind(method);

/**
 * What a kind of request is, apart from its opcode.
 *
 * @typedef {object} Operation
 * @property {string} syscall the name that errors give
 * @property {(request: Request, result: number, index: number) => any} finish the promise's value, or
 *   CONTINUES
 * @property {boolean} [changes] whether it changes the file of its handle
 * @property {boolean} [takesErrors] finish wants negative results (-errno) too: nothing is an error then
 * @property {(request: Request) => any} [pool] does the same by Node's own function: for a request that
 *   the kernel gave up without being asked to (it could make no worker thread)
 * @property {(request: Request, result: number, index: number) => void} [discard] undoes what succeeded
 *   after the caller gave up
 * @property {(index: number) => string} [syscallAt] which call failed, for a request of several steps
 * @property {() => boolean} [namesPath] whether errors of the later steps name the path
 */

/** What Node's functions return, whatever the program has put in the place of Promise. */
const { constructor: NativePromise } = (async () => {})();

/** One operation under way: what it is about, and the only strong reference to the memory it uses. */
class Request {
  constructor(operation, path, dest, pin) {
    /** @type {Operation} */
    this.operation = operation;
    this.promise = new NativePromise(takeResolvers);
    if (takenReject === undefined) refuseFullStack(this.promise);
    this.resolve = takenResolve;
    this.reject = takenReject;
    // Or they would keep what the promise resolves with.
    takenResolve = takenReject = undefined;
    this.path = path;
    this.dest = dest;
    /** Memory that the kernel may read or write. */
    this.pin = pin;
    /** The FileHandle that must not close yet. */
    this.handle = null;
    /** Whether it uses the handle's position, and so holds up the next that does. */
    this.inTurn = false;
    /** The caller has its AbortError; memory and descriptors are still the kernel's. */
    this.aborted = false;
    /** The ring broke while it was under way; its caller has been told. */
    this.lost = false;
    /** What may end it early. @type {AbortSignal | undefined} */
    this.signal = undefined;
    /** What else the operation keeps. */
    this.detail = undefined;
  }
}

/** As a Batch (many.js) is, which has several of the ids. */
Request.prototype.isBatch = false;

/* What a CallbackRequest, which has no promise, does another way. */
Object.assign(Request.prototype, {
  /** Its error is made where it is awaited. */
  failWith(makeError) {
    rejectInJob(this.resolve, makeError);
  },

  /** The ring does not take it. @returns {any} what the caller of the operation gets */
  refuse() {
    return this.operation.pool(this);
  },

  /** `done` is called when the caller has been told. */
  whenDone(done) {
    this.promise.then(done, done);
  },
});

/** What finish() gives when the request has gone on to another operation, or has settled its promise. */
const CONTINUES = Symbol('continues');

let takenResolve;
let takenReject;
/** One executor for all promises: a closure for each would cost more than the promise. */
function takeResolvers(resolve, reject) {
  takenResolve = resolve;
  takenReject = reject;
}

/** The executor could not be called: a promise swallows that, as if its caller had the error. */
function refuseFullStack(promise) {
  takenResolve = undefined;
  promise.then(undefined, nothing);
  throw new RangeError('Maximum call stack size exceeded');
}

const nothing = () => undefined;

/**
 * Requests under way, by id. C keeps this array alive until the last one is drained, so what they pin
 * outlives even the end of a worker.
 *
 * @type {(Request | import('./many').Batch | undefined)[]}
 */
const pending = [];

/** By id: for a request of a batch, which of the batch's it is. */
const places = [];

/** Memory that C writes and JS reads. */
const shared = {
  pending,
  ids: new ArrayBuffer(binding.HANDOVER_SIZE * Uint32Array.BYTES_PER_ELEMENT),
  entered: new ArrayBuffer(binding.HANDOVER_SIZE * Uint32Array.BYTES_PER_ELEMENT),
  results: doubles(binding.HANDOVER_SIZE),
  extras: doubles(binding.HANDOVER_SIZE),
  stats: doubles(binding.HANDOVER_SIZE * binding.STAT_FIELDS),
  counters: doubles(binding.COUNTERS),
};
const ids = new Uint32Array(shared.ids);
/** Ids of the requests that one call has made of many paths. */
const entered = new Uint32Array(shared.entered);
const results = new Float64Array(shared.results);
/** By index in the hand-over: what C says beside the result. */
const extras = new Float64Array(shared.extras);
/** By index * STAT_FIELDS in the hand-over. */
const stats = new Float64Array(shared.stats);
const counters = new Float64Array(shared.counters);

/**
 * Where small whole files land: a block for each slot. Made with the ring: zeroed pages that are not used
 * take no memory, but so large an ArrayBuffer makes V8 collect garbage.
 *
 * @type {Buffer | undefined}
 */
let blocks;

/** @returns {Buffer} that, once the ring has started */
const slab = () => blocks;

function doubles(count) {
  return new ArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT);
}

/** A microtask without what queueMicrotask() makes around it. */
const resolved = Promise.resolve();

const { ALIGNMENT_UNIT, COUNT_UNCHECKED, IS_UNCACHED } = binding;

let scheduled = false;
let started = false;
/** Whether another copy of this module has the ring, whose results are not to be taken. */
let isOthers = false;
/** Why there is no ring (any more). @type {{ code: string, reason: string } | null} */
let failure = null;
/** What binding.start() told of the ring. */
let description = null;

const refuse = () => -1;

/**
 * The native operations by name: each queues a request and returns its id, or -1 where it is not for
 * the ring. Before the first call they start the ring.
 *
 * @type {Record<string, (...args: any[]) => number>}
 */
const ops = {};
for (const name of Object.keys(binding)) {
  if (typeof binding[name] !== 'function') continue;
  ops[name] = (...args) => {
    start();
    return ops[name](...args);
  };
}

/** Makes this environment's ring, once; what the kernel lacks is refused from then on. */
function start() {
  if (started) return;
  const { helper, sqpoll, ...rest } = take();
  const memory = new ArrayBuffer(rest.slab * binding.BLOCK_SIZE);
  blocks = Buffer.from(memory);
  const settings = {
    ...rest,
    helper: Number(helper),
    polled: Number(sqpoll !== null),
    pollIdle: sqpoll?.idle ?? 0,
    pollCpu: sqpoll?.cpu ?? -1,
  };
  try {
    description = binding.start({ ...shared, settings, slab: memory }, deliver);
  } catch (error) {
    if (!/has been started/.test(error.message)) throw error;
    isOthers = true;
    // By another copy of this module: it has been loaded anew (by Jest, for example), the native one has not.
    description = {
      code: 'not-loaded',
      reason: 'another copy of this package has the ring',
      operations: {},
    };
  }
  const { code, reason } = description;
  if (code !== undefined) failure = { code, reason };
  for (const name of Object.keys(ops)) {
    ops[name] = failure === null && description.operations[name] ? binding[name] : refuse;
  }
  started = true;
}

/** The ring broke: from now on all is refused, and what it had not begun is done by the pool. */
function giveUp() {
  if (failure !== null) return;
  failure = { code: 'broken', reason: 'the ring failed while in use' };
  for (const name of Object.keys(ops)) ops[name] = refuse;
}

/**
 * What a broken ring had begun: whether it has been done, or will be, nobody can tell any more, so that it
 * must not be done again. `pending` goes on to hold the memory, which the kernel may still use.
 */
function rejectBegun() {
  for (const [id, request] of pending.entries()) {
    if (request === undefined || request.lost) continue;
    if (request.isBatch) {
      pending[id] = undefined; // it has no memory of a caller's
      request.settle(places[id], EIO);
      continue;
    }
    request.lost = true;
    const { operation, handle, path, dest } = request;
    if (!request.aborted && operation.takesErrors) {
      const value = operation.finish(request, EIO);
      if (value !== CONTINUES) request.resolve(value);
    } else if (!request.aborted) {
      request.failWith(() => systemError(EIO, operation.syscall, path, dest));
    }
    if (handle !== null) handle[kSettled](request);
  }
}

/**
 * @returns {{ failure: typeof failure, description: object }} why there is no ring, or what it is like
 */
function ringState() {
  start();
  return { failure, description };
}

/** @returns {boolean} whether there is a ring; it is made if need be */
function serves() {
  start();
  return failure === null;
}

/** Whether the ring takes operations of that name (now: it may not have been started, or have failed). */
function takes(name) {
  return ops[name] !== refuse;
}

/**
 * Whether the callbacks of a batch are being called, each with ticks of its own: what they ask for then goes
 * to the kernel together, with the last of them.
 */
let holding = false;
/** Whether something has been asked for meanwhile. */
let heldBack = false;

function schedule() {
  if (scheduled) return;
  if (holding) {
    heldBack = true;
    return;
  }
  process.nextTick(flush);
  scheduled = true; // not before: nextTick() throws when the stack is full
}

function flush() {
  scheduled = false;
  handOut(enterKernel());
}

/**
 * Called by C from the event loop, in a callback scope of its own each time; as long as it returns true,
 * once more with NEXT.
 */
function deliver(status) {
  if (status !== binding.NEXT) {
    deferCallbacks();
    handOut(status);
  }
  return callNext(release);
}

/** @param {boolean} isLast whether the callback that is about to be called is the last one */
function release(isLast) {
  holding = !isLast;
  if (!isLast || !heldBack) return;
  heldBack = false;
  schedule();
}

/**
 * Ids of the reads into memory of callers that the kernel has yet to be given. C has its address, and until now
 * JS could run, which can take memory away from a Buffer (see src/caller_memory.h).
 *
 * @type {number[]}
 */
const exposed = [];
/** How many; the array keeps its room. */
let exposedCount = 0;

function enterKernel() {
  if (isOthers) return 0;
  if (exposedCount > 0) shieldMoved();
  const status = binding.flush();
  if (exposedCount > 0) keepExposed(counters[COUNT_UNCHECKED]);
  return status;
}

/** The last so many may still wait; the others are with the kernel, or past that. */
function keepExposed(count) {
  if (count >= exposedCount) return;
  if (count > 0) exposed.copyWithin(0, exposedCount - count, exposedCount);
  exposedCount = count;
}

/** Whatever an object may have for its `length`. */
const sizeOf = uncurryThis(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length').get,
);

/** Whether a view has lost its memory, or that has become too small for it. None of a request is empty. */
const isMoved = (view) => sizeOf(view) === 0;

function shieldMoved() {
  for (let i = 0; i < exposedCount; i++) {
    const pin = pending[exposed[i]]?.pin;
    if (pin === undefined) continue; // done already
    if (Array.isArray(pin) ? pin.some(isMoved) : isMoved(pin)) binding.shield(exposed[i], 0);
  }
}

/**
 * To be called for a read into memory that a caller can get at. Past the page cache, the kernel would use it
 * longer than it takes to submit.
 *
 * @param {number} id what `ops` has made of it
 * @param {number} found what look() says of the file
 */
function guard(id, found) {
  if (id < 0) return;
  if (found & IS_UNCACHED) {
    binding.shield(id, Math.floor(found / ALIGNMENT_UNIT));
  } else {
    exposed[exposedCount++] = id;
  }
}

/** What such a read brought, where C could not let it go to the memory itself. */
function takeShielded(request, index) {
  if (extras[index] === 0) return;
  const { pin } = request;
  binding.take(ids[index], Array.isArray(pin) ? pin : [pin]);
}

/** Hands out a batch, and what is ready behind it. */
function handOut(status) {
  for (;;) {
    if (status & binding.BROKEN) giveUp();
    settle(status & 0xffff);
    if (!(status & binding.MORE)) break;
    status = enterKernel();
  }
  // After what awaits these results has run: its next calls then go with the same submission.
  if (status & binding.AGAIN) resolved.then(schedule);
  // All that had not begun has come back by now.
  if (status & binding.BROKEN) rejectBegun();
}

function settle(count) {
  for (let index = 0; index < count; index++) {
    const id = ids[index];
    const request = pending[id];
    if (request === undefined) continue; // its call has failed after `ops` took it
    pending[id] = undefined;
    if (request.isBatch) {
      request.settle(places[id], results[index], index);
      continue;
    }
    if (request.lost) continue;
    try {
      settleOne(request, results[index], index);
    } catch (error) {
      request.reject(error);
    }
    if (request.handle !== null) request.handle[kSettled](request);
  }
}

/** @param {Request} request */
function settleOne(request, result, index) {
  const { operation } = request;
  if (request.aborted) {
    if (result >= 0 && operation.discard !== undefined) operation.discard(request, result, index);
  } else if (result >= 0 || operation.takesErrors === true) {
    const value = operation.finish(request, result, index);
    if (value !== CONTINUES) request.resolve(value);
  } else if (result === ECANCELED) {
    request.resolve(operation.pool(request));
  } else {
    fail(request, result, index);
  }
}

/** @param {Request} request */
function fail(request, errno, index) {
  const { operation, path, dest } = request;
  const syscall = operation.syscallAt?.(index) ?? operation.syscall;
  // Of several calls, only the one that looks the path up names it, as a rule.
  const named = syscall === operation.syscall || operation.namesPath?.();
  request.failWith(() =>
    named ? systemError(errno, syscall, path, dest) : systemError(errno, syscall),
  );
}

/**
 * A request and its promise, to be made before `ops` is called: whatever can throw (a full stack) does so
 * while nothing is under way, so that no operation is done twice, and no memory is used that nothing pins.
 *
 * @param {Operation} operation
 * @param {string | Uint8Array} [path] for errors, as is `dest`
 * @param {string | Uint8Array} [dest]
 * @param {ArrayBufferView | ArrayBufferView[]} [pin]
 * @param {Function} [callback] is called in place of a promise
 * @returns {Request | CallbackRequest}
 */
function prepare(operation, path, dest, pin, callback) {
  schedule();
  return callback === undefined
    ? new Request(operation, path, dest, pin)
    : new CallbackRequest(operation, path, dest, pin, callback);
}

/**
 * @param {number} id what `ops` has made of the request
 * @param {Request | CallbackRequest} request
 * @returns {any} its promise, or what the pool makes of it when the ring has refused. With a callback:
 *   true, or undefined when the ring has refused
 */
function enter(id, request) {
  if (id < 0) return request.refuse();
  pending[id] = request;
  return request.promise;
}

/**
 * For finish(): the request, with its promise, goes on with `operation`.
 *
 * @param {Request} request
 * @param {Operation} operation
 * @param {number} id what `ops` has made of it
 * @returns {typeof CONTINUES} for the caller to return
 */
function goOn(request, operation, id) {
  request.operation = operation;
  if (id < 0) {
    request.resolve(operation.pool(request));
    return CONTINUES;
  }
  schedule();
  pending[id] = request;
  return CONTINUES;
}

/**
 * enter() for a request that `signal` may end: its promise becomes an AbortError at once; its memory and
 * descriptors stay the kernel's until the kernel has let go of them.
 *
 * @param {number} id
 * @param {Request} request
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<any>}
 */
function enterAbortable(id, request, signal) {
  request.signal = signal;
  const promise = enter(id, request);
  if (signal === undefined || id < 0) return promise;
  const onAbort = () => {
    if (pending[id] !== request) return;
    request.aborted = true;
    request.resolve(abortError(signal));
    binding.cancel(id);
    schedule();
  };
  if (signal.aborted) {
    onAbort();
  } else {
    const done = () => unlisten(signal, onAbort);
    listen(signal, onAbort);
    request.whenDone(done);
  }
  return promise;
}

/**
 * Makes requests of many paths in one call. Each is settled by `batch.settle(place, result, index)`.
 *
 * @param {import('./many').Batch} batch
 * @param {import('./many').Native} native
 * @param {string[]} paths no more than HANDOVER_SIZE, of no more than PATHS_SIZE bytes in all
 * @param {number[]} at the place of each
 * @returns {number} how many of them, from the first; the next one is not for the ring
 */
function enterMany(batch, { name, flags }, paths, at) {
  schedule();
  const count = Math.max(ops[name](paths.join('\0'), flags), 0); // -1: no ring
  for (let i = 0; i < count; i++) {
    pending[entered[i]] = batch;
    places[entered[i]] = at[i];
  }
  return count;
}

/** Ends what a batch has under way as soon as the kernel can; each is settled even so. */
function cancelBatch(batch) {
  pending.forEach((request, id) => {
    if (request === batch) binding.cancel(id);
  });
  schedule();
}

/**
 * A request of a batch that takes more than one step, or has failed: on its own from here on.
 *
 * @param {Operation} operation
 * @param {{ path: string, detail?: any, signal?: AbortSignal }} of what the operation looks at
 * @returns {Promise<any>}
 */
function settleAlone(operation, { path, detail, signal }, result, index) {
  const request = new Request(operation, path);
  request.detail = detail;
  request.signal = signal;
  try {
    settleOne(request, result, index);
  } catch (error) {
    request.reject(error); // no memory, say; the others of the hand-over have theirs to get
  }
  return request.promise;
}

module.exports = {
  cancelBatch,
  CONTINUES,
  counters,
  enter,
  enterAbortable,
  enterMany,
  extras,
  fail,
  goOn,
  guard,
  ops,
  prepare,
  ringState,
  look: binding.look,
  seek: binding.seek,
  serves,
  settleAlone,
  slab,
  stats,
  takeShielded,
  takes,
};
