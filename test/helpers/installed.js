'use strict';

// The package as a user has it: the packed files, installed into an empty folder. Made by
// tools/test-package.js, which names the tarball.

const { execFileSync, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { fetchNode } = require('../../tools/lib/fetched');
const { npmCommand } = require('../../tools/lib/packages');

const AGAIN = { next: 'npm run test:package' };

/** What tests that fetch packages and start programs may take, ms. */
const LONG = 120_000;

const tarball = process.env.URING_FS_TARBALL;
if (tarball === undefined) throw new Error('these tests are for: npm run test:package');

/** Versions of Node that the package is for: this one, and others from npm. */
const NODES = ['20', '22', '24', '26'];

const nodeOf = (version) =>
  process.versions.node.startsWith(`${version}.`) ? process.execPath : fetchNode(version, AGAIN);

/** npm's own script: npm is run by this Node, whatever is on the PATH. */
function npmScript() {
  const { prefix } = npmCommand();
  const found =
    prefix[0] ?? execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return nodeFs.realpathSync(found);
}

/**
 * A folder with the package in its node_modules/, for the suite that this is called in. What is run there
 * has no compiler, make or Python on its PATH, and nothing of this repository.
 */
function useInstalled() {
  let folder;
  let bin;

  before(function () {
    this.timeout(LONG);
    folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-installed-'));
    bin = path.join(folder, 'bin');
    nodeFs.mkdirSync(bin);
    nodeFs.mkdirSync(path.join(folder, 'files'));
    nodeFs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball];
    const { status, stderr } = start(process.execPath, [npmScript(), ...args]);
    if (status !== 0) throw new Error(stderr);
  });
  after(() => nodeFs.rmSync(folder, { recursive: true, force: true }));

  function start(command, args, { env, cwd = folder } = {}) {
    const unset = { NODE_OPTIONS: undefined, NODE_PATH: undefined, URING_FS_BACKEND: undefined };
    return spawnSync(command, args, {
      cwd,
      encoding: 'utf8',
      timeout: LONG,
      env: { ...process.env, ...unset, PATH: bin, ...env },
    });
  }

  return {
    in: (...names) => path.join(folder, ...names),
    package: (...names) => path.join(folder, 'node_modules', 'uring-fs', ...names),

    /** Writes a file, and gives its path. */
    file(name, text) {
      nodeFs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      nodeFs.writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    },

    /** A copy of it all, without the binaries. */
    withoutBinaries() {
      const copy = path.join(folder, 'without-binaries');
      nodeFs.mkdirSync(path.join(copy, 'files'), { recursive: true });
      nodeFs.cpSync(path.join(folder, 'node_modules'), path.join(copy, 'node_modules'), {
        recursive: true,
        filter: (name) => !name.endsWith('.node'),
      });
      return copy;
    },

    start,

    /** What a program printed on stdout; fails unless it ended well, and silently on stderr. */
    output(command, args, options) {
      const { status, signal, stdout, stderr, error } = start(command, args, options);
      if (status !== 0 || stderr !== '') {
        const how = error?.message ?? signal ?? `exit code ${status}`;
        throw new Error(`${[command, ...args].join(' ')}: ${how}\n${stdout}${stderr}`);
      }
      return stdout;
    },
  };
}

/**
 * Programs that use the package, as CommonJS and as an ES module, in the folder that is the current one.
 * They print what came of it as JSON: what node:fs does, by every kind of call, and which backend did it.
 */
const BODY = `
  const { backend, code, reason } = fs.ring.status();
  const [one, two] = ['files/one', 'files/two'];
  await fs.writeFile(one, 'first');
  await fs.appendFile(one, ' second');
  const handle = await fs.open(one, 'r+');
  const { bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
  await handle.write('F', 0);
  await handle.close();
  await fs.writeFileAtomic(two, 'whole');
  const done = {
    bytesRead,
    isHandle: handle instanceof fs.FileHandle,
    one: await fs.readFile(one, 'utf8'),
    many: await fs.readFiles([one, two], 'utf8'),
    sizes: (await fs.statFiles([one, two])).map(({ size }) => size),
    error: await fs.readFile('files/none').catch((error) => error.code),
    names: (await fs.readdir('files')).sort(),
  };
  await Promise.all([one, two].map((name) => fs.unlink(name)));
  const binary = Object.keys(modules).find((name) => name.endsWith('.node')) ?? null;
  console.log(JSON.stringify({ backend, code, reason, binary, done }));
`;
const PROGRAMS = {
  'program.cjs': `'use strict';
const fs = require('uring-fs');
const modules = require.cache;
(async () => {${BODY}})();
`,
  'program.mjs': `import { createRequire } from 'node:module';
import fs, { readFile, ring } from 'uring-fs';
const modules = createRequire(import.meta.url).cache;
if (fs.readFile !== readFile || fs.ring !== ring) throw new Error('two modules');
${BODY}`,
};

/** What `done` of every program is. */
const DONE = {
  bytesRead: 12,
  isHandle: true,
  one: 'First second',
  many: ['First second', 'whole'],
  sizes: [12, 5],
  error: 'ENOENT',
  names: ['one', 'two'],
};

module.exports = { AGAIN, DONE, LONG, NODES, PROGRAMS, nodeOf, npmScript, tarball, useInstalled };
