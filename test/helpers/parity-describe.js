'use strict';

const fs = require('node:fs');
const crypto = require('node:crypto');
const { EventEmitter } = require('node:events');
const { types } = require('node:util');

const SHOWN_LENGTH = 300;

// Fields of Stats that no two files share.
const OF_ONE_FILE = /^(ino|blocks|[acm]time(Ms|Ns|Instant)?|birthtime(Ms|Ns|Instant)?)$/;
// Fields of StatFs that other processes change at any time.
const OF_ONE_MOMENT = new Set(['bfree', 'bavail', 'ffree', 'files']);
const DATES = ['atime', 'mtime', 'ctime', 'birthtime'];
const INSTANTS = DATES.map((name) => `${name}Instant`);
const TYPE_CHECKS = [
  'isBlockDevice',
  'isCharacterDevice',
  'isDirectory',
  'isFIFO',
  'isFile',
  'isSocket',
  'isSymbolicLink',
];

const statsPrototypes = new Map([
  [fs.Stats.prototype, 'Stats'],
  [Object.getPrototypeOf(fs.statSync('/', { bigint: true })), 'BigIntStats'],
]);
const statFsPrototype = Object.getPrototypeOf(fs.statfsSync('/'));

const digest = (data) => crypto.createHash('sha1').update(data).digest('hex');

function describeString(value) {
  if (value.length <= SHOWN_LENGTH) return JSON.stringify(value);
  const start = JSON.stringify(value.slice(0, 40));
  return `string of ${value.length}, ${digest(Buffer.from(value, 'utf16le'))}, ${start}...`;
}

function describeBytes(view) {
  let bytes;
  try {
    bytes = types.isAnyArrayBuffer(view)
      ? new Uint8Array(view)
      : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  } catch {
    return 'detached';
  }
  const text = Buffer.from(bytes).toString('latin1');
  if (text.length <= 80) return JSON.stringify(text);
  return `${text.length} bytes, ${digest(bytes)}, ${JSON.stringify(text.slice(0, 20))}...`;
}

// With Node 20, promises in messages show their numbers as soon as anyone uses AsyncLocalStorage.
const withoutAsyncIds = (text) =>
  typeof text === 'string'
    ? text.replace(/\s*\[Symbol\((trigger_)?async_id_symbol[^]*$/, '')
    : text;

function className(value) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null) return 'null prototype';
  return String(prototype.constructor?.name);
}

// Turns the outcome of a call into plain data that can be compared and printed. `marks` names
// objects that the caller passed in, so that handing back the caller's own Buffer (and not a
// copy of it) is part of the comparison. What stands under `atLeast` must hold for ours where it
// holds for Node's, and may hold where it does not.
class Describer {
  constructor({ same = false } = {}) {
    this.same = same;
    this.marks = new WeakMap();
    this.seen = new Set();
    this.insideMarked = 0;
  }

  mark(name, object) {
    this.marks.set(object, name);
    return object;
  }

  describe(value) {
    if (typeof value === 'string') return describeString(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'function') return `function ${value.name}/${value.length}`;
    if (Object.is(value, -0)) return '-0';
    if (value === null || typeof value !== 'object') return String(value);
    if (this.seen.has(value)) return '(circular)';
    this.seen.add(value);
    const mark = this.marks.get(value);
    if (mark !== undefined) this.insideMarked++;
    try {
      const described = this.describeObject(value);
      return mark === undefined ? described : { caller: mark, is: described };
    } finally {
      this.seen.delete(value);
      if (mark !== undefined) this.insideMarked--;
    }
  }

  describeObject(value) {
    if (types.isProxy(value)) return 'Proxy';
    if (types.isNativeError(value) || value instanceof Error) return this.describeError(value);
    if (Array.isArray(value)) return value.map((item) => this.describe(item));
    if (ArrayBuffer.isView(value)) return this.describeView(value);
    if (types.isAnyArrayBuffer(value)) {
      return { type: className(value), content: describeBytes(value) };
    }
    if (types.isDate(value)) return `Date ${value.getTime()}`;
    if (statsPrototypes.has(Object.getPrototypeOf(value))) return this.describeStats(value);
    if (Object.getPrototypeOf(value) === statFsPrototype) return this.describeStatFs(value);
    if (value instanceof fs.Dirent) return this.describeDirent(value);
    if (
      value instanceof EventEmitter ||
      value.constructor?.name === 'FileHandle' || // with Node 20 no instance of EventEmitter
      value instanceof fs.Dir ||
      value instanceof AbortSignal ||
      value instanceof ReadableStream
    ) {
      return { type: className(value), isEmitter: typeof value.emit === 'function' };
    }
    const described = { type: className(value), keys: Object.keys(value).join() };
    for (const key of Object.keys(value)) described[`.${key}`] = this.describe(value[key]);
    return described;
  }

  describeView(view) {
    const described = {
      type: className(view),
      isBuffer: Buffer.isBuffer(view),
      memory: className(view.buffer),
      content: describeBytes(view),
    };
    if (this.insideMarked > 0) return described; // memory of the caller's own choice
    described.atLeast = {
      // Where Node cuts a Buffer from its pool, the offset is a matter of luck.
      startsAtZero: view.byteOffset === 0 && view.buffer.byteLength !== Buffer.poolSize,
      ownsItsMemory: view.buffer.byteLength === view.byteLength,
    };
    return described;
  }

  describeError(error) {
    const described = {
      error: String(error.constructor?.name),
      isError: error instanceof Error,
      name: error.name,
      message: withoutAsyncIds(error.message),
      keys: Reflect.ownKeys(error).map(String).sort().join(),
      enumerable: Object.keys(error).sort().join(),
      stackHead: withoutAsyncIds(String(error.stack).split('\n    at ')[0]),
      atLeast: { stackHasFrames: /\n {4}at /.test(error.stack) },
    };
    for (const key of ['code', 'errno', 'syscall', 'path', 'dest', 'info', 'cause', 'errors']) {
      if (key in error) described[`.${key}`] = this.describe(error[key]);
    }
    if (error.syscall === 'mkdtemp') {
      // The C library leaves the last name that it tried in the template.
      for (const key of ['message', 'stackHead']) {
        described[key] = described[key].replace(/[A-Za-z0-9]{6}'$/, "XXXXXX'");
      }
      described['.path'] = this.describe(error.path.replace(/[A-Za-z0-9]{6}$/, 'XXXXXX'));
    }
    return described;
  }

  describeStats(stats) {
    // Read the keys first: the dates become own properties once they were looked at (Node 22+).
    const described = {
      type: statsPrototypes.get(Object.getPrototypeOf(stats)),
      instanceOfStats: stats instanceof fs.Stats,
      keys: Object.keys(stats).join(),
    };
    const fields = [...new Set([...Object.keys(stats), ...DATES, ...INSTANTS])];
    for (const field of fields) {
      if (!(field in stats)) continue;
      const value = stats[field];
      described[`.${field}`] =
        this.same || !OF_ONE_FILE.test(field)
          ? field.endsWith('Instant')
            ? `Instant ${value}`
            : this.describe(value)
          : typeof value;
    }
    for (const date of DATES) {
      described[`${date} agrees`] =
        stats[date].getTime() === Math.round(Number(stats[`${date}Ms`])) ||
        typeof stats[`${date}Ms`] === 'bigint';
    }
    for (const check of TYPE_CHECKS) described[check] = stats[check]();
    return described;
  }

  describeStatFs(value) {
    const described = { type: className(value), keys: Object.keys(value).join() };
    for (const key of Object.keys(value)) {
      described[`.${key}`] = OF_ONE_MOMENT.has(key) ? typeof value[key] : String(value[key]);
    }
    return described;
  }

  describeDirent(entry) {
    const described = { type: className(entry), keys: Object.keys(entry).join() };
    described['.name'] = this.describe(entry.name);
    described['.parentPath'] = this.describe(entry.parentPath);
    for (const check of TYPE_CHECKS) described[check] = entry[check]();
    return described;
  }
}

function join(path, key) {
  return key.startsWith('.') ? path + key : `${path}[${key}]`;
}

// The places in which two descriptions differ.
function differences(node, ours, path = '') {
  if (node === ours) return [];
  const plain = (value) => value === null || typeof value !== 'object';
  if (plain(node) || plain(ours) || Array.isArray(node) !== Array.isArray(ours)) {
    return [{ path, node, ours }];
  }
  const found = [];
  for (const key of new Set([...Object.keys(node), ...Object.keys(ours)])) {
    if (key === 'atLeast') {
      for (const [name, holds] of Object.entries(node.atLeast ?? {})) {
        if (holds && !ours.atLeast?.[name]) {
          found.push({ path: join(path, name), node: holds, ours: false });
        }
      }
      continue;
    }
    found.push(...differences(node[key], ours[key], join(path, key)));
  }
  return found;
}

// The size of a folder differs with the history of its names, on some file systems.
function sizesOfFoldersOut(value) {
  if (value?.isDirectory?.()) value.size = typeof value.size === 'bigint' ? 0n : 0;
  return value;
}

module.exports = { Describer, differences, sizesOfFoldersOut };
