'use strict';
/**
 * The callback functions of `node:fs` that go through the ring. Each takes the arguments of Node's function,
 * and returns what is truthy when it has taken the call; all else is for that function, whose caller is
 * fs.js. So what Node throws at once (a wrong argument, no callback) is thrown by Node.
 */

const { constants } = require('node:fs');
const { toCallback } = require('./callback-request');
const descriptors = require('./descriptor-calls');
const { functions, withCallback } = require('./promises');
const { serves } = require('./request');
const {
  isInt32,
  isRange,
  toBytes,
  toEncoded,
  toFlags,
  toMode,
  toPath,
  toPosition,
  toViews,
} = require('./validate');

const { F_OK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const O_ACCMODE = O_WRONLY | O_RDWR;

const isFunction = (value) => typeof value === 'function';
/** An array is none, to Node. */
const isObjectOrNull = (value) => typeof value === 'object' && !Array.isArray(value);

const isDescriptor = (value) => isInt32(value) && value >= 0;

/** Whether it is a path, and none that Node refuses at once. */
function isPath(value) {
  const path = toPath(value);
  return path !== undefined && !(typeof path === 'string' ? path.includes('\0') : path.includes(0));
}

/** The function of fs/promises does it, and gives its outcome to the callback. */
function byPromise(name, args, callback) {
  if (!isFunction(callback)) return undefined;
  return toCallback(functions[name](...args), callback);
}

/** A call with one path, whose options may be left out. */
const onPath = (name) => (path, options, callback) => {
  if (!isPath(path)) return undefined;
  return isFunction(options)
    ? byPromise(name, [path], options)
    : byPromise(name, [path, options], callback);
};

const onPaths = (name) => (from, to, callback) =>
  isPath(from) && isPath(to) ? byPromise(name, [from, to], callback) : undefined;

const statPath = (name) => (path, options, callback) => {
  if (isFunction(options)) {
    callback = options;
    options = undefined;
  }
  return isFunction(callback) && isPath(path)
    ? withCallback[name](path, options, callback)
    : undefined;
};

function access(path, mode, callback) {
  if (isFunction(mode)) {
    callback = mode;
    mode = F_OK;
  }
  return isFunction(callback) && isPath(path)
    ? withCallback.access(path, mode, callback)
    : undefined;
}

function readFile(path, options, callback) {
  callback ||= options;
  if (!isFunction(callback) || !isPath(path)) return undefined;
  if (options === null || isFunction(options)) options = undefined;
  // Those of fs/promises take what is falsy for no flag.
  const flag = options?.flag ?? O_RDONLY;
  if (!flag && flag !== O_RDONLY) return undefined;
  return withCallback.readFile(path, options, callback);
}

/** writeFile and appendFile: not the iterables that those of fs/promises take. */
const write = (name) => (path, data, options, callback) => {
  callback ||= options;
  if (!isPath(path) || !(typeof data === 'string' || ArrayBuffer.isView(data))) return undefined;
  // Node writes even no bytes at all, which a file that is not open for writing refuses.
  const flag = options?.flag;
  if (flag && ![O_WRONLY, O_RDWR].includes(toFlags(flag) & O_ACCMODE)) return undefined;
  return byPromise(name, [path, data, options], callback);
};

function open(path, flags, mode, callback) {
  if (arguments.length < 3) {
    callback = flags;
    flags = undefined;
  } else if (isFunction(mode)) {
    callback = mode;
    mode = undefined;
  }
  const bits = toFlags(flags, O_RDONLY);
  const modeBits = toMode(mode, 0o666);
  const isPlain =
    isFunction(callback) && isPath(path) && bits !== undefined && modeBits !== undefined;
  return isPlain ? descriptors.open(toPath(path), bits, modeBits, callback) : undefined;
}

/** A call on a descriptor, and nothing else. */
const onDescriptor = (call) => (fd, callback) =>
  isFunction(callback) && isDescriptor(fd) ? call(fd, callback) : undefined;

const close = onDescriptor(descriptors.close);
/** Node's callback for a close that has none: it, too, has to wait for what is under way. */
function orThrow(error) {
  if (error !== null) throw error;
}

/** The same, with an argument that may be left out. */
const onDescriptorWith = (call, byDefault) => (fd, argument, callback) => {
  if (isFunction(argument)) {
    callback = argument;
    argument = byDefault;
  }
  return isFunction(callback) && isDescriptor(fd) ? call(fd, argument, callback) : undefined;
};

/** (fd, buffer, offset, length, position, callback), (fd, buffer, options, callback) or shorter. */
function read(fd, buffer, offset, length, position, callback) {
  const count = arguments.length;
  if (count <= 4) {
    // A Buffer that Node makes is no matter for the ring: it is as well made by Node.
    if (count < 3 || !ArrayBuffer.isView(buffer)) return undefined;
    if (count === 4 && (offset === null || !isObjectOrNull(offset))) return undefined;
    callback = count === 4 ? length : offset;
    const options = count === 4 ? offset : {};
    ({ offset = 0, length = buffer.byteLength - offset, position = null } = options);
  }
  const from = toPosition(position);
  offset ??= 0;
  if (!isFunction(callback) || !isDescriptor(fd) || !ArrayBuffer.isView(buffer)) return undefined;
  if (from === undefined || !isRange(buffer, offset, length)) return undefined;
  return descriptors.read(fd, buffer, toBytes(buffer), offset, length, from, callback);
}

/** (fd, buffer, offset, length, position, callback), (fd, buffer, options, callback) or shorter. */
function writeView(fd, buffer, offset, length, position, callback) {
  callback ||= position || length || offset;
  if (!isFunction(callback)) return undefined;
  if (isObjectOrNull(offset)) {
    ({ offset = 0, length = buffer.byteLength - offset, position = null } = offset ?? {});
  }
  if (offset === undefined || isFunction(offset)) offset = 0;
  if (typeof length !== 'number') length = buffer.byteLength - offset;
  const to = toPosition(typeof position === 'number' ? position : null);
  if (!isDescriptor(fd) || to === undefined || !isRange(buffer, offset, length)) return undefined;
  return descriptors.write(fd, buffer, toBytes(buffer), offset, length, to, callback);
}

/** (fd, string, position, encoding, callback) or shorter. */
function writeString(fd, string, position, encoding, callback) {
  if (isFunction(position)) {
    callback = position;
    position = encoding = undefined;
  } else if (isFunction(encoding)) {
    callback = encoding;
    encoding = undefined;
  }
  const to = toPosition(typeof position === 'number' ? position : null);
  if (!isFunction(callback) || !isDescriptor(fd) || to === undefined) return undefined;
  const bytes = toEncoded(string, encoding);
  if (bytes === undefined) return undefined;
  return descriptors.write(fd, string, bytes, 0, bytes.length, to, callback);
}

/** readv and writev: (fd, buffers, position, callback) or shorter. */
const onVector = (call) => (fd, buffers, position, callback) => {
  callback ||= position;
  const at = toPosition(typeof position === 'number' ? position : null);
  if (!isFunction(callback) || !isDescriptor(fd) || at === undefined) return undefined;
  const views = toViews(buffers);
  return views === undefined || views.length === 0
    ? undefined
    : call(fd, buffers, views, at, callback);
};

/** By name. @type {Record<string, (...args: any[]) => any>} */
const callbacks = {
  access,
  appendFile: write('appendFile'),
  close: (fd, callback = orThrow) => close(fd, callback),
  exists: (path, callback) =>
    isFunction(callback) && access(path, F_OK, (error) => callback(error === null)),
  fdatasync: onDescriptor(descriptors.fdatasync),
  fstat: onDescriptorWith(descriptors.fstat, undefined),
  fsync: onDescriptor(descriptors.fsync),
  ftruncate: onDescriptorWith(descriptors.ftruncate, 0),
  link: onPaths('link'),
  lstat: statPath('lstat'),
  mkdir: onPath('mkdir'),
  mkdtemp: onPath('mkdtemp'),
  open,
  read,
  readFile,
  readv: onVector(descriptors.readv),
  rename: onPaths('rename'),
  rm: onPath('rm'),
  rmdir: onPath('rmdir'),
  stat: statPath('stat'),
  symlink(target, path, type, callback, ...rest) {
    // Some versions take whatever comes last for the callback.
    if (rest.length > 0 || !isPath(target) || !isPath(path)) return undefined;
    return isFunction(type) && callback === undefined
      ? byPromise('symlink', [target, path], type)
      : byPromise('symlink', [target, path, type], callback);
  },
  truncate: onPath('truncate'),
  unlink: (path, callback) => (isPath(path) ? byPromise('unlink', [path], callback) : undefined),
  write: (fd, data, ...rest) =>
    ArrayBuffer.isView(data) ? writeView(fd, data, ...rest) : writeString(fd, data, ...rest),
  writeFile: write('writeFile'),
  writev: onVector(descriptors.writev),
};

module.exports = { callbacks, serves };
