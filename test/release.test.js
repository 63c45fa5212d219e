'use strict';

// `npm run release`, in a clone of its own that has the files it is about.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { npmCommand } = require('../tools/lib/packages');
const { ROOT, useFolder } = require('./helpers/environment');

const FILES = ['package.json', 'package-lock.json', 'tools/changelog.js', '.npmrc'];

const CHANGES = `### Added

- Something that a user notices, on two
  lines.

`;
const CHANGELOG = `# Changelog

## [Unreleased]

${CHANGES}## [0.1.0] - 2026-01-01

### Added

- The first.
`;

describe('npm run release', function () {
  this.timeout(60_000);

  const folder = useFolder();
  let count = 0;

  /** A clone with such a change log, and what to do there. */
  function clone(changelog) {
    const root = folder.in(`clone-${count++}`);
    for (const name of FILES) nodeFs.cpSync(path.join(ROOT, name), path.join(root, name));
    nodeFs.writeFileSync(path.join(root, 'CHANGELOG.md'), changelog);
    const person = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a' };
    // The folder and the settings that npm gives to a script are those of the outer npm.
    const own = Object.entries(process.env).filter(
      ([name]) => !/^npm_|^INIT_CWD$|^GIT_/.test(name),
    );
    const env = { ...Object.fromEntries(own), ...person, GIT_COMMITTER_EMAIL: 'a' };
    const start = (command, ...args) =>
      spawnSync(command, args, { cwd: root, env, encoding: 'utf8' });
    const git = (...args) => {
      const { status, stdout, stderr } = start('git', ...args);
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    git('init', '--quiet', '--initial-branch=main');
    git('add', '.');
    git('commit', '--quiet', '--message=first');
    const { command, prefix } = npmCommand();
    const release = (kind) => start(command, ...prefix, 'run', 'release', '--', kind);
    const read = (name) => nodeFs.readFileSync(path.join(root, name), 'utf8');
    return { git, read, release };
  }

  it('sets the version, moves what is unreleased under it, commits and tags', () => {
    const { git, read, release } = clone(CHANGELOG);
    const [major, minor] = JSON.parse(read('package.json')).version.split('.').map(Number);
    const version = `${major}.${minor + 1}.0`;
    const { status, stdout, stderr } = release('minor');
    assert.equal(status, 0, `${stdout}${stderr}`);

    assert.equal(JSON.parse(read('package.json')).version, version);
    const lock = JSON.parse(read('package-lock.json'));
    assert.deepEqual([lock.version, lock.packages[''].version], [version, version]);
    const [, date] = /^## \[\d.* - (\d{4}-\d\d-\d\d)$/m.exec(read('CHANGELOG.md'));
    const heading = `## [Unreleased]\n\n## [${version}] - ${date}\n`;
    assert.equal(read('CHANGELOG.md'), CHANGELOG.replace('## [Unreleased]\n', heading));
    assert.ok(Math.abs(Date.now() - Date.parse(date)) < 2 * 86_400_000, date);

    assert.equal(git('status', '--porcelain'), '');
    assert.equal(git('log', '-1', '--format=%s'), `Release ${version}`);
    assert.equal(git('describe', '--exact-match'), `v${version}`);
    assert.equal(git('diff', '--name-only', 'HEAD~1').split('\n').length, 3);
  });

  it('does nothing where there is nothing to release', () => {
    const { git, release } = clone(CHANGELOG.replace(CHANGES, ''));
    const { status, stderr } = release('minor');
    assert.notEqual(status, 0);
    assert.match(stderr, /nothing under "## \[Unreleased\]"/);
    assert.deepEqual([git('status', '--porcelain'), git('tag')], ['', '']);
  });
});
