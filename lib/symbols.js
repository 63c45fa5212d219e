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
  /** Whether it has positions: a pipe or a terminal has none. */
  kSeekable: Symbol('seekable'),
  /** How many operations have changed the file through the handle. */
  kChanges: Symbol('changes'),
  /** Fills memory that no caller knows from a position; resolves with the count. */
  kReadAt: Symbol('readAt'),
  /** Does something that takes time as one operation at the file's own position. */
  kInTurn: Symbol('inTurn'),
};
