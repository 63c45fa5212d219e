'use strict';

// What a binary of the addon may need, and what it shows: read with readelf and nm.

const fs = require('node:fs');
const { run } = require('./run');

/**
 * The newest version of a symbol of glibc that the package's binaries may need: that of Node's unofficial builds for the
 * oldest systems. (Node's own need 2.28.) On arm64 it is the first there is.
 */
const GLIBC_LIMIT = '2.17';

/** By Node's name of the processor: readelf's, and the loader of glibc. */
const MACHINES = {
  x64: { machine: 'X86-64', loader: 'ld-linux-x86-64.so.2' },
  arm64: { machine: 'AArch64', loader: 'ld-linux-aarch64.so.1' },
};

/** What Node looks for, and what musl's start files bring along. */
const EXPORTED = /^(napi|node_api)_|^_(init|fini)$/;

/** Of Node, or asked for by the compiler and done without where there is none. */
const UNVERSIONED = /^(napi|node_api|uv)_|^(_ITM_(de)?registerTMCloneTable|__gmon_start__)$/;

/** Buffers of memory that is not V8's: Electron refuses them, and so does V8's sandbox. */
const REFUSED = /^napi_create_external_(arraybuffer|buffer)$/;

const isOlderOrSame = (version, than) => version.localeCompare(than, 'en', { numeric: true }) <= 0;

/**
 * @param {string} file
 * @returns {{ machine: string, needed: string[], exported: string[],
 *   imported: { name: string, version: string | undefined }[], isStripped: boolean }}
 */
function describe(file) {
  const read = (command, ...args) => {
    const { ok, output } = run(command, [...args, file]);
    if (!ok) throw new Error(output);
    return output;
  };
  const symbolsOf = (which) =>
    read('nm', '-D', which)
      .split('\n')
      .map((line) => line.trim().split(/\s+/).pop())
      .filter(Boolean);
  return {
    machine: /Machine:\s+(.*)/.exec(read('readelf', '-h'))[1],
    needed: [...read('readelf', '-d').matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name),
    exported: symbolsOf('--defined-only'),
    imported: symbolsOf('--undefined-only').map((symbol) => {
      const [name, version] = symbol.split('@');
      return { name, version };
    }),
    isStripped: !/\.symtab\b/.test(read('readelf', '-SW')),
  };
}

/**
 * The newest version of a symbol of glibc that the binary needs, such as '2.14'; undefined: none.
 *
 * @param {string} file
 */
function newestGlibc(file) {
  const versions = describe(file).imported.map(({ version }) => /^GLIBC_(.*)/.exec(version)?.[1]);
  return versions
    .filter(Boolean)
    .sort((a, b) => (isOlderOrSame(a, b) ? -1 : 1))
    .pop();
}

/**
 * What is wrong with any build of the addon: it must not need liburing.so, nor what Electron refuses, and
 * show no symbol of its own.
 *
 * @param {string} file
 * @returns {string[]}
 */
function faultsOf(file) {
  if (!fs.existsSync(file)) return ['there is no such binary'];
  const { needed, exported, imported } = describe(file);
  return [
    ...needed.filter((name) => name.startsWith('liburing')).map((name) => `needs ${name}`),
    ...imported.filter(({ name }) => REFUSED.test(name)).map(({ name }) => `needs ${name}`),
    ...exported.filter((name) => !EXPORTED.test(name)).map((name) => `exports ${name}`),
  ];
}

/**
 * What is wrong with a binary that the package brings: besides, it must be for its target, need nothing but
 * Node and the C library, and that in an old version, and be stripped.
 *
 * @param {string} file
 * @param {{ arch: string, libc: 'glibc' | 'musl' }} target
 * @returns {string[]}
 */
function faultsOfPrebuild(file, { arch, libc }) {
  const faults = faultsOf(file);
  if (faults.length > 0) return faults;
  const { machine, needed, imported, isStripped } = describe(file);
  const expected = MACHINES[arch];
  const libraries = libc === 'musl' ? ['libc.so'] : ['libc.so.6', expected.loader];
  const isFine = ({ name, version }) => {
    if (version === undefined) return libc === 'musl' || UNVERSIONED.test(name);
    const [, number] = /^GLIBC_(\d.*)/.exec(version) ?? [];
    return libc === 'glibc' && number !== undefined && isOlderOrSame(number, GLIBC_LIMIT);
  };
  return [
    ...(machine.includes(expected.machine) ? [] : [`is for ${machine}`]),
    ...(isStripped ? [] : ['is not stripped']),
    ...needed.filter((name) => !libraries.includes(name)).map((name) => `needs ${name}`),
    ...imported
      .filter((symbol) => !isFine(symbol))
      .map(({ name, version }) => `needs ${version === undefined ? name : `${name}@${version}`}`),
  ];
}

module.exports = { describe, faultsOf, faultsOfPrebuild, newestGlibc };
