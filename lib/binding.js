'use strict';

const { ruledOut } = require('./delegate');

/**
 * The native module, or the reason why this process does without it.
 *
 * @type {{ binding: object | null, failure: { code: string, reason: string } | null }}
 */
module.exports = load();

function load() {
  if (ruledOut !== null) return { binding: null, failure: ruledOut };
  try {
    return { binding: require('../build/Release/uring_fs.node'), failure: null };
  } catch (error) {
    const reason = `the native module could not be loaded: ${firstLine(error)}`;
    return { binding: null, failure: { code: 'no-module', reason } };
  }
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}
