'use strict';

// The places where uring-fs is known to differ from node:fs/promises, each with its reason.
// `call` is matched against "<test title>: <call>", `place` against the path of the difference.
module.exports = [
  {
    call: /readFile\((missing|dir), (null|utf8)\) aborted in the same tick$/,
    place: /^readFile\[/,
    reason: 'an abort rejects at once; Node lets an error of a call under way come first',
  },
  {
    call: /read: (option )?length is -0$/,
    place: /bytesRead/,
    reason: 'Node 20 to 24 resolve with the -0 they were given; the number of bytes read is 0',
  },
  {
    call: /^fuzz: /,
    place: /handle \d: read\(.*-0.*bytesRead$/,
    reason: 'as before, in a series by chance, whose calls are in the place',
  },
  {
    call: /cannot be written: \/proc\/version 'r'$/,
    place: /^write at 1\[error\]/,
    reason:
      'a write at a position on a file opened for reading, that could not seek either: two errors ' +
      'apply, the ring names the other one',
  },
];
