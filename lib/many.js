'use strict';
/**
 * readFiles and statFiles: many files behind one promise. Their paths cross to the native module
 * together, and no promise is made for each.
 */

const { binding } = require('./binding');
const { nodePromises, abortError } = require('./delegate');
const { invalidType } = require('./errors');
// Without the native module there is nothing to make requests of.
const requests = binding === null ? null : require('./request');
const { listen, unlisten } = require('./signals');
const { isBoolean, isEncoding, isSignal, toOptions } = require('./validate');

/** Requests under way, and how few of them are left when the next are made. */
const AT_ONCE = 256;
const REFILL_AT = 128;

/** In one call, at the most: paths, and UTF-16 units of them. */
const PATHS_AT_ONCE = 128;
const PATHS_LENGTH =
  binding === null ? Infinity : Math.floor(binding.PATHS_SIZE / 3) - PATHS_AT_ONCE;

/**
 * What is done with each path.
 *
 * @typedef {object} Kind
 * @property {(path: any, options: object) => Promise<any>} one for the path that is odd, or not for the ring
 * @property {Native} [native] undefined without a ring
 *
 * @typedef {object} Native
 * @property {string} name of the native call
 * @property {number} flags
 * @property {() => boolean} isReady whether the next paths are for it
 * @property {import('./request').Operation} operation
 * @property {(path: string, options: object) => any} detail request.detail of one that goes on alone
 * @property {(batch: Batch, result: number, index: number) => any} value of a request that is done, or
 *   undefined where the operation must go on with it
 */

/** The paths of one call, in order, and what has become of them. */
class Batch {
  /**
   * @param {Kind} kind
   * @param {Iterator<any>} paths
   * @param {{ encoding?: string, bigint?: boolean, signal?: AbortSignal, settled?: boolean,
   *   separate?: boolean }} options
   */
  constructor(kind, paths, options) {
    this.kind = kind;
    this.paths = paths;
    this.options = options;
    /** By place: a path, until its value is there. */
    this.results = [];
    this.underWay = 0;
    /** No more paths are taken: they have ended, or the promise is settled. */
    this.ended = false;
    /** Nobody waits for what is under way. */
    this.stopped = false;
    /** Paths are being taken: what settles meanwhile takes none. */
    this.filling = false;
    this.chunk = null;
    this.chunkUsed = 0;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const onAbort = () => this.stop(abortError(options.signal));
    this.onAbort = onAbort;
    if (options.signal !== undefined) listen(options.signal, this.onAbort);
    this.fill();
  }

  /** Takes paths until enough is under way. */
  fill() {
    this.filling = true;
    try {
      while (!this.ended && this.underWay < AT_ONCE) this.take();
    } catch (error) {
      this.stop(Promise.reject(error)); // of the iterator
    }
    this.filling = false;
    if (this.ended && this.underWay === 0) this.finish();
  }

  /** Takes some paths, and makes requests of them. */
  take() {
    const { native } = this.kind;
    const together = [];
    const places = [];
    let length = 0;
    while (together.length < PATHS_AT_ONCE && length < PATHS_LENGTH / 2) {
      const { done, value: path } = this.paths.next();
      if (done || this.ended) {
        this.ended = true;
        break;
      }
      const place = this.results.push(path) - 1;
      if (native?.isReady() && isPlain(path)) {
        together.push(path);
        places.push(place);
        length += path.length;
      } else {
        this.alone(place);
        if (this.underWay >= AT_ONCE) break;
      }
    }
    for (let from = 0; from < together.length && !this.stopped;) {
      const entered = requests.enterMany(this, native, together.slice(from), places.slice(from));
      this.underWay += entered;
      from += entered;
      if (from < together.length) this.alone(places[from++]);
    }
  }

  /** The path at `place` by a call of its own. */
  alone(place) {
    this.underWay++;
    let promise;
    try {
      promise = this.kind.one(this.results[place], this.options);
    } catch (error) {
      promise = Promise.reject(error);
    }
    this.wait(place, promise);
  }

  /** @param {Promise<any>} promise of what is under way for `place` */
  wait(place, promise) {
    promise.then(
      (value) => this.done(place, value),
      (error) => this.failed(place, error),
    );
  }

  /** A request of this batch has ended. Called by request.js. */
  settle(place, result, index) {
    const { native } = this.kind;
    if (this.stopped) {
      if (result >= 0) native.operation.discard?.(this, result, index);
      this.underWay--;
      return;
    }
    let value;
    try {
      if (result >= 0) value = native.value(this, result, index);
    } catch (error) {
      this.failed(place, error); // no memory, say; the others of the hand-over have theirs to get
      return;
    }
    if (value !== undefined) {
      this.done(place, value);
      return;
    }
    const path = this.results[place];
    const { operation } = native;
    const detail = native.detail(path, this.options);
    const { signal } = this.options;
    this.wait(place, requests.settleAlone(operation, { path, detail, signal }, result, index));
  }

  done(place, value) {
    this.results[place] = this.options.settled ? { status: 'fulfilled', value } : value;
    this.next();
  }

  failed(place, reason) {
    if (!this.options.settled || this.options.signal?.aborted) this.stop(Promise.reject(reason));
    else this.results[place] = { status: 'rejected', reason };
    this.next();
  }

  next() {
    this.underWay--;
    if (this.filling || this.stopped) return;
    if (this.ended ? this.underWay === 0 : this.underWay <= REFILL_AT) this.fill();
  }

  finish() {
    if (this.stopped) return;
    this.stopped = true;
    if (this.options.signal !== undefined) unlisten(this.options.signal, this.onAbort);
    this.resolve(this.results);
  }

  /** @param {Promise<never>} rejection what the caller gets, at once */
  stop(rejection) {
    rejection.catch(nothing);
    if (this.stopped) return;
    const { ended } = this;
    this.stopped = this.ended = true;
    if (this.options.signal !== undefined) unlisten(this.options.signal, this.onAbort);
    this.resolve(rejection);
    this.results = [];
    if (this.kind.native !== undefined) requests.cancelBatch(this);
    try {
      if (!ended) this.paths.return?.();
    } catch {
      // The caller has its error.
    }
  }

  /**
   * Memory for a small file: a part of a larger piece, unless the caller wants them separate.
   *
   * @param {number} length bytes
   * @returns {Buffer} not initialised
   */
  room(length) {
    if (this.options.separate || length > CHUNK_SIZE / 4) return Buffer.allocUnsafeSlow(length);
    if (this.chunk === null || this.chunkUsed + length > CHUNK_SIZE) {
      this.chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
      this.chunkUsed = 0;
    }
    const from = this.chunkUsed;
    this.chunkUsed = (from + length + 7) & ~7;
    return this.chunk.subarray(from, from + length);
  }
}

/** For request.js, which has single requests beside those of batches. */
Batch.prototype.isBatch = true;

/** Of several small files, bytes: such a piece comes from the heap, used before, and not fresh pages. */
const CHUNK_SIZE = 64 * 1024;

const nothing = () => undefined;

/** Whether a path may go with others. */
function isPlain(path) {
  return typeof path === 'string' && path.length <= PATHS_LENGTH / 2 && !path.includes('\0');
}

/**
 * @param {unknown} paths
 * @param {object | undefined} options recognised ones
 * @param {Kind} kind
 * @param {() => Promise<any>} refuse what words the error of options that are not recognised
 */
function many(paths, options, kind, refuse) {
  const iterate = typeof paths === 'string' ? undefined : paths?.[Symbol.iterator];
  if (typeof iterate !== 'function') {
    return Promise.reject(invalidType('"paths" argument', 'iterable', paths));
  }
  const { signal, settled, separate } = options ?? {};
  if (!isBoolean(settled)) {
    return Promise.reject(invalidType('"options.settled" property', 'boolean', settled));
  }
  if (!isBoolean(separate)) {
    return Promise.reject(invalidType('"options.separate" property', 'boolean', separate));
  }
  if (options === undefined || !isSignal(signal)) return refuse();
  if (signal?.aborted) return abortError(signal);
  try {
    return new Batch(kind, iterate.call(paths), options).promise;
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * The two functions, given what does one of each.
 *
 * @param {{ readFile: Function, stat: Function, nativeRead?: Native, nativeStat?: Native,
 *   nativeBigintStat?: Native }} means
 */
function createMany({ readFile, stat, nativeRead, nativeStat, nativeBigintStat }) {
  const readKind = {
    one: (path, { encoding, signal }) => readFile(path, { encoding, signal }),
    native: nativeRead,
  };
  const statOne = (path, { bigint }) => stat(path, { bigint });
  const statKind = { one: statOne, native: nativeStat };
  const bigintStatKind = { one: statOne, native: nativeBigintStat };

  /** See index.d.ts. */
  function readFiles(paths, options) {
    const { encoding, signal, settled, separate } = toOptions(options) ?? { encoding: 'unknown' };
    const known = isEncoding(encoding) ? { encoding, signal, settled, separate } : undefined;
    return many(paths, known, readKind, () => nodePromises.readFile('/', options));
  }

  /** See index.d.ts. */
  function statFiles(paths, options) {
    if (options !== undefined && (options === null || typeof options !== 'object')) {
      return Promise.reject(invalidType('"options" argument', 'object', options));
    }
    const { bigint, signal, settled } = options ?? {};
    const kind = bigint === true ? bigintStatKind : statKind;
    return many(paths, { bigint: bigint === true, signal, settled }, kind, () =>
      nodePromises.readFile('/', { signal }),
    );
  }

  return { readFiles, statFiles };
}

module.exports = { Batch, createMany };
