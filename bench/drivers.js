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
 * @property {(path: string, flags: string|number) => any} open A handle for the next ones.
 * @property {(handle: any, buffer: Buffer, length: number, position: number) => any} read `length`
 *   bytes from `position` (bytes from the start of the file) to the start of `buffer`.
 * @property {(handle: any, buffer: Buffer, length: number, position: number) => any} write The
 *   other way.
 * @property {(handle: any) => any} datasync
 * @property {((handle: any, size: number) => import('node:stream').Readable)|null} readStream Of
 *   the first `size` bytes; closes the handle. Null for the synchronous driver.
 * @property {(handle: any) => any} close
 * @property {(path: string) => any} unlink
 */

const fs = require('node:fs');
const fsPromises = require('node:fs/promises');

/** Name of the driver that is measured. */
const URING = 'uring-fs';

/** Name of the one over callbacks. */
const CALLBACK = 'callback fs';

/** Name of the driver that the ratios are to. */
const BASELINE = 'fs/promises';

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
    datasync: (handle) => handle.datasync(),
    readStream: (handle, size) => handle.createReadStream({ start: 0, end: size - 1 }),
    close: (handle) => handle.close(),
    unlink: (path) => api.unlink(path),
  };
}

/** @type {Driver} */
const callbackDriver = {
  name: CALLBACK,
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
  datasync: (fd) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
    }),
  readStream: (fd, size) => fs.createReadStream('', { fd, start: 0, end: size - 1 }),
  close: (fd) =>
    new Promise((resolve, reject) => {
      fs.close(fd, (error) => (error ? reject(error) : resolve()));
    }),
  unlink: (path) =>
    new Promise((resolve, reject) => {
      fs.unlink(path, (error) => (error ? reject(error) : resolve()));
    }),
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
  datasync: (fd) => fs.fdatasyncSync(fd),
  readStream: null,
  close: (fd) => fs.closeSync(fd),
  unlink: (path) => fs.unlinkSync(path),
};

/**
 * @param {typeof fsPromises} uring The package.
 * @param {string|null} [only] Name of the one that is wanted. Default: all.
 * @returns {Driver[]} In the order of the report.
 */
function createDrivers(uring, only = null) {
  const all = [
    promiseDriver(URING, uring),
    promiseDriver(BASELINE, fsPromises),
    callbackDriver,
    syncDriver,
  ];
  return all.filter(({ name }) => only === null || name === only);
}

module.exports = { BASELINE, CALLBACK, URING, createDrivers };
