'use strict';
/**
 * uring-fs: the functions of `node:fs/promises`, through io_uring where the kernel has it.
 *
 * The surface is the running Node's: what has no opcode, or is newer than this package, is Node's own
 * function. Little is loaded here, the rest with the first call: a program may never make one.
 */

const { constants } = require('node:fs');
const { nodePromises, ruledOut } = require('./delegate');
const { promiseNames } = require('./names');
const ring = require('./ring');

/** @returns {{ functions: object, natives: object, FileHandle: Function }} what serves the calls */
function servers() {
  const isThere = require('./binding').binding !== null;
  return isThere
    ? require('./promises')
    : { functions: nodePromises, natives: {}, FileHandle: require('./node-handle') };
}

/**
 * A function that is loaded with its first call. What it throws, or loading it throws (no descriptor is
 * left, the files are out of reach), is `refused`: nothing has been submitted by then. So is a call that
 * the function does not take: it returns undefined.
 *
 * @param {string} name
 * @param {number} length
 * @param {() => Function} load
 * @param {(error: Error | undefined, args: any[]) => Promise<any>} refused
 */
function late(name, length, load, refused) {
  let ours;
  const { [name]: guarded } = {
    [name](a, b, c) {
      let refusal;
      try {
        ours ??= load();
        const promise = ours(a, b, c);
        if (promise !== undefined) return promise;
      } catch (error) {
        refusal = error;
      }
      return refused(refusal, [a, b, c]);
    },
  };
  return Object.defineProperty(guarded, 'length', { value: length });
}

/**
 * Node's function has the call when looking at its arguments throws (a getter of the options, a proxy): it
 * may not even look there.
 */
function throughRing(name) {
  const itsOwn = nodePromises[name];
  return late(
    name,
    itsOwn.length,
    () => servers().functions[name],
    (error, args) => itsOwn(...args),
  );
}

const reject = (error) => Promise.reject(error);

/** readFiles or statFiles. */
function many(name) {
  const load = () => {
    const { readFile, stat } = functions;
    return require('./many').createMany({ readFile, stat, ...servers().natives })[name];
  };
  return late(name, 2, load, reject);
}

const functions = { ...nodePromises };
if (ruledOut === null) {
  for (const name of promiseNames) functions[name] = throughRing(name);
}

Object.assign(module.exports, functions, {
  constants,
  readFiles: many('readFiles'),
  ring,
  statFiles: many('statFiles'),
  writeFileAtomic: late(
    'writeFileAtomic',
    3,
    () => require('./atomic').makeWriteFileAtomic(functions),
    reject,
  ),
});
// Not by defineProperty(), upon which Node's ES module loader takes the name for none to import.
Object.defineProperties(module.exports, {
  FileHandle: { configurable: true, enumerable: true, get: () => servers().FileHandle },
});

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
