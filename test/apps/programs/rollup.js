'use strict';

const path = require('node:path');
const { rollup } = require('rollup');

/** A bundle of some hundred modules, in chunks. */
module.exports = async ({ fs, folder, modules }) => {
  const bundle = await rollup({
    input: { core: path.join(modules, 'core.js'), charts: path.join(modules, 'charts.js') },
    external: /^(zrender|tslib)/,
    fs: fs.promises,
  });
  const { output } = await bundle.write({ dir: path.join(folder, 'dist'), sourcemap: true });
  await bundle.close();
  return output.map(({ fileName, type }) => `${type} ${fileName}`);
};
