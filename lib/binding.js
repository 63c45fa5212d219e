'use strict';

const fs = require('node:fs');
const path = require('node:path');
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
    return { binding: loadNative(), failure: null };
  } catch (error) {
    const reason = `the native module could not be loaded: ${firstLine(error)}`;
    return { binding: null, failure: { code: 'no-module', reason } };
  }
}

/** A build of one's own comes before the binaries that the package brings. */
function loadNative() {
  const nodeGypBuild = require('node-gyp-build');
  const source = path.join(__dirname, '..', 'src');
  const built = path.join(source, 'build', 'Release', 'uring_fs.node');
  if (fs.existsSync(built)) return nodeGypBuild(source);
  return nodeGypBuild(path.join(__dirname, '..'));
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}
