'use strict';
/** The side of FileHandle that only this package sees. */
module.exports = {
  /** One more user: close() waits for it. */
  kRef: Symbol('ref'),
  kUnref: Symbol('unref'),
  /** Called with the request when it is done. */
  kSettled: Symbol('settled'),
  /** The file as whole-file.js reads and writes it: counts come back alone, not in an object. */
  kFile: Symbol('file'),
};
