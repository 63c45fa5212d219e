'use strict';
/**
 * The functions of `node:fs/promises` that go through the ring. Each recognises the plainly valid call, and
 * returns undefined for all else: its caller then makes the call of Node's function of the same name
 * (index.js of that of fs/promises, callbacks.js of that of fs), so that the error for a bad argument is
 * Node's own.
 *
 * Those of which there are many calls take a callback in place of a promise, too: see callback-request.js.
 */

const { constants } = require('node:fs');
const { binding } = require('./binding');
const { nodePromises } = require('./delegate');
const { DescriptorFile, closingAfter, open: openDescriptor } = require('./descriptor');
const { AT_SYMLINK_NOFOLLOW } = require('./fcntl');
const { enter, extras, look, ops, prepare, takes } = require('./request');
const { bigintStatsAt, shapeIsKnown, statsAt } = require('./stats');
const {
  isBoolean,
  isCustomIterable,
  isEncoding,
  isFlush,
  isPlainStat,
  isPosition,
  isSignal,
  toFlags,
  toMode,
  toOptions,
  toPath,
} = require('./validate');
const { READ_MANY, readPath, readPathInto, takesReadBuffer, writePath } = require('./whole-file');

const { F_OK, O_APPEND, O_CREAT, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } =
  constants;

const { IS_UNCACHED } = binding;

const nothing = () => undefined;

/** Loaded with the first call that takes them. */
const directories = () => require('./directories');
let handles;
const FileHandle = () => (handles ??= require('./file-handle')).FileHandle;
const isHandle = (value) => handles !== undefined && value instanceof handles.FileHandle;

/** An operation without a value. request.detail: the arguments of Node's function of the same name. */
function plain(name) {
  return { syscall: name, finish: nothing, pool: ({ detail }) => nodePromises[name](...detail) };
}

const ACCESS = plain('access');
const LINK = plain('link');
const MKDIR = plain('mkdir');
const RENAME = plain('rename');
const RMDIR = plain('rmdir');
const SYMLINK = plain('symlink');
const UNLINK = plain('unlink');

const OPEN = {
  syscall: 'open',
  finish: ({ detail }, fd, index) => {
    const seekable = extras[index] >= 0;
    const flags = toFlags(detail[1], O_RDONLY);
    const nonBlocking = !seekable && (flags & O_NONBLOCK) !== 0;
    const found = (flags & O_DIRECT) === 0 ? 0 : look(fd) | IS_UNCACHED;
    return new (FileHandle())(fd, seekable, nonBlocking, found);
  },
  pool: ({ detail }) => nodePromises.open(...detail),
};

function statOperation(name, finish) {
  return { syscall: name, finish, pool: ({ detail }) => nodePromises[name](...detail) };
}
const toStats = (request, result, index) => statsAt(index);
const toBigintStats = (request, result, index) => bigintStatsAt(index);
const STAT = statOperation('stat', toStats);
const STAT_BIGINT = statOperation('stat', toBigintStats);
const LSTAT = statOperation('lstat', toStats);
const LSTAT_BIGINT = statOperation('lstat', toBigintStats);

/** Many at once: see many.js. */
function statMany(operation, finish) {
  return {
    name: 'statMany',
    flags: 0,
    isReady: () => shapeIsKnown,
    operation,
    detail: (path, { bigint }) => [path, { bigint }],
    value: finish,
  };
}
const natives = {
  nativeRead: READ_MANY,
  nativeStat: statMany(STAT, toStats),
  nativeBigintStat: statMany(STAT_BIGINT, toBigintStats),
};

/** A request with the arguments of Node's function, should that have to do it. */
function prepareFor(operation, path, dest, args, callback) {
  const request = prepare(operation, path, dest, undefined, callback);
  request.detail = args;
  return request;
}

function statPath(path, options, flags, operation, bigintOperation, callback) {
  const plainPath = toPath(path);
  if (plainPath === undefined || !shapeIsKnown || !isPlainStat(options)) return undefined;
  const chosen = options?.bigint === true ? bigintOperation : operation;
  const args = options === undefined ? [path] : [path, options];
  const request = prepareFor(chosen, plainPath, undefined, args, callback);
  return enter(ops.stat(plainPath, flags), request);
}

const stat = (path, options, callback) => statPath(path, options, 0, STAT, STAT_BIGINT, callback);

const lstat = (path, options, callback) =>
  statPath(path, options, AT_SYMLINK_NOFOLLOW, LSTAT, LSTAT_BIGINT, callback);

function access(path, mode = F_OK, callback) {
  const plainPath = toPath(path);
  // Nothing but a check of the caller's own ids asks for more than an existing file.
  if (plainPath === undefined || mode !== F_OK) return undefined;
  const request = prepareFor(ACCESS, plainPath, undefined, [path, mode], callback);
  return enter(ops.stat(plainPath, 0), request);
}

/** An operation on one path without options: unlink. */
function onPath(name, operation, path) {
  const plainPath = toPath(path);
  if (plainPath === undefined) return undefined;
  const request = prepareFor(operation, plainPath, undefined, [path]);
  return enter(ops[name](plainPath), request);
}

/** An operation on two paths without options: rename, link. */
function onPaths(name, operation, from, to) {
  const plainFrom = toPath(from);
  const plainTo = toPath(to);
  if (plainFrom === undefined || plainTo === undefined) return undefined;
  const request = prepareFor(operation, plainFrom, plainTo, [from, to]);
  return enter(ops[name](plainFrom, plainTo), request);
}

function readFile(path, options) {
  return isHandle(path) ? handles.readFileOf(path, options) : readFilePath(path, options);
}

function readFilePath(path, options, callback) {
  const plainPath = toPath(path);
  if (plainPath === undefined) return undefined;
  if (options === undefined) return readPath(plainPath, O_RDONLY, undefined, undefined, callback);
  const { encoding, flag, signal, buffer } = toOptions(options) ?? UNKNOWN;
  const flags = toFlags(flag || undefined, O_RDONLY);
  const isPlain =
    isEncoding(encoding) && flags !== undefined && isSignal(signal) && !signal?.aborted;
  if (!isPlain) return undefined;
  return buffer === undefined || !takesReadBuffer()
    ? readPath(plainPath, flags, encoding, signal, callback)
    : readPathInto(plainPath, flags, { buffer, encoding, options }, signal, callback);
}

/** Options that nothing recognises. */
const UNKNOWN = { encoding: 'unknown' };

function writeFileWith(name, byDefault, path, data, options) {
  return isHandle(path)
    ? handles.writeFileOf(path, data, options, name)
    : writePlain(byDefault, path, data, options);
}

function writePlain(byDefault, path, data, options) {
  const plainPath = toPath(path);
  const { encoding, flag, flush, mode, signal } = toOptions(options) ?? UNKNOWN;
  const flags = toFlags(flag || undefined, byDefault);
  const modeBits = toMode(mode, 0o666);
  const isData = typeof data === 'string' || ArrayBuffer.isView(data) || isCustomIterable(data);
  const isPlain =
    plainPath !== undefined &&
    isData &&
    isEncoding(encoding) &&
    flags !== undefined &&
    modeBits !== undefined &&
    isFlush(flush) &&
    isSignal(signal) &&
    !signal?.aborted;
  if (!isPlain) return undefined;
  const bytes = typeof data === 'string' ? Buffer.from(data, encoding || 'utf8') : data;
  return writePath(plainPath, bytes, {
    flags,
    mode: modeBits,
    flush: flush === true,
    encoding,
    signal,
  });
}

const functions = {
  access: (path, mode) => access(path, mode),

  appendFile(path, data, options) {
    return writeFileWith('appendFile', O_APPEND | O_CREAT | O_WRONLY, path, data, options);
  },

  link(existingPath, newPath) {
    return onPaths('link', LINK, existingPath, newPath);
  },

  lstat: (path, options) => lstat(path, options),

  mkdir(path, options) {
    const plainPath = toPath(path);
    const { mode, recursive } =
      typeof options === 'object' && options !== null ? options : { mode: options };
    const bits = toMode(mode, 0o777);
    if (plainPath === undefined || bits === undefined || !isBoolean(recursive)) return undefined;
    if (recursive) return directories().makeWithParents(plainPath, bits);
    const request = prepareFor(MKDIR, plainPath, undefined, [path, options]);
    return enter(ops.mkdir(plainPath, bits), request);
  },

  mkdtemp(prefix, options) {
    return directories().makeTemporary(prefix, options);
  },

  open(path, flags, mode) {
    const plainPath = toPath(path);
    const bits = toFlags(flags, O_RDONLY);
    const modeBits = toMode(mode, 0o666);
    if (plainPath === undefined || bits === undefined || modeBits === undefined) return undefined;
    const request = prepareFor(OPEN, plainPath, undefined, [path, flags, mode]);
    return enter(ops.open(plainPath, bits, modeBits), request);
  },

  readFile,

  rename(oldPath, newPath) {
    return onPaths('rename', RENAME, oldPath, newPath);
  },

  rm(path, options) {
    return directories().remove(path, options);
  },

  rmdir(path, options) {
    const plainPath = toPath(path);
    if (plainPath === undefined || options !== undefined) return undefined;
    const request = prepareFor(RMDIR, plainPath, undefined, [path]);
    return enter(ops.rmdir(plainPath), request);
  },

  stat: (path, options) => stat(path, options),

  symlink(target, path, type) {
    const plainTarget = toPath(target);
    const plainPath = toPath(path);
    const known = type === undefined || type === null || SYMLINK_TYPES.includes(type);
    if (plainTarget === undefined || plainPath === undefined || !known) return undefined;
    const request = prepareFor(SYMLINK, plainTarget, plainPath, [target, path, type]);
    return enter(ops.symlink(plainTarget, plainPath), request);
  },

  truncate(path, len = 0) {
    const plainPath = toPath(path);
    if (plainPath === undefined || !isPosition(len) || !takes('ftruncate')) return undefined;
    return truncate(plainPath, len);
  },

  unlink(path) {
    return onPath('unlink', UNLINK, path);
  },

  writeFile(path, data, options) {
    return writeFileWith('writeFile', O_TRUNC | O_CREAT | O_WRONLY, path, data, options);
  },
};

/** They mean something on Windows only. */
const SYMLINK_TYPES = ['dir', 'file', 'junction'];

async function truncate(path, len) {
  const { fd } = await openDescriptor(path, O_RDWR, 0o666);
  return closingAfter(new DescriptorFile(fd), (file) => file.truncate(len));
}

module.exports = {
  functions,
  /** With the callback as another argument. */
  withCallback: { access, lstat, readFile: readFilePath, stat },
  natives,
  get FileHandle() {
    return FileHandle();
  },
};
