'use strict';

// What the calls of the fuzzer are given: good arguments and bad ones. Everything is described by a label
// and made anew for each side, since a call may change what it is given.

const fs = require('node:fs');
const { Readable } = require('node:stream');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');
const fc = require('fast-check');
const { detached } = require('../helpers/memory');
const { ENCODINGS, ODD_VALUES, TARGETS } = require('../helpers/parity-values');

/**
 * @typedef {{ label: string, make: (side: object) => any }} Value
 */

/** @returns {Value} */
function value(label, make) {
  return { label, make, [fc.toStringMethod]: () => label };
}

const plain = (what) =>
  value(typeof what === 'string' ? JSON.stringify(what) : inspect(what), () => what);

/** One of these, `weight` times likelier than the others. */
const mostly = (weight, good, ...bad) =>
  fc.oneof({ weight, arbitrary: good }, ...bad.map((arbitrary) => ({ weight: 1, arbitrary })));

const among = (...choices) => fc.constantFrom(...choices.map(plain));

const odd = fc.constantFrom(...ODD_VALUES.map(([label, make]) => value(label, make)));

/* ---- paths: all below the working directory, which is the twin folder ---- */

const NAMES = [
  'a',
  'b',
  'c',
  'file',
  'empty',
  'text',
  'dir',
  'dir/x',
  'dir/inner',
  'emptydir',
  'deep/er/z',
  'link',
  'dirlink',
  'dirlink/inner',
  'dangling',
  'missing/q',
];

// Not `.`: a link to it would make of `name/..` a way out of the twin folder.
const name = mostly(
  8,
  fc.constantFrom(...NAMES),
  fc.constantFrom(...TARGETS.map(([, target]) => target).filter((target) => target !== '.')),
);

const PATH_KINDS = {
  '': (side, text) => text,
  'absolute ': (side, text) => side.path(text || 'a'),
  'dotted ': (side, text) => `./${text}`,
  'Buffer ': (side, text) => Buffer.from(text),
  'Uint8Array ': (side, text) => new Uint8Array(Buffer.from(text)),
  'URL ': (side, text) => pathToFileURL(side.path(text || 'a')),
  'shared Uint8Array ': (side, text) => {
    const bytes = Buffer.from(text);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    return shared;
  },
};

const goodPath = fc
  .tuple(
    mostly(9, fc.constantFrom('', 'absolute '), fc.constantFrom(...Object.keys(PATH_KINDS))),
    name,
  )
  .map(([kind, text]) => value(`${kind}${shorten(text)}`, (side) => PATH_KINDS[kind](side, text)));

const path = mostly(15, goodPath, odd);

/** A path, or a handle in its place. */
const pathOrHandle = mostly(
  10,
  path,
  fc.nat(3).map((index) => value(`handle ${index}`, (side) => side.handleAt(index))),
);

function shorten(text) {
  const shown = JSON.stringify(text);
  return shown.length > 60 ? `${shown.slice(0, 40)}...(${text.length})` : shown;
}

/* ---- numbers ---- */

const int = (min, max) => fc.integer({ min, max }).map(plain);
const ODD_NUMBERS = [-0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32 + 7, 2 ** 53, 1e300];
const number = (max) =>
  mostly(
    12,
    int(0, max),
    among(...ODD_NUMBERS),
    fc.constantFrom(
      value('3n', () => 3n),
      value('-1n', () => -1n),
      value('2n**63n', () => 2n ** 63n),
    ),
    odd,
  );
// Node 20 aborts on a mode of -0 or 2**31.
const oddMode = odd.filter(({ label }) => !['-0', '2**31'].includes(label));
const mode = mostly(8, among(0o600, 0o644, 0o755, 0o400, '644', undefined), oddMode);
const flag = mostly(
  15,
  among('r', 'r+', 'rs+', 'w', 'wx', 'w+', 'a', 'ax', 'a+', undefined),
  among(
    ...['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_DIRECTORY', 'O_NOFOLLOW', 'O_NONBLOCK', 'O_SYNC'].map(
      (key) => fs.constants[key],
    ),
    fs.constants.O_RDWR | fs.constants.O_CREAT,
    fs.constants.O_WRONLY | fs.constants.O_APPEND,
    fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_TRUNC,
    3,
  ),
  oddMode,
);

/* ---- memory ---- */

const VIEWS = {
  Buffer: (size) => Buffer.alloc(size),
  Uint8Array: (size) => new Uint8Array(size),
  'part of a Uint8Array': (size) => new Uint8Array(new ArrayBuffer(size + 16), 8, size),
  Uint8ClampedArray: (size) => new Uint8ClampedArray(size),
  Int8Array: (size) => new Int8Array(size),
  Uint16Array: (size) => new Uint16Array(size >> 1),
  Float64Array: (size) => new Float64Array(size >> 3),
  BigInt64Array: (size) => new BigInt64Array(size >> 3),
  DataView: (size) => new DataView(new ArrayBuffer(size + 4), 2, size),
  'shared Uint8Array': (size) => new Uint8Array(new SharedArrayBuffer(size)),
  'growable shared': (size) =>
    new Uint8Array(new SharedArrayBuffer(size, { maxByteLength: size + 64 })),
  resizable: (size) => new Uint8Array(new ArrayBuffer(size, { maxByteLength: size + 64 })),
  'grown, of a fixed length': (size) => {
    const buffer = new ArrayBuffer(size, { maxByteLength: size + 64 });
    const view = new Uint8Array(buffer, 0, size);
    buffer.resize(size + 64);
    return view;
  },
  'resizable, shrunk': (size) => {
    const buffer = new ArrayBuffer(size, { maxByteLength: size + 64 });
    const view = new Uint8Array(buffer, size >> 1);
    buffer.resize(size >> 2);
    return view;
  },
  detached: (size) => detached(new Uint8Array(size)),
};

/** Bytes that tell where they came from. */
function filled(view, seed) {
  if (view.byteLength === 0) return view;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (seed + i * 7) & 0xff;
  return view;
}

const size = mostly(
  3,
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(4096, 16320, 16384, 40000),
);

const goodView = fc
  .tuple(
    mostly(2, fc.constant('Buffer'), fc.constantFrom(...Object.keys(VIEWS))),
    size,
    fc.nat(255),
  )
  .map(([kind, length, seed]) =>
    value(`${kind} of ${length}, ${seed}`, (side) =>
      side.mark('view', filled(VIEWS[kind](length), seed)),
    ),
  );
const view = mostly(12, goodView, odd);
/** What readFile() may be given to ask for its memory. */
const viewFactory = view.map((one) =>
  value(`() => ${one.label}`, (side) => {
    const memory = one.make(side);
    return () => memory;
  }),
);
const views = mostly(
  10,
  fc
    .array(goodView, { maxLength: 4 })
    .map((list) =>
      value(`[${list.map(({ label }) => label)}]`, (side) => list.map((one) => one.make(side))),
    ),
  fc.array(view, { maxLength: 3 }).map((list) =>
    value(`odd [${list.map(({ label }) => label)}]`, (side) => {
      class Exotic extends Array {}
      return Exotic.from(list, (one) => one.make(side));
    }),
  ),
  odd,
);

const text = fc
  .tuple(
    fc.constantFrom('x', 'caf\u00e9 ', '\u2603\u{1f600}', 'abcdef0123', '\ud800', '0g', '\u0000'),
    mostly(3, fc.integer({ min: 0, max: 40 }), fc.constantFrom(2000, 16384)),
  )
  .map(([unit, times]) => value(`${JSON.stringify(unit)} x ${times}`, () => unit.repeat(times)));

const ITERABLES = {
  'array of strings': () => ['one', 'two', ''],
  'array of Buffers': () => [Buffer.from('one'), new Uint16Array([1, 2])],
  'array with a number': () => ['one', 2],
  generator: () =>
    (function* generate() {
      yield 'gen';
      yield Buffer.from('erated');
    })(),
  'generator that throws': () =>
    (function* generate() {
      yield 'begun';
      throw new RangeError('the generator threw');
    })(),
  'async generator': () =>
    (async function* generate() {
      yield 'a';
      await undefined;
      yield 'sync';
    })(),
  'async generator that throws': () =>
    (async function* generate() {
      yield 'begun';
      await undefined;
      throw new RangeError('the generator threw');
    })(),
  stream: () => Readable.from(['str', 'eam']),
  'iterable of nothing': () => ({ [Symbol.iterator]: () => ({ next: () => ({ done: true }) }) }),
  'iterator that is none': () => ({ [Symbol.iterator]: () => 5 }),
};
const iterable = fc.constantFrom(
  ...Object.entries(ITERABLES).map(([label, make]) => value(label, make)),
);

const data = mostly(6, fc.oneof(text, goodView), iterable, odd);

/* ---- options ---- */

const encoding = mostly(
  12,
  among('utf8', 'latin1', 'hex', 'base64', undefined, null),
  among(...ENCODINGS, 'buffer', 'utf-16', ''),
  odd,
);
const boolean = mostly(10, among(true, false, undefined), odd);
const signal = mostly(
  4,
  fc.constant(value('a signal', () => new AbortController().signal)),
  fc.constant(value('an aborted signal', () => AbortSignal.abort())),
  fc.constant(value('aborted, with a reason', () => AbortSignal.abort(new RangeError('mine')))),
  odd,
);

/** Ways in which an object may carry its properties. */
const SHAPES = {
  '': (object) => object,
  'inherited ': (object) => Object.create(object),
  'without prototype ': (object) => Object.assign(Object.create(null), object),
  'proxy of ': (object) => new Proxy(object, {}),
  'getters of ': (object) => withGetters(object, () => {}),
  // Outside of the folders that are compared: how often, and whether at all, is nobody's promise.
  'getters that write, of ': (object, side) =>
    withGetters(object, () => fs.writeFileSync(`${side.shared}/got`, 'it')),
  'throwing getters of ': (object) =>
    withGetters(object, (key) => {
      throw new RangeError(`the getter of ${key} threw`);
    }),
};

function withGetters(object, before) {
  const made = {};
  for (const [key, content] of Object.entries(object)) {
    const get = () => {
      before(key);
      return content;
    };
    Object.defineProperty(made, key, { get, enumerable: true });
  }
  return made;
}

/** An object with some of these properties. */
function options(properties) {
  const shape = mostly(4, fc.constant(''), fc.constantFrom(...Object.keys(SHAPES)));
  return fc.tuple(shape, fc.record(properties, { requiredKeys: [] })).map(([kind, record]) => {
    const shown = Object.entries(record).map(([key, one]) => `${key}: ${one.label}`);
    return value(`${kind}{ ${shown.join(', ')} }`, (side) => {
      const made = Object.entries(record).map(([key, one]) => [key, one.make(side)]);
      return SHAPES[kind](Object.fromEntries(made), side);
    });
  });
}

/** Such an object mostly, or a string in its place, or nothing. */
const optionsOr = (properties, ...others) =>
  mostly(8, options(properties), among(undefined), oddMode, ...others);

module.exports = {
  among,
  boolean,
  data,
  encoding,
  flag,
  goodPath,
  int,
  iterable,
  mode,
  mostly,
  name,
  number,
  odd,
  options,
  optionsOr,
  path,
  pathOrHandle,
  plain,
  shorten,
  signal,
  text,
  value,
  view,
  viewFactory,
  views,
};
