'use strict';

/**
 * The data that workloads run on: generated files in a temporary folder, and a bounded, repeatable
 * sample of the files of a folder that is only ever read.
 *
 * @typedef {object} FileSet
 * @property {string} label Short: '4 KiB', '/usr/share'.
 * @property {string} description One line for the report.
 * @property {string[]} paths
 * @property {number} [size] Bytes of each file, if all have as many.
 * @property {number} [bytes] Of all files, of a sample.
 * @property {string[]} [textPaths] Those of `paths` that hold valid UTF-8: nobody reads others as text.
 *
 * @typedef {object} BigFile
 * @property {string} description One line for the report.
 * @property {string} path
 * @property {number} size Bytes that workloads use, from the start of the file.
 * @property {() => void} make Makes the file if it is not there yet.
 *
 * @typedef {object} LateFiles Generated files that are made when a workload first needs them.
 * @property {string} label Size of each.
 * @property {string} description One line for the report.
 * @property {string[]} paths
 * @property {() => void} make Makes them if they are not there yet.
 */

const { randomFillSync } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { median } = require('./figures');

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of a page of random access. */
const PAGE = 4 * KIB;

const SMALL_FILES = 256;
const BIG_FILE = 64 * MIB;
const QUICK_BIG_FILE = 16 * MIB;
const HUGE_FILE = 1024 * MIB;

/**
 * Bounds of a sample: files, bytes in all and of the largest, entries of folders looked at. Larger
 * files have workloads of their own.
 */
const SAMPLE = { files: 256, total: 32 * MIB, largest: 8 * MIB, entries: 200_000 };

/** Least bytes of a file that random reads make sense on. */
const LEAST_FOR_RANDOM = MIB;

/** Magic numbers of statfs(2). */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x6969, 'nfs'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
]);

/**
 * @param {string} directory
 * @returns {string} Name of the file system it is on.
 */
function fileSystemOf(directory) {
  const { type } = fs.statfsSync(directory);
  return FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`;
}

/**
 * @param {number} bytes
 * @returns {string} '4 KiB', '1.5 MiB'.
 */
function formatBytes(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= KIB && unit < units.length - 1) {
    bytes /= KIB;
    unit++;
  }
  return `${bytes >= 100 ? Math.round(bytes) : Number(bytes.toFixed(1))} ${units[unit]}`;
}

/**
 * A generator of numbers in [0, 1) that gives the same ones each time (mulberry32).
 *
 * @param {number} seed
 * @returns {() => number}
 */
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @template T
 * @param {T[]} items
 * @returns {T[]} In an order that is random, and the same each time.
 */
function shuffled(items) {
  const random = randomNumbers(1);
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

/**
 * @param {number} size Bytes.
 * @returns {number[]} The page-aligned positions of a file (bytes from its start), shuffled.
 */
function randomPositions(size) {
  return shuffled(Array.from({ length: Math.floor(size / PAGE) }, (_, page) => page * PAGE));
}

/**
 * @param {number} size Bytes.
 * @param {number} seed
 * @returns {Buffer} Lines of ASCII text, different ones for each seed.
 */
function text(size, seed) {
  const buffer = Buffer.alloc(size);
  let length = 0;
  for (let line = 0; length < size; line++) {
    length += buffer.write(`file ${seed}, line ${line}: the quick brown fox jumps\n`, length);
  }
  return buffer;
}

/** A folder for what the benchmark writes. */
class Workspace {
  /**
   * @param {string} [root] A folder that another process made. Else makes one, in `os.tmpdir()` (so
   *   TMPDIR decides where).
   */
  constructor(root = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-bench-'))) {
    this.root = root;
  }

  /** Removes the folder and all that is in it. */
  remove() {
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  /**
   * Makes small text files, each with its own content.
   *
   * @param {string} name Of their folder.
   * @returns {FileSet}
   */
  smallFiles(name) {
    const { make, ...files } = this.files(name, SMALL_FILES, PAGE);
    make();
    return { ...files, size: PAGE, textPaths: files.paths };
  }

  /**
   * @param {string} name Of their folder.
   * @param {number} count
   * @param {number} size Bytes of each; text.
   * @returns {LateFiles}
   */
  files(name, count, size) {
    const directory = path.join(this.root, name);
    const paths = Array.from({ length: count }, (_, index) =>
      path.join(directory, `${String(index).padStart(4, '0')}.txt`),
    );
    const label = formatBytes(size);
    return {
      label,
      description: `${count} generated text files of ${label}`,
      paths,
      make() {
        if (fs.existsSync(directory)) return;
        fs.mkdirSync(directory);
        paths.forEach((file, index) => fs.writeFileSync(file, text(size, index)));
      },
    };
  }

  /**
   * @param {string} name
   * @param {number} [size] Bytes.
   * @param {number} [chunk] Bytes that each write of its making has: the page cache keeps them together.
   * @returns {BigFile} Random bytes.
   */
  bigFile(name, size = BIG_FILE, chunk = MIB) {
    const file = path.join(this.root, name);
    return {
      description: `a generated file of ${formatBytes(size)}`,
      path: file,
      size,
      make() {
        if (!fs.existsSync(file)) writeRandomFile(file, size, chunk);
      },
    };
  }
}

function writeRandomFile(file, size, chunk) {
  const fd = fs.openSync(file, 'wx');
  try {
    const bytes = Buffer.alloc(chunk);
    for (let at = 0; at < size; at += chunk) writeAll(fd, randomFillSync(bytes), at);
    // Else the disk would be busy with it while other things are timed.
    fs.fdatasyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function writeAll(fd, buffer, position) {
  for (let done = 0; done < buffer.length;) {
    done += fs.writeSync(fd, buffer, done, buffer.length - done, position + done);
  }
}

/** A folder that is only read. Symbolic links are not followed. */
class Folder {
  /**
   * @param {string} directory As the user wrote it; it names the sample.
   * @param {typeof SAMPLE} [bounds]
   */
  constructor(directory, bounds = SAMPLE) {
    this.directory = directory;
    this.bounds = bounds;
    this.fileSystem = fileSystemOf(directory);
    const { files, complete } = list(directory, bounds.entries);
    this.files = files;
    this.complete = complete;
  }

  /**
   * A bounded choice of its files, spread evenly over the sorted list, then shuffled so that large
   * ones do not follow each other; the same each time while the folder is the same. Their bytes
   * are in the page cache afterwards.
   *
   * @returns {FileSet|null} Null if there is no file to choose.
   */
  sample() {
    const { bounds } = this;
    const candidates = this.files.filter(({ size }) => size <= bounds.largest);
    let chosen = spread(candidates, bounds.files);
    while (chosen.length > 1 && total(chosen) > bounds.total) {
      chosen = spread(chosen, Math.ceil(chosen.length / 2));
    }
    chosen = chosen.filter((file) => readable(file, bounds.largest));
    if (chosen.length === 0) return null;
    const largest = formatBytes(bounds.largest);
    const found = `${this.files.length}${this.complete ? '' : ' or more'}`;
    const description =
      `${chosen.length} of the ${found} files of ${this.directory} (up to ${largest} each): ` +
      `${formatBytes(total(chosen))}, median ${formatBytes(median(chosen.map((f) => f.size)))}`;
    const paths = shuffled(chosen).map((file) => file.path);
    return { label: this.directory, description, paths, bytes: total(chosen) };
  }

  /**
   * @returns {BigFile|null} Its largest file, or null if none is large enough for random reads.
   */
  bigFile() {
    const largest = this.files.reduce((a, b) => (b.size > a.size ? b : a), { size: 0 });
    if (largest.size < LEAST_FOR_RANDOM || !readable(largest, BIG_FILE)) return null;
    const size = Math.min(largest.size, BIG_FILE);
    const part = size < largest.size ? `the first ${formatBytes(size)} of ` : '';
    const description = `${part}${largest.path} (${formatBytes(largest.size)})`;
    return { description, path: largest.path, size, make() {} };
  }
}

/** The regular files below a folder, sorted by path, up to a bound on the entries looked at. */
function list(directory, most) {
  const files = [];
  let entries = 0;
  const waiting = [directory];
  while (waiting.length > 0) {
    const folder = waiting.pop();
    let names;
    try {
      names = fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (folder === directory) throw error;
      continue;
    }
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    const folders = [];
    for (const entry of names) {
      if (++entries > most) return { files, complete: false };
      const entryPath = path.join(folder, entry.name);
      if (entry.isDirectory()) folders.push(entryPath);
      if (!entry.isFile()) continue;
      const stats = fs.lstatSync(entryPath, { throwIfNoEntry: false });
      if (stats?.isFile()) files.push({ path: entryPath, size: stats.size });
    }
    waiting.push(...folders.reverse());
  }
  return { files, complete: true };
}

/** Up to `count` items of a list, evenly spaced. */
function spread(items, count) {
  if (items.length <= count) return items;
  const step = items.length / count;
  return Array.from({ length: count }, (_, index) => items[Math.floor(index * step)]);
}

const total = (files) => files.reduce((sum, { size }) => sum + size, 0);

/** Reads a file (up to `limit` bytes), so that it is in the page cache; false if that fails. */
function readable(file, limit) {
  let fd;
  try {
    fd = fs.openSync(file.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const chunk = Buffer.alloc(MIB);
    for (let at = 0; at < limit;) {
      const bytes = fs.readSync(fd, chunk, 0, chunk.length, at);
      if (bytes === 0) break;
      at += bytes;
    }
    return true;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

module.exports = {
  BIG_FILE,
  Folder,
  HUGE_FILE,
  KIB,
  MIB,
  PAGE,
  QUICK_BIG_FILE,
  Workspace,
  fileSystemOf,
  formatBytes,
  randomPositions,
  readable,
};
