'use strict';

const path = require('node:path');
const tar = require('tar');
const { contentOf } = require('../contents');

/** An archive of a tree, listed, taken apart, brought up to date. */
module.exports = async ({ fs, folder, tree }) => {
  const at = (...names) => path.join(folder, ...names);
  await tar.create({ file: at('plain.tar'), cwd: tree, portable: true }, ['.']);
  await tar.create({ file: at('small.tgz'), cwd: tree, portable: true, gzip: true }, ['.']);
  await fs.promises.writeFile(at('late'), contentOf(5, 100_000));
  await fs.promises.utimes(at('late'), 1_700_000_000, 1_700_000_000);
  await tar.replace({ file: at('plain.tar'), cwd: folder, portable: true }, ['late']);
  const listed = [];
  const onReadEntry = ({ path: name, size, type }) => listed.push([name, size, type]);
  await tar.list({ file: at('plain.tar'), onReadEntry });
  for (const [archive, to] of [
    ['plain.tar', 'plain'],
    ['small.tgz', 'small'],
  ]) {
    await fs.promises.mkdir(at(to));
    await tar.extract({ file: at(archive), cwd: at(to) });
  }
  // Over what is there, some of it newer.
  await tar.extract({ file: at('plain.tar'), cwd: at('small'), newer: true, strip: 1 });
  return listed;
};
