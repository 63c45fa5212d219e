#!/usr/bin/env node
'use strict';

const HELP = `A log whose records are on the disk before append() says so, written by many at once.

  node examples/durable-log.js [FILE] [--writers 64] [--records 10000]

FILE is a new one in the folder for temporary files by default. Says what a log that is there already
holds, appends to it, and says how many records a second there were, and how many a datasync.`;

const { randomUUID } = require('node:crypto');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { crc32 } = require('node:zlib');
const fs = require('uring-fs');

/**
 * Of a record: the length of its data, and a checksum of that and of the data. So a piece of zeros,
 * which is what a file can hold where nothing had been written yet, is no record.
 */
const HEADER = 8;
/** Bytes of data in a record, at the most: so a broken length takes no memory either. */
const LONGEST = 1024 * 1024;
/** Bytes that are read at a time. */
const CHUNK = 1024 * 1024;
/** Records in one write: the kernel takes 1,024 pieces of memory, and a record has two. */
const GROUP = 512;

function checksum(length, data) {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(length);
  return crc32(data, crc32(bytes));
}

/**
 * Records, from the first to the first that is none.
 *
 * @param {fs.FileHandle} handle
 * @yields {{ data: Buffer, end: number }} `end`: where the next record begins
 */
async function* scan(handle) {
  let bytes = Buffer.alloc(0);
  let end = 0;
  const fill = async (wanted) => {
    while (bytes.length < wanted) {
      const room = Buffer.allocUnsafe(Math.max(CHUNK, wanted - bytes.length));
      const { bytesRead } = await handle.read(room, 0, room.length, end + bytes.length);
      if (bytesRead === 0) return false;
      bytes = Buffer.concat([bytes, room.subarray(0, bytesRead)]);
    }
    return true;
  };
  while (await fill(HEADER)) {
    const length = bytes.readUInt32LE(0);
    if (length > LONGEST || !(await fill(HEADER + length))) return;
    const data = bytes.subarray(HEADER, HEADER + length);
    if (bytes.readUInt32LE(4) !== checksum(length, data)) return;
    bytes = bytes.subarray(HEADER + length);
    end += HEADER + length;
    yield { data, end };
  }
}

/** The name of a new file is in its folder, which has to be on the disk too. */
async function syncFolder(folder) {
  const handle = await fs.open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One process may have a log open at a time. */
class DurableLog {
  #handle;
  #end;
  /** Records that wait for the next group, each with its promise. */
  #waiting = [];
  #writing = null;
  #failure = null;
  /** How often the disk was waited for. */
  syncs = 0;

  /**
   * Opens a log, or makes it. A record that was torn by a crash is cut off, with all after it: nobody
   * has been told that it was there.
   *
   * @param {string} file
   * @returns {Promise<{ log: DurableLog, records: number, torn: number }>} `torn`: bytes cut off
   */
  static async open(file) {
    const { O_CREAT, O_RDWR } = fs.constants;
    const handle = await fs.open(file, O_CREAT | O_RDWR, 0o644);
    try {
      let records = 0;
      let end = 0;
      for await (const record of scan(handle)) {
        records++;
        end = record.end;
      }
      const { size } = await handle.stat();
      if (size > end) await handle.truncate(end);
      await handle.sync();
      await syncFolder(path.dirname(file));
      return { log: new DurableLog(handle, end), records, torn: size - end };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  constructor(handle, end) {
    this.#handle = handle;
    this.#end = end;
  }

  /**
   * @param {Uint8Array} data not to be changed until the promise is settled
   * @returns {Promise<void>} fulfilled once the record will outlive a crash of the system
   */
  append(data) {
    if (data.length > LONGEST) return Promise.reject(new RangeError('The record is too long'));
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const appended = new Promise((resolve, reject) => {
      this.#waiting.push({ data, resolve, reject });
    });
    this.#writing ??= this.#write();
    return appended;
  }

  /** Writes what waits, group by group. What comes while the disk works is the next group. */
  async #write() {
    await null; // all that is appended in this tick
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP);
      try {
        if (this.#failure !== null) throw this.#failure;
        await this.#writeGroup(group.map(({ data }) => data));
        for (const { resolve } of group) resolve();
      } catch (error) {
        // What has reached the disk nobody knows now, not even after another datasync that succeeds:
        // open() finds out.
        this.#failure = error;
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = null;
  }

  async #writeGroup(group) {
    const pieces = group.flatMap((data) => {
      const header = Buffer.allocUnsafe(HEADER);
      header.writeUInt32LE(data.length, 0);
      header.writeUInt32LE(checksum(data.length, data), 4);
      return [header, data];
    });
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const { bytesWritten } = await this.#handle.writev(pieces, this.#end);
    if (bytesWritten < length) throw new Error('The disk took a part of the records only');
    await this.#handle.datasync();
    this.#end += length;
    this.syncs++;
  }

  /** The records that are there, from the first. */
  async *records() {
    for await (const { data } of scan(this.#handle)) yield data;
  }

  async close() {
    await this.#writing;
    await this.#handle.close();
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      records: { type: 'string', default: '10000' },
      writers: { type: 'string', default: '64' },
    },
  });
  if (values.help) return console.log(HELP);
  const [file = path.join(tmpdir(), `durable-${randomUUID()}.log`)] = positionals;

  const { log, records, torn } = await DurableLog.open(file);
  console.log(`${file}: ${records} records, ${torn} bytes of a torn one cut off`);

  const before = performance.now();
  const last = records + Number(values.records);
  let next = records;
  const writer = async () => {
    while (next < last) {
      const number = next++;
      await log.append(Buffer.from(`record ${number} of ${new Date().toISOString()}`));
    }
  };
  await Promise.all(Array.from({ length: Number(values.writers) }, writer));
  const seconds = (performance.now() - before) / 1000;
  await log.close();
  console.log(
    `${last - records} records appended, ${Math.round((last - records) / seconds)} a second, ` +
      `${((last - records) / log.syncs || 0).toFixed(1)} for each datasync`,
  );
}

if (require.main === module) main();

module.exports = { DurableLog };
