'use strict';

const path = require('node:path');
const { buffer } = require('node:stream/consumers');
const { pipeline } = require('node:stream/promises');
const cacache = require('cacache');
const { contentOf, sha256 } = require('../contents');

const ENTRIES = 2000;
const AT_ONCE = 100;
/** Every so many entries are large, and go by streams. */
const STREAMED = 200;

/** A cache of thousands of entries, read back in every way, thinned out and checked. */
module.exports = async ({ folder }) => {
  const cache = path.join(folder, 'cache');
  const digests = [];
  for (let from = 0; from < ENTRIES; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, i) => {
        const number = from + i;
        digests[number] = await put(cache, number);
      }),
    );
  }

  const read = [];
  for (let from = 0; from < ENTRIES; from += AT_ONCE) {
    read.push(
      ...(await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => get(cache, from + i, digests[from + i])),
      )),
    );
  }

  for (let number = 0; number < ENTRIES; number += 10) {
    await cacache.rm.entry(cache, `key ${number}`, { removeFully: true });
  }
  await cacache.rm.content(cache, digests[1]);
  const {
    startTime: _start,
    endTime: _end,
    runTime: _run,
    ...verified
  } = await cacache.verify(cache);
  const listed = Object.values(await cacache.ls(cache));
  return {
    digests: digests.map(String),
    read,
    verified,
    listed: listed.map(({ key, integrity, size }) => [key, integrity, size]).sort(),
  };
};

async function put(cache, number) {
  const key = `key ${number}`;
  if (number % STREAMED !== 0) return cacache.put(cache, key, contentOf(number, number % 9000));
  const stream = cacache.put.stream(cache, key);
  let integrity;
  stream.on('integrity', (value) => (integrity = value));
  await pipeline([contentOf(number, 1_500_000)], stream);
  return integrity;
}

async function get(cache, number, integrity) {
  if (number % STREAMED === 0)
    return sha256(await buffer(cacache.get.stream(cache, `key ${number}`)));
  const data =
    number % 2 === 0
      ? (await cacache.get(cache, `key ${number}`)).data
      : await cacache.get.byDigest(cache, integrity);
  return sha256(data);
}
