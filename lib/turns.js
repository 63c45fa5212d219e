'use strict';

const { Queue } = require('./queue');

/** Lets so many of what it is given go on at a time; the others wait, first come first served. */
class Turns {
  #free;
  #waiting = new Queue();

  /** @param {number} [atOnce] */
  constructor(atOnce = 1) {
    this.#free = atOnce;
  }

  /** Whether what comes next has to wait. */
  get isTaken() {
    return this.#free === 0;
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
    this.#free--;
    try {
      return start();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  end() {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next(); // its turn goes on
  }
}

module.exports = { Turns };
