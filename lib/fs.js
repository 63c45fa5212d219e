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
const promisified = (ours) => (path) => new Promise((resolve) => ours(path, resolve));

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
const streams = () => (streamClasses ??= require('./file-streams').makeStreams(module.exports));
const ReadStream = () => streams().ReadStream;
const WriteStream = () => streams().WriteStream;
const STREAMS = { ReadStream, FileReadStream: ReadStream, WriteStream, FileWriteStream: WriteStream };

/** @returns {PropertyDescriptorMap} of module.exports */
function shape() {
  const all = Object.getOwnPropertyDescriptors(nodeFs);
  for (const [name, property] of Object.entries(all)) {
    if (name === 'promises') {
      all.promises = { ...property, get: () => require('./index') };
    } else if (ruledOut !== null) {
      // Node's own, all of it.
    } else if (callbackNames.includes(name)) {
      property.value = throughRing(name);
    } else if (name === 'createReadStream' || name === 'createWriteStream') {
      property.value = creator(name, property.value);
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
