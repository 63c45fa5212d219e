'use strict';
/** What the machine is like, as far as it tells: what cannot be found out is null, and nothing throws. */

const fs = require('node:fs');
const os = require('node:os');
const { fileSystemOf } = require('../../bench/files');

/** @returns {any} what `find` gives; null where it throws: no /proc, no permission, no such thing */
function orNull(find) {
  try {
    return find() ?? null;
  } catch {
    return null;
  }
}

const read = (file) => orNull(() => fs.readFileSync(file, 'utf8'));

/** @returns {string | null} 'glibc 2.36', 'musl' */
function libc() {
  if (process.platform !== 'linux') return null;
  return orNull(() => {
    process.report.excludeNetwork = true; // or it looks names up
    const { header, sharedObjects } = process.report.getReport();
    if (header.glibcVersionRuntime) return `glibc ${header.glibcVersionRuntime}`;
    return sharedObjects.some((name) => /\bld-musl/.test(name)) ? 'musl' : null;
  });
}

/** Of /proc/self/limits. */
const LIMITS = { memlock: 'Max locked memory', nofile: 'Max open files' };

/** @returns {Record<string, { soft: number | 'unlimited', hard: number | 'unlimited' }> | null} */
function limits() {
  const text = read('/proc/self/limits');
  if (text === null) return null;
  const number = (word) => (word === 'unlimited' ? word : Number(word));
  return Object.fromEntries(
    Object.entries(LIMITS).map(([name, title]) => {
      const [, soft, hard] = text.match(new RegExp(`^${title} +(\\S+) +(\\S+)`, 'm'));
      return [name, { soft: number(soft), hard: number(hard) }];
    }),
  );
}

/** @returns {number | null} sysctl kernel.io_uring_disabled, since Linux 6.6 */
function ioUringDisabled() {
  const text = read('/proc/sys/kernel/io_uring_disabled');
  return text === null ? null : Number(text);
}

/** @returns {Record<string, string>} the variables that change what this package, or the thread pool, does */
function variables() {
  const names = Object.keys(process.env).filter((name) => /^(URING_FS|UV_THREADPOOL)_/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, process.env[name]]));
}

/** Blanks and the like are octal numbers there. */
const unescape = (text) =>
  text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));

/**
 * @param {string} file which exists
 * @returns {{ point: string, type: string, source: string, options: string[] } | null} what is mounted there
 */
function mountOf(file) {
  const table = read('/proc/self/mountinfo');
  const real = orNull(() => fs.realpathSync(file));
  if (table === null || real === null) return null;
  let found = null;
  for (const line of table.trimEnd().split('\n')) {
    // proc_pid_mountinfo(5): the number of fields before the dash varies.
    const [own, ofFileSystem] = line.split(' - ').map((part) => part.split(' '));
    const point = unescape(own[4]);
    const isAbove = real === point || real.startsWith(point.endsWith('/') ? point : `${point}/`);
    // Of several on the same place, the last one is what is seen.
    if (!isAbove || point.length < (found?.point.length ?? 0)) continue;
    const [type, source, superOptions] = ofFileSystem;
    const options = [...new Set([...own[5].split(','), ...superOptions.split(',')])];
    found = { point, type, source: unescape(source), options };
  }
  return found;
}

/** @returns {string | null} the type of the file system that a path is on: 'ext4', 'fuse.sshfs' */
const fileSystemTypeOf = (place) => mountOf(place)?.type ?? orNull(() => fileSystemOf(place));

/** @returns {object} of the machine and what runs on it; see docs/doctor.md */
function system() {
  const { arch, platform, versions } = process;
  const runtime = ['bun', 'deno'].find((name) => versions[name] !== undefined) ?? 'node';
  return {
    runtime,
    version: versions[runtime],
    platform,
    architecture: arch,
    kernel: os.release(),
    libc: libc(),
    libuv: versions.uv ?? null,
    processors: os.availableParallelism(),
  };
}

module.exports = { fileSystemTypeOf, ioUringDisabled, limits, mountOf, orNull, system, variables };
