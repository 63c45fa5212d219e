'use strict';

// The binaries that the package brings: prebuilds/linux-ARCH/uring-fs.LIBC.node, each with a liburing of
// its own, compiled from Debian's source. What that takes comes from Debian's archive into .prebuild/.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Archive } = require('./archive');
const { faultsOf } = require('./binary');
const debian = require('./debian');
const { ensureHeaders } = require('./headers');
const { ROOT, StepError, run, runStep, say } = require('./run');

/** Removed, it is made anew. */
const CACHE = path.join(ROOT, '.prebuild');

/** liburing as the tests have it, and a musl that is older than any in use. */
const SUITE = 'bookworm';

/** By Node's name of the processor: Debian's, the one in the names of commands, and Debian's package of those. */
const PROCESSORS = {
  x64: { debian: 'amd64', gnu: 'x86_64-linux-gnu', compiler: 'gcc-x86-64-linux-gnu' },
  arm64: { debian: 'arm64', gnu: 'aarch64-linux-gnu', compiler: 'gcc-aarch64-linux-gnu' },
};

/**
 * @typedef {{ name: string, arch: 'x64' | 'arm64', libc: 'glibc' | 'musl' }} Target
 */

/** @type {Target[]} */
const TARGETS = Object.keys(PROCESSORS).flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => ({ name: `linux-${arch}-${libc}`, arch, libc })),
);

/** @param {Target} target */
const fileOf = ({ arch, libc }) =>
  path.join(ROOT, 'prebuilds', `linux-${arch}`, `uring-fs.${libc}.node`);

const againWith = ({ name }) => `npm run prebuild -- ${name}`;

/** @param {Target} target */
function isCurrent(target) {
  const made = fs.statSync(fileOf(target), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = fs.readdirSync(path.join(ROOT, 'src')).filter((name) => name !== 'build');
  return sources.every((name) => fs.statSync(path.join(ROOT, 'src', name)).mtimeMs < made);
}

/** Makes the target's binary. @param {Target} target */
function makePrebuild(target) {
  const { gnu, compiler } = PROCESSORS[target.arch];
  const owner = target.arch === process.arch ? 'build-essential' : compiler;
  debian.ensure([
    ...['make', 'python3'].map((name) => debian.command(name)),
    // apt unpacks sources with it.
    debian.command('dpkg-source', 'dpkg-dev'),
    ...['gcc', 'ar', 'strip'].map((tool) => debian.command(`${gnu}-${tool}`, owner)),
    ...(owner === compiler ? [libcOf(target)] : []),
  ]);
  const headers = ensureHeaders();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-prebuild-'));
  try {
    const cc = target.libc === 'musl' ? muslCompiler(target, work) : `${gnu}-gcc`;
    const liburing = makeLiburing(target, cc, path.join(work, 'liburing'));
    const env = {
      ...process.env,
      CC: cc,
      // Everything is C: linked by the C compiler, too, it takes no library of C++.
      CXX: cc,
      AR: `${gnu}-ar`,
      CFLAGS: `-I${liburing}/include`,
      LDFLAGS: `-L${liburing} -static-libgcc`,
      ...(headers && { npm_config_nodedir: headers }),
    };
    const { arch, libc } = target;
    const options = { name: 'uring-fs', target: process.versions.node, platform: 'linux', arch };
    const tags = { libc, 'tag-libc': libc, 'strip-bin': `${gnu}-strip` };
    const nodeGyp = path.join(ROOT, 'node_modules', '.bin', 'node-gyp');
    const places = { cwd: copySource(work), out: ROOT, cache: CACHE, 'node-gyp': nodeGyp };
    const args = Object.entries({ ...options, ...tags, ...places });
    const prebuildify = path.join(ROOT, 'node_modules', 'prebuildify', 'bin.js');
    runStep(
      `building ${target.name}`,
      process.execPath,
      [prebuildify, '--napi', '--strip', ...args.map(([name, value]) => `--${name}=${value}`)],
      { env, next: againWith(target) },
    );
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  const faults = faultsOf(fileOf(target), { ...target, stripped: true });
  if (faults.length > 0) {
    throw new StepError(`the check of ${target.name}`, faults.join('\n'), againWith(target));
  }
}

/** The headers and the C library to compile for another processor with. */
function libcOf({ arch }) {
  const { debian: name, gnu } = PROCESSORS[arch];
  const header = path.join('/usr', gnu, 'include', 'stdio.h');
  return {
    what: `the C library of ${arch}`,
    package: `libc6-dev-${name}-cross`,
    present: () => fs.existsSync(header),
  };
}

/** A copy, which node-gyp may work in: what it has made in the clone stays. */
function copySource(work) {
  const copy = path.join(work, 'src');
  const isBuild = (file) => path.basename(file) === 'build';
  fs.cpSync(path.join(ROOT, 'src'), copy, { recursive: true, filter: (file) => !isBuild(file) });
  return copy;
}

/** Compiles liburing for the target into `folder`, and gives the folder of the archive. */
function makeLiburing(target, cc, folder) {
  const source = fetched('liburing', target, (made, step) => {
    const archive = archiveFor('source', target);
    update(archive, step, target);
    const unpacked = archive.unpackSource('liburing', `${made}.sources`, step);
    fs.renameSync(unpacked, made);
    fs.rmSync(`${made}.sources`, { recursive: true });
  });
  fs.cpSync(source, folder, { recursive: true });
  const step = `building liburing for ${target.name}`;
  const ar = `${PROCESSORS[target.arch].gnu}-ar`;
  const flags = 'CFLAGS=-O2 -fPIC -fvisibility=hidden';
  const options = { cwd: folder, next: againWith(target) };
  runStep(step, './configure', [`--cc=${cc}`], options);
  const args = ['-C', 'src', `CC=${cc}`, `AR=${ar}`, `RANLIB=${ar} s`, flags, 'liburing.a'];
  const { ok, output } = run('make', args, options);
  if (!ok) throw new StepError(step, output, options.next);
  return path.join(folder, 'src');
}

/** gcc with musl's headers and library in place of glibc's: the command to compile with. */
function muslCompiler(target, work) {
  const { debian: name, gnu } = PROCESSORS[target.arch];
  const root = fetched(`musl-${name}`, target, (made, step) => {
    const archive = archiveFor(name, target);
    update(archive, step, target);
    archive.unpack(['musl', 'musl-dev', 'linux-libc-dev'], made, step);
  });
  const musl = gnu.replace('gnu', 'musl');
  const kernel = ['', gnu].map(
    (folder) => `-idirafter ${path.join(root, 'usr', 'include', folder)}`,
  );
  // musl-dev has what gcc is to be told, for when it is installed.
  const specs = fs
    .readFileSync(path.join(root, 'usr', 'lib', musl, 'musl-gcc.specs'), 'utf8')
    .replaceAll(/\/usr\/(include|lib)\//g, (place) => path.join(root, place))
    .replaceAll(`-L${root}`, `-L${path.join(root, 'lib', musl)} -L${root}`);
  const file = path.join(work, 'musl.specs');
  fs.writeFileSync(file, specs);
  return `${gnu}-gcc -specs=${file} ${kernel.join(' ')}`;
}

const archiveFor = (architecture, target) =>
  new Archive({ cache: CACHE, suite: SUITE, architecture, again: () => againWith(target) });

function update(archive, step, target) {
  const problem = archive.update();
  if (problem !== null) throw new StepError(step, problem, againWith(target));
}

/** A folder of the cache that `make` fills; it is there when it is complete. */
function fetched(name, target, make) {
  const folder = path.join(CACHE, name);
  if (fs.existsSync(folder)) return folder;
  const step = `fetching ${name}`;
  say(step);
  fs.mkdirSync(CACHE, { recursive: true });
  const made = fs.mkdtempSync(`${folder}.new-`);
  try {
    make(made, step);
    fs.renameSync(made, folder);
  } catch (error) {
    fs.rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

module.exports = { PROCESSORS, TARGETS, fileOf, isCurrent, makePrebuild };
