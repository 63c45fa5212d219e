'use strict';

const path = require('node:path');
const writeFileAtomic = require('write-file-atomic');
const { contentOf, sha256 } = require('../contents');

/** Files replaced by many at once, while others read them. */
module.exports = async ({ fs, folder }) => {
  const file = path.join(folder, 'contended');
  const contents = Array.from({ length: 100 }, (_, i) => contentOf(i, 1000 * i));
  const known = new Set(contents.map(sha256));
  await writeFileAtomic(file, contents[0], { mode: 0o640 });
  let torn = 0;
  let writing = true;
  const reader = async () => {
    while (writing) if (!known.has(sha256(await fs.promises.readFile(file)))) torn++;
  };
  const readers = [reader(), reader()];
  await Promise.all(contents.map((content) => writeFileAtomic(file, content)));
  writing = false;
  await Promise.all(readers);

  await Promise.all(
    contents.map((content, i) => {
      const options = { fsync: i % 2 === 0, mode: 0o600 + (i % 8) };
      return writeFileAtomic(path.join(folder, `file ${i}`), content, options);
    }),
  );
  const { code } = await writeFileAtomic(path.join(folder, 'no', 'folder'), 'x').catch(
    (error) => error,
  );
  return { torn, code };
};
