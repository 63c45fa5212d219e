'use strict';

// Programs of others, once with Node's fs and once with ours: what they give and what they leave on the
// disk has to be the same.

const assert = require('node:assert/strict');
const { execFile, execFileSync } = require('node:child_process');
const { once } = require('node:events');
const nodeFs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { ROOT, onRing, useFolder } = require('../helpers/environment');
const { contentOf, sha256 } = require('./contents');
const { createGitServer } = require('./git-server');

/** How a program comes by our fs. */
const WAYS = {
  option: { what: "as the program's option `fs`", flags: [] },
  require: { what: 'by -r uring-fs/register', flags: ['-r', 'uring-fs/register'] },
  import: { what: 'by --import uring-fs/register', flags: ['--import', 'uring-fs/register'] },
};

/** Fewer requests than this on the ring, and the program was not served by it. */
const SERVED = 100;

const PROGRAM_MS = 120_000;

/** Runs one of programs/. */
async function run(name, way, options) {
  const flags = WAYS[way]?.flags ?? [];
  const args = [...flags, path.join(__dirname, 'program.js'), name, way, JSON.stringify(options)];
  const limits = { timeout: PROGRAM_MS, maxBuffer: 64 * 1024 * 1024 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: __dirname,
    ...limits,
  });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

/** All that is below a folder, a line for each; of the files in `unlike` no contents. */
function describeTree(folder, unlike = /^$/) {
  return nodeFs
    .readdirSync(folder, { recursive: true })
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const stats = nodeFs.lstatSync(file);
      const mode = stats.mode.toString(8);
      if (stats.isSymbolicLink()) {
        return `${mode} ${name} -> ${nodeFs.readlinkSync(file).replace(folder, '')}`;
      }
      if (!stats.isFile() || unlike.test(name)) return `${mode} ${name}`;
      return `${mode} ${name} ${stats.size} ${sha256(nodeFs.readFileSync(file))}`;
    });
}

/**
 * The tests of one program.
 *
 * @param {string} name in programs/
 * @param {{ ways: string[], unlike?: RegExp, options?: (folder: string, way: string) => object,
 *   check?: (folder: string, result: any) => void }} about `unlike`: files with the time or an address in
 *   them; `options` makes what the program takes; `check` looks at the outcome with Node's fs
 */
function compare(name, { ways, unlike, options = () => ({}), check = () => undefined }) {
  describe(name, function () {
    this.timeout(PROGRAM_MS);
    this.slow(30_000);
    const folder = useFolder();
    let expected;

    async function outcome(way) {
      nodeFs.mkdirSync(folder.in(way));
      const { result, submitted } = await run(name, way, {
        folder: folder.in(way),
        ...options(folder.in(way), way),
      });
      return { result, submitted, tree: describeTree(folder.in(way), unlike) };
    }

    before("with Node's fs", async () => {
      expected = await outcome('node');
      assert.equal(expected.submitted, 0);
      check(folder.in('node'), expected.result);
    });

    for (const way of ways) {
      it(`does the same with ours, ${WAYS[way].what}`, async () => {
        const { result, submitted, tree } = await outcome(way);
        assert.deepEqual(result, expected.result);
        assert.deepEqual(tree, expected.tree);
        if (onRing) assert.ok(submitted >= SERVED, `${submitted} requests`);
        check(folder.in(way), result);
      });
    }
  });
}

/** Files and folders of every kind: the same wherever it is made. */
function makeTree(folder) {
  for (let i = 0; i < 400; i++) {
    const at = path.join(folder, `${i % 5}`, `${i % 7}`);
    nodeFs.mkdirSync(at, { recursive: true });
    nodeFs.writeFileSync(path.join(at, `${i}.txt`), contentOf(i, (i * 37) % 20_000));
  }
  nodeFs.mkdirSync(path.join(folder, 'empty'));
  nodeFs.writeFileSync(path.join(folder, 'large.bin'), contentOf(0, 2_500_000));
  nodeFs.writeFileSync(path.join(folder, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  nodeFs.writeFileSync(path.join(folder, 'ünïcödé name.txt'), 'text');
  nodeFs.writeFileSync(path.join(folder, '.hidden'), '');
  nodeFs.symlinkSync('large.bin', path.join(folder, 'link'));
  nodeFs.symlinkSync('1/2', path.join(folder, 'link-to-folder'));
  const time = new Date('2024-01-02T03:04:05Z');
  for (const name of nodeFs.readdirSync(folder, { recursive: true })) {
    nodeFs.lutimesSync(path.join(folder, name), time, time);
  }
  return folder;
}

/** A tree that is made once, and only read. */
function useTree() {
  const folder = useFolder();
  before(() => makeTree(folder.in()));
  return folder;
}

describe('programs of others', () => {
  const tree = useTree();
  const modules = path.join(ROOT, 'node_modules', 'echarts');

  describe('git over HTTP', () => {
    const repositories = useFolder();
    let server;

    before(async () => {
      makeRepository(repositories.in());
      server = createGitServer(repositories.in()).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });

    after(() => {
      server.closeAllConnections();
      server.close();
    });

    compare('isomorphic-git', {
      ways: ['option', 'require'],
      unlike: /\.git\/(index|config)$/, // the times of files; the address
      options(_folder, way) {
        // Each pushes to its own.
        const name = `${way}.git`;
        nodeFs.cpSync(repositories.in('source.git'), repositories.in(name), { recursive: true });
        return { url: `http://127.0.0.1:${server.address().port}/${name}` };
      },
      check(folder, { pushed, merged }) {
        const clone = path.join(folder, 'clone');
        assert.equal(pushed, true);
        assert.equal(git(clone, 'status', '--porcelain'), '');
        assert.equal(git(clone, 'rev-parse', 'HEAD').trim(), merged[0]);
        const name = `${path.basename(folder)}.git`;
        assert.equal(git(repositories.in(name), 'rev-parse', 'work').trim(), merged[0]);
        for (const at of [clone, repositories.in(name)]) git(at, 'fsck', '--strict');
      },
    });
  });

  compare('cacache', {
    ways: ['require'],
    unlike: /(index-v5\/|_lastverified)/, // times
    check: (_folder, { verified, listed, digests }) => {
      assert.equal(listed.length, digests.length - digests.length / 10 - 1);
      assert.equal(verified.missingContent, 1);
    },
  });

  compare('fastify-static', {
    ways: ['require'],
    options: () => ({
      site: tree.in(),
      names: ['large.bin', '1/1/1.txt', '3/3/73.txt', 'run.sh', '2/3/17.txt', '0/0/0.txt'],
    }),
    check(_folder, { whole, served }) {
      assert.ok(whole.every(({ status }) => status === 200));
      assert.equal(served.length, whole.length);
    },
  });

  compare('rollup', { ways: ['option', 'import'], options: () => ({ modules }) });

  compare('webpack', {
    ways: ['option'],
    unlike: /^cache\//, // times
    options: () => ({ modules }),
    check: (_folder, rounds) => {
      for (const { errors, modules: built } of rounds) {
        assert.deepEqual(errors, []);
        assert.ok(built > 100);
      }
    },
  });

  compare('fs-extra', { ways: ['require'] });
  compare('tar', { ways: ['require', 'import'], options: () => ({ tree: tree.in() }) });
  compare('glob', { ways: ['option', 'require'], options: () => ({ tree: tree.in() }) });
  compare('write-file-atomic', {
    ways: ['require'],
    check: (_folder, { torn }) => assert.equal(torn, 0),
  });
  compare('lowdb', { ways: ['import'] });
});

function git(folder, ...args) {
  return execFileSync('git', args, { cwd: folder, encoding: 'utf8', env: GIT_ENVIRONMENT });
}

/** No settings of whoever runs this, and commits that are the same each time. */
const GIT_ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: '/nowhere',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_COMMITTER_DATE: '1700000000 +0000',
};

/** source.git in `folder`: some history on two branches, packed. */
function makeRepository(folder) {
  const source = path.join(folder, 'source');
  nodeFs.mkdirSync(source);
  makeTree(source);
  git(source, 'init', '--quiet', '--initial-branch=main');
  const commit = (message) => {
    git(source, 'add', '--all');
    git(source, 'commit', '--quiet', '--message', message);
  };
  commit('All');
  git(source, 'tag', 'first');
  for (let i = 0; i < 20; i++) {
    nodeFs.appendFileSync(path.join(source, '1', '2', '16.txt'), `line ${i}\n`);
    nodeFs.writeFileSync(path.join(source, `${i}.txt`), contentOf(i, i * 1000));
    commit(`Commit ${i}`);
  }
  git(source, 'checkout', '--quiet', '-b', 'feature', 'HEAD~5');
  nodeFs.rmSync(path.join(source, '3'), { recursive: true });
  nodeFs.renameSync(path.join(source, '4'), path.join(source, 'four'));
  commit('Feature');
  git(source, 'checkout', '--quiet', 'main');
  git(folder, 'clone', '--quiet', '--bare', source, 'source.git');
  const bare = path.join(folder, 'source.git');
  git(bare, 'config', 'http.receivepack', 'true');
  git(bare, 'config', 'pack.threads', '1'); // the same pack each time
  git(bare, 'repack', '-a', '-d', '--quiet');
}
