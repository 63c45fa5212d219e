'use strict';

// Steps of the callback functions, of paths and of descriptors: uring-fs/fs against node:fs.

const fs = require('node:fs');
const fc = require('fast-check');
const ours = require('../../lib/fs');
const { CALLBACK, told } = require('../helpers/parity-callbacks');
const { sizesOfFoldersOut } = require('../helpers/parity-describe');
const { HANDLE_CALLS, PATH_CALLS, argumentsOf, made, shown, step } = require('./calls');
const v = require('./values');

const ofNode = told(fs);
const ofOurs = told(ours);

/** Of a function among the arguments, or for a mode, Node makes the callback: ours would never be called. */
const isNoFunction = ({ label }) => !/\bfunction\b/.test(label);
/** What Node takes for a descriptor is somebody's, if not of this series. */
const isNoDescriptor = ({ label }) => !/^(-?\d|-?Infinity|NaN|true|false)/.test(label);

const withoutFunctions = (calls) => calls.filter((args) => args.every(isNoFunction));

/** @param {(outcome: { told: any[] }) => void} [tame] takes out what only luck decides */
function callbackStep(label, side, name, args, tame = () => {}) {
  const fns = side.isNode ? ofNode : ofOurs;
  return side.step(
    label,
    () => fns[name](...args, CALLBACK),
    (outcome) => {
      if (outcome.told[0] === null) tame(outcome);
      return outcome;
    },
  );
}

/* ---- on paths ---- */

const CALLS = {
  ...Object.fromEntries(
    [
      ...['access', 'appendFile', 'link', 'lstat', 'mkdir', 'mkdtemp', 'readFile', 'rename', 'rm'],
      ...['rmdir', 'stat', 'symlink', 'truncate', 'unlink', 'writeFile'],
    ].map((name) => [name, PATH_CALLS[name]]),
  ),
  exists: argumentsOf(v.path),
};

const TAME = {
  lstat: ({ told: [, stats] }) => sizesOfFoldersOut(stats),
  stat: ({ told: [, stats] }) => sizesOfFoldersOut(stats),
  mkdtemp(outcome) {
    const [, folder] = outcome.told;
    fs.rmdirSync(folder);
    outcome.told[1] = String(folder).slice(0, -6);
  },
};

const pathStep = (name) =>
  withoutFunctions(CALLS[name])
    .filter(([first]) => first === undefined || isNoDescriptor(first))
    .map((args) =>
      step(`fs.${name}(${shown(args)})`, (side, label) =>
        callbackStep(label, side, name, made(side, args), TAME[name]),
      ),
    );

/* ---- on descriptors ---- */

/** The series keeps those that its calls have opened, until it or its end closes them. */
function keep(side, fd) {
  side.descriptors.push(fd);
  side.later(() => side.descriptors.includes(fd) && fs.closeSync(fd));
}

const openStep = fc
  .oneof(
    withoutFunctions(argumentsOf(v.path, v.flag, v.mode)),
    fc.tuple(v.among('file', 'text', 'a', 'dir/inner'), v.among('r', 'r+', 'w+', 'a+', 'a', 'w')),
  )
  .map((args) =>
    step(`fs.open(${shown(args)})`, (side, label) =>
      callbackStep(label, side, 'open', made(side, args), (outcome) => {
        keep(side, outcome.told[1]);
        outcome.told[1] = 'a descriptor';
      }),
    ),
  );

const DESCRIPTOR_CALLS = {
  appendFile: HANDLE_CALLS.appendFile,
  close: argumentsOf(),
  fdatasync: HANDLE_CALLS.datasync,
  fstat: HANDLE_CALLS.stat,
  fsync: HANDLE_CALLS.sync,
  ftruncate: HANDLE_CALLS.truncate,
  read: HANDLE_CALLS.read,
  readFile: HANDLE_CALLS.readFile,
  readv: HANDLE_CALLS.readv,
  write: HANDLE_CALLS.write,
  writeFile: HANDLE_CALLS.writeFile,
  writev: HANDLE_CALLS.writev,
};

const descriptorStep = (name) =>
  fc.tuple(fc.nat(2), withoutFunctions(DESCRIPTOR_CALLS[name])).map(([index, args]) =>
    step(`descriptor ${index}: fs.${name}(${shown(args)})`, async (side, label) => {
      if (side.descriptors.length === 0) return;
      const at = index % side.descriptors.length;
      const fd = side.descriptors[at];
      if (name === 'close') side.descriptors.splice(at, 1);
      await callbackStep(label, side, name, [fd, ...made(side, args)], TAME.stat);
    }),
  );

const callbackSteps = fc.oneof(
  ...Object.keys(CALLS).map(pathStep),
  { weight: 4, arbitrary: openStep },
  ...Object.keys(DESCRIPTOR_CALLS).map(descriptorStep),
);

module.exports = { callbackSteps };
