'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const { documented, runCli } = require('../helpers/cli');
const { ROOT, backend, onRing, skip, uring, useFolder } = require('../helpers/environment');
const { REMEDIES, remedyOf } = require('../../lib/cli/remedies');
const { mountOf } = require('../../lib/cli/system');
const { section, styled, wrapped } = require('../../lib/cli/text');
const { trial } = require('../../lib/cli/trial');

describe('uring-fs doctor', () => {
  const folder = useFolder();
  const expected = onRing ? 0 : 1;

  /** What the command says as JSON. */
  function diagnose(args, options) {
    const { status, stdout, stderr } = runCli(['doctor', '--json', ...args], options);
    assert.equal(stderr, '');
    const found = JSON.parse(stdout);
    assert.equal(status, found.backend === 'io_uring' ? 0 : 1);
    return found;
  }

  it('says it in words', () => {
    const { status, stdout, stderr } = runCli(['doctor', folder.in()]);
    assert.equal(stderr, '');
    assert.equal(status, expected);
    assert.match(stdout, /^uring-fs \d+\.\d+\.\d+/);
    assert.match(stdout, new RegExp(`Node +${process.versions.node.replaceAll('.', '\\.')}`));
    assert.match(stdout, onRing ? /^io_uring is in use\.$/m : /^The thread pool serves: .+\.$/m);
    assert.ok(stdout.includes(`File system of ${folder.in()}`));
    assert.equal(stdout, util.stripVTControlCharacters(stdout));
    // A path is as long as it is, and so is what names one.
    const isBreakable = (line) => / .* .* /.test(line.trim()) && !/\bURING_FS_\w+=/.test(line);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80 || !isBreakable(line), line);
  });

  it('--json has what the document says, and what ring.status() says', () => {
    const found = diagnose([folder.in()]);
    assert.deepEqual(Object.keys(found), documented('doctor.md', '## `--json`'));
    assert.deepEqual(Object.keys(found.fileSystem), documented('doctor.md', '`fileSystem`:\n'));
    const { code, reason, operations, tuning, sqEntries } = uring.ring.status();
    assert.deepEqual(
      [found.backend, found.code, found.reason, found.operations, found.tuning],
      [backend, code, reason, operations, tuning],
    );
    assert.equal(found.schema, 1);
    assert.equal(found.remedy === null, onRing);
    assert.equal(found.ring?.sqEntries ?? 0, sqEntries);
    assert.equal(found.system.version, process.versions.node);
    assert.equal(found.fileSystem.path, folder.in());
  });

  it('limits are those of the process', function () {
    if (!nodeFs.existsSync('/proc/self/limits')) skip(this, 'there is no /proc/self/limits');
    const limited = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -n 123; exec "$0" "$@"',
        process.execPath,
        `${ROOT}/lib/cli.js`,
        'doctor',
        '--json',
      ],
      { encoding: 'utf8', cwd: folder.in() },
    );
    const { limits, fileSystem } = JSON.parse(limited.stdout);
    assert.deepEqual(limits.nofile, { soft: 123, hard: 123 });
    assert.ok(limits.memlock.hard === 'unlimited' || limits.memlock.hard >= limits.memlock.soft);
    assert.equal(fileSystem.path, folder.in());
  });

  it('tries a folder and leaves nothing there', () => {
    nodeFs.mkdirSync(folder.in('tried'));
    const { fileSystem } = diagnose([folder.in('tried')]);
    assert.deepEqual(nodeFs.readdirSync(folder.in('tried')), []);
    assert.equal(fileSystem.with, 'temporary-file');
    assert.equal(typeof fileSystem.direct.supported, 'boolean');
    if (!onRing) return assert.equal(fileSystem.inline, null);
    const { open, read, stat, write } = fileSystem.inline;
    for (const inline of [open, read, stat, write]) assert.equal(typeof inline, 'boolean');
  });

  it('of a file, the folder', () => {
    const { fileSystem } = diagnose([folder.file('some-file')]);
    assert.equal(fileSystem.path, folder.in('some-file'));
    assert.equal(fileSystem.with, 'temporary-file');
    assert.equal(nodeFs.readFileSync(folder.in('some-file'), 'utf8'), 'contents');
  });

  it('where no file may be made, reads one; where there is none, none', async function () {
    if (!nodeFs.existsSync('/proc/self')) skip(this, 'there is no /proc');
    assert.deepEqual(await trial({ uring, binding: null, onRing }, '/proc', '/proc'), {
      with: null,
      inline: null,
      direct: null,
      error: null,
    });
    const file = folder.file('read-only', 'x'.repeat(10_000));
    const before = nodeFs.statSync(file).mtimeMs;
    const found = await trial({ uring, binding: null, onRing }, file, '/proc');
    assert.equal(found.with, 'existing-file');
    assert.equal(found.error, null);
    if (onRing) assert.equal(found.inline.write, null);
    assert.equal(nodeFs.statSync(file).mtimeMs, before);
  });

  it('tells what takes a kernel worker from what does not', async function () {
    if (!onRing) skip(this, 'nothing is tried without a ring');
    const handle = await uring.open(folder.file('synced'));
    const { openSync, closeSync, statSync } = nodeFs;
    const pretended = {
      ...uring,
      // Syncing always takes a worker, the synchronous calls never do.
      stat: () => handle.datasync(),
      open: async (file, flags) => {
        if (flags !== undefined) return uring.open(file, flags);
        closeSync(openSync(file));
        return { close: async () => statSync(file) };
      },
    };
    const { inline, error } = await trial(
      { uring: pretended, binding: null, onRing },
      folder.in(),
      folder.in(),
    );
    await handle.close();
    assert.equal(error, null);
    assert.deepEqual([inline?.open, inline?.stat], [true, false]);
  });

  it('a file system that fails in the trial is no reason to fail', async function () {
    if (!onRing) skip(this, 'nothing is tried without a ring');
    const broken = { ...uring, stat: () => Promise.reject(new Error('EIO: i/o error, stat')) };
    nodeFs.mkdirSync(folder.in('failing'));
    const means = { uring: broken, binding: null, onRing };
    const found = await trial(means, folder.in('failing'), folder.in('failing'));
    assert.deepEqual([found.inline, found.error], [null, 'EIO: i/o error, stat']);
    assert.deepEqual(nodeFs.readdirSync(folder.in('failing')), []);
  });

  it('what the kernel says of O_DIRECT is what a trial finds', async function () {
    if (!onRing) skip(this, 'the kernel is asked by the native module');
    const { binding } = require('../../lib/binding');
    const ask = async (asked) => {
      const { direct } = await trial({ uring, binding: asked, onRing: false }, ROOT, folder.in());
      return direct;
    };
    const told = await ask(binding);
    if (told.told !== 'kernel') skip(this, 'the kernel says nothing of this file system');
    const found = await ask(null);
    assert.equal(found.told, 'trial');
    assert.equal(found.supported, told.supported);
    // It may be content with less than it says.
    assert.ok(
      found.memory <= told.memory && found.offset <= told.offset,
      JSON.stringify([told, found]),
    );
  });

  it('names the mount that a path is on', function () {
    if (!nodeFs.existsSync('/proc/self/mountinfo')) skip(this, 'there is no /proc');
    const { point, type } = mountOf('/proc/self');
    assert.deepEqual([point, type], ['/proc', 'proc']);
    assert.equal(mountOf(folder.in('not-there')), null);
  });

  describe('reasons and remedies', () => {
    const sources = () => {
      const lib = path.join(ROOT, 'lib');
      const names = nodeFs.readdirSync(lib).filter((name) => name.endsWith('.js'));
      return names.map((name) => nodeFs.readFileSync(path.join(lib, name), 'utf8')).join('\n');
    };
    const found = (text, pattern) => [...text.matchAll(pattern)].map(([, code]) => code);

    it('every code that lib/ and src/ give is declared and has a remedy, and no other', () => {
      const inJs = found(sources(), /\bcode: '([a-z-]+)'/g);
      const probe = nodeFs.readFileSync(path.join(ROOT, 'src', 'probe.c'), 'utf8');
      const inC = found(probe, /(?:code =|return) "([a-z-]+)";/g);
      const types = nodeFs.readFileSync(path.join(ROOT, 'index.d.ts'), 'utf8');
      const [union] = types.match(/export type ReasonCode =[^;]+;/);
      const given = [...new Set([...inJs, ...inC])].sort();
      assert.ok(inJs.length >= 7 && inC.length >= 8);
      assert.deepEqual(found(union, /'([a-z-]+)'/g).sort(), given);
      assert.deepEqual(Object.keys(REMEDIES).sort(), given);
    });

    for (const code of Object.keys(REMEDIES)) {
      it(`${code}: the remedy says something, and nothing that is unsafe`, () => {
        const remedy = remedyOf(code);
        assert.ok(remedy.length > 0);
        for (const text of remedy) {
          assert.ok(text.trim().length > 20, text);
          assert.doesNotMatch(text, /unconfined|--privileged|sudo|chmod 777|SYS_ADMIN=/);
        }
      });
    }

    it('the seccomp remedy names the three calls, and no more', () => {
      const rule = remedyOf('seccomp')
        .join('\n')
        .match(/"names": \[(.*?)\]/)[1];
      assert.deepEqual(rule.match(/\w+/g), [
        'io_uring_setup',
        'io_uring_enter',
        'io_uring_register',
      ]);
    });

    it('URING_FS_BACKEND=threadpool', () => {
      const env = { URING_FS_BACKEND: 'threadpool' };
      const { code, remedy, variables, ring, fileSystem } = diagnose([folder.in()], { env });
      assert.deepEqual([code, ring, fileSystem.inline], ['environment', null, null]);
      assert.match(remedy[0], /URING_FS_BACKEND/);
      assert.equal(variables.URING_FS_BACKEND, 'threadpool');
      const { stdout } = runCli(['doctor'], { env });
      assert.match(stdout, /What to do\n {2}Unset URING_FS_BACKEND/);
    });

    it('without the native module', () => {
      const root = folder.in('no-binary');
      for (const name of ['lib', 'bench', 'package.json']) {
        nodeFs.cpSync(path.join(ROOT, name), path.join(root, name), { recursive: true });
      }
      const { code, remedy, system } = diagnose([folder.in()], {
        root,
        env: { URING_FS_BACKEND: '' },
      });
      assert.deepEqual([code, system.liburing], ['no-module', null]);
      assert.ok(remedy.some((text) => text.includes(`node-gyp rebuild --directory=${root}/src`)));
    });

    it('another system', () => {
      const pretend = "Object.defineProperty(process, 'platform', { value: 'darwin' })";
      const flags = ['-r', folder.file('darwin.js', pretend)];
      const { code, system } = diagnose([folder.in()], { flags, env: { URING_FS_BACKEND: '' } });
      assert.deepEqual([code, system.platform, system.libc], ['platform', 'darwin', null]);
    });

    it("Node's permission model", () => {
      const known = process.allowedNodeEnvironmentFlags;
      const model = known.has('--permission') ? '--permission' : '--experimental-permission';
      const flags = [model, '--allow-fs-read=*', '--no-warnings'];
      const { code, fileSystem } = diagnose([folder.in()], {
        flags,
        env: { URING_FS_BACKEND: '' },
      });
      assert.equal(code, 'permission-model');
      assert.notEqual(fileSystem.with, 'temporary-file');
    });
  });

  describe('wrong usage', () => {
    const cases = {
      'two paths': [['doctor', '/', '/tmp'], /one PATH, not 2/],
      'an option that is none': [['doctor', '--yaml'], /Unknown option '--yaml'/],
      'a path that is none': [['doctor', '/nowhere/at/all'], /ENOENT.*\/nowhere/],
      'no command': [[], /no command\n\nUsage: uring-fs/],
      'a command that is none': [['docter'], /unknown command 'docter'\n\nUsage: uring-fs/],
      'the name of a method': [['toString'], /unknown command/],
    };
    for (const [name, [args, message]] of Object.entries(cases)) {
      it(name, () => {
        const { status, stdout, stderr } = runCli(args);
        assert.deepEqual([status, stdout], [2, '']);
        assert.match(stderr, /^uring-fs/);
        assert.match(stderr, message);
      });
    }
  });

  it('--help and --version', () => {
    for (const args of [['--help'], ['-h'], ['doctor', '--help']]) {
      const { status, stdout } = runCli(args);
      assert.equal(status, 0);
      assert.match(stdout, /^Usage: uring-fs /);
    }
    assert.match(runCli(['doctor', '--help']).stdout, /1 the thread pool serves/);
    const { version } = require('../../package.json');
    assert.deepEqual(runCli(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('package.json has the command', () => {
    const { bin } = require('../../package.json');
    assert.deepEqual(bin, { 'uring-fs': 'lib/cli.js' });
    nodeFs.accessSync(path.join(ROOT, bin['uring-fs']), nodeFs.constants.X_OK);
  });

  it('a reader that goes away early is no error', () => {
    const command = `"$0" lib/cli.js doctor | head -n 1; echo`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    assert.match(stdout, /^uring-fs /);
    assert.equal(stderr, '');
  });
});

describe('lib/cli/text', () => {
  it('wraps at 80 columns, and never within a word', () => {
    const text = wrapped('word '.repeat(40).trim(), 4, 10);
    const [first, ...others] = text.split('\n');
    assert.ok(first.length <= 70);
    for (const line of others) assert.match(line, /^ {4}word/);
    for (const line of others) assert.ok(line.length <= 80);
    assert.equal(text.replace(/\s+/g, ' '), 'word '.repeat(40).trim());
    assert.equal(wrapped('x'.repeat(99), 2), 'x'.repeat(99));
  });

  it('aligns the values of a section', () => {
    const lines = section('Title', [
      ['a', '1'],
      ['long', '2'],
    ]).split('\n');
    assert.deepEqual(lines, ['Title', '  a     1', '  long  2']);
  });

  it('has colours on a terminal that has colours only', function () {
    if (util.styleText === undefined) skip(this, 'this Node has no styleText()');
    const { isTTY, hasColors } = process.stdout;
    try {
      Object.assign(process.stdout, { isTTY: true, hasColors: () => true });
      assert.equal(styled('bold', 'x'), '\u001b[1mx\u001b[22m');
      process.stdout.hasColors = () => false; // as with NO_COLOR
      assert.equal(styled('bold', 'x'), 'x');
      Object.assign(process.stdout, { isTTY: false, hasColors: undefined });
      assert.equal(styled('bold', 'x'), 'x');
    } finally {
      Object.assign(process.stdout, { isTTY, hasColors });
    }
  });
});
