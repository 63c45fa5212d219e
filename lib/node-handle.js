'use strict';
/**
 * What `FileHandle` is where Node serves: Node does not export its class, so this one stands for it in
 * `instanceof`, and can't be constructed either.
 */
class FileHandle {
  constructor() {
    throw new TypeError('Illegal constructor');
  }

  static [Symbol.hasInstance](value) {
    return value?.constructor?.name === 'FileHandle' && typeof value.datasync === 'function';
  }
}

module.exports = FileHandle;
