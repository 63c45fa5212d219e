'use strict';

const path = require('node:path');

/** A database in a file: an ES module that takes what it needs from node:fs/promises by name. */
module.exports = async ({ folder }) => {
  const { JSONFilePreset } = await import('lowdb/node');
  const file = path.join(folder, 'db.json');
  const db = await JSONFilePreset(file, { posts: [] });
  for (let i = 0; i < 100; i++) {
    await db.update(({ posts }) => posts.push({ id: i, title: `post ${i}`.repeat(i) }));
  }
  // At once: the last wins, and those between may be left out.
  const writes = Array.from({ length: 50 }, (_, i) => db.update((data) => (data.counter = i)));
  await Promise.all(writes);
  const again = await JSONFilePreset(file, {});
  return again.data;
};
