'use strict';
/** `uring-fs doctor`: which backend serves here and why, what to do about it, and what a file system does. */

const fs = require('node:fs');
const path = require('node:path');
const { formatBytes } = require('../../bench/files');
const { remedyOf } = require('./remedies');
const { fileSystemTypeOf, limits, mountOf, system, variables } = require('./system');
const { section, styled, wrapped } = require('./text');
const { trial } = require('./trial');
const { UsageError, parse } = require('./usage');

/** Of the JSON; docs/doctor.md describes it. */
const SCHEMA = 1;

const HELP = `Usage: uring-fs doctor [PATH] [--json]

Tells whether io_uring is in use here and, if it is not, why and what to do; what
the limits are; and what the file system of PATH (default: the current folder) does
without kernel workers. For that it makes a small file there for a moment, if it may.

Options:
  --json   the same for programs (docs/doctor.md tells the schema)
  --help   this text

Exit status: 0 the ring works, 1 the thread pool serves, 2 wrong usage.
`;

/** @returns {{ place: string, folder: string }} an absolute path, and the folder it is in, or is */
function locate(name) {
  const place = path.resolve(name);
  try {
    return { place, folder: fs.statSync(place).isDirectory() ? place : path.dirname(place) };
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** @returns {Promise<object>} all that is found out; docs/doctor.md describes it */
async function examine({ place, folder }) {
  const uring = require('../..');
  const { binding } = require('../binding');
  const { backend, code, reason, operations, tuning, ...ring } = uring.ring.status();
  const onRing = backend === 'io_uring';
  const { setupFlags, sqEntries, cqEntries, restricted } = ring;
  return {
    schema: SCHEMA,
    package: require('../../package.json').version,
    system: { ...system(), liburing: binding?.LIBURING ?? null },
    backend,
    code,
    reason,
    remedy: code === null ? null : remedyOf(code),
    ring: onRing ? { setupFlags, sqEntries, cqEntries, restricted } : null,
    operations,
    tuning,
    variables: variables(),
    limits: limits(),
    fileSystem: {
      path: place,
      type: fileSystemTypeOf(place),
      mount: mountOf(place),
      ...(await trial({ uring, binding, onRing }, place, folder)),
    },
  };
}

/* ---- for people ---- */

/** @returns {string} the report, to be pasted into an issue as it is */
function report(found) {
  const parts = [
    section(`uring-fs ${found.package}`, systemFields(found)),
    verdict(found),
    ...(found.ring === null ? [] : [section('Ring', ringFields(found))]),
    section('Operations', operationFields(found)),
    section('Limits', limitFields(found)),
    section('Tuning', tuningFields(found)),
    section(`File system of ${found.fileSystem.path}`, fileSystemFields(found)),
  ];
  return parts.join('\n\n');
}

const RUNTIMES = { node: 'Node', bun: 'Bun', deno: 'Deno' };

function systemFields({ system: own }) {
  const { runtime, version, platform, architecture, kernel, libc, libuv, liburing } = own;
  return [
    [RUNTIMES[runtime], `${version}${libuv === null ? '' : `, libuv ${libuv}`}`],
    ['system', `${platform} ${kernel}, ${architecture}`],
    ['processors', String(own.processors)],
    ['C library', libc ?? 'unknown'],
    ['liburing', liburing === null ? 'not loaded' : `${liburing}, linked in`],
  ];
}

function verdict({ code, reason, remedy }) {
  if (code === null) return styled(['green', 'bold'], 'io_uring is in use.');
  const lines = [
    styled(['yellow', 'bold'], wrapped(`The thread pool serves: ${reason}.`, 0)),
    `  code: ${code}`,
    '',
    styled('bold', 'What to do'),
    ...remedy.map((each) => (each.startsWith(' ') ? `  ${each}` : `  ${wrapped(each, 2)}`)),
  ];
  return lines.join('\n');
}

function ringFields({ ring: { setupFlags, sqEntries, cqEntries, restricted } }) {
  return [
    ['set up with', setupFlags.join(' ')],
    ['entries', `${sqEntries} to submit, ${cqEntries} in flight`],
    ['restricted', restricted ? 'to operations on files' : 'no: this kernel cannot do it'],
  ];
}

function operationFields({ operations }) {
  const of = (where) => Object.keys(operations).filter((name) => operations[name] === where);
  const listed = (where) => of(where).join(' ') || 'none';
  return [
    ['ring', listed('ring')],
    ['pool', listed('pool')],
  ];
}

function limitFields({ limits: own }) {
  if (own === null) return [['', 'not known: there is no /proc/self/limits']];
  const text = (limit, say) => (limit === 'unlimited' ? limit : say(limit));
  const both = ({ soft, hard }, say) => `${text(soft, say)} (at most ${text(hard, say)})`;
  return [
    ['locked memory', both(own.memlock, formatBytes)],
    ['open files', both(own.nofile, String)],
  ];
}

function tuningFields({ tuning, variables: own }) {
  const { sqpoll, ...rest } = tuning;
  const settings = Object.entries({ ...rest, sqpoll: sqpoll === null ? 'off' : 'on' });
  const set = Object.entries(own).map((each) => each.join('='));
  return [
    ['settings', settings.map((each) => each.join(' ')).join(', ')],
    ['environment', set.join(' ') || 'no variable of ours, nor UV_THREADPOOL_SIZE'],
  ];
}

function fileSystemFields({ fileSystem: { type, mount, direct, ...rest }, ring }) {
  const options = mount === null ? '' : `, on ${mount.point} (${mount.options.join(',')})`;
  return [
    ['type', `${type ?? 'unknown'}${options}`],
    ...inlineFields(rest, ring),
    ...directField(direct),
  ];
}

const DONE = { open: 'open, close', read: 'cached reads', stat: 'stat', write: 'buffered writes' };

function inlineFields({ inline, error, with: file }, ring) {
  if (inline === null) {
    const why =
      file === null ? 'no file may be made or read there' : (error ?? 'not to be seen here');
    return [['inline', `not tried: ${ring === null ? 'there is no ring' : why}`]];
  }
  return Object.entries(DONE).map(([name, title]) => {
    if (inline[name] === null) return [title, 'not tried: no file may be made there'];
    return [title, inline[name] ? 'inline' : 'by kernel workers'];
  });
}

function directField(direct) {
  if (direct === null) return [];
  if (!direct.supported) return [['O_DIRECT', 'not supported']];
  const { memory, offset, told } = direct;
  const by = told === 'kernel' ? 'says the kernel' : 'found by trial';
  return [
    ['O_DIRECT', `memory aligned to ${memory} bytes, offsets and lengths to ${offset} (${by})`],
  ];
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit status
 * @throws {UsageError}
 */
async function run(args) {
  const { values, positional } = parse(args, { json: { type: 'boolean' } }, 'PATH');
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const found = await examine(locate(positional ?? '.'));
  process.stdout.write(`${values.json ? JSON.stringify(found, null, 2) : report(found)}\n`);
  return found.backend === 'io_uring' ? 0 : 1;
}

module.exports = { run };
