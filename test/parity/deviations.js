'use strict';

// The places where uring-fs is known to differ from node:fs/promises, each with its reason.
// `call` is matched against "<test title>: <call>", `place` against the path of the difference.
module.exports = [];
