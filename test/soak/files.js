'use strict';

// Files whose every eight bytes say whose they are, and of which version: bytes of another file, of two
// versions at once, or of no file at all show wherever they are.

const path = require('node:path');

const COUNT = 2000;
const TAG_SIZE = 8;
/** Bytes: within one request, at its edge, and beyond it. */
const SIZES = [8, 512, 4096, 4096, 4096, 12_000, 16_384, 16_448, 20_000, 70_000, 300_000];

const pathOf = (folder, index) => path.join(folder, `file-${index}`);

/** The whole contents of a file. */
function contentsOf(index, version) {
  const tag = Buffer.alloc(TAG_SIZE);
  tag.writeUInt32LE(index, 0);
  tag.writeUInt32LE(version, 4);
  return Buffer.alloc(SIZES[index % SIZES.length] & ~(TAG_SIZE - 1), tag);
}

/** Throws unless these are bytes of that file, from any multiple of eight on, and all of one version. */
function check(index, bytes, from = 'a file') {
  const whole = bytes.length - (bytes.length % TAG_SIZE);
  if (whole === 0 || bytes.readUInt32LE(0) !== index) {
    throw new Error(`${from} ${index}: ${bytes.length} bytes, of ${bytes.toString('hex', 0, 16)}`);
  }
  const expected = Buffer.alloc(whole, bytes.subarray(0, TAG_SIZE));
  if (!expected.equals(bytes.subarray(0, whole))) {
    let at = 0;
    while (expected[at] === bytes[at]) at++;
    const found = bytes.toString('hex', at & ~7, (at & ~7) + 16);
    throw new Error(`${from} ${index}: other bytes at ${at} of ${bytes.length}: ${found}`);
  }
}

/** @param {typeof import('../..')} fs */
async function makeFiles(fs, folder) {
  for (let from = 0; from < COUNT; from += 100) {
    const some = Array.from({ length: 100 }, (_, at) => from + at);
    await Promise.all(
      some.map((index) => fs.writeFile(pathOf(folder, index), contentsOf(index, 0))),
    );
  }
}

module.exports = { COUNT, check, contentsOf, makeFiles, pathOf };
