'use strict';
/**
 * What a file system does inline, found out by trial: a kernel worker that has had to do something has
 * gone to sleep again since. In a temporary file, or by reading one that is there.
 */

const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout } = require('node:timers/promises');
const { orNull } = require('./system');

const PAGE = 4096;
const PAGES = 16;

/** The trials of each operation. */
const TIMES = 16;

/** Sleeps of workers that are none of an operation's own: a time stamp to be changed takes one, at each tick. */
const FEW = 2;

/** ms after which a worker that has nothing to do sleeps. */
const SETTLED = 2;

/** Bytes between two addresses that O_DIRECT is tried with: Node's allocations are aligned to this. */
const ADDRESS_STEP = 8;

/** How often kernel workers of this process have gone to sleep. */
function sleepsOfWorkers() {
  let sum = 0;
  for (const thread of fs.readdirSync('/proc/self/task')) {
    const text = orNull(() => fs.readFileSync(`/proc/self/task/${thread}/status`, 'utf8'));
    if (text === null || !text.startsWith('Name:\tiou-wrk')) continue;
    sum += Number(text.match(/^voluntary_ctxt_switches:\s*(\d+)/m)[1]);
  }
  return sum;
}

/** @returns {Promise<boolean>} whether no kernel worker had to do it, as a rule */
async function isInline(operation) {
  await operation(0); // what is made on first use
  await setTimeout(SETTLED);
  const before = sleepsOfWorkers();
  for (let turn = 0; turn < TIMES; turn++) await operation(turn);
  await setTimeout(SETTLED);
  return sleepsOfWorkers() - before <= FEW;
}

/** A new file of some pages in a folder; null where there can be none. */
function makeFile(folder) {
  const file = path.join(folder, `.uring-fs-doctor-${randomBytes(6).toString('hex')}`);
  try {
    fs.writeFileSync(file, Buffer.alloc(PAGES * PAGE, '.'), { flag: 'wx', mode: 0o600 });
    return file;
  } catch {
    orNull(() => fs.rmSync(file, { force: true })); // as far as it came, on a full disk
    return null;
  }
}

/** The path of a file in a folder that may be read, and has a page; null without one. */
function findFile(folder) {
  const entries = orNull(() => fs.readdirSync(folder, { withFileTypes: true })) ?? [];
  const isFit = ({ name }) => isReadable(path.join(folder, name));
  const found = entries.filter((entry) => entry.isFile()).find(isFit);
  return found === undefined ? null : path.join(folder, found.name);
}

const isReadable = (file) =>
  orNull(() => {
    fs.accessSync(file, fs.constants.R_OK);
    const stats = fs.statSync(file);
    return stats.isFile() && stats.size >= PAGE && stats.blocks > 0; // no file of /proc or /sys
  }) === true;

/**
 * Which operations are done without a kernel worker, in a file that is in the page cache.
 *
 * @param {typeof import('../..')} uring on the ring
 * @param {string} file
 * @param {boolean} own whether it may be written to
 * @returns {Promise<object | null>} null where that is not to be seen
 */
async function operations(uring, file, own) {
  const handle = await uring.open(file, own ? 'r+' : 'r');
  try {
    // That always takes a worker. Before Linux 5.12 they are no threads of the process.
    if (await isInline(() => handle.datasync())) return null;
    const buffer = Buffer.alloc(PAGE, '.');
    const pages = Math.min(PAGES, Math.floor((await handle.stat()).size / PAGE));
    const at = (turn) => (turn % pages) * PAGE;
    for (let page = 0; page < pages; page++) await handle.read(buffer, 0, PAGE, at(page));
    return {
      open: await isInline(async () => (await uring.open(file)).close()),
      read: await isInline((turn) => handle.read(buffer, 0, PAGE, at(turn))),
      stat: await isInline(() => uring.stat(file)),
      write: own ? await isInline((turn) => handle.write(buffer, 0, PAGE, at(turn))) : null,
    };
  } finally {
    await handle.close();
  }
}

/** Whether a read with O_DIRECT is taken. */
function takes(fd, memory, offset, position) {
  try {
    fs.readSync(fd, memory, offset, PAGE, position);
    return true;
  } catch (error) {
    if (error.code === 'EINVAL') return false;
    throw error;
  }
}

/** JavaScript sees no addresses: how many of those within a page are taken, tells. */
function triedAlignment(fd) {
  const memory = Buffer.alloc(2 * PAGE);
  const offsets = Array.from({ length: PAGE / ADDRESS_STEP }, (_, step) => step * ADDRESS_STEP);
  const taken = offsets.filter((offset) => takes(fd, memory, offset, 0));
  if (taken.length === 0) return null;
  const powers = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
  const position = powers.find((power) => takes(fd, memory, taken[0], power)) ?? PAGE;
  return [PAGE / taken.length, position];
}

/**
 * @param {object | null} binding the native module
 * @param {string} file of a page at least
 * @returns {{ supported: boolean, memory: number | null, offset: number | null, told: 'kernel' | 'trial' }}
 *   what O_DIRECT wants of addresses, and of offsets, in bytes
 */
function directIo(binding, file) {
  const none = (told) => ({ supported: false, memory: null, offset: null, told });
  const flag = fs.constants.O_DIRECT;
  if (flag === undefined) return none('kernel');
  let fd;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | flag);
    const alignment = binding?.directAlignment(fd);
    const [memory, offset] = alignment ?? triedAlignment(fd) ?? [0, 0];
    const told = alignment === undefined ? 'trial' : 'kernel';
    return memory === 0 ? none(told) : { supported: true, memory, offset, told };
  } catch {
    return none('trial');
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/**
 * @param {{ uring: typeof import('../..'), binding: object | null, onRing: boolean }} means
 * @param {string} place a file, or a folder
 * @param {string} folder the one it is in, or is
 * @returns {Promise<{
 *   with: string | null, inline: object | null, direct: object | null, error: string | null,
 * }>} see docs/doctor.md
 */
async function trial({ uring, binding, onRing }, place, folder) {
  const made = makeFile(folder);
  const file = made ?? (isReadable(place) ? place : findFile(folder));
  const found = { with: null, inline: null, direct: null, error: null };
  if (file === null) return found;
  found.with = made === null ? 'existing-file' : 'temporary-file';
  try {
    const isSeen = onRing && orNull(sleepsOfWorkers) !== null;
    if (isSeen) found.inline = await operations(uring, file, made !== null);
    found.direct = directIo(binding, file);
  } catch (error) {
    found.error = error.message; // of the file system: no reason to end a diagnosis
  } finally {
    if (made !== null) fs.rmSync(made, { force: true });
  }
  return found;
}

module.exports = { trial };
