'use strict';

const path = require('node:path');
const fse = require('fs-extra');
const { contentOf } = require('../contents');

/** Whole folders made, copied, moved and emptied. */
module.exports = async ({ folder }) => {
  const at = (...names) => path.join(folder, ...names);
  const results = [];
  const note = async (promise) => {
    const text = ({ code, message }) => code ?? message.replaceAll(folder, '');
    results.push(await promise.then((value) => value ?? null, text));
  };

  await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      fse.outputFile(at('from', `${i % 7}`, `${i % 13}`, `${i}`), contentOf(i, i * 40)),
    ),
  );
  await fse.outputFile(at('from', 'large'), contentOf(1, 3_000_000), { mode: 0o640 });
  await fse.ensureSymlink(at('from', 'large'), at('from', 'links', 'link'));
  await fse.ensureLink(at('from', 'large'), at('from', 'links', 'hard'));
  await fse.outputJson(at('from', 'data.json'), { list: [1, 2, 3] }, { spaces: 2 });

  await fse.copy(at('from'), at('copy'), {
    preserveTimestamps: true,
    filter: (src) => !/7$/.test(src),
  });
  await fse.move(at('copy', '1'), at('moved', 'one'));
  await fse.move(at('copy', '2'), at('moved', 'one'), { overwrite: true });
  await fse.emptyDir(at('copy', '3'));
  await fse.remove(at('copy', '4'));
  await fse.ensureFile(at('copy', '4', 'again'));
  await fse.ensureDir(at('copy', '4', 'folder'), 0o750);

  await note(fse.readJson(at('copy', 'data.json')));
  await note(fse.readJson(at('copy', 'large')).catch(({ name }) => name));
  await note(fse.pathExists(at('copy', 'nothing')));
  await note(fse.move(at('copy', '5'), at('moved', 'one')));
  await note(fse.copy(at('from'), at('from', 'within')));
  await note(fse.copy(at('nothing'), at('else')));
  await note(fse.mkdir(at('from')));
  await note(fse.readdir(at('moved', 'one')).then((names) => names.sort()));
  await note(fse.access(at('from', 'large'), fse.constants.R_OK));
  await note(fse.readlink(at('copy', 'links', 'link')).then((to) => path.relative(folder, to)));
  return results;
};
