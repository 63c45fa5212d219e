'use strict';
/** statx results as Node's own Stats and BigIntStats. */

const { constants } = require('node:fs');
const { nodeFs } = require('./delegate');
const { stats } = require('./request');
const { STAT_FIELDS } = require('./binding').binding;

/** Order of the native module's doubles (write_stat() in src/engine.c). */
const DEV = 0;
const MODE = 1;
const NLINK = 2;
const UID = 3;
const GID = 4;
const RDEV = 5;
const BLKSIZE = 6;
const INO_HIGH = 7;
const INO_LOW = 8;
const SIZE = 9;
const BLOCKS = 10;
const ATIME = 11;
const MTIME = 13;
const CTIME = 15;
const BIRTHTIME = 17;

/**
 * What the running Node makes of a file. `new fs.Stats()` is deprecated and warns, so Stats are made
 * from the prototype, after this sample's shape.
 */
const sample = nodeFs.statSync('/');
const BigIntStats = nodeFs.statSync('/', { bigint: true }).constructor;

/** Node 20 has the dates as own properties, later ones make them from the milliseconds when asked. */
const ownDates = Object.hasOwn(sample, 'atime');

/** Node 26 keeps the nanoseconds of the second for the Temporal instants, under symbols. */
const nanosecondKeys = ['atime', 'mtime', 'ctime', 'birthtime'].map((name) =>
  Object.getOwnPropertySymbols(sample).find((key) =>
    new RegExp(`partial${name}ns`, 'i').test(key.description),
  ),
);
const hasNanoseconds = nanosecondKeys.every((key) => key !== undefined);
const [ATIME_KEY, MTIME_KEY, CTIME_KEY, BIRTHTIME_KEY] = nanosecondKeys;

function Stats(at) {
  this.dev = stats[at + DEV];
  this.mode = stats[at + MODE];
  this.nlink = stats[at + NLINK];
  this.uid = stats[at + UID];
  this.gid = stats[at + GID];
  this.rdev = stats[at + RDEV];
  this.blksize = stats[at + BLKSIZE];
  this.ino = stats[at + INO_HIGH] * 0x100000000 + stats[at + INO_LOW];
  this.size = stats[at + SIZE];
  this.blocks = stats[at + BLOCKS];
  this.atimeMs = milliseconds(at + ATIME);
  this.mtimeMs = milliseconds(at + MTIME);
  this.ctimeMs = milliseconds(at + CTIME);
  this.birthtimeMs = milliseconds(at + BIRTHTIME);
  if (ownDates) {
    this.atime = date(this.atimeMs);
    this.mtime = date(this.mtimeMs);
    this.ctime = date(this.ctimeMs);
    this.birthtime = date(this.birthtimeMs);
  }
  if (hasNanoseconds) {
    this[ATIME_KEY] = stats[at + ATIME + 1];
    this[MTIME_KEY] = stats[at + MTIME + 1];
    this[CTIME_KEY] = stats[at + CTIME + 1];
    this[BIRTHTIME_KEY] = stats[at + BIRTHTIME + 1];
  }
}
Stats.prototype = Object.getPrototypeOf(sample);

function milliseconds(at) {
  return stats[at] * 1e3 + stats[at + 1] / 1e6;
}

/** As Node does: rounded to the nearest millisecond. */
function date(ms) {
  return new Date(Math.round(ms));
}

function nanoseconds(at) {
  return BigInt(stats[at]) * 1000000000n + BigInt(stats[at + 1]);
}

/**
 * @param {number} index in the hand-over
 * @returns {import('node:fs').Stats}
 */
function statsAt(index) {
  return new Stats(index * STAT_FIELDS);
}

/**
 * @param {number} index in the hand-over
 * @returns {import('node:fs').BigIntStats}
 */
function bigintStatsAt(index) {
  const at = index * STAT_FIELDS;
  return new BigIntStats(
    BigInt(stats[at + DEV]),
    BigInt(stats[at + MODE]),
    BigInt(stats[at + NLINK]),
    BigInt(stats[at + UID]),
    BigInt(stats[at + GID]),
    BigInt(stats[at + RDEV]),
    BigInt(stats[at + BLKSIZE]),
    (BigInt(stats[at + INO_HIGH]) << 32n) | BigInt(stats[at + INO_LOW]),
    BigInt(stats[at + SIZE]),
    BigInt(stats[at + BLOCKS]),
    nanoseconds(at + ATIME),
    nanoseconds(at + MTIME),
    nanoseconds(at + CTIME),
    nanoseconds(at + BIRTHTIME),
  );
}

/** The type bits (fs.constants.S_IF...) of the file at `index`. */
function typeAt(index) {
  return stats[index * STAT_FIELDS + MODE] & constants.S_IFMT;
}

/**
 * Whether what is made here has the shape of the running Node's Stats; a Node that changes it gets its
 * own from the pool until this file knows it.
 */
const shapeIsKnown =
  Reflect.ownKeys(sample).map(String).join() === Reflect.ownKeys(new Stats(0)).map(String).join();

module.exports = { bigintStatsAt, shapeIsKnown, statsAt, typeAt };
