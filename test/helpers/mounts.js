'use strict';

// Small file systems for the tests, where mounting is permitted: of several types, and on disks that
// are full, limited or failing.

const { spawn, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { ROOT, skip } = require('./environment');

/** @returns {string} what went wrong, or nothing */
function run(command, ...args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : (error?.message ?? stderr.trim());
}

/** How to make each type in an image file; the least size that its tool accepts, bytes. */
const TYPES = {
  ext4: { least: 1 << 20, command: ['mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal'] },
  xfs: { least: 320 << 20, command: ['mkfs.xfs', '-q'] },
  btrfs: { least: 120 << 20, command: ['mkfs.btrfs', '-q', '-M'] },
};

/** @returns {string} what went wrong, or nothing */
function mountImage(type, image, size, point) {
  const { least, command } = TYPES[type];
  nodeFs.writeFileSync(image, '');
  nodeFs.truncateSync(image, Math.max(size, least)); // a hole: it takes no room
  const [make, ...options] = command;
  return run(make, ...options, image) || run('mount', '-o', 'loop', image, point);
}

let count = 0;

/**
 * Mounts for the suite this is called in, or skips it.
 *
 * @param {{ in: (...names: string[]) => string }} folder of the suite
 * @param {string} name
 * @param {(point: string) => string | Promise<string>} mount says what went wrong
 * @returns {(...names: string[]) => string} a path on it
 */
function mounted(folder, name, mount) {
  const number = count++;
  const point = () => folder.in(`${name}-mount-${number}`);
  let done = false;
  before(async function () {
    nodeFs.mkdirSync(point());
    const problem = await mount(point());
    if (problem) skip(this, `no ${name} can be mounted: ${problem}`);
    done = true;
  });
  after(() => {
    if (done) run('umount', '-l', point());
  });
  return (...names) => folder.in(`${name}-mount-${number}`, ...names);
}

/**
 * A file system of its own.
 *
 * @param {'tmpfs' | 'ext4' | 'xfs' | 'btrfs'} type
 * @param {number} size bytes; what the type needs is the least
 */
function useMount(folder, type, size) {
  return mounted(folder, type, (point) =>
    type === 'tmpfs'
      ? run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', point)
      : mountImage(type, folder.in(`${type}-image`), size, point),
  );
}

/** A folder that takes no more than `limit` bytes: of a btrfs, which keeps count without other tools. */
function useQuota(folder, limit) {
  const at = mounted(folder, 'quota', (point) => {
    const limited = `${point}/limited`;
    return (
      mountImage('btrfs', folder.in('quota-image'), 0, point) ||
      run('btrfs', 'quota', 'enable', point) ||
      run('btrfs', 'subvolume', 'create', limited) ||
      run('btrfs', 'qgroup', 'limit', `${limit}`, limited)
    );
  });
  return (...names) => at('limited', ...names);
}

/**
 * An overlayfs over a folder that has `files`, all of it on a tmpfs: a container's root lies on another
 * file system, too, where there is one.
 *
 * @param {Record<string, string>} files contents by name
 * @returns {{ at: (...names: string[]) => string, lower: (...names: string[]) => string }}
 */
function useOverlay(folder, files) {
  const below = useMount(folder, 'tmpfs', 1 << 20);
  const at = mounted(folder, 'overlay', (point) => {
    for (const name of ['lower', 'upper', 'work']) nodeFs.mkdirSync(below(name));
    for (const [name, content] of Object.entries(files)) {
      nodeFs.writeFileSync(below('lower', name), content);
    }
    const parts = `lowerdir=${below('lower')},upperdir=${below('upper')},workdir=${below('work')}`;
    return run('mount', '-t', 'overlay', '-o', parts, 'overlay', point);
  });
  return { at, lower: (...names) => below('lower', ...names) };
}

/**
 * A FUSE file system of one file, `file`, whose server does not answer when it is asked what the file system
 * is like: whoever asks waits for ever.
 */
function useSilentServer(folder) {
  let server;
  const at = mounted(folder, 'fuse', (point) => {
    const helpers = path.join(ROOT, 'test', 'native', 'build', 'Release', 'test_helpers.node');
    const program = `require(${JSON.stringify(helpers)}).serveFuse(${JSON.stringify(point)},
      () => require('node:fs').writeSync(1, 'mounted'))`;
    server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((resolve) => {
      let problem = '';
      server.stderr.on('data', (text) => (problem += text));
      server.stdout.once('data', () => resolve(''));
      server.once('exit', () => resolve(/Error: .*/.exec(problem)?.[0] ?? 'the server has ended'));
    });
  });
  after(() => server?.kill('SIGKILL')); // with it goes who waits
  return at;
}

/**
 * A disk that fails: an ext4 of `size` bytes whose image lies where there are only `room` bytes. What is
 * written beyond is lost when the kernel writes it out, and an fsync says so. `cut()` takes away the end of
 * the image: reads of what was there fail.
 *
 * @returns {{ at: (...names: string[]) => string, cut: (bytes: number) => void }}
 */
function useFailingDisk(folder, size, room) {
  const below = mounted(folder, 'image', (point) =>
    run('mount', '-t', 'tmpfs', '-o', `size=${room}`, 'tmpfs', point),
  );
  const at = mounted(folder, 'disk', (point) => mountImage('ext4', below('image'), size, point));
  return {
    at,
    /** The rest of its files is not in the page cache, and nothing writes to the disk any more. */
    cut(bytes) {
      const problem = run('umount', at()) || run('mount', '-o', 'ro,loop', below('image'), at());
      if (problem) throw new Error(problem);
      nodeFs.truncateSync(below('image'), bytes);
    },
  };
}

module.exports = {
  mountImage,
  run,
  useFailingDisk,
  useMount,
  useOverlay,
  useQuota,
  useSilentServer,
};
