'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');
const {
  ROOT,
  describeOnRing,
  runProgram,
  skip,
  uring: { ring },
  useFolder,
} = require('./helpers/environment');
const { faultyWork } = require('./helpers/faulty-work');

const { EAGAIN, EBADF, EBUSY, ECANCELED, EINTR, EIO, ENXIO } = constants.errno;

const PRELOAD = path.join(__dirname, 'helpers', 'other-addon.js');
const FAULTY = path.join(ROOT, 'test', 'native', 'build', 'Release', 'uring_fs_faults.node');

/** <linux/io_uring.h> */
const SETUP = {
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
};
const OPCODE = { FSYNC: 3, OPENAT: 18, CLOSE: 19, STATX: 21, READ: 22, WRITE: 23 };

describeOnRing('with failures injected', () => {
  const folder = useFolder();
  let count = 0;

  function newFolder() {
    const made = folder.in(`work-${count++}`);
    nodeFs.mkdirSync(made);
    return made;
  }

  function atomicFolder() {
    const made = newFolder();
    nodeFs.writeFileSync(path.join(made, 'file'), 'old');
    return made;
  }

  /** Runs the program over test/native/faults.h; every fault must have happened at least once. */
  async function runWith(faults, program, args) {
    const { code, signal, said, stderr } = await runProgram(program, {
      args,
      flags: ['-r', PRELOAD],
      env: { URING_FS_TEST_ADDON: FAULTY, URING_FS_FAULTS: faults, URING_FS_BACKEND: '' },
    });
    assert.deepEqual([code, signal], [0, null], stderr);
    for (const fault of faults.split(',')) {
      const [kind] = fault.split(':');
      assert.match(stderr, new RegExp(`^${kind}: [1-9]`, 'm'), `no ${kind} has happened`);
    }
    return said.at(-1);
  }

  /** The program of helpers/faulty-work.js. */
  async function worksWith(faults, errors = []) {
    const result = await runWith(faults, faultyWork, { folder: newFolder(), errors });
    assert.deepEqual(result.wrong, []);
    assert.equal(result.open, 0, 'descriptors left open');
    return result;
  }

  const harmless = {
    'submitting is interrupted': `enter:2:${EINTR}`,
    'the kernel has no memory for a request now and then': `enter:2:${EAGAIN}`,
    'the completion queue is to be emptied first': `enter:2:${EBUSY}`,
    'fetching completions is interrupted': `fetch:2:${EINTR}`,
    'fetching completions finds no memory': `fetch:3:${EAGAIN}`,
    'one entry is taken of each submission: chains are cut': 'partial:1',
    'chains are cut now and then, and submitting is interrupted': `partial:3,enter:5:${EINTR}`,
    'every read and write is short': 'short:1',
    'some reads and writes are short': 'short:3',
    'some operations are interrupted': `result:4:${EINTR}`,
    'some operations get no kernel worker': `result:4:${ECANCELED}`,
    'no operation gets one': `result:1:${ECANCELED}`,
    'closes are given up': `result:2:${ECANCELED}:${OPCODE.CLOSE}`,
    'opens are interrupted': `result:2:${EINTR}:${OPCODE.OPENAT}`,
    'writes are given up': `result:2:${ECANCELED}:${OPCODE.WRITE}`,
    'task work is announced that is not there': 'stale:1',
    'a ring of 8 entries': 'entries:8',
    'a ring of 8 entries, short, cut and interrupted': `entries:8,short:3,partial:3,result:9:${EINTR}`,
    'the completion queue overflows': 'overflow:8',
    'the completion queue overflows, and submitting is interrupted': `overflow:8,enter:3:${EINTR}`,
  };
  for (const [title, faults] of Object.entries(harmless)) {
    it(title, async () => {
      const { rejected } = await worksWith(faults);
      assert.deepEqual(rejected, { ENOENT: 1 });
    });
  }

  describe('on kernels that know less', () => {
    const PLAIN = ['CQSIZE', 'CLAMP'];
    const COOP = [...PLAIN, 'SUBMIT_ALL', 'COOP_TASKRUN', 'TASKRUN_FLAG'];
    const NAMES = ['link', 'mkdir', 'mkdtemp', 'symlink'];
    /** By the version that is like that: its set-up flags and opcodes, and what it leaves to the pool. */
    const kernels = [
      { like: '5.10', flags: PLAIN, opcodes: 37, unlinked: true, pool: [...NAMES, 'truncate'] },
      { like: '5.15', flags: PLAIN, opcodes: 40, unlinked: true, pool: ['truncate'] },
      { like: '5.18', flags: [...PLAIN, 'SUBMIT_ALL'], opcodes: 41, pool: ['truncate'] },
      { like: '5.19', flags: COOP, opcodes: 47, pool: ['truncate'] },
    ];
    const faultsOf = ({ flags, opcodes, unlinked }) => {
      const mask = flags.reduce((all, name) => all | SETUP[name], 0);
      return `flags:${mask},opcodes:${opcodes}${unlinked ? ',unlinked:1' : ''}`;
    };

    before(function () {
      if (ring.status().operations.truncate === 'pool') skip(this, 'this kernel is one');
    });

    for (const kernel of kernels) {
      it(`as ${kernel.like}`, async () => {
        const { rejected, status } = await worksWith(faultsOf(kernel));
        assert.deepEqual(rejected, { ENOENT: 1 });
        assert.equal(status.backend, 'io_uring');
        assert.deepEqual(status.setupFlags, kernel.flags);
        const { operations } = ring.status();
        const all = Object.keys(operations).filter((name) => operations[name] === 'ring');
        assert.deepEqual(
          all.filter((name) => status.operations[name] === 'pool'),
          kernel.pool,
        );
      });
    }

    // Whole files then take steps, each of which can fail in its own way.
    for (const [title, faults] of Object.entries(harmless)) {
      if (!/^(short|result)/.test(faults)) continue;
      it(`as 5.10, and ${title}`, async () => {
        const { rejected } = await worksWith(`${faultsOf(kernels[0])},${faults}`);
        assert.deepEqual(rejected, { ENOENT: 1 });
      });
    }
  });

  for (const [at, error] of [
    [2, EBADF],
    [5, ENXIO],
    [20, EBADF],
    [100, ENXIO],
    [300, EBADF],
  ]) {
    it(`the ring fails for good at call ${at}: all settles, nothing is done twice`, async () => {
      const { status } = await worksWith(`late:${at}:${error}`, ['EIO']);
      assert.equal(status.backend, 'threadpool');
      assert.equal(status.reason, 'the ring failed while in use');
      assert.ok(Object.values(status.operations).every((served) => served === 'pool'));
    });
  }

  it('what a broken ring had begun is rejected, its handle closes and the process ends', async () => {
    const said = await runWith(
      `late:4:${EBADF}`,
      async ({ uring, args, say }) => {
        const note = (promise) =>
          promise.then(
            (value) => value ?? 'resolved',
            ({ code, syscall }) => `${code} ${syscall}`,
          );
        const handle = await uring.open(args.fifo, 'r+');
        const stuck = note(handle.read(Buffer.alloc(9)));
        const outcomes = [
          note(uring.writeFile(args.file, 'new')),
          note(uring.rm(`${args.file}-2`)),
        ];
        await Promise.all(outcomes);
        const closed = note(handle.close());
        const later = await uring.readFile(args.file, 'utf8').catch(() => 'lost');
        say({
          stuck: await stuck,
          closed: await closed,
          later,
          reason: uring.ring.status().reason,
        });
      },
      { fifo: folder.fifo('fifo'), file: folder.file('file', 'old') },
    );
    assert.equal(said.stuck, 'EIO read');
    assert.equal(said.closed, 'resolved');
    assert.ok(['old', '', 'new'].includes(said.later), said.later);
    assert.equal(said.reason, 'the ring failed while in use');
  });

  it('a broken ring does not keep the processor busy', async () => {
    const used = await runWith(
      `late:5:${EBADF}`,
      async ({ uring, args, say }) => {
        for (let i = 0; i < 9; i++) await uring.writeFile(args, 'x').catch(() => {});
        const before = process.cpuUsage();
        await new Promise((resolve) => setTimeout(resolve, 400));
        const { user, system } = process.cpuUsage(before);
        say((user + system) / 1000);
      },
      folder.file('idle'),
    );
    assert.ok(used < 200, `${used} ms of CPU in 400 ms`);
  });

  describe("errors that are the caller's to know", () => {
    /** The outcomes of all that ends in fsync, say. */
    const program = async ({ uring, nodeFs: fs, args, say }) => {
      const outcomes = {};
      const note = async (name, promise) => {
        outcomes[name] = await promise.then(
          () => 'resolved',
          ({ code, syscall }) => `${code} ${syscall}`,
        );
      };
      await note('writeFile', uring.writeFile(args.file, 'new', { flush: true }));
      await note('appendFile', uring.appendFile(args.file, 'new', { flush: true }));
      await note('large', uring.writeFile(args.file, Buffer.alloc(2e6), { flush: true }));
      await note('pieces', uring.writeFile(args.file, ['a', 'b'], { flush: true }));
      const handle = await uring.open(args.file, 'r+');
      await note('sync', handle.sync());
      await note('datasync', handle.datasync());
      await note('read', handle.read(Buffer.alloc(9), 0, 9, 0));
      await note('write', handle.write('abc', 0));
      await handle.close();
      // Of no file system that does without the ring.
      await note('readFile', uring.readFile('/proc/version'));
      await note('stat', uring.stat('/proc/version'));
      say({ outcomes, open: fs.readdirSync('/proc/self/fd').length });
    };
    const outcomesWith = async (faults) =>
      (await runWith(faults, program, { file: folder.file('errors', 'old') })).outcomes;

    it('of every fsync', async () => {
      assert.deepEqual(await outcomesWith(`result:1:${EIO}:${OPCODE.FSYNC}`), {
        writeFile: 'EIO fsync',
        appendFile: 'EIO fsync',
        large: 'EIO fsync',
        pieces: 'EIO fsync',
        sync: 'EIO fsync',
        datasync: 'EIO fdatasync',
        read: 'resolved',
        write: 'resolved',
        readFile: 'resolved',
        stat: 'resolved',
      });
    });

    it('of an fsync in writeFileAtomic: the old content stays', async () => {
      const found = await runWith(
        `result:1:${EIO}:${OPCODE.FSYNC}`,
        async ({ uring, nodeFs: fs, args, say }) => {
          const error = await uring.writeFileAtomic(`${args}/file`, 'new').catch((one) => one);
          say([
            error.code,
            error.syscall,
            fs.readFileSync(`${args}/file`, 'utf8'),
            fs.readdirSync(args),
          ]);
        },
        atomicFolder(),
      );
      assert.deepEqual(found, ['EIO', 'fsync', 'old', ['file']]);
    });

    for (const [code, error] of Object.entries({ EIO, EAGAIN })) {
      it(`of every read: ${code}`, async () => {
        const outcomes = await outcomesWith(`result:1:${error}:${OPCODE.READ}`);
        assert.deepEqual([outcomes.read, outcomes.readFile], [`${code} read`, `${code} read`]);
        assert.equal(outcomes.writeFile, 'resolved');
      });

      it(`of every write: ${code}`, async () => {
        const outcomes = await outcomesWith(`result:1:${error}:${OPCODE.WRITE}`);
        for (const name of ['writeFile', 'appendFile', 'large', 'pieces', 'write']) {
          assert.equal(outcomes[name], `${code} write`, name);
        }
        assert.equal(outcomes.readFile, 'resolved');
      });
    }

    it('of a stat', async () => {
      const outcomes = await outcomesWith(`result:1:${EIO}:${OPCODE.STATX}`);
      assert.equal(outcomes.stat, 'EIO stat');
    });
  });
});
