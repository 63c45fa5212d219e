'use strict';

const { BASELINE, URING } = require('../drivers');
const { MIB } = require('../files');
const { workload } = require('./read-file');

/**
 * How late a timer is while files are read in loops. The gigabyte file has the same in a row of its own
 * (see large-read-file.js).
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ readSets, workspace }) => {
  const [{ label, description, paths }] = readSets;
  const larger = workspace.files(`read-${MIB}`, 32, MIB);
  const of = (name, data, files, concurrency) => ({
    ...workload(`fairness: readFile ${name} beside a timer`, data, files, undefined),
    concurrency,
    loopDelay: true,
    aside: true,
    sliceFactor: 2,
    busy: false,
    drivers: (drivers) => drivers.filter(({ name: own }) => [URING, BASELINE].includes(own)),
  });
  return [
    of(label, description, paths, [1, 128]),
    {
      ...of(larger.label, larger.description, larger.paths, [16]),
      async open() {
        larger.make();
        return {};
      },
    },
  ];
};
