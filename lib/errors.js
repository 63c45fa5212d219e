'use strict';
/** Errors as fs/promises makes them, from what the kernel said. */

const { getSystemErrorMap, inspect } = require('node:util');

/** errno (negative) → [code, message] */
const systemErrors = getSystemErrorMap();

/** The other way round. `node:os` has them too, but is seldom loaded by then. @type {Record<string, number>} */
const errnoOf = Object.fromEntries(Array.from(systemErrors, ([errno, [code]]) => [code, errno]));

const EIO = -5;
const ECANCELED = -125;

/**
 * The Error that Node makes for a failed system call: `errno`, `code`, `syscall`, `path`, `dest`, in
 * this order, and only those that apply.
 *
 * @param {number} errno negative, as the kernel gives it
 * @param {string} syscall
 * @param {string | Uint8Array} [path]
 * @param {string | Uint8Array} [dest]
 * @returns {NodeJS.ErrnoException}
 */
function systemError(errno, syscall, path, dest) {
  const [code, text] = systemErrors.get(errno) ?? unknown(errno);
  let message = `${code}: ${text}, ${syscall}`;
  const pathText = path === undefined ? undefined : textOf(path);
  const destText = dest === undefined ? undefined : textOf(dest);
  if (pathText !== undefined) message += ` '${pathText}'`;
  if (destText !== undefined) message += ` -> '${destText}'`;
  const error = new Error(message);
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (pathText !== undefined) error.path = pathText;
  if (destText !== undefined) error.dest = destText;
  return error;
}

/** What libuv has no name for (EDQUOT, say). */
function unknown(errno) {
  const text = `Unknown system error ${errno}`;
  return [text, text];
}

/** As the kernel got it, read as UTF-8. */
function textOf(path) {
  return typeof path === 'string' ? path.toWellFormed() : Buffer.from(path).toString();
}

/**
 * Takes the stack from a system error, as those that callbacks get have none: no function waits for them.
 *
 * @template T
 * @param {T} error
 * @returns {T} the same
 */
function withoutStack(error) {
  if (!(error instanceof Error) || error.syscall === undefined) return error;
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0); // which may be read-only
  Error.captureStackTrace(error);
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return error;
}

/**
 * Rejects a promise from a job that the promise itself waits for. V8 then finds the functions that await
 * it, and the stack ends with them ("at async ..."), not with the event loop that brought the news.
 *
 * @param {(value: any) => void} resolve of the promise
 * @param {() => Error} makeError called in that job
 */
function rejectInJob(resolve, makeError) {
  let start;
  const job = new Promise((_, reject) => {
    start = reject;
  });
  const failWhereAwaited = () => {
    const error = makeError();
    Error.captureStackTrace(error, failWhereAwaited);
    // Nobody awaits it in a function: then at least where it was made.
    if (!error.stack.includes('\n    at ')) Error.captureStackTrace(error);
    throw error;
  };
  resolve(job.then(undefined, failWhereAwaited));
  start();
}

/**
 * What a method of a closed FileHandle rejects with.
 *
 * @param {string} syscall
 * @returns {NodeJS.ErrnoException}
 */
function closedError(syscall) {
  const error = new Error('file closed');
  error.code = 'EBADF';
  error.syscall = syscall;
  return error;
}

/**
 * An error with a code of Node's, where no function of Node is at hand to make it.
 *
 * @param {ErrorConstructor} Base
 * @param {string} code
 * @param {string} message
 */
function nodeError(Base, code, message) {
  const error = new Base(message);
  error.code = code;
  error.stack = error.stack.replace(error.name, `${error.name} [${code}]`);
  return error;
}

/** ERR_INVALID_ARG_TYPE, for the few arguments that no function of Node is at hand to judge. */
function invalidType(what, expected, value) {
  const kind = expected.includes(' or ') ? 'one of type' : 'of type';
  const message = `The ${what} must be ${kind} ${expected}. Received ${describe(value)}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const { name } = value.constructor ?? {};
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const text = inspect(value, { colors: false });
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

/** ERR_OUT_OF_RANGE. */
function outOfRange(name, range, value) {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return nodeError(RangeError, 'ERR_OUT_OF_RANGE', message);
}

/** ERR_INVALID_ARG_VALUE for a property of an options object. */
function invalidValue(property, value, reason) {
  const message = `The property '${property}' ${reason}. Received ${inspect(value)}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

module.exports = {
  ECANCELED,
  EIO,
  closedError,
  errnoOf,
  invalidType,
  invalidValue,
  nodeError,
  outOfRange,
  rejectInJob,
  systemError,
  withoutStack,
};
