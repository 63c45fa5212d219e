'use strict';

const { glob } = require('glob');

const PATTERNS = [
  '**/*',
  '**/*.txt',
  '*/1*/**',
  '**/{2,3}/?.txt',
  '!(1)/**/*[05].txt',
  '**/link*/*',
];

/** Patterns on a tree, with what stat says of each match. */
module.exports = async ({ fs, tree }) => {
  const found = [];
  for (const pattern of PATTERNS) {
    for (const options of [{ dot: true }, { follow: true, nodir: true }, { mark: true }]) {
      const matches = await glob(pattern, {
        cwd: tree,
        fs,
        stat: true,
        withFileTypes: true,
        ...options,
      });
      const lines = matches.map((match) => {
        return `${match.relative()} ${match.size} ${match.mode} ${match.mtimeMs} ${match.isSymbolicLink()}`;
      });
      found.push(lines.sort());
    }
  }
  return found;
};
