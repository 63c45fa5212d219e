'use strict';

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const {
  ROOT,
  describeOnRing,
  resultOf,
  runProgram,
  skip,
  useFolder,
} = require('./helpers/environment');
const { makeGroup } = require('./helpers/cgroups');
const { work } = require('./helpers/work-program');

describe('without io_uring, or little of it', () => {
  const folder = useFolder();
  let count = 0;
  let expected;

  /** A folder that no other program has used, and that anybody may write to. */
  function newFolder() {
    const made = folder.in(`work-${count++}`);
    nodeFs.mkdirSync(made);
    nodeFs.chmodSync(made, 0o777);
    return made;
  }

  before(async () => {
    nodeFs.chmodSync(folder.in(), 0o755);
    const env = { URING_FS_BACKEND: 'threadpool' };
    ({ outcome: expected } = await resultOf(work, { args: { folder: newFolder() }, env }));
    assert.ok(expected.length > 30);
  });

  /** The program with these options does what it does on the thread pool, but for the steps named in
   * `unlike`; gives the ring's status. */
  async function worksWith({ unlike = [], ...options }) {
    const { code, signal, said, stderr } = await runProgram(work, {
      ...options,
      args: { ...options.args, folder: newFolder() },
    });
    assert.deepEqual([code, signal], [0, null], stderr);
    const { status, outcome } = said.at(-1);
    const compared = (all) => all.filter(([name]) => !unlike.includes(name));
    assert.deepEqual(compared(outcome), compared(expected));
    return { ...status, stderr };
  }

  /** The package as it is installed, but for the binaries. */
  function copyWithoutBinary(name) {
    const root = folder.in(name);
    for (const part of ['lib', 'package.json', 'node_modules/node-gyp-build']) {
      nodeFs.cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
    }
    return root;
  }

  function isPool(status, code, reason) {
    assert.deepEqual([status.backend, status.code], ['threadpool', code]);
    if (typeof reason === 'string') assert.equal(status.reason, reason);
    else assert.match(status.reason, reason);
    assert.deepEqual([status.setupFlags, status.sqEntries, status.cqEntries], [[], 0, 0]);
    assert.deepEqual([...new Set(Object.values(status.operations))], ['pool']);
  }

  /** A launcher that runs a program as another user; skips the test where there can be none. */
  function asNobody(context) {
    if (process.getuid() !== 0) skip(context, 'only root can run a program as another user');
    for (const tool of ['setpriv', 'prlimit']) {
      if (spawnSync(tool, ['--version']).error) skip(context, `there is no ${tool}`);
    }
    const launcher = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const reached = spawnSync(launcher[0], [...launcher.slice(1), process.execPath, '-e', '0']);
    if (reached.status !== 0) skip(context, 'another user may not start this Node');
    return launcher;
  }

  it('URING_FS_BACKEND=threadpool', async () => {
    const status = await worksWith({ env: { URING_FS_BACKEND: 'threadpool' } });
    isPool(status, 'environment', 'URING_FS_BACKEND=threadpool');
    assert.equal(status.stderr, '');
  });

  it('URING_FS_BACKEND=threadpool: every function is the very one of Node', async () => {
    const same = await resultOf(
      ({ uring, say }) => {
        const own = require('node:fs/promises');
        say(Object.keys(own).filter((name) => uring[name] !== own[name]));
      },
      { env: { URING_FS_BACKEND: 'threadpool' } },
    );
    assert.deepEqual(same, []);
  });

  it('the native module is missing', async () => {
    const root = copyWithoutBinary('no-binary');
    const status = await worksWith({ root, env: { URING_FS_BACKEND: '' } });
    isPool(
      status,
      'no-module',
      /^the native module could not be loaded: No native build was found for platform=linux /,
    );
    assert.equal(status.stderr, '');
  });

  it('the native module is broken', async () => {
    const root = copyWithoutBinary('broken-binary');
    const directory = path.join(root, 'prebuilds', `linux-${process.arch}`);
    nodeFs.mkdirSync(directory, { recursive: true });
    nodeFs.writeFileSync(path.join(directory, 'uring-fs.node'), 'no ELF file');
    const status = await worksWith({ root, env: { URING_FS_BACKEND: '' } });
    isPool(status, 'no-module', /^the native module could not be loaded: .*uring-fs\.node/);
    assert.equal(status.stderr, '');
  });

  it("Node's permission model, even with --allow-addons", async () => {
    const flags = process.allowedNodeEnvironmentFlags;
    const model = flags.has('--permission') ? '--permission' : '--experimental-permission';
    const status = await worksWith({
      flags: [model, '--allow-addons', '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings'],
      env: { URING_FS_BACKEND: '' },
      // Newer versions of Node do not allow these under it.
      unlike: ['append', 'sync', 'datasync', 'symlink', 'link'],
    });
    isPool(status, 'permission-model', "Node's permission model is active");
    assert.equal(status.stderr, '');
  });

  it("Node's permission model guards what is called through this package", async () => {
    const flags = process.allowedNodeEnvironmentFlags;
    const model = flags.has('--permission') ? '--permission' : '--experimental-permission';
    const secret = folder.file('secret', 'secret');
    const code = await resultOf(
      async ({ uring, args, say }) => {
        say(await uring.readFile(args.secret, 'utf8').catch((error) => error.code));
      },
      {
        flags: [model, '--allow-addons', `--allow-fs-read=${ROOT}/*`, '--no-warnings'],
        args: { secret },
      },
    );
    assert.equal(code, 'ERR_ACCESS_DENIED');
  });

  describeOnRing('by a seccomp filter', () => {
    let launcher;
    before(function () {
      launcher = folder.in('deny-syscalls');
      const source = path.join(__dirname, 'helpers', 'deny-syscalls.c');
      const made = spawnSync('cc', ['-O1', '-o', launcher, source], { encoding: 'utf8' });
      if (made.error) skip(this, 'there is no C compiler (cc) for the launcher');
      assert.equal(made.status, 0, made.stderr);
    });

    const forbidden = ['seccomp', /^a seccomp filter forbids io_uring \(usual in containers\) \(/];
    const reasons = {
      EPERM: forbidden,
      ENOSYS: forbidden,
      ENOMEM: ['memlock', /^not enough lockable memory for a ring \(ulimit -l\)/],
      EINVAL: ['old-kernel', /^the io_uring of this kernel is too old \(/],
    };
    for (const call of ['io_uring_setup', 'io_uring_enter', 'io_uring_register']) {
      for (const [error, reason] of Object.entries(reasons)) {
        it(`${call} fails with ${error}`, async function () {
          const denied = [launcher, error, call, '--'];
          // Newer versions of libuv have a ring of their own, and end the process without these calls.
          const plain = spawnSync(denied[0], [...denied.slice(1), process.execPath, '-e', '0']);
          if (plain.status !== 0) skip(this, `Node itself does not start without ${call}`);
          const status = await worksWith({ launcher: denied });
          isPool(status, ...reason);
          assert.equal(status.stderr, '');
        });
      }
    }
  });

  describeOnRing('by sysctl', () => {
    const SWITCH = '/proc/sys/kernel/io_uring_disabled';

    /** Runs `body` with the switch at `value`. A shell puts it back, even when this process is killed. */
    async function switched(context, value, body) {
      if (!nodeFs.existsSync(SWITCH)) skip(context, 'this kernel has no kernel.io_uring_disabled');
      const old = nodeFs.readFileSync(SWITCH, 'utf8').trim();
      const script = `echo ${value} >${SWITCH} && echo done; cat >/dev/null; echo ${old} >${SWITCH}`;
      const keeper = spawn('setsid', ['sh', '-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
      const ended = new Promise((resolve) => keeper.on('close', resolve));
      const set = await new Promise((resolve) => {
        keeper.stdout.on('data', () => resolve(true)).on('end', () => resolve(false));
        setTimeout(() => keeper.stdin.end(), 10_000).unref();
      });
      try {
        if (!set) skip(context, 'kernel.io_uring_disabled may not be set here');
        await body();
      } finally {
        keeper.stdin.end();
        await ended;
        assert.equal(nodeFs.readFileSync(SWITCH, 'utf8').trim(), old);
      }
    }
    const off = (value) => `io_uring is switched off: sysctl kernel.io_uring_disabled=${value}`;

    it('1 as another user', async function () {
      const launcher = asNobody(this);
      await switched(this, 1, async () => isPool(await worksWith({ launcher }), 'sysctl', off(1)));
    });

    it('1 as root', async function () {
      if (process.getuid() !== 0) skip(this, 'only root is exempt from it');
      await switched(this, 1, async () => {
        const { backend } = await worksWith({});
        assert.equal(backend, 'io_uring');
      });
    });

    it('2 as anybody', async function () {
      await switched(this, 2, async () => isPool(await worksWith({}), 'sysctl', off(2)));
    });
  });

  describeOnRing('with limits', () => {
    it('64 descriptors', async () => {
      const launcher = ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'];
      const status = await worksWith({ launcher });
      assert.equal(status.backend, 'io_uring');
    });

    /** What the ring's status and a file are when the last descriptor is taken after `load`. */
    async function withoutDescriptors(load) {
      const { said, code, stderr } = await runProgram(
        async ({ uring, nodeFs: files, args, say }) => {
          if (args) require(args);
          const opened = [];
          try {
            for (;;) opened.push(files.openSync('/dev/null', 'r'));
          } catch {
            // That was the last one.
          }
          const status = uring.ring.status();
          for (const fd of opened) files.closeSync(fd);
          const text = await uring.readFile('/proc/self/comm', 'utf8');
          say({ ...status, text, later: uring.ring.status().backend });
        },
        { args: load, launcher: ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'] },
      );
      assert.equal(code, 0, stderr);
      assert.match(said[0].text, /^\S+\n$/);
      return said[0];
    }

    it('so few descriptors that none is left for a ring', async () => {
      const { backend, code, reason, later } = await withoutDescriptors(`${ROOT}/lib/promises.js`);
      assert.deepEqual([backend, code, later], ['threadpool', 'descriptors', 'threadpool']);
      assert.match(reason, /^no file descriptor is left for a ring \(ulimit -n\)/);
    });

    it('none for loading what makes one either: until there is', async () => {
      const { backend, code, reason, later } = await withoutDescriptors('');
      assert.deepEqual([backend, code, later], ['threadpool', 'not-loaded', 'io_uring']);
      assert.match(reason, /^this package could not be loaded: EMFILE/);
    });

    it('no lockable memory', async () => {
      const launcher = ['sh', '-c', 'ulimit -l 0; exec "$0" "$@"'];
      const { backend, reason } = await worksWith({ launcher });
      if (backend === 'threadpool') assert.match(reason, /lockable memory/);
    });

    for (const bytes of [0, 65536]) {
      it(`another user with ${bytes} bytes of lockable memory`, async function () {
        const launcher = [...asNobody(this), 'prlimit', `--memlock=${bytes}:${bytes}`, '--'];
        const { backend, reason, sqEntries } = await worksWith({ launcher });
        // Which kernels charge a ring to it, differs.
        if (backend === 'threadpool') assert.match(reason, /lockable memory/);
        else assert.ok(sqEntries >= 8);
      });
    }

    it('little memory for data', async function () {
      const launcher = ['sh', '-c', 'ulimit -d 400000; exec "$0" "$@"'];
      const [shell, ...args] = [...launcher, process.execPath, '-e', '0'];
      if (spawnSync(shell, args).status !== 0) this.skip('this Node does not start with so little');
      const { backend } = await worksWith({ launcher });
      assert.equal(backend, 'io_uring');
    });

    it('no kernel worker can be made, by the limit of the user', async function () {
      const status = await worksWith({ launcher: asNobody(this), args: { noThreads: true } });
      assert.equal(status.backend, 'io_uring');
    });

    it('no kernel worker can be made, by that of a control group', async function () {
      const { limit, launcher, remove } = makeGroup(this, 'pids.max');
      try {
        const { backend } = await worksWith({ launcher, args: { noThreads: limit } });
        assert.equal(backend, 'io_uring');
      } finally {
        remove();
      }
    });

    it('a control group with little memory', async function () {
      const { limit, launcher, remove } = makeGroup(this, 'memory.max', 'memory.limit_in_bytes');
      try {
        // Enough for Node and the files; whether the ring fits, too, is the kernel's to say.
        nodeFs.writeFileSync(limit, `${200 << 20}`);
        await worksWith({ launcher });
      } finally {
        remove();
      }
    });
  });
});
