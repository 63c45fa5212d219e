'use strict';

// Debian's kernels, for the machines of guest.js: found and downloaded through apt, and unpacked into a
// folder each of .kernels/.

const fs = require('node:fs');
const path = require('node:path');
const { Archive, makeOnce } = require('./archive');
const { command, ensure } = require('./debian');
const { ROOT, StepError, run, say } = require('./run');

/** Removed, it is made anew, with what is then the newest of each series. */
const CACHE = path.join(ROOT, '.kernels');

/**
 * By series, the suites of Debian that may have it; 'latest' is the newest that these have. The last of
 * them is one that has all other packages, too.
 */
const SUITES = new Map([
  ['5.10', ['bullseye-security', 'bullseye']],
  ['6.1', ['bookworm-security', 'bookworm']],
  ['6.12', ['trixie-security', 'trixie']],
  ['latest', ['trixie-backports', 'sid']],
]);

/** Depends on its suite's newest kernel, of the flavour for virtual machines, which is the smallest. */
const METAPACKAGE = 'linux-image-cloud-amd64';

/** By which a guest reaches this machine's files and its disk. Some kernels have one or another built in. */
const MODULES = ['virtio_pci', 'virtio_console', 'virtio_blk', 'virtiofs', 'overlay', 'ext4'];

/** What unpacking takes. */
const NEEDS = [command('cpio'), command('depmod', 'kmod'), command('dpkg-deb', 'dpkg')];

/**
 * A kernel on the disk.
 *
 * @typedef {object} Kernel
 * @property {string} version Debian's, of the package
 * @property {string} image the file to boot
 * @property {string} modules the folder to be seen as /lib/modules
 * @property {string} busybox a program that needs no library
 * @property {string} base a cpio archive: busybox, and the modules to start with
 */

/**
 * The newest kernel of a series, downloaded if it is not there.
 *
 * @param {string} series one of SERIES
 * @returns {Kernel}
 */
function kernelOf(series) {
  const folder = path.join(CACHE, series);
  if (!fs.existsSync(folder)) {
    if (process.arch !== 'x64') {
      const output = `These kernels are for x86-64, and this is ${process.arch}.`;
      throw new StepError(`fetching kernel ${series}`, output, 'npm test  (on this kernel alone)');
    }
    ensure(NEEDS);
    fetchKernel(series, folder);
  }
  return {
    version: fs.readFileSync(path.join(folder, 'version'), 'utf8'),
    image: path.join(folder, 'vmlinuz'),
    modules: path.join(folder, 'lib', 'modules'),
    busybox: path.join(folder, 'busybox'),
    base: path.join(folder, 'base.cpio'),
  };
}

function fetchKernel(series, folder) {
  const step = `fetching kernel ${series}`;
  say(step);
  makeOnce(folder, (made) => {
    const newest = newestOf(series, step);
    const unpacked = path.join(made, 'unpacked');
    archiveOf(newest.suite).unpack(partsOf(newest, step), unpacked, step);
    // Downloaded for itself: installing it would replace the ordinary busybox.
    archiveOf(SUITES.get(series).at(-1)).unpack(['busybox-static'], unpacked, step);
    arrange(made, newest, step);
    fs.rmSync(unpacked, { recursive: true });
  });
}

/* ---- through apt ---- */

/** Runs a command for `step`, and gives what it printed. */
function must(step, name, args, options) {
  const { ok, output } = run(name, args, options);
  if (!ok) throw new StepError(step, `${[name, ...args].join(' ')}\n${output}`, againWith(step));
  return output;
}

function againWith(step) {
  return `npm run test:kernels  (once ${step} can work)`;
}

const archiveOf = (suite) => new Archive({ cache: CACHE, suite, again: againWith });

/**
 * @returns {{ suite: string, version: string, image: string }} `image`: the name of its package
 */
function newestOf(series, step) {
  const problems = [];
  let newest = null;
  for (const suite of SUITES.get(series)) {
    const source = archiveOf(suite);
    const problem = source.update();
    if (problem !== null) {
      problems.push(`${suite}: ${problem}`);
      continue;
    }
    const shown = source.ask('show', METAPACKAGE).output;
    const found = /^Depends:.*\b(linux-image-[0-9]\S*) \(= ([^)]+)\)/m.exec(shown);
    if (found === null) {
      problems.push(`${suite}: no ${METAPACKAGE}`);
    } else if (newest === null || isNewer(found[2], newest.version)) {
      newest = { suite, version: found[2], image: found[1] };
    }
  }
  if (newest === null) throw new StepError(step, problems.join('\n'), againWith(step));
  return newest;
}

function isNewer(version, than) {
  return run('dpkg', ['--compare-versions', version, 'gt', than]).ok;
}

/** From 6.19 on a kernel is spread over several packages, whose names have the same ending. */
function partsOf({ suite, image }, step) {
  const { ok, output } = archiveOf(suite).ask('depends', '--recurse', '--important', image);
  if (!ok) throw new StepError(step, output, againWith(step));
  const names = output.split('\n');
  const ending = image.slice('linux-image'.length);
  const parts = names.filter((name) => name.startsWith('linux-') && name.endsWith(ending));
  return [...new Set(parts)];
}

/* ---- on the disk ---- */

/** Puts what the packages brought to where kernelOf() says. */
function arrange(folder, { version }, step) {
  const unpacked = path.join(folder, 'unpacked');
  const first = (...candidates) =>
    candidates.map((name) => path.join(unpacked, name)).find((name) => fs.existsSync(name));
  const modules = first('lib/modules', 'usr/lib/modules');
  const release = fs.readdirSync(modules)[0];
  const image = first(`boot/vmlinuz-${release}`, `usr/lib/modules/${release}/vmlinuz`);
  fs.renameSync(image, path.join(folder, 'vmlinuz'));
  fs.renameSync(first('bin/busybox', 'usr/bin/busybox'), path.join(folder, 'busybox'));
  fs.mkdirSync(path.join(folder, 'lib'));
  fs.renameSync(modules, path.join(folder, 'lib', 'modules'));
  must(step, 'depmod', ['-b', folder, release]);
  makeBase(folder, release, step);
  fs.writeFileSync(path.join(folder, 'version'), version);
}

function makeBase(folder, release, step) {
  const base = path.join(folder, 'base');
  for (const name of ['bin', 'modules', 'dev', 'proc', 'sys', 'shared', 'writes', 'root']) {
    fs.mkdirSync(path.join(base, name), { recursive: true });
  }
  fs.copyFileSync(path.join(folder, 'busybox'), path.join(base, 'bin', 'busybox'));
  modulesToStart(folder, release).forEach((file, index) => {
    const [name] = path.basename(file).split('.ko');
    // apt's own tool: whatever its packages are compressed with, it can undo.
    const unpack = `/usr/lib/apt/apt-helper cat-file "$1" >"$2"`;
    const target = path.join(base, 'modules', `${String(index).padStart(2, '0')}-${name}.ko`);
    must(step, 'sh', ['-c', unpack, 'sh', file, target]);
  });
  archive(base, path.join(folder, 'base.cpio'), step);
  fs.rmSync(base, { recursive: true });
}

/** The files of MODULES and of what these need, in the order to load them. */
function modulesToStart(folder, release) {
  const files = MODULES.flatMap((module) => {
    const args = ['-d', folder, '-S', release, '--show-depends', module];
    const { output } = run('modprobe', args);
    return [...output.matchAll(/^insmod (\S+)/gm)].map(([, file]) => file);
  });
  return [...new Set(files)];
}

/** An archive of a folder, of the kind that a kernel starts from. */
function archive(folder, file, step) {
  must(step, 'sh', ['-c', 'find . | cpio -o -H newc --quiet >"$1"', 'sh', file], { cwd: folder });
}

module.exports = { CACHE, SERIES: [...SUITES.keys()], archive, kernelOf };
