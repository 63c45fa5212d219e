'use strict';

const { createHash } = require('node:crypto');
const { once } = require('node:events');
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
      busy: false,
      weight: file.size / MIB,

      drivers: (drivers) => drivers.filter(({ readStream }) => readStream !== null),

      async open() {
        file.make();
        return {};
      },

      async verify(driver) {
        const hash = createHash('sha1');
        const size = await stream(driver, file, (chunk) => hash.update(chunk));
        if (size === file.size && hash.digest('hex') === digest(file)) return;
        throw new Mismatch(`${driver.name}: createReadStream ${file.path}: wrong bytes`);
      },

      operation: (driver) => stream(driver, file, () => {}),

      async close() {},
    },
  ];
};

/**
 * Opens a file and streams it; the stream closes it.
 *
 * @param {import('../drivers').Driver} driver
 * @param {import('../files').BigFile} file
 * @param {(chunk: Buffer) => void} onChunk
 * @returns {Promise<number>} Bytes.
 */
async function stream(driver, { path, size }, onChunk) {
  const readable = driver.readStream(await driver.open(path, 'r'), size);
  let bytes = 0;
  readable.on('data', (chunk) => {
    bytes += chunk.length;
    onChunk(chunk);
  });
  await once(readable, 'close');
  return bytes;
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
