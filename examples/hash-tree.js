#!/usr/bin/env node
'use strict';

const HELP = `SHA-256 of every file below a folder, as sha256sum prints it, and one of them all.

  node examples/hash-tree.js [FOLDER] > sums
  cd FOLDER && sha256sum --check sums

FOLDER is the current one by default. Progress goes to standard error, when that is a terminal.
Symbolic links, FIFOs and devices are left out. Fails when a file could not be read.`;

const { createHash } = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { parseArgs } = require('node:util');
const fs = require('uring-fs');

/** Files whose contents are in memory at a time, and bytes of each: no more than 64 MiB together. */
const GROUP = 256;
const SMALL = 256 * 1024;
const REDRAW_MS = 100;

/** Paths of the files below a folder, in the order of their bytes. */
async function* walk(folder) {
  const entries = await fs.readdir(folder, { withFileTypes: true });
  const key = (entry) => Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name);
  entries.sort((a, b) => Buffer.compare(key(a), key(b)));
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(name);
    else if (entry.isFile()) yield name;
  }
}

/** Arrays of up to `size` items. */
async function* grouped(items, size) {
  let group = [];
  for await (const item of items) {
    if (group.push(item) < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function hashSmall(content, onBytes) {
  onBytes(content.length);
  return createHash('sha256').update(content).digest('hex');
}

/** For a file that is too large to be in memory whole. */
async function hashLarge(file, onBytes) {
  const hash = createHash('sha256');
  const handle = await fs.open(file);
  // The stream closes the handle, and has the next piece read while this one is hashed.
  for await (const piece of handle.createReadStream({ highWaterMark: 1024 * 1024 })) {
    hash.update(piece);
    onBytes(piece.length);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {(bytes: number) => void} [onBytes] called with what has been hashed since it was last called
 * @yields {{ file: string, digest?: string, error?: Error }} the files in order
 */
async function* hashTree(folder, onBytes = () => undefined) {
  for await (const files of grouped(walk(folder), GROUP)) {
    const stats = await fs.statFiles(files, { settled: true });
    const small = files.filter((_, i) => stats[i].value?.size <= SMALL);
    const contents = await fs.readFiles(small, { settled: true });
    const outcomes = new Map(small.map((file, i) => [file, contents[i]]));
    for (const [i, file] of files.entries()) {
      try {
        const { reason, value } = outcomes.get(file) ?? stats[i];
        if (reason !== undefined) throw reason;
        const isRead = Buffer.isBuffer(value);
        const digest = isRead ? hashSmall(value, onBytes) : await hashLarge(file, onBytes);
        yield { file, digest };
      } catch (error) {
        yield { file, error };
      }
    }
  }
}

/** As sha256sum does it: a name with a line break in it is escaped, and the line says so. */
function lineOf(digest, name) {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${digest}  ${escaped}\n`;
}

/** A line on the terminal that says how far it is. */
function createProgress(stream) {
  let [files, bytes, drawn] = [0, 0, 0];
  const draw = (text) => stream.isTTY && stream.write(`\r\x1b[K${text}`);
  const advance = () => {
    if (performance.now() - drawn < REDRAW_MS) return;
    drawn = performance.now();
    draw(`${files} files, ${(bytes / 2 ** 20).toFixed(0)} MiB`);
  };
  return {
    onBytes(count) {
      bytes += count;
      advance();
    },
    onFile() {
      files++;
      advance();
    },
    clear: () => draw(''),
  };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(HELP);
  const [folder = '.'] = positionals;

  const progress = createProgress(process.stderr);
  const total = createHash('sha256');
  for await (const { file, digest, error } of hashTree(folder, progress.onBytes)) {
    progress.onFile();
    if (error !== undefined) {
      progress.clear();
      console.error(`${file}: ${error.message}`);
      process.exitCode = 1;
      continue;
    }
    const line = lineOf(digest, path.relative(folder, file));
    total.update(line);
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }
  progress.clear();
  console.error(`${total.digest('hex')}  ${folder}`);
}

if (require.main === module) main();

module.exports = { hashTree };
