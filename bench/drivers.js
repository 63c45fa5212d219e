'use strict';

/**
 * The four ways to do a file operation, in one shape, so that a workload is written once.
 *
 * Each function is a plain call with no wrapping promise of its own: what is timed is the driver's
 * own promise (or, for the synchronous one, its value).
 *
 * Callback `fs` gets the cheapest promise that a careful user would write: one promise and one
 * closure by hand, with the callback's value as it is. `util.promisify` costs the same for readFile
 * and stat within the noise, and more for read and write, where it builds a `{ bytesRead, buffer }`
 * object.
 *
 * @typedef {object} Driver
 * @property {string} name What the report and the JSON call it.
 * @property {boolean} sync Its functions return values instead of promises, and block.
 * @property {(path: string, encoding?: 'utf8') => any} readFile Buffer or string.
 * @property {(path: string, data: Buffer) => any} writeFile
 * @property {(path: string) => any} stat Stats.
 * @property {(path: string, flags: string) => any} open A handle for the next three.
 * @property {(handle: any, buffer: Buffer, length: number, position: number) => any} read `length`
 *   bytes from `position` (bytes from the start of the file) to the start of `buffer`.
 * @property {(handle: any, buffer: Buffer, length: number, position: number) => any} write The
 *   other way.
 * @property {(handle: any) => any} close
 * @property {(handle: any) => any} datasync
 * @property {(path: string) => any} unlink
 * @property {(paths: string[], encoding?: 'utf8') => any} readFiles All of them, in order.
 * @property {(paths: string[]) => any} statFiles The same for Stats.
 * @property {(handle: any, size: number) => Promise<number>} stream `size` bytes from the start by a
 *   ReadStream. Resolves with their number. Not of the synchronous one.
 */

const fs = require('node:fs');
const fsPromises = require('node:fs/promises');

/** Name of the driver that is measured. */
const URING = 'uring-fs';

/** Name of the driver that the ratios are to. */
const BASELINE = 'fs/promises';

/** Files that are worked on at once where a driver has no function for many of them. */
const AT_ONCE = 128;

/** What a careful user writes where there is no function for many files. */
async function each(items, operation) {
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await operation(items[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
  return results;
}

async function drain(stream) {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

/**
 * A driver over anything that has the functions of `node:fs/promises`.
 *
 * @param {string} name
 * @param {typeof fsPromises} api
 * @returns {Driver}
 */
function promiseDriver(name, api) {
  return {
    name,
    sync: false,
    readFile: (path, encoding) => api.readFile(path, encoding),
    writeFile: (path, data) => api.writeFile(path, data),
    stat: (path) => api.stat(path),
    open: (path, flags) => api.open(path, flags),
    read: (handle, buffer, length, position) => handle.read(buffer, 0, length, position),
    write: (handle, buffer, length, position) => handle.write(buffer, 0, length, position),
    close: (handle) => handle.close(),
    datasync: (handle) => handle.datasync(),
    unlink: (path) => api.unlink(path),
    readFiles: (paths, encoding) =>
      api.readFiles === undefined
        ? each(paths, (path) => api.readFile(path, encoding))
        : api.readFiles(paths, encoding),
    statFiles: (paths) =>
      api.statFiles === undefined ? each(paths, (path) => api.stat(path)) : api.statFiles(paths),
    stream: (handle, size) =>
      drain(handle.createReadStream({ start: 0, end: size - 1, autoClose: false })),
  };
}

/** @type {Driver} */
const callbackDriver = {
  name: 'callback fs',
  sync: false,
  readFile: (path, encoding) =>
    new Promise((resolve, reject) => {
      fs.readFile(path, encoding, (error, data) => (error ? reject(error) : resolve(data)));
    }),
  writeFile: (path, data) =>
    new Promise((resolve, reject) => {
      fs.writeFile(path, data, (error) => (error ? reject(error) : resolve()));
    }),
  stat: (path) =>
    new Promise((resolve, reject) => {
      fs.stat(path, (error, stats) => (error ? reject(error) : resolve(stats)));
    }),
  open: (path, flags) =>
    new Promise((resolve, reject) => {
      fs.open(path, flags, (error, fd) => (error ? reject(error) : resolve(fd)));
    }),
  read: (fd, buffer, length, position) =>
    new Promise((resolve, reject) => {
      fs.read(fd, buffer, 0, length, position, (error, bytes) => {
        return error ? reject(error) : resolve(bytes);
      });
    }),
  write: (fd, buffer, length, position) =>
    new Promise((resolve, reject) => {
      fs.write(fd, buffer, 0, length, position, (error, bytes) => {
        return error ? reject(error) : resolve(bytes);
      });
    }),
  close: (fd) =>
    new Promise((resolve, reject) => {
      fs.close(fd, (error) => (error ? reject(error) : resolve()));
    }),
  datasync: (fd) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
    }),
  unlink: (path) =>
    new Promise((resolve, reject) => {
      fs.unlink(path, (error) => (error ? reject(error) : resolve()));
    }),
  readFiles: (paths, encoding) => each(paths, (path) => callbackDriver.readFile(path, encoding)),
  statFiles: (paths) => each(paths, (path) => callbackDriver.stat(path)),
  stream: (fd, size) =>
    drain(fs.createReadStream('', { fd, start: 0, end: size - 1, autoClose: false })),
};

/** @type {Driver} */
const syncDriver = {
  name: 'sync',
  sync: true,
  readFile: (path, encoding) => fs.readFileSync(path, encoding),
  writeFile: (path, data) => fs.writeFileSync(path, data),
  stat: (path) => fs.statSync(path),
  open: (path, flags) => fs.openSync(path, flags),
  read: (fd, buffer, length, position) => fs.readSync(fd, buffer, 0, length, position),
  write: (fd, buffer, length, position) => fs.writeSync(fd, buffer, 0, length, position),
  close: (fd) => fs.closeSync(fd),
  datasync: (fd) => fs.fdatasyncSync(fd),
  unlink: (path) => fs.unlinkSync(path),
  readFiles: (paths, encoding) => paths.map((path) => fs.readFileSync(path, encoding)),
  statFiles: (paths) => paths.map((path) => fs.statSync(path)),
};

/**
 * @param {typeof fsPromises} uring The package.
 * @returns {Driver[]} In the order of the report.
 */
function createDrivers(uring) {
  return [
    promiseDriver(URING, uring),
    promiseDriver(BASELINE, fsPromises),
    callbackDriver,
    syncDriver,
  ];
}

module.exports = { BASELINE, URING, createDrivers };
