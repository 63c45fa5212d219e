'use strict';

/**
 * The data of a run: found and made once, by the process that the user started, and told to those that
 * the workloads run in.
 *
 * @typedef {object} Data Plain: it goes to other processes.
 * @property {string} root Of the workspace.
 * @property {import('./files').FileSet[]} readSets
 * @property {Pick<import('./files').BigFile, 'description'|'path'|'size'>|null} bigFile The user's, if
 *   there is one.
 */

const { isUtf8 } = require('node:buffer');
const fs = require('node:fs');
const { BIG_FILE, Folder, HUGE_FILE, QUICK_BIG_FILE, Workspace } = require('./files');
const { Floors } = require('./floor');
const { DEFAULT_FOLDER, UsageError } = require('./options');
const { createWorkloads } = require('./workloads');

/**
 * @param {string|null} directory The user's folder.
 * @param {Workspace} workspace
 * @param {boolean} quick
 * @returns {Data}
 */
function gather(directory, workspace, quick) {
  const { root } = workspace;
  if (directory !== null) {
    const folder = openFolder(directory);
    const set = sampleOf(folder);
    if (set === null)
      throw new UsageError(`${directory}: no readable file of a size to read whole`);
    return { root, readSets: [set], bigFile: folder.bigFile() };
  }
  const readSets = [workspace.smallFiles('read')];
  // Looking at all that is there takes as long as a workload.
  if (!quick && fs.existsSync(DEFAULT_FOLDER)) {
    const set = sampleOf(openFolder(DEFAULT_FOLDER));
    if (set !== null) readSets.push(set);
  }
  return { root, readSets, bigFile: null };
}

/** Its sample, with the files that may be read as text. */
function sampleOf(folder) {
  const set = folder.sample();
  if (set === null) return null;
  return { ...set, textPaths: set.paths.filter((file) => isUtf8(fs.readFileSync(file))) };
}

function openFolder(directory) {
  try {
    return new Folder(directory);
  } catch (error) {
    throw new UsageError(`${directory}: ${error.message}`);
  }
}

/**
 * @param {Data} data
 * @param {boolean} quick
 * @returns {import('./harness').Workload[]}
 */
function workloadsOn({ root, readSets, bigFile }, quick) {
  const workspace = new Workspace(root);
  return createWorkloads({
    workspace,
    readSets,
    bigFile:
      bigFile === null
        ? workspace.bigFile('random-read', quick ? QUICK_BIG_FILE : BIG_FILE)
        : { ...bigFile, make() {} },
    hugeFile: workspace.bigFile('huge', HUGE_FILE),
    quick,
    uring: require('..'),
  });
}

/** @param {Data} data */
const floorsOn = ({ root }) => new Floors(root);

module.exports = { floorsOn, gather, workloadsOn };
