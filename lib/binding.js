'use strict';

const { ruledOut } = require('./delegate');

/**
 * The native module, or the reason why this process does without it.
 *
 * @type {{ binding: object | null, reason: string | null }}
 */
module.exports = load();

function load() {
  if (ruledOut !== null) return { binding: null, reason: ruledOut };
  try {
    return { binding: require('../build/Release/uring_fs.node'), reason: null };
  } catch (error) {
    return { binding: null, reason: `the native module could not be loaded: ${firstLine(error)}` };
  }
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}
