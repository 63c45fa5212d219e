'use strict';

const path = require('node:path');
const git = require('isomorphic-git');
const http = require('isomorphic-git/http/node');

const author = { name: 'A', email: 'a@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 };

/** A clone over HTTP, work in it, and a push. */
module.exports = async ({ fs, folder, url }) => {
  const dir = path.join(folder, 'clone');
  const repository = { fs, dir };
  await git.clone({ ...repository, http, url, ref: 'main' });
  const log = await git.log(repository);
  const tags = await git.listTags(repository);
  const clean = await git.statusMatrix(repository);

  await git.checkout({ ...repository, ref: 'feature' });
  const feature = await git.statusMatrix(repository);
  await git.checkout({ ...repository, ref: 'main' });

  await git.branch({ ...repository, ref: 'work', checkout: true });
  const [first, second] = clean.map(([name]) => name).filter((name) => /\.txt$/.test(name));
  await fs.promises.appendFile(path.join(dir, first), 'changed\n');
  await fs.promises.rm(path.join(dir, second));
  await fs.promises.mkdir(path.join(dir, 'new', 'deep'), { recursive: true });
  await fs.promises.writeFile(path.join(dir, 'new', 'deep', 'file'), 'new\n');
  const dirty = await git.statusMatrix(repository);
  await git.add({ ...repository, filepath: [first, 'new/deep/file'] });
  await git.remove({ ...repository, filepath: second });
  const staged = await git.statusMatrix(repository);
  const oid = await git.commit({ ...repository, message: 'Work', author });
  const { blob } = await git.readBlob({ ...repository, oid, filepath: first });
  await git.merge({ ...repository, ours: 'work', theirs: 'feature', author });
  await git.checkout({ ...repository, ref: 'work' });
  const pushed = await git.push({ ...repository, http, url, remote: 'origin', ref: 'work' });
  return {
    log: log.map((entry) => entry.oid),
    merged: (await git.log({ ...repository, ref: 'work' })).map((entry) => entry.oid),
    tags,
    matrices: [clean, feature, dirty, staged, await git.statusMatrix(repository)],
    blob: Buffer.from(blob).toString('base64'),
    pushed: pushed.ok,
  };
};
