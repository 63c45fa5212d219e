'use strict';

const path = require('node:path');
const { promisify } = require('node:util');
const webpack = require('webpack');

/** A bundle, and the same once more from webpack's cache on the disk. */
module.exports = async ({ fs, folder, modules }) => {
  const build = async (round) => {
    const compiler = webpack({
      mode: 'none',
      context: modules,
      entry: './core.js',
      output: { path: path.join(folder, `dist-${round}`) },
      cache: { type: 'filesystem', cacheDirectory: path.join(folder, 'cache') },
    });
    compiler.inputFileSystem = fs;
    compiler.outputFileSystem = fs;
    compiler.intermediateFileSystem = fs;
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    const { errors, modules: built } = stats.compilation;
    return { errors: errors.map(String), modules: built.size };
  };
  return [await build(1), await build(2)];
};
