'use strict';

const { createHash } = require('node:crypto');

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Bytes that are the same each time, and differ for each `number`. */
function contentOf(number, size) {
  const bytes = Buffer.alloc(size, `content ${number} `);
  for (let at = 0; at + 4 <= size; at += 64) bytes.writeUInt32LE(at ^ number, at);
  return bytes;
}

module.exports = { contentOf, sha256 };
