'use strict';
/**
 * Operations whose outcome goes to a callback, as that of node:fs does: in its own turn of the event loop,
 * never before the code that is running, with the async context of the call. What the callback throws is
 * an uncaught exception, and does not keep the other callbacks from being called.
 */

const { AsyncResource } = require('node:async_hooks');
const { binding } = require('./binding');
const { withoutStack } = require('./errors');
const { Queue } = require('./queue');

/** Those that are done, in the order of their callbacks. */
const ready = new Queue();
/** Whether the loop will come for them. */
let deferred = false;

/** As a Request (request.js) is, which has a promise. */
class CallbackRequest extends AsyncResource {
  constructor(operation, path, dest, pin, callback) {
    super('FSREQCALLBACK');
    this.operation = operation;
    this.path = path;
    this.dest = dest;
    this.pin = pin;
    this.handle = null;
    this.inTurn = false;
    this.aborted = false;
    this.lost = false;
    this.signal = undefined;
    this.detail = undefined;
    this.callback = callback;
    /** What the callback will be told. */
    this.error = null;
    this.value = undefined;
    /** See whenDone(). */
    this.done = undefined;
  }

  /** @param {any} value a promise, if the operation goes on elsewhere */
  resolve(value) {
    // Of whatever class: the program may have put another in the place of Promise.
    if (typeof value?.then === 'function') {
      value.then(
        (result) => this.#tell(null, result),
        (error) => this.#tell(withoutStack(error)),
      );
    } else {
      this.#tell(null, value);
    }
  }

  reject(error) {
    this.#tell(error);
  }

  failWith(makeError) {
    this.#tell(withoutStack(makeError()));
  }

  refuse() {
    return undefined;
  }

  whenDone(done) {
    this.done = done;
  }

  /** Calls the callback. Those of transfers, and of exists(), get something else. */
  call() {
    this.runInAsyncScope(callBack, this);
  }

  #tell(error, value) {
    this.error = error;
    this.value = value;
    this.done?.();
    ready.push(this);
    if (deferred) return;
    deferred = true;
    binding.callLater();
  }
}

/** What it throws is raised here, while the async context is that of the call. @this {CallbackRequest} */
function callBack() {
  const { callback, error, value } = this;
  try {
    if (error !== null) callback(error);
    else if (value === undefined) callback(null);
    else callback(null, value);
  } catch (thrown) {
    binding.raise(thrown);
    throw thrown;
  }
}

CallbackRequest.prototype.isBatch = false;
/** What the caller of the operation gets in place of a promise. */
CallbackRequest.prototype.promise = true;

/** The loop is there, and will call callNext(). */
function deferCallbacks() {
  deferred = true;
}

/**
 * Calls the next callback, from the event loop.
 *
 * @param {(isLast: boolean) => void} before called before that
 * @returns {boolean} whether there are more
 */
function callNext(before) {
  const request = ready.shift();
  const isLast = ready.length === 0;
  if (isLast) deferred = false;
  before(isLast);
  request?.call();
  return !isLast;
}

/**
 * Gives the outcome of a promise to a callback, if there is one.
 *
 * @param {Promise<any>} promise
 * @param {Function} [callback]
 * @returns {any} what the caller of the operation gets
 */
function toCallback(promise, callback) {
  if (callback === undefined || promise === undefined) return promise;
  const request = new CallbackRequest(undefined, undefined, undefined, undefined, callback);
  request.resolve(promise);
  return request.promise;
}

module.exports = { CallbackRequest, callNext, deferCallbacks, toCallback };
