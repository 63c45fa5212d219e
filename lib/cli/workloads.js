'use strict';
/**
 * What `uring-fs bench` measures, on the user's own files; nothing is written. Made anew in the process that
 * runs each (bench/children/workload.js).
 *
 * @typedef {object} FolderData
 * @property {'folder'} kind
 * @property {string[]} paths in an order of chance
 * @property {number[]} sizes bytes of each
 *
 * @typedef {object} FileData
 * @property {'file'} kind
 * @property {Omit<import('../../bench/files').BigFile, 'make'>} file
 *
 * @typedef {FolderData | FileData} Data
 */

const fs = require('node:fs');
const { BASELINE, URING } = require('../../bench/drivers');
const { LOOPS } = require('../../bench/hashing');
const { Mismatch, same } = require('../../bench/verify');
const fileHandleRead = require('../../bench/workloads/file-handle-read');
const { workload: readFile } = require('../../bench/workloads/read-file');
const readStream = require('../../bench/workloads/read-stream');
const underLoad = require('../../bench/workloads/read-file-under-load');
const { essence } = require('../../bench/workloads/stat');
const { LANES, batchesOf, inBatches, inLanes, inTurn } = require('./passes');

const ONE = 'one at a time';
const MANY = `${LANES} at a time`;

/** Files that are read one at a time: verifying takes longer than that needs to. */
const ALONE = 1024;

/** The drivers of a workload, the synchronous one by the name of its function. */
const driversOf = (syncName) => (drivers) =>
  drivers
    .filter(({ name, sync }) => sync || name === URING || name === BASELINE)
    .map((driver) => (driver.sync ? { ...driver, name: syncName } : driver));

/**
 * @param {Data} data
 * @param {boolean} quick
 * @returns {import('../../bench/harness').Workload[]} the first is what the sentence is about
 */
function workloadsOn(data, quick) {
  return data.kind === 'folder' ? ofFolder(data, quick) : ofFile(data);
}

function ofFolder({ paths, sizes }, quick) {
  const some = paths.slice(0, ALONE);
  const all = [
    pass({
      call: 'readFile',
      many: 'readFiles',
      reference: (path) => fs.readFileSync(path),
      view: (result) => result,
      paths,
      sizes,
    }),
    pass({
      call: 'stat',
      many: 'statFiles',
      reference: (path) => essence(fs.statSync(path)),
      view: essence,
      paths,
      sizes,
    }),
    alone(`readFile, ${ONE}`, readFile('', '', some, undefined)),
  ];
  if (quick) return all;
  const [loaded] = underLoad({ readSets: [{ paths: some }], quick: true });
  const name = `readFile, ${ONE}, while passwords are hashed (${LOOPS} pbkdf2 loops)`;
  return [...all, { ...alone(name, loaded), mostRounds: 3, sliceFactor: 6 }];
}

function ofFile({ file }) {
  const bigFile = { ...file, make() {} };
  const [read] = fileHandleRead({ bigFile, quick: true });
  const [stream] = readStream({ bigFile, quick: true });
  const random = 'FileHandle.read of 4 KiB at random places';
  const many = { ...read, allocations: false, floor: undefined, drivers: driversOf('readSync') };
  return [
    { ...many, name: `${random}, ${MANY}`, concurrency: [LANES] },
    {
      ...stream,
      name: 'FileHandle.createReadStream',
      drivers: (drivers) => driversOf('')(drivers).filter((each) => each.readStream !== null),
    },
    alone(`${random}, ${ONE}`, many, 'readSync'),
  ];
}

/** A workload with one operation in flight, each of which is timed. */
const alone = (name, workload, syncName = 'readFileSync') => ({
  ...workload,
  name,
  concurrency: [1],
  latency: true,
  busy: false,
  drivers: driversOf(syncName),
});

/** @returns {import('../../bench/harness').Workload} one of whose operations is a pass over all the files */
function pass({ call, many, reference, view, paths, sizes }) {
  const uring = require('../..');
  const batches = batchesOf(sizes);
  return {
    name: `${call}, ${MANY}`,
    unit: 'files',
    data: '',
    concurrency: [1],
    weight: paths.length,
    busy: false,

    drivers: (drivers) =>
      driversOf(`${call}Sync`)(drivers).flatMap((driver) => {
        const { name, sync } = driver;
        const own = { name, sync, pass: (sync ? inTurn : inLanes)(driver[call]) };
        if (name !== URING) return [own];
        const inOne = {
          name: `${URING} ${many}`,
          sync,
          pass: inBatches(uring[many], paths, batches),
        };
        return [own, inOne];
      }),

    async open() {
      return {};
    },

    async verify(driver) {
      for (const { first, end } of batches) {
        const some = paths.slice(first, end);
        const before = some.map(reference);
        const results = [];
        await driver.pass(some, (index, result) => (results[index] = view(result)));
        for (const [index, result] of results.entries()) {
          // What somebody changes meanwhile proves nothing.
          if (same(result, before[index]) || !same(reference(some[index]), before[index])) continue;
          throw new Mismatch(`${driver.name}: ${call} ${some[index]}: not what ${call}Sync gives`);
        }
      }
    },

    operation: (driver) => driver.pass(paths, () => {}),

    async close() {},
  };
}

module.exports = { workloadsOn };
