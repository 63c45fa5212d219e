'use strict';

// The binaries that the package brings: prebuilds/linux-ARCH/uring-fs.LIBC.node, each with a liburing of
// its own, compiled from Debian's source. What that takes comes from Debian's archive into .prebuild/.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Archive, makeOnce } = require('./archive');
const { faultsOfPrebuild } = require('./binary');
const debian = require('./debian');
const { ensureHeaders } = require('./headers');
const { ROOT, StepError, run, runStep, say } = require('./run');

/** Removed, it is made anew. */
const CACHE = path.join(ROOT, '.prebuild');

/** liburing as the tests have it, and a musl no newer than those that Node 20 runs on. */
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

const PREBUILDS = path.join(ROOT, 'prebuilds');

/** @param {Target} target */
const fileOf = ({ arch, libc }) => path.join(PREBUILDS, `linux-${arch}`, `uring-fs.${libc}.node`);

const againWith = ({ name }) => `npm run prebuild -- ${name}`;

/** @param {Target} target */
function isCurrent(target) {
  const made = fs.statSync(fileOf(target), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = fs.readdirSync(path.join(ROOT, 'src')).filter((name) => name !== 'build');
  return sources.every((name) => fs.statSync(path.join(ROOT, 'src', name)).mtimeMs < made);
}

/** Makes the target's binary. @param {Target} target */
function makePrebuild(target) {
  debian.ensure(needsOf(target));
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-prebuild-'));
  try {
    const { gnu } = PROCESSORS[target.arch];
    const cc = target.libc === 'musl' ? muslCompiler(target, work) : `${gnu}-gcc`;
    const liburing = makeLiburing(target, cc, path.join(work, 'liburing'));
    prebuildify(target, { cc, liburing, source: copySource(work) });
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  const faults = faultsOfPrebuild(fileOf(target), target);
  if (faults.length > 0) {
    fs.rmSync(fileOf(target), { force: true });
    throw new StepError(`the check of ${target.name}`, faults.join('\n'), againWith(target));
  }
}

function needsOf({ arch }) {
  const { gnu, compiler } = PROCESSORS[arch];
  const isOwn = arch === process.arch;
  const tools = ['gcc', 'ar', 'strip'].map((tool) =>
    debian.command(`${gnu}-${tool}`, isOwn ? 'build-essential' : compiler),
  );
  return [
    debian.command('make'),
    debian.command('python3'),
    // apt unpacks sources with it.
    debian.command('dpkg-source', 'dpkg-dev'),
    ...tools,
    ...(isOwn ? [] : [libcOf(arch)]),
  ];
}

/** The headers and the C library to compile for another processor with. */
function libcOf(arch) {
  const { debian: name, gnu } = PROCESSORS[arch];
  const header = path.join('/usr', gnu, 'include', 'stdio.h');
  return {
    what: `the C library of ${arch}`,
    package: `libc6-dev-${name}-cross`,
    present: () => fs.existsSync(header),
  };
}

/**
 * On arm64 whatever exceeds a page of 64 KiB takes another, in each binary. Without tables to unwind the stack,
 * which nothing here does, all is in one.
 */
const SMALL = { arm64: '-fno-asynchronous-unwind-tables -fno-unwind-tables' };

function prebuildify(target, { cc, liburing, source }) {
  const { arch, libc } = target;
  const { gnu } = PROCESSORS[arch];
  const headers = ensureHeaders();
  const env = {
    ...process.env,
    CC: cc,
    // Everything is C: linked by the C compiler, too, it takes no library of C++.
    CXX: cc,
    AR: `${gnu}-ar`,
    CFLAGS: `-I${liburing}/include ${SMALL[arch] ?? ''}`,
    // Without the half of liburing that nothing here calls.
    LDFLAGS: `-L${liburing} -static-libgcc -Wl,--gc-sections`,
    ...(headers && { npm_config_nodedir: headers }),
  };
  const options = {
    name: 'uring-fs',
    target: process.versions.node,
    platform: 'linux',
    arch,
    libc,
    'tag-libc': libc,
    'strip-bin': `${gnu}-strip`,
    'node-gyp': path.join(ROOT, 'node_modules', '.bin', 'node-gyp'),
    cwd: source,
    out: ROOT,
    cache: CACHE,
  };
  const script = path.join(ROOT, 'node_modules', 'prebuildify', 'bin.js');
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  runStep(`building ${target.name}`, process.execPath, [script, '--napi', '--strip', ...args], {
    env,
    next: againWith(target),
  });
}

/** A copy, which node-gyp may work in: what it has made in the clone stays. */
function copySource(work) {
  const copy = path.join(work, 'src');
  const isBuild = (file) => path.basename(file) === 'build';
  fs.cpSync(path.join(ROOT, 'src'), copy, { recursive: true, filter: (file) => !isBuild(file) });
  return copy;
}

/**
 * Compiles liburing for the target into `folder`, and gives the folder of the archive. Its licence goes
 * with the binaries that it is a part of.
 */
function makeLiburing(target, cc, folder) {
  const source = fetchSource('liburing', target);
  fs.mkdirSync(PREBUILDS, { recursive: true });
  fs.copyFileSync(path.join(source, 'LICENSE'), path.join(PREBUILDS, 'LICENSE-liburing'));
  fs.cpSync(source, folder, { recursive: true });
  const step = `building liburing for ${target.name}`;
  const ar = `${PROCESSORS[target.arch].gnu}-ar`;
  const small = SMALL[target.arch] ?? '';
  const flags = `CFLAGS=-O2 -fPIC -fvisibility=hidden -ffunction-sections ${small}`;
  const options = { cwd: folder, next: againWith(target) };
  runStep(step, './configure', [`--cc=${cc}`], options);
  const args = ['-C', 'src', `CC=${cc}`, `AR=${ar}`, `RANLIB=${ar} s`, flags, 'liburing.a'];
  const { ok, output } = run('make', args, options);
  if (!ok) throw new StepError(step, output, options.next);
  return path.join(folder, 'src');
}

/**
 * gcc with musl's headers and library in place of glibc's: the command to compile with.
 *
 * @param {Target} target
 * @param {string} work a folder for what the command needs
 */
function muslCompiler(target, work) {
  const { gnu } = PROCESSORS[target.arch];
  const root = fetchMusl(target);
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

/** The folder of musl for the target's processor, and of its kernel's headers. @param {Target} target */
function fetchMusl(target) {
  const { debian: name } = PROCESSORS[target.arch];
  return fetchFromDebian(`musl-${name}`, name, againWith(target), (archive, made, step) =>
    archive.unpack(['musl', 'musl-dev', 'linux-libc-dev'], made, step),
  );
}

function fetchSource(name, target) {
  return fetchFromDebian(name, 'source', againWith(target), (archive, made, step) => {
    const sources = path.join(made, 'sources');
    const unpacked = archive.unpackSource(name, sources, step);
    for (const file of fs.readdirSync(unpacked)) {
      fs.renameSync(path.join(unpacked, file), path.join(made, file));
    }
    fs.rmSync(sources, { recursive: true });
  });
}

/**
 * A folder of the cache with what comes from Debian's archive; it is filled if it is not there.
 *
 * @param {string} name of the folder
 * @param {string} architecture Debian's name of it, or 'source'
 * @param {string} next what to type when it cannot be had
 * @param {(archive: Archive, made: string, step: string) => void} fill
 */
function fetchFromDebian(name, architecture, next, fill) {
  return makeOnce(path.join(CACHE, name), (made) => {
    const step = `fetching ${name}`;
    say(step);
    const archive = new Archive({ cache: CACHE, suite: SUITE, architecture, again: () => next });
    const problem = archive.update();
    if (problem !== null) throw new StepError(step, problem, next);
    fill(archive, made, step);
  });
}

module.exports = {
  PROCESSORS,
  TARGETS,
  fetchFromDebian,
  fetchMusl,
  fileOf,
  isCurrent,
  makePrebuild,
  muslCompiler,
};
