'use strict';
/**
 * What a stream of a regular file will ask for, read before it asks: several chunks at once, in order. All
 * else (pipes, the end of the file, what has grown since) is read when it is asked for.
 */

const { systemError } = require('./errors');
const { seek } = require('./request');
const { kChanges, kInTurn, kReadAt } = require('./symbols');

/** Read and not yet asked for, or under way: more of them only leave the CPU's cache before they are used. */
const CHUNKS_AHEAD = 2;
/** Bytes of them: there are fewer of large chunks, and none of larger ones. */
const BYTES_AHEAD = 4 * 1024 * 1024;

const SEEK_SET = 0;
const SEEK_CUR = 1;

/** A read that has begun. Nobody may be waiting when it fails. */
class Chunk {
  constructor(handle, memory, at) {
    this.memory = memory;
    this.at = at;
    this.changes = handle[kChanges];
    this.failed = false;
    this.done = handle[kReadAt](memory, at).catch((error) => {
      this.failed = true;
      return error;
    });
  }
}

class ReadAhead {
  /**
   * @param {import('./file-handle').FileHandle} handle of what has positions
   * @param {number} most bytes that the stream will ask for
   */
  constructor(handle, most) {
    this.handle = handle;
    this.left = most;
    /** As far as it is read ahead: bytes, 0 before the size is known. */
    this.size = 0;
    this.sizeAsked = false;
    /** @type {Chunk[]} */
    this.chunks = [];
  }

  /**
   * handle.read(), for the next chunk of the stream.
   *
   * @param {Buffer} buffer
   * @param {number | undefined} position undefined: the file's own
   * @returns {Promise<{ bytesRead: number, buffer: Buffer }>} not always the same Buffer
   */
  read(buffer, position) {
    if (this.size === 0) return this.#readAsAsked(buffer, position);
    if (position !== undefined) return this.#next(buffer, position);
    return this.handle[kInTurn](async () => {
      const at = seek(this.handle.fd, 0, SEEK_CUR);
      if (at < 0) throw systemError(at, 'read'); // the program has closed it
      const result = await this.#next(buffer, at);
      seek(this.handle.fd, at + result.bytesRead, SEEK_SET);
      return result;
    });
  }

  /** Most files end within the first chunk. */
  async #readAsAsked(buffer, position) {
    const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, position);
    this.left -= bytesRead;
    if (bytesRead === buffer.length && bytesRead <= BYTES_AHEAD && !this.sizeAsked) {
      this.sizeAsked = true;
      const stats = await this.handle.stat().catch(() => undefined);
      if (stats?.isFile()) this.size = stats.size;
    }
    return { bytesRead, buffer };
  }

  async #next(buffer, at) {
    const { length } = buffer;
    let chunk = this.#take(at, length);
    const wasAhead = chunk !== undefined;
    chunk ??= new Chunk(this.handle, buffer, at);
    this.#fill(at + length, at + this.left, length, wasAhead ? buffer : undefined);
    let count = await chunk.done;
    if (wasAhead && (chunk.failed || count === 0 || chunk.changes !== this.handle[kChanges])) {
      // That is as it was then.
      this.chunks = [];
      chunk = new Chunk(this.handle, Buffer.allocUnsafeSlow(length), at);
      count = await chunk.done;
    }
    if (chunk.failed) throw count;
    if (count < length) this.chunks = [];
    this.left -= count;
    return { bytesRead: count, buffer: chunk.memory };
  }

  /** What has been read ahead for this place, if it is that; all else is dropped. */
  #take(at, length) {
    const [first] = this.chunks;
    const fits =
      first !== undefined &&
      first.at === at &&
      first.memory.length === length &&
      first.changes === this.handle[kChanges];
    if (fits) return this.chunks.shift();
    this.chunks = [];
    return undefined;
  }

  /**
   * Begins the reads that follow on those there are, from `at` on.
   *
   * @param {number} limit where the stream ends at the latest
   * @param {number} length of a chunk
   * @param {Buffer} [spare] memory that is free
   */
  #fill(at, limit, length, spare) {
    const most = Math.min(CHUNKS_AHEAD, Math.floor(BYTES_AHEAD / length));
    const last = this.chunks.at(-1);
    let next = last === undefined ? at : last.at + last.memory.length;
    for (; this.chunks.length < most && next < Math.min(this.size, limit); next += length) {
      const wanted = Math.min(length, limit - next);
      const memory = spare?.length === wanted ? spare : Buffer.allocUnsafeSlow(wanted);
      spare = undefined;
      this.chunks.push(new Chunk(this.handle, memory, next));
    }
  }
}

module.exports = { ReadAhead };
