'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const crypto = require('node:crypto');

const HASHED_UP_TO = 16 * 1024 * 1024; // sparse files of gigabytes are told apart by their size

function standardContent(dir) {
  const at = (...names) => path.join(dir, ...names);
  fs.writeFileSync(at('file'), 'hello parity\n');
  fs.writeFileSync(at('empty'), '');
  fs.writeFileSync(at('text'), 'h\u00e9llo w\u00f6rld \u2603 \u{1f600}\nsecond line\n');
  fs.writeFileSync(at('readonly'), 'read only', { mode: 0o444 });
  fs.writeFileSync(at('program'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  fs.mkdirSync(at('dir', 'sub'), { recursive: true });
  fs.writeFileSync(at('dir', 'inner'), 'inner');
  fs.writeFileSync(at('dir', 'sub', 'deep'), 'deep');
  fs.mkdirSync(at('emptydir'));
  fs.symlinkSync('file', at('link'));
  fs.symlinkSync('dir', at('dirlink'));
  fs.symlinkSync('nowhere', at('dangling'));
  fs.symlinkSync('loop', at('loop'));
}

function typeOf(stats) {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFIFO()) return 'fifo';
  return 'other';
}

function contentOf(file, stats) {
  if (stats.size > HASHED_UP_TO) return 'not read';
  try {
    const data = fs.readFileSync(file);
    if (data.length <= 64) return JSON.stringify(data.toString('latin1'));
    return crypto.createHash('sha1').update(data).digest('hex');
  } catch (error) {
    return error.code;
  }
}

// One line per entry. Times, inode numbers and the sizes of directories are left out: they
// differ between any two folders.
function snapshot(dir, prefix = '') {
  const lines = [];
  let names;
  try {
    names = fs.readdirSync(dir, { encoding: 'latin1' }).sort();
  } catch (error) {
    return [`${prefix}. (${error.code})`];
  }
  for (const name of names) {
    const full = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, 'latin1')]);
    let stats;
    try {
      stats = fs.lstatSync(full);
    } catch (error) {
      lines.push(`${prefix}${name} (${error.code})`);
      continue;
    }
    const type = typeOf(stats);
    let line = `${prefix}${name} ${type} ${(stats.mode & 0o7777).toString(8)}`;
    line += ` ${stats.uid}:${stats.gid}`;
    if (type === 'file') {
      line += ` links=${stats.nlink} size=${stats.size} ${contentOf(full, stats)}`;
    }
    if (type === 'link') line += ` -> ${fs.readlinkSync(full, 'latin1')}`;
    lines.push(line);
    if (type === 'dir') lines.push(...snapshot(full.toString(), `${prefix}${name}/`));
  }
  return lines;
}

// A test may leave folders that even their owner cannot list.
function removeTree(dir) {
  try {
    fs.rmSync(dir, { recursive: true, force: true });
  } catch {
    const open = (folder) => {
      fs.chmodSync(folder, 0o700);
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) open(path.join(folder, entry.name));
      }
    };
    open(dir);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function copyTree(from, to) {
  const stats = fs.lstatSync(from);
  if (stats.isSymbolicLink()) {
    fs.symlinkSync(fs.readlinkSync(from, 'buffer'), to);
  } else if (stats.isDirectory()) {
    fs.mkdirSync(to);
    for (const name of fs.readdirSync(from)) copyTree(path.join(from, name), path.join(to, name));
    fs.chmodSync(to, stats.mode & 0o7777);
  } else if (stats.isFile()) {
    fs.copyFileSync(from, to);
  } else {
    throw new Error(`cannot copy ${from}`);
  }
}

// The entries of a snapshot by the entry of the top folder to which they belong.
function byTopName(lines) {
  const groups = new Map();
  for (const line of lines.split('\n').filter(Boolean)) {
    const name = /^(.*?)(\/| (file|dir|link|fifo|other) \d)/s.exec(line)?.[1];
    groups.set(name, `${groups.get(name) ?? ''}${line}\n`);
  }
  return groups;
}

// Two folders of equal content. The one in use is renamed to `<root>/twin` and made the working
// directory, so that both implementations see the very same paths: error messages, link targets
// and paths in any encoding can be compared as they are.
class Twin {
  constructor(populate = standardContent) {
    this.populate = populate;
    this.home = process.cwd();
    this.root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'uring-fs-parity-'));
    this.dir = path.join(this.root, 'twin');
    this.shared = path.join(this.root, 'shared'); // one folder that both sides see
    fs.mkdirSync(this.shared);
    this.active = null;
    this.rebuild();
  }

  parked(side) {
    return path.join(this.root, side);
  }

  park() {
    if (this.active === null) return;
    process.chdir(this.root);
    fs.renameSync(this.dir, this.parked(this.active));
    this.active = null;
  }

  activate(side) {
    if (this.active === side) return;
    this.park();
    fs.renameSync(this.parked(side), this.dir);
    process.chdir(this.dir);
    this.active = side;
  }

  rebuild() {
    this.park();
    for (const side of ['node', 'ours', 'master']) {
      removeTree(this.parked(side));
      fs.mkdirSync(this.parked(side));
      this.activate(side);
      this.owner = fs.statSync(this.dir);
      this.populate(this.dir);
      this.base = this.snapshot();
      this.park();
    }
    this.activate('node');
  }

  // Brings a folder back to its first state: much faster than to make it anew.
  restore(side, state) {
    if (state === this.base) return;
    this.activate(side);
    const wanted = byTopName(this.base);
    const present = byTopName(state);
    try {
      for (const name of new Set([...wanted.keys(), ...present.keys()])) {
        if (name === '.' || wanted.get(name) === present.get(name)) continue;
        if (present.has(name)) removeTree(Buffer.from(name, 'latin1'));
        if (wanted.has(name)) copyTree(path.join(this.parked('master'), name), name);
      }
    } catch {
      // A name that cannot be handled here, or a named pipe.
    }
    if (this.snapshot() !== this.base) this.rebuild();
  }

  // The folder's own mode and owner are part of it, and are put right at once: without them
  // nothing else in it could be looked at.
  snapshot() {
    const { mode, uid, gid } = fs.statSync(this.dir);
    if (uid !== this.owner.uid || gid !== this.owner.gid) {
      fs.chownSync(this.dir, this.owner.uid, this.owner.gid);
    }
    if (mode !== this.owner.mode) fs.chmodSync(this.dir, this.owner.mode & 0o7777);
    const itself = `./ ${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
    return [itself, ...snapshot(this.dir)].join('\n');
  }

  close() {
    process.chdir(this.home);
    removeTree(this.root);
  }
}

module.exports = { Twin, standardContent };
