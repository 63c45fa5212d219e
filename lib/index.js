'use strict';
/**
 * uring-fs: the functions of `node:fs/promises`, through io_uring where the kernel has it.
 *
 * The surface is the running Node's: what has no opcode, or is newer than this package, is Node's own
 * function.
 */

const { constants } = require('node:fs');
const { makeWriteFileAtomic } = require('./atomic');
const { binding } = require('./binding');
const { nodePromises } = require('./delegate');
const { createMany } = require('./many');
const ring = require('./ring');

const { functions, FileHandle, natives } =
  binding === null
    ? { functions: {}, FileHandle: require('./node-handle'), natives: {} }
    : require('./promises');

/**
 * Lets Node have the call when looking at its arguments throws (a getter of the options, a proxy): it
 * may not even look there. Nothing has been submitted by then. The name and length are those of Node's
 * function.
 */
function asAsync(name, ours) {
  const { [name]: guarded } = {
    [name](a, b, c) {
      try {
        return ours(a, b, c);
      } catch {
        return nodePromises[name](a, b, c);
      }
    },
  };
  return Object.defineProperty(guarded, 'length', { value: nodePromises[name].length });
}

for (const [name, ours] of Object.entries(functions)) module.exports[name] = asAsync(name, ours);
for (const name of Object.keys(nodePromises)) module.exports[name] ??= nodePromises[name];
const { readFile, stat } = module.exports;
const { readFiles, statFiles } = createMany({ readFile, stat, ...natives });
Object.assign(module.exports, { constants, FileHandle, readFiles, ring, statFiles });
module.exports.writeFileAtomic = makeWriteFileAtomic({ ...module.exports });

/** Never called: by these assignments Node's ES module loader finds the names that can be imported. */
// eslint-disable-next-line no-unused-vars
function namesForEsModules(exports) {
  exports.access = exports.appendFile = exports.chmod = exports.chown = exports.constants = null;
  exports.copyFile = exports.cp = exports.FileHandle = exports.glob = exports.lchmod = null;
  exports.lchown = exports.link = exports.lstat = exports.lutimes = exports.mkdir = null;
  exports.mkdtemp = exports.mkdtempDisposable = exports.open = exports.opendir = null;
  exports.readFile = exports.readdir = exports.readlink = exports.realpath = exports.rename = null;
  exports.readFiles = exports.ring = exports.rm = exports.rmdir = exports.stat = null;
  exports.statFiles = exports.statfs = null;
  exports.symlink = exports.truncate = exports.unlink = exports.utimes = exports.watch = null;
  exports.writeFile = exports.writeFileAtomic = null;
}
