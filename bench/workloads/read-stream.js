'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { MIB, formatBytes } = require('../files');
const { Mismatch } = require('../verify');
const { lack } = require('./large-read-file');

/**
 * A stream of a whole file, with the default size of its chunks.
 *
 * @param {import('.').Context} context
 * @returns {import('../harness').Workload[]}
 */
module.exports = ({ bigFile, hugeFile, quick }) => {
  const file = quick || lack(hugeFile) !== null ? bigFile : hugeFile;
  return [
    {
      name: `FileHandle.createReadStream ${formatBytes(file.size)}`,
      unit: 'MiB',
      data: file.description,
      concurrency: [1],
      weight: file.size / MIB,

      drivers: (drivers) => drivers.filter(({ readStream }) => readStream !== null),

      async open(driver) {
        file.make();
        return { handle: await driver.open(file.path, 'r') };
      },

      async verify(driver, { handle }) {
        const hash = createHash('sha1');
        const size = await consume(driver.readStream(handle, file.size), (chunk) => {
          hash.update(chunk);
        });
        if (size === file.size && hash.digest('hex') === digest(file)) return;
        throw new Mismatch(`${driver.name}: createReadStream ${file.path}: wrong bytes`);
      },

      operation: (driver, { handle }) => consume(driver.readStream(handle, file.size), () => {}),

      close: async (driver, { handle }) => driver.close(handle),
    },
  ];
};

/**
 * @param {import('node:stream').Readable} stream
 * @param {(chunk: Buffer) => void} onChunk
 * @returns {Promise<number>} Bytes.
 */
function consume(stream, onChunk) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    stream.on('data', (chunk) => {
      bytes += chunk.length;
      onChunk(chunk);
    });
    stream.once('end', () => resolve(bytes));
    stream.once('error', reject);
  });
}

/** Of the part that is streamed. */
function digest({ path, size }) {
  const hash = createHash('sha1');
  const chunk = Buffer.alloc(MIB);
  const fd = fs.openSync(path, 'r');
  try {
    for (let at = 0; at < size;) {
      const bytes = fs.readSync(fd, chunk, 0, Math.min(MIB, size - at), at);
      if (bytes === 0) break;
      hash.update(chunk.subarray(0, bytes));
      at += bytes;
    }
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex');
}
