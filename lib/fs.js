'use strict';
/**
 * uring-fs/fs: the shape of `node:fs`. Its asynchronous functions go through io_uring where the kernel has
 * it, `promises` is uring-fs, streams are Node's own over these functions. All else, the synchronous
 * functions among it, is Node's itself.
 */

const nodeFs = require('node:fs');
const { promisify } = require('node:util');
const { ruledOut } = require('./delegate');
const { callbackNames } = require('./names');

/** @returns {Record<string, Function> | null} what takes the calls; null: Node's own functions have them all */
function load() {
  const isThere = require('./binding').binding !== null;
  if (!isThere) return null;
  const { callbacks, serves } = require('./callbacks');
  return serves() ? callbacks : null;
}

/** @type {Record<string, Function> | null | undefined} undefined before the first call */
let loaded;

/** Whether the ring has taken the call. It may not even look at arguments that throw then: Node meets that. */
function take(name, args) {
  try {
    if (loaded === undefined) loaded = load();
    return Boolean(loaded?.[name](...args));
  } catch {
    return false;
  }
}

/** Node's function, with the ring before it. */
function throughRing(name) {
  const itsOwn = nodeFs[name];
  const { [name]: ours } = {
    [name](...args) {
      return take(name, args) ? undefined : Reflect.apply(itsOwn, this, args);
    },
  };
  const properties = Object.getOwnPropertyDescriptors(itsOwn);
  delete properties.prototype;
  // What util.promisify() goes by. Where that is another function, it has to call ours.
  if (Object.hasOwn(properties, promisify.custom)) {
    properties[promisify.custom].value = promisified(ours);
  }
  return Object.defineProperties(ours, properties);
}

/** exists() alone has one: its callback knows no error. */
function promisified(ours) {
  return (path) =>
    new Promise((resolve) => {
      ours(path, resolve);
    });
}

/** What Node loads when it is asked for; what is assigned takes its place here, not in Node. */
function onDemand(name, get, { enumerable }) {
  return {
    configurable: true,
    enumerable,
    get,
    set(value) {
      const plain = { configurable: true, enumerable, value, writable: true };
      Object.defineProperty(module.exports, name, plain);
    },
  };
}

let streamClasses;
const streams = () =>
  (streamClasses ??= require('./file-streams').makeStreams(module.exports, module.exports.read));
const ReadStream = () => streams().ReadStream;
const WriteStream = () => streams().WriteStream;
const STREAMS = {
  ReadStream,
  FileReadStream: ReadStream,
  WriteStream,
  FileWriteStream: WriteStream,
};

/** @returns {PropertyDescriptorMap} of module.exports */
function shape() {
  const all = Object.getOwnPropertyDescriptors(nodeFs);
  for (const [name, property] of Object.entries(all)) {
    if (name === 'promises') {
      all.promises = { ...property, get: () => require('./index') };
    } else if (/^[FRWX]_OK$/.test(name) && property.get !== undefined) {
      // Importing anything from here must not warn of these, which Node has deprecated.
      all[name] = { value: nodeFs.constants[name] };
    } else if (callbackNames.includes(name)) {
      if (ruledOut === null) property.value = throughRing(name);
    } else if (name === 'createReadStream' || name === 'createWriteStream') {
      // Deno has it by a getter.
      const value = creator(name, nodeFs[name]);
      all[name] = { configurable: true, enumerable: property.enumerable, value, writable: true };
    } else if (property.set !== undefined) {
      all[name] = onDemand(name, STREAMS[name] ?? property.get, property);
    }
  }
  return all;
}

/** createReadStream and createWriteStream, which make what has been assigned to the class, as Node's do. */
function creator(name, itsOwn) {
  const className = name.slice('create'.length);
  const { [name]: ours } = {
    [name]: (path, options) => new module.exports[className](path, options),
  };
  return Object.defineProperty(ours, 'length', { value: itsOwn.length });
}

Object.defineProperties(module.exports, shape());

/** Never called: by these assignments Node's ES module loader finds the names that can be imported. */
// prettier-ignore
// eslint-disable-next-line no-unused-vars
function namesForEsModules(exports) {
  exports.Dir = exports.Dirent = exports.F_OK = exports.FileReadStream = exports.FileWriteStream =
    exports.R_OK = exports.ReadStream = exports.Stats = exports.Utf8Stream = exports.W_OK =
    exports.WriteStream = exports.X_OK = exports._toUnixTimestamp = exports.access = exports.accessSync =
    exports.appendFile = exports.appendFileSync = exports.chmod = exports.chmodSync = exports.chown =
    exports.chownSync = exports.close = exports.closeSync = exports.constants = exports.copyFile =
    exports.copyFileSync = exports.cp = exports.cpSync = exports.createReadStream =
    exports.createWriteStream = exports.exists = exports.existsSync = exports.fchmod = exports.fchmodSync
    = exports.fchown = exports.fchownSync = exports.fdatasync = exports.fdatasyncSync = exports.fstat =
    exports.fstatSync = exports.fsync = exports.fsyncSync = exports.ftruncate = exports.ftruncateSync =
    exports.futimes = exports.futimesSync = exports.glob = exports.globSync = exports.lchmod =
    exports.lchmodSync = exports.lchown = exports.lchownSync = exports.link = exports.linkSync =
    exports.lstat = exports.lstatSync = exports.lutimes = exports.lutimesSync = exports.mkdir =
    exports.mkdirSync = exports.mkdtemp = exports.mkdtempDisposableSync = exports.mkdtempSync =
    exports.open = exports.openAsBlob = exports.openAsBlobSync = exports.openSync = exports.opendir =
    exports.opendirSync = exports.promises = exports.read = exports.readFile = exports.readFileSync =
    exports.readSync = exports.readdir = exports.readdirSync = exports.readlink = exports.readlinkSync =
    exports.readv = exports.readvSync = exports.realpath = exports.realpathSync = exports.rename =
    exports.renameSync = exports.rm = exports.rmSync = exports.rmdir = exports.rmdirSync = exports.stat =
    exports.statSync = exports.statfs = exports.statfsSync = exports.symlink = exports.symlinkSync =
    exports.truncate = exports.truncateSync = exports.unlink = exports.unlinkSync = exports.unwatchFile =
    exports.utimes = exports.utimesSync = exports.watch = exports.watchFile = exports.write =
    exports.writeFile = exports.writeFileSync = exports.writeSync = exports.writev = exports.writevSync =
    null;
}
