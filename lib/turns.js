'use strict';

const { Queue } = require('./queue');

/** Lets so many of what it is given go on at a time; the others wait, first come first served. */
class Turns {
  /** How many are free: less than none, where take() was called beyond that. */
  #free;
  #waiting = new Queue();

  /**
   * @param {number} [atOnce]
   * @param {number[] | Float64Array} [free] where the number of free ones is kept, for others to see
   */
  constructor(atOnce = 1, free = [0]) {
    free[0] = atOnce;
    this.#free = free;
  }

  /** Whether what comes next has to wait. */
  get isTaken() {
    return this.#free[0] <= 0;
  }

  /** A turn for what is under way already, be there a free one or not; it ends with end(), too. */
  take() {
    this.#free[0]--;
  }

  /**
   * Calls `start` now, or when those before it are done; its turn ends with end().
   *
   * @template T
   * @param {() => T} start
   * @returns {T | undefined} what `start` gives, if it is called now
   * @throws whatever `start` throws now: it has had no turn then
   */
  begin(start) {
    if (this.isTaken) {
      this.#waiting.push(start);
      return undefined;
    }
    this.take();
    try {
      return start();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  end() {
    this.#free[0]++;
    if (this.isTaken) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.take();
    next();
  }
}

module.exports = { Turns };
