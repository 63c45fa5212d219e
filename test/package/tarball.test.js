'use strict';

// What is in the package, and what installing it does: nothing but to unpack it.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { faultsOfPrebuild } = require('../../tools/lib/binary');
const { BUILD_NEEDS } = require('../../tools/lib/debian');
const { fetchPackage } = require('../../tools/lib/fetched');
const { findHeaders } = require('../../tools/lib/headers');
const { TARGETS, fileOf } = require('../../tools/lib/prebuilds');
const { ROOT, skip } = require('../helpers/environment');
const { AGAIN, LONG, npmScript, tarball, useInstalled } = require('../helpers/installed');

const MIB = 2 ** 20;

/** Package managers, and those of their versions that run what others do not. */
const MANAGERS = {
  'npm 10': { package: 'npm', version: '10.9.9', script: 'bin/npm-cli.js' },
  'pnpm 9': { package: 'pnpm', version: '9.15.9', script: 'bin/pnpm.cjs', verb: 'add' },
  'pnpm 10': { package: 'pnpm', version: '10.34.9', script: 'bin/pnpm.cjs', verb: 'add' },
  'Yarn 1': { package: 'yarn', version: '1.22.22', script: 'bin/yarn.js', verb: 'add' },
  'Yarn 4': { package: '@yarnpkg/cli-dist', version: '4.18.1', script: 'bin/yarn.js', verb: 'add' },
};

describe('the package', function () {
  this.timeout(LONG);

  const installed = useInstalled();

  /** Every file of a folder, relative to it. */
  const filesIn = (folder) =>
    nodeFs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

  const node = (...args) => execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

  it('is what is needed to run it, to compile it and to know it', () => {
    const folders = new Set(filesIn(installed.package()).map((name) => name.split(path.sep)[0]));
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'docs'];
    const code = ['bench', 'index.d.ts', 'lib', 'package.json', 'prebuilds', 'src'];
    assert.deepEqual([...folders].sort(), [...documents, ...code].sort());
    const native = filesIn(installed.package('src'));
    assert.deepEqual(
      native.filter((name) => !/^[^/]+\.(c|h|gyp)$/.test(name)),
      [],
    );
  });

  it('is smaller than 1 MiB, with what it depends on', () => {
    const modules = installed.in('node_modules');
    const sizes = filesIn(modules).map((name) => nodeFs.statSync(path.join(modules, name)).size);
    const size = sizes.reduce((sum, each) => sum + each, 0);
    console.log(`      ${Math.round(size / 1024)} KiB`);
    assert.ok(size < MIB, `${size} bytes`);
  });

  it('has no binding.gyp where package managers look for one', () => {
    assert.ok(!nodeFs.existsSync(installed.package('binding.gyp')));
    assert.ok(nodeFs.existsSync(installed.package('src', 'binding.gyp')));
  });

  it('has the licence of what is linked into the binaries', () => {
    const licence = installed.package('prebuilds', 'LICENSE-liburing');
    assert.match(nodeFs.readFileSync(licence, 'utf8'), /Jens Axboe[^]*free of charge/);
  });

  for (const target of TARGETS) {
    it(`the binary for ${target.name} needs Node and an old C library alone`, () => {
      const file = installed.package(path.relative(ROOT, fileOf(target)));
      assert.deepEqual(faultsOfPrebuild(file, target), []);
    });
  }

  it('publint finds nothing to say', () => {
    const said = node(path.join('node_modules', 'publint', 'src', 'cli.js'), tarball, '--strict');
    assert.match(said, /All good!/);
  });

  it('its types are those of what is imported, however that is looked up', () => {
    const { exports: entries } = JSON.parse(nodeFs.readFileSync(installed.package('package.json')));
    const attw = path.join('node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    // It fails when anything is wrong. Not with TypeScript's old resolution, which knows no `exports`.
    const said = node(attw, tarball, '--profile', 'node16', '--no-definitely-typed', '--no-emoji');
    for (const subpath of Object.keys(entries)) {
      assert.ok(said.includes(`"${path.posix.join('uring-fs', subpath)}"`), subpath);
    }
  });

  /** Installs it as a person would, and fails if anything was compiled or was to be. */
  function installs(script, verb) {
    const folder = nodeFs.mkdtempSync(installed.in('manager-'));
    nodeFs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "app", "private": true }\n');
    nodeFs.writeFileSync(path.join(folder, 'yarn.lock'), '');
    nodeFs.writeFileSync(path.join(folder, '.yarnrc.yml'), 'nodeLinker: node-modules\n');
    const env = {
      ...process.env,
      // For pnpm and Yarn: all that they keep stays in the folder.
      npm_config_store_dir: path.join(folder, 'store'),
      YARN_GLOBAL_FOLDER: path.join(folder, 'store'),
      YARN_CACHE_FOLDER: path.join(folder, 'store'),
      YARN_ENABLE_TELEMETRY: '0',
    };
    const run = (...args) => {
      const options = { cwd: folder, encoding: 'utf8', env, timeout: LONG };
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], options);
      assert.equal(status, 0, `${stdout}${stderr}`);
      return `${stdout}${stderr}`;
    };
    const said = run(verb, `uring-fs@file:${tarball}`);
    assert.doesNotMatch(said, /gyp (info|ERR)|node-gyp rebuild|build scripts/i);
    const modules = path.join(folder, 'node_modules', 'uring-fs');
    const built = () =>
      filesIn(nodeFs.realpathSync(modules)).filter((name) => /\bbuild\//.test(name));
    assert.deepEqual(built(), []);
    return { run, built };
  }

  for (const [name, manager] of Object.entries(MANAGERS)) {
    it(`${name} installs it, and compiles nothing`, () => {
      const folder = fetchPackage(manager.package, manager.version, AGAIN);
      installs(path.join(folder, manager.script), manager.verb ?? 'install');
    });
  }

  it('nor does `npm rebuild`', () => {
    const { run, built } = installs(npmScript(), 'install');
    run('rebuild');
    assert.deepEqual(built(), []);
  });

  it('its source compiles by the documented command, and what that makes is loaded', function () {
    const missing = BUILD_NEEDS.filter(({ present }) => !present());
    if (missing.length > 0) skip(this, `there is no ${missing.map(({ what }) => what).join(', ')}`);
    const nodeGyp = path.join(ROOT, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    const headers = findHeaders();
    const options = headers ? [`--nodedir=${headers}`] : [];
    const source = path.join('node_modules', 'uring-fs', 'src');
    const built = nodeFs.mkdtempSync(installed.in('built-'));
    nodeFs.cpSync(installed.in('node_modules'), path.join(built, 'node_modules'), {
      recursive: true,
    });
    const args = [nodeGyp, 'rebuild', '-C', source, '--loglevel=error', ...options];
    execFileSync(process.execPath, args, { cwd: built, stdio: ['ignore', 'ignore', 'pipe'] });
    const program = `require('uring-fs').ring.status();
      console.log(Object.keys(require.cache).find((name) => name.endsWith('.node')));`;
    const said = installed.output(process.execPath, ['--eval', program], { cwd: built });
    const binary = path.join(built, source, 'build', 'Release', 'uring_fs.node');
    assert.equal(said.trim(), nodeFs.realpathSync(binary));
  });
});
