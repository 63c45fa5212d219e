'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');
const {
  ROOT,
  describeOnRing,
  resultOf,
  runProgram,
  skip,
  uring: { ring },
  useFolder,
} = require('./helpers/environment');
const { faultyWork, withFaults } = require('./helpers/faults');

const { EACCES, EAGAIN, EBADF, EBUSY, ECANCELED, EINTR, EIO, ENXIO } = constants.errno;

const TEST_HELPERS = path.join(ROOT, 'test/native/build/Release/test_helpers.node');

/** <linux/io_uring.h> */
const SETUP = {
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
};
const OPCODE = {
  FSYNC: 3,
  SENDMSG: 9,
  CONNECT: 16,
  OPENAT: 18,
  CLOSE: 19,
  STATX: 21,
  READ: 22,
  WRITE: 23,
  RENAMEAT: 35,
  MKDIRAT: 37,
  SOCKET: 45,
};

/** Bytes: a read that is not over when the next call is made. */
const HUGE = 64 * 1024 * 1024;

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
    const ended = await runProgram(program, { args, ...withFaults(faults) });
    const { code, signal, said, stderr } = ended;
    assert.deepEqual([code, signal], [0, null], stderr);
    for (const fault of faults.split(',')) {
      const [kind] = fault.split(':');
      assert.match(stderr, new RegExp(`^${kind}: [1-9]`, 'm'), `no ${kind} has happened`);
    }
    return said.at(-1);
  }

  /** The program of helpers/faults.js. */
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
    'the kernel has no memory at first': `early:5:${EAGAIN}`,
    'the kernel has no memory for long: the pool does the first': `early:15:${EBUSY}`,
    'the kernel never has memory': `enter:1:${EAGAIN}`,
    // With a flag that says to fetch: where the loop is late, it has found all by itself.
    'fetching completions is interrupted': `fetch:2:${EINTR},stale:2`,
    'fetching completions finds no memory': `fetch:3:${EAGAIN},stale:2`,
    'one entry is taken of each submission: chains are cut': 'partial:1',
    'chains are cut now and then, and submitting is interrupted': `partial:3,enter:5:${EINTR}`,
    'every read and write is short': 'short:1',
    'some reads and writes are short': 'short:3',
    'some operations are interrupted': `result:4:${EINTR}`,
    'some operations would have to wait': `result:4:${EAGAIN}`,
    'each operation would have to wait': `result:1:${EAGAIN}`,
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

  it('the ring carries file operations only', async function () {
    if (!ring.status().restricted) skip(this, 'this kernel has no restrictions');
    for (const foreign of [OPCODE.SENDMSG, OPCODE.CONNECT, OPCODE.SOCKET]) {
      const outcome = await runWith(
        `foreign:1:${foreign}:${OPCODE.MKDIRAT}`,
        async ({ uring, args, say }) => {
          const codeOf = (name) => uring.mkdir(`${args.folder}/${name}`).catch(({ code }) => code);
          say(await Promise.all(['a', 'b', 'c'].map(codeOf)));
        },
        { folder: newFolder() },
      );
      assert.deepEqual(outcome, ['EACCES', 'EACCES', 'EACCES'], `opcode ${foreign}`);
    }
  });

  it('nor may anything else be registered with it', async function () {
    if (!ring.status().restricted) skip(this, 'this kernel has no restrictions');
    const answers = await resultOf(
      ({ uring, args, nodeFs: files, say }) => {
        const linkOf = (fd) => {
          try {
            return files.readlinkSync(`/proc/self/fd/${fd}`);
          } catch {
            return ''; // that of the folder
          }
        };
        const rings = () => {
          const all = files.readdirSync('/proc/self/fd').map(Number);
          return all.filter((fd) => linkOf(fd) === 'anon_inode:[io_uring]');
        };
        const before = rings(); // libuv's own
        uring.ring.status();
        const [ours] = rings().filter((fd) => !before.includes(fd));
        const { register } = require(args.helpers);
        const UNREGISTER = { BUFFERS: 1, FILES: 3, EVENTFD: 5, PBUF_RING: 23 };
        say(Object.values(UNREGISTER).map((opcode) => register(ours, opcode)));
      },
      { args: { helpers: TEST_HELPERS } },
    );
    assert.deepEqual(answers, [-EACCES, -EACCES, -EACCES, -EACCES]);
  });

  describe('on kernels that know less', () => {
    const PLAIN = ['CQSIZE', 'CLAMP', 'R_DISABLED'];
    const COOP = [...PLAIN, 'SUBMIT_ALL', 'COOP_TASKRUN', 'TASKRUN_FLAG'];
    const NAMES = ['link', 'mkdir', 'mkdtemp', 'symlink'];
    /** By the version that is like that: its set-up flags (all that we know, if none are named) and opcodes,
     * and what it leaves to the pool. */
    const kernels = [
      { like: '5.10', flags: PLAIN, opcodes: 37, unlinked: true, pool: [...NAMES, 'truncate'] },
      { like: '5.15', flags: PLAIN, opcodes: 40, unlinked: true, pool: ['truncate'] },
      { like: '5.18', flags: [...PLAIN, 'SUBMIT_ALL'], opcodes: 41, pool: ['truncate'] },
      { like: '5.19', opcodes: 47, pool: ['truncate'] },
    ];
    const faultsOf = ({ flags, opcodes, unlinked }) => {
      const mask = flags?.reduce((all, name) => all | SETUP[name], 0);
      const known = mask === undefined ? '' : `flags:${mask},`;
      return `${known}opcodes:${opcodes}${unlinked ? ',unlinked:1' : ''}`;
    };

    before(function () {
      if (ring.status().operations.truncate === 'pool') skip(this, 'this kernel is one');
    });

    for (const kernel of kernels) {
      it(`as ${kernel.like}`, async () => {
        const { rejected, status } = await worksWith(faultsOf(kernel));
        assert.deepEqual(rejected, { ENOENT: 1 });
        assert.equal(status.backend, 'io_uring');
        assert.deepEqual(status.setupFlags, kernel.flags ?? COOP);
        const { operations } = ring.status();
        const all = Object.keys(operations).filter((name) => operations[name] === 'ring');
        assert.deepEqual(
          all.filter((name) => status.operations[name] === 'pool'),
          kernel.pool,
        );
      });
    }

    it('as 6.1, which closes direct descriptors late: writeFile takes steps, readFile does not', async () => {
      const { rejected } = await worksWith('linger:1');
      assert.deepEqual(rejected, { ENOENT: 1 });
      const requests = await runWith(
        'linger:1',
        async ({ uring, args, say }) => {
          const { submitted } = uring.ring.stats();
          await uring.writeFile(args, 'some');
          const between = uring.ring.stats().submitted;
          await uring.readFile(args);
          say([between - submitted, uring.ring.stats().submitted - between]);
        },
        folder.in('lingering'),
      );
      assert.deepEqual(requests, [3, 1]); // open, write, close
    });

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
    [60, ENXIO],
    [120, EBADF],
  ]) {
    it(`the ring fails for good at call ${at}: all settles, nothing is done twice`, async () => {
      const { status } = await worksWith(`late:${at}:${error}`, ['EIO']);
      assert.deepEqual([status.backend, status.code], ['threadpool', 'broken']);
      assert.equal(status.reason, 'the ring failed while in use');
      assert.ok(Object.values(status.operations).every((served) => served === 'pool'));
    });
  }

  it('what a broken ring had begun is rejected, its handle closes and the process ends', async () => {
    const said = await runWith(
      `late:1:${EBADF}:${OPCODE.MKDIRAT}`,
      async ({ uring, args, say }) => {
        const note = (promise) =>
          promise.then(
            (value) => value ?? 'resolved',
            ({ code, syscall }) => `${code} ${syscall}`,
          );
        const handle = await uring.open(args.fifo, 'r+');
        const stuck = note(handle.read(Buffer.alloc(9)));
        while (uring.ring.stats().inFlight !== 1) await new Promise(setImmediate);
        const notBegun = [uring.mkdir(args.made), uring.writeFile(args.file, 'new')].map(note);
        say({
          notBegun: await Promise.all(notBegun),
          stuck: await stuck,
          closed: await note(handle.close()),
          later: await note(uring.readFile(args.file, 'utf8')),
          reason: uring.ring.status().reason,
        });
      },
      { fifo: folder.fifo('fifo'), file: folder.file('file', 'old'), made: folder.in('made') },
    );
    assert.deepEqual(said, {
      notBegun: ['resolved', 'resolved'],
      stuck: 'EIO read',
      closed: 'resolved',
      later: 'new',
      reason: 'the ring failed while in use',
    });
  });

  for (const [title, error, outcome] of [
    ['whose ring broke', EBADF, 'EIO'],
    ['whose ring takes nothing any more', EAGAIN, HUGE], // what it has taken is still completed
  ]) {
    it(`a worker ${title} ends after the kernel's last write into its memory`, async () => {
      const file = folder.file('huge', '');
      nodeFs.truncateSync(file, HUGE);
      const said = await runWith(
        `late:1:${error}:${OPCODE.MKDIRAT}`,
        async ({ root, args, say }) => {
          const { Worker } = require('node:worker_threads');
          async function breakRing({ poisonAtEnd }, given) {
            const { parentPort, workerData } = require('node:worker_threads');
            poisonAtEnd(workerData); // before the package is loaded: see there
            const uring = require(given.root);
            const ignore = () => {};
            const handle = await uring.open(given.file);
            const pipe = await uring.open(given.fifo, 'r+');
            pipe.read(Buffer.alloc(9)).catch(ignore);
            const reading = handle.read(workerData, 0, workerData.length, 0).then(
              ({ bytesRead }) => bytesRead,
              ({ code }) => code,
            );
            while (uring.ring.stats().inFlight !== 2) await new Promise(setImmediate);
            await uring.mkdir(given.file).catch(ignore);
            const pending = new Promise((resolve) => setTimeout(resolve, 20, 'pending'));
            parentPort.postMessage(await Promise.race([reading, pending]));
          }
          // Shared, so that what is written into it after the worker's end does no harm, and is seen.
          const memory = new Uint8Array(new SharedArrayBuffer(args.size));
          const given = JSON.stringify({ ...args, root });
          const source = `(${breakRing})(require('${args.helpers}'), ${given})`;
          const worker = new Worker(source, { eval: true, workerData: memory });
          const readingIs = await new Promise((resolve) => worker.once('message', resolve));
          await worker.terminate();
          say([readingIs, memory.every((byte) => byte === 0xdd)]);
        },
        { file, size: HUGE, fifo: folder.fifo(`fifo-${outcome}`), helpers: TEST_HELPERS },
      );
      assert.deepEqual(said, [outcome, true]);
    });
  }

  it('without memory in the kernel, tries are few', async () => {
    const file = folder.in('refused');
    const enters = await runWith(
      `enter:1:${EAGAIN}`,
      async ({ uring, args, say }) => {
        await uring.writeFile(args, 'text');
        say(uring.ring.stats().enters);
      },
      file,
    );
    assert.equal(nodeFs.readFileSync(file, 'utf8'), 'text');
    assert.ok(enters <= 20, `${enters} calls`);
  });

  it('a ring that had no memory for a while serves again', async () => {
    const file = folder.in('served');
    const said = await runWith(
      `early:15:${EAGAIN}`,
      async ({ uring, args, say }) => {
        for (let i = 0; i < 9; i++) await uring.writeFile(args, `${i}`);
        const before = uring.ring.stats().completed;
        for (let i = 0; i < 9; i++) await uring.appendFile(args, `${i}`);
        const completed = uring.ring.stats().completed - before;
        say([uring.ring.status().backend, completed]);
      },
      file,
    );
    assert.deepEqual(said, ['io_uring', 9]);
    assert.equal(nodeFs.readFileSync(file, 'utf8'), '8012345678');
  });

  it('a piece of a file that must wait is waited for by a worker at once', async () => {
    const file = folder.file('waits', Buffer.alloc(33_000, 'x'));
    const enters = await runWith(
      `result:1:${EAGAIN}:${OPCODE.READ}`,
      async ({ uring, args, say }) => {
        await uring.readFile(args, { flag: 'r+' });
        const before = uring.ring.stats().enters;
        const { length } = await uring.readFile(args, { flag: 'r+' });
        say([length, uring.ring.stats().enters - before]);
      },
      file,
    );
    assert.equal(enters[0], 33_000);
    assert.ok(enters[1] <= 8, `${enters[1]} calls`);
  });

  it('what the pool does in place of the ring keeps its turn', async () => {
    const file = folder.in('turns');
    await runWith(
      `nth:1:${ECANCELED}:${OPCODE.WRITE}`,
      async ({ uring, args, say }) => {
        const fs = require('node:fs');
        const handle = await uring.open(args.file, 'w');
        // The pool has other things to do.
        for (let i = 0; i < 4; i++) fs.open(args.fifo, () => {});
        const writes = Promise.all(['1', '2', '3'].map((text) => handle.write(text)));
        setTimeout(() => fs.openSync(args.fifo, 'r+'), 100);
        await writes;
        await handle.close();
        say(null);
      },
      { file, fifo: folder.fifo('busy') },
    );
    assert.equal(nodeFs.readFileSync(file, 'utf8'), '123');
  });

  it('a direct descriptor whose close is given up is closed even so', async function () {
    const file = folder.file('given-up', Buffer.alloc(5000, 'x'));
    const said = await runWith(
      `result:1:${ECANCELED}:${OPCODE.CLOSE}`,
      async ({ uring, args, say }) => {
        const fs = require('node:fs');
        const tells = (fd) =>
          fs.existsSync(`/proc/self/fdinfo/${fd}`) &&
          fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').includes('given-up');
        const isOpen = () => fs.readdirSync('/proc/self/fd').some(tells);
        await Promise.all(Array.from({ length: 9 }, () => uring.readFile(args)));
        const wasOpen = isOpen(); // the close follows
        for (let i = 0; i < 100 && isOpen(); i++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        say([wasOpen, isOpen()]);
      },
      file,
    );
    if (!said[0]) skip(this, 'the kernel does not tell which files a ring has');
    assert.equal(said[1], false);
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

  describe('writeFileAtomic', () => {
    /** Replaces 'old' by 'new', and says how that has ended. */
    const replace = async ({ uring, args, say }) => {
      const replaced = uring.writeFileAtomic(`${args}/file`, 'new');
      await replaced.then(
        () => say('resolved'),
        ({ code, syscall }) => say(`${code} ${syscall}`),
      );
    };
    const contentOf = (where) => nodeFs.readFileSync(path.join(where, 'file'), 'utf8');

    for (const [step, opcode, nth, error, content] of [
      ['making the temporary file', OPCODE.OPENAT, 1, 'EIO open', 'old'],
      ['writing', OPCODE.WRITE, 1, 'EIO write', 'old'],
      ['syncing', OPCODE.FSYNC, 1, 'EIO fsync', 'old'],
      ['closing', OPCODE.CLOSE, 1, 'EIO close', 'old'],
      ['renaming', OPCODE.RENAMEAT, 1, 'EIO rename', 'old'],
      ['opening the folder', OPCODE.OPENAT, 2, 'EIO open', 'new'],
      ['syncing the folder', OPCODE.FSYNC, 2, 'EIO fsync', 'new'],
    ]) {
      it(`an error of ${step} reaches the caller, and the ${content} content is there`, async () => {
        const where = atomicFolder();
        const said = await runWith(`nth:${nth}:${EIO}:${opcode}`, replace, where);
        assert.deepEqual([said, contentOf(where)], [error, content]);
        assert.deepEqual(nodeFs.readdirSync(where), ['file']);
      });
    }

    for (const [moment, after] of [
      ['before', 0],
      ['right after', 1],
    ]) {
      it(`killed ${moment} each step: whole old or whole new content`, async function () {
        this.timeout(60_000);
        const contents = [];
        for (let step = 1; ; step++) {
          const where = atomicFolder();
          const { signal, said } = await runProgram(replace, {
            args: where,
            ...withFaults(`kill:${step}:${after}`),
          });
          contents.push(contentOf(where));
          const left = nodeFs.readdirSync(where).filter((name) => name !== 'file');
          assert.ok(left.length <= 1 && left.every((name) => /^\.\w+\.tmp$/.test(name)), `${left}`);
          if (signal === null) {
            assert.deepEqual([said, left], [['resolved'], []]);
            break;
          }
          assert.equal(signal, 'SIGKILL');
        }
        const turn = contents.indexOf('new');
        assert.ok(turn > 3 && contents.length - turn > 2, contents.join());
        assert.ok(contents.every((content, step) => content === (step < turn ? 'old' : 'new')));
      });
    }
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
      // More than are tried without the ring.
      const reads = Array.from({ length: 8 }, () => handle.read(Buffer.alloc(9), 0, 9, 0));
      await note('read', Promise.all(reads));
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

    it('of every read', async () => {
      const outcomes = await outcomesWith(`result:1:${EIO}:${OPCODE.READ}`);
      assert.deepEqual([outcomes.read, outcomes.readFile], ['EIO read', 'EIO read']);
      assert.equal(outcomes.writeFile, 'resolved');
    });

    it('of every write', async () => {
      const outcomes = await outcomesWith(`result:1:${EIO}:${OPCODE.WRITE}`);
      for (const name of ['writeFile', 'appendFile', 'large', 'pieces', 'write']) {
        assert.equal(outcomes[name], 'EIO write', name);
      }
      assert.equal(outcomes.readFile, 'resolved');
    });

    it('of a stat', async () => {
      const outcomes = await outcomesWith(`result:1:${EIO}:${OPCODE.STATX}`);
      assert.equal(outcomes.stat, 'EIO stat');
    });
  });
});
