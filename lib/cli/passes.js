'use strict';
/**
 * Passes: one over all of the paths, so that every driver does the very same work, whatever the files are.
 *
 * @typedef {(paths: string[], visit: (index: number, result: any) => void) => any} Pass
 */

/** Operations in flight. */
const LANES = 64;

/** Most files of one call for many, and bytes: all of its results are in memory at once. */
const BATCH = { files: 1024, bytes: 32 * 1024 * 1024 };

/** @returns {Pass} by calls of a promise each, 64 in flight */
const inLanes = (one) => async (paths, visit) => {
  let next = 0;
  const lane = async () => {
    while (next < paths.length) {
      const index = next++;
      visit(index, await one(paths[index]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, paths.length) }, lane));
};

/** @returns {Pass} by one synchronous call after the other */
const inTurn = (one) => (paths, visit) => {
  for (const [index, path] of paths.entries()) visit(index, one(path));
};

/** @returns {Pass} by calls for many paths; of `all` in these batches, of others at once */
const inBatches = (many, all, batches) => async (paths, visit) => {
  for (const { first, end } of paths === all ? batches : [{ first: 0, end: paths.length }]) {
    const results = await many(paths.slice(first, end));
    for (const [index, result] of results.entries()) visit(first + index, result);
  }
};

/**
 * @param {number[]} sizes bytes of each file
 * @returns {{ first: number, end: number }[]}
 */
function batchesOf(sizes) {
  const batches = [];
  let first = 0;
  let bytes = 0;
  for (const [index, size] of sizes.entries()) {
    if (index > first && (index - first >= BATCH.files || bytes + size > BATCH.bytes)) {
      batches.push({ first, end: index });
      first = index;
      bytes = 0;
    }
    bytes += size;
  }
  batches.push({ first, end: sizes.length });
  return batches;
}

module.exports = { LANES, batchesOf, inBatches, inLanes, inTurn };
