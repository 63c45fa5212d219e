'use strict';

// What a step is, and the calls that steps make: on paths, and on what is open.

const fc = require('fast-check');
const v = require('./values');

const ANY_LENGTH = Number.parseInt(process.versions.node, 10) >= 26;

/**
 * @typedef {object} Step
 * @property {string} label
 * @property {(side: object, label: string) => Promise<void>} run takes the step, and notes what came of it
 */

/** @returns {Step} */
function step(label, run) {
  return { label, run, [fc.toStringMethod]: () => label };
}

const made = (side, args) => args.map((arg) => arg.make(side));
const shown = (args) => args.map(({ label }) => label).join(', ');

/** Some calls have fewer arguments than they could. */
function argumentsOf(...kinds) {
  const all = fc.tuple(...kinds);
  return v.mostly(
    6,
    all,
    fc.tuple(all, fc.nat(kinds.length)).map(([args, count]) => args.slice(0, count)),
  );
}

/* ---- on paths ---- */

const { encoding, signal, mode, flag, boolean, number, path, pathOrHandle } = v;
const writeOptions = v.optionsOr({ encoding, mode, flag, signal, flush: boolean }, encoding);
const statOptions = v.optionsOr({ bigint: boolean });
const readOptions = { encoding, signal, buffer: v.mostly(3, v.view, v.viewFactory) };
const few = v.mostly(6, v.among(0, 1, undefined), v.among(-1, NaN, '1', 1.5));

const PATH_CALLS = {
  access: argumentsOf(path, v.mostly(6, v.among(0, 4, 6, undefined), v.odd)),
  appendFile: argumentsOf(pathOrHandle, v.data, writeOptions),
  chmod: argumentsOf(path, v.among(0o600, 0o644, 0o755)),
  link: argumentsOf(path, path),
  lstat: argumentsOf(path, statOptions),
  mkdir: argumentsOf(path, v.optionsOr({ recursive: boolean, mode }, mode)),
  mkdtemp: argumentsOf(path, v.among(undefined, null, 'utf8', 'buffer', 'unknown', 5)),
  readFile: argumentsOf(pathOrHandle, v.optionsOr({ ...readOptions, flag }, encoding)),
  readdir: argumentsOf(path),
  readlink: argumentsOf(path),
  realpath: argumentsOf(path),
  rename: argumentsOf(path, path),
  rm: argumentsOf(
    path,
    v.optionsOr({ recursive: boolean, force: boolean, maxRetries: few, retryDelay: few }),
  ),
  rmdir: argumentsOf(path),
  stat: argumentsOf(path, statOptions),
  symlink: argumentsOf(path, path, v.mostly(4, v.among('file', 'dir', undefined, null), v.odd)),
  truncate: argumentsOf(path, number(70_000)),
  unlink: argumentsOf(path),
  utimes: argumentsOf(path, number(2 ** 31), number(2 ** 31)),
  writeFile: argumentsOf(pathOrHandle, v.data, writeOptions),
};

/* ---- on what is open ---- */

const position = v.mostly(3, v.among(null, undefined), number(30_000));
// Before Node 26 a length that is no integer ends the process.
const lengthNumber = ANY_LENGTH
  ? number(20_000)
  : v.mostly(9, v.int(0, 20_000), v.among(-0, -1, 2 ** 31, 2 ** 32 + 7, 2 ** 53, 1e300));
const length = v.mostly(3, v.among(undefined, null), lengthNumber);
// And so does, on all versions, a write of -0 bytes.
const writeLength = length.filter(({ label }) => label !== '-0');
const offset = v.mostly(3, v.among(0, undefined, null), number(300));
const transfer = { offset, length, position };
const writeTransfer = { ...transfer, length: writeLength };

const HANDLE_CALLS = {
  appendFile: argumentsOf(v.data, writeOptions),
  chmod: argumentsOf(v.among(0o600, 0o644)),
  close: argumentsOf(),
  datasync: argumentsOf(),
  read: fc.oneof(
    argumentsOf(v.view, offset, length, position),
    argumentsOf(v.view, v.optionsOr(transfer)),
    argumentsOf(v.optionsOr({ ...transfer, buffer: v.view })),
  ),
  readFile: argumentsOf(v.optionsOr(readOptions, encoding)),
  readv: argumentsOf(v.views, position),
  stat: argumentsOf(statOptions),
  sync: argumentsOf(),
  truncate: argumentsOf(number(70_000)),
  utimes: argumentsOf(number(2 ** 31), number(2 ** 31)),
  write: fc.oneof(
    argumentsOf(v.view, offset, writeLength, position),
    argumentsOf(v.view, v.optionsOr(writeTransfer)),
    argumentsOf(v.mostly(8, v.text, v.odd), position, encoding),
  ),
  writeFile: argumentsOf(v.data, writeOptions),
  writev: argumentsOf(v.views, position),
};

module.exports = {
  HANDLE_CALLS,
  PATH_CALLS,
  argumentsOf,
  made,
  shown,
  step,
};
