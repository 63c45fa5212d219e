'use strict';

/** Places of what has been taken out: fewer are not worth the move. */
const MANY = 1024;

/** First in, first out: in constant time, however many wait. (An array's shift() moves all the others.) */
class Queue {
  #items = [];
  #from = 0;

  get length() {
    return this.#items.length - this.#from;
  }

  push(item) {
    this.#items.push(item);
  }

  /** @returns {any} the first one, which is taken out; undefined when there is none */
  shift() {
    const item = this.#items[this.#from];
    if (item === undefined) return undefined;
    this.#items[this.#from++] = undefined;
    if (this.#from === this.#items.length) {
      this.#items = [];
      this.#from = 0;
    } else if (this.#from >= MANY && this.#from * 2 >= this.#items.length) {
      // It may never be empty. What moves is no more than what has been taken out since the last time.
      this.#items.splice(0, this.#from);
      this.#from = 0;
    }
    return item;
  }
}

module.exports = { Queue };
