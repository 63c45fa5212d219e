'use strict';
/** writeFileAtomic: a file's content is replaced whole, or not at all. */

const { constants } = require('node:fs');
const { fileURLToPath, URL } = require('node:url');
const { abortError } = require('./delegate');
const { errnoOf, systemError } = require('./errors');

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const SLASH = '/'.charCodeAt(0);
/** As many as the kernel follows. */
const MOST_LINKS = 40;

const isCode =
  (...codes) =>
  (error) => {
    if (!codes.includes(error.code)) throw error;
    return undefined;
  };

/**
 * The function over those of `fs` (this package's own, whichever backend they have). Its steps follow each
 * other by their completions: links of the ring do not break at an fsync that failed.
 *
 * @param {typeof import('node:fs/promises')} fs
 */
function makeWriteFileAtomic(fs) {
  return async function writeFileAtomic(path, data, options) {
    const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
    const { encoding, mode, flush = true, signal } = given;
    const target = await followLinks(fs, toBuffer(path));
    const old = await fs.stat(target).catch(isCode('ENOENT'));
    if (old !== undefined && !old.isFile()) {
      throw systemError(old.isDirectory() ? errnoOf.EISDIR : errnoOf.EINVAL, 'rename', target);
    }
    const folder = folderOf(target);
    const temporary = Buffer.concat([folder, Buffer.from(temporaryName())]);

    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const keeps = old !== undefined && mode === undefined;
    const handle = await fs.open(temporary, flags, keeps ? 0o600 : mode);
    try {
      try {
        await handle.writeFile(data, { encoding, signal });
        if (old !== undefined) await keepOwner(handle, old, keeps);
        if (flush) await handle.sync();
      } finally {
        await handle.close();
      }
      if (signal?.aborted) await abortError(signal);
      await fs.rename(temporary, target);
    } catch (error) {
      await fs.unlink(temporary).catch(() => {});
      throw error;
    }
    if (flush) await syncFolder(fs, folder);
  };
}

/** @returns {Buffer} the path as bytes: it may be of any encoding */
function toBuffer(path) {
  return path instanceof URL ? Buffer.from(fileURLToPath(path)) : Buffer.from(path);
}

function temporaryName() {
  // Here, because it takes longer to load than all of this package.
  const { randomBytes } = require('node:crypto');
  return `.${randomBytes(12).toString('hex')}.tmp`;
}

/** The path up to and with its last slash. */
function folderOf(path) {
  const end = path.lastIndexOf(SLASH);
  return end === -1 ? Buffer.from('./') : path.subarray(0, end + 1);
}

/** What the path leads to, whether that exists or not. */
async function followLinks(fs, path) {
  for (let links = 0; links <= MOST_LINKS; links++) {
    const stats = await fs.lstat(path).catch(isCode('ENOENT'));
    if (stats === undefined || !stats.isSymbolicLink()) return path;
    const link = await fs.readlink(path, 'buffer');
    path = link[0] === SLASH ? link : Buffer.concat([folderOf(path), link]);
  }
  throw systemError(errnoOf.ELOOP, 'open', path);
}

/** Gives the new file the owner, where that is permitted, and the mode of the old one. */
async function keepOwner(handle, old, keepsMode) {
  const { uid, gid } = await handle.stat();
  let same = uid === old.uid && gid === old.gid;
  if (!same) {
    same = await handle.chown(old.uid, old.gid).then(
      () => true,
      () => false,
    );
  }
  // Of a file that somebody else owns, its set-user-ID bit is not ours to give.
  if (keepsMode) await handle.chmod(old.mode & (same ? 0o7777 : 0o777));
}

/** Makes the new name outlast a crash, where the file system can. */
async function syncFolder(fs, folder) {
  const handle = await fs.open(folder);
  try {
    await handle.sync().catch(isCode('EINVAL'));
  } finally {
    await handle.close();
  }
}

module.exports = { makeWriteFileAtomic };
