'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const {
  ROOT,
  backend,
  describeOnRing,
  descriptors,
  descriptorsOf,
  nextMessage,
  onRing,
  resultOf,
  skip,
  sleep,
  startWorker,
  until,
  uring,
  useFolder,
} = require('./helpers/environment');

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = nodeFs.constants;
const NOBODY = 65_534;
/** A group that the locked files are open to, of which nobody is a member. */
const GROUP = 54_321;

describe('security: credentials', () => {
  const folder = useFolder();
  let args;

  before(function () {
    if (process.getuid?.() !== 0) skip(this, 'only root can become somebody else');
    const locked = folder.in('locked');
    nodeFs.mkdirSync(locked);
    folder.file('locked/inner', 'inner');
    const secret = folder.file('secret', 'secret');
    const shared = folder.file('shared', 'shared');
    nodeFs.chmodSync(folder.in(), 0o755);
    nodeFs.chmodSync(locked, 0o700);
    nodeFs.chmodSync(secret, 0o600);
    nodeFs.chownSync(shared, 0, GROUP);
    nodeFs.chmodSync(shared, 0o640);
    args = { folder: folder.in(), locked, secret, shared, nobody: NOBODY, group: GROUP };
  });

  /** Every way to a file that is not for nobody; each gives its error's code, or what it got. */
  const ATTEMPTS = `(uring, { folder, locked, secret }) => {
    const inner = locked + '/inner';
    return {
      'open': () => uring.open(secret),
      'open to write': () => uring.open(secret, 'r+'),
      'open to make': () => uring.open(folder + '/made', 'w'),
      'open of what is hidden': () => uring.open(inner),
      'readFile': () => uring.readFile(secret),
      'readFile with flag r+': () => uring.readFile(secret, { flag: 'r+' }),
      'readFile of what is hidden': () => uring.readFile(inner),
      'readFiles': () => uring.readFiles(Array(300).fill(secret)),
      'readFile, many': () => Promise.all(Array.from({ length: 300 }, () => uring.readFile(secret))),
      'writeFile': () => uring.writeFile(secret, 'x'),
      'writeFile to make': () => uring.writeFile(folder + '/made', 'x'),
      'appendFile': () => uring.appendFile(secret, 'x'),
      'writeFileAtomic': () => uring.writeFileAtomic(secret, 'x'),
      'truncate': () => uring.truncate(secret),
      'stat of what is hidden': () => uring.stat(inner),
      'lstat of what is hidden': () => uring.lstat(inner),
      'statFiles of what is hidden': () => uring.statFiles(Array(300).fill(inner)),
      'access of what is hidden': () => uring.access(inner),
      'access to read': () => uring.access(secret, 4),
      'rename': () => uring.rename(secret, folder + '/other'),
      'unlink': () => uring.unlink(secret),
      'mkdir': () => uring.mkdir(folder + '/made'),
      'mkdtemp': () => uring.mkdtemp(folder + '/made-'),
      'rmdir': () => uring.rmdir(locked),
      'rm': () => uring.rm(locked, { recursive: true }),
      'symlink': () => uring.symlink(secret, folder + '/made'),
      'link': () => uring.link(secret, folder + '/made'),
      'readdir': () => uring.readdir(locked),
      'chmod': () => uring.chmod(secret, 0o777),
      'copyFile': () => uring.copyFile(secret, folder + '/made'),
    };
  }`;

  /** What a process may do as somebody else, after it was root with a ring in use. */
  async function becomeNobody({ uring: fs, args: given, say }) {
    const { attempts, folder: where, locked, secret, group, nobody, change } = given;
    const ways = (0, eval)(attempts)(fs, { folder: where, locked, secret });
    const held = await fs.open(secret);
    // The ring, its workers, the thread that helps and the caches all know the files by now.
    const burst = () => Array.from({ length: 300 }, () => fs.readFile(secret));
    await Promise.all(burst());
    await Promise.all(Array.from({ length: 64 }, () => fs.stat(`${locked}/inner`)));
    for (let i = 0; i < 9; i++) await fs.writeFile(`${where}/own`, 'x');
    const before = fs.ring.stats().submitted;
    // Asked for as root, submitted as nobody: what counts is who submits.
    const queued = [fs.readFile(secret), fs.open(secret), fs.stat(`${locked}/inner`)];
    if (change === 'setgroups') process.setgroups([]);
    if (change === 'initgroups') process.initgroups('nobody', nobody);
    process.setgid(nobody);
    if (change === 'seteuid') process.seteuid(nobody);
    else process.setuid(nobody);
    const code = (promise) =>
      promise.then(
        () => 'done',
        (error) => error.code,
      );
    const codes = {};
    for (const [index, promise] of queued.entries()) codes[`queued ${index}`] = await code(promise);
    for (const [name, attempt] of Object.entries(ways)) codes[name] = await code(attempt());
    codes.burst = [...new Set(await Promise.all(burst().map(code)))].join();
    const text = await held.readFile('utf8');
    await held.close();
    say({
      codes,
      held: text,
      status: fs.ring.status().backend,
      sent: fs.ring.stats().submitted - before,
      shared: await code(fs.readFile(given.shared)),
      group,
    });
  }

  for (const change of ['setuid', 'seteuid', 'setgroups', 'initgroups']) {
    it(`after ${change} to somebody without rights nothing opens what is not for them`, async () => {
      const result = await resultOf(becomeNobody, {
        args: { ...args, attempts: ATTEMPTS, change },
      });
      const names = Object.keys(result.codes).filter(
        (name) => !['EACCES', 'EPERM'].includes(result.codes[name]),
      );
      // On the pool a call may be under way before the change.
      const allowed = onRing ? [] : ['queued 0', 'queued 1', 'queued 2'];
      if (change === 'seteuid') allowed.push('access to read'); // access(2) goes by the real id
      if (change === 'seteuid' && !onRing) allowed.push('access of what is hidden');
      assert.deepEqual(
        names.filter((name) => !allowed.includes(name)),
        [],
      );
      assert.equal(result.held, 'secret', 'what was opened before stays open');
      assert.equal(result.status, backend);
      if (onRing) assert.ok(result.sent > 1100, `${result.sent} went to the ring`);
      assert.equal(result.shared, 'EACCES');
      assert.deepEqual(nodeFs.readdirSync(folder.in()).sort(), [
        'locked',
        'own',
        'secret',
        'shared',
      ]);
      assert.equal(nodeFs.readFileSync(args.secret, 'utf8'), 'secret');
    });
  }

  it('what is submitted with few rights is not opened with those that are back by then', async () => {
    const codes = await resultOf(
      async ({ uring: fs, args: { open, secret, nobody }, say }) => {
        fs.ring.configure({ inlineBudget: 1000 }); // or what comes last may be submitted later
        const code = (name) =>
          fs.readFile(name).then(
            () => 'done',
            (error) => error.code,
          );
        // What the thread that helps has not begun yet is at the end.
        const burst = () => {
          for (let n = 0; n < 100; n++) code(open);
          return Array.from({ length: 28 }, () => code(secret));
        };
        await Promise.all(burst()); // the thread is there, and the caches know the files
        const found = new Set();
        for (let round = 0; round < 100; round++) {
          await new Promise(setImmediate); // so that the next flush is not put off
          process.seteuid(nobody);
          const asked = burst();
          await new Promise((resolve) => process.nextTick(resolve)); // after the flush
          process.seteuid(0);
          for (const one of await Promise.all(asked)) found.add(one);
        }
        say([...found]);
      },
      { args: { ...args, open: '/etc/passwd' } },
    );
    // A job of the pool's may begin after the change.
    assert.deepEqual(onRing ? codes : ['EACCES'], ['EACCES']);
  });

  it('a group that is given up opens nothing any more, one that is left does', async () => {
    const result = await resultOf(
      async ({ uring: fs, args: { shared, group, nobody }, say }) => {
        const code = () => fs.readFile(shared, 'utf8').catch((error) => error.code);
        process.setgroups([group]);
        process.setgid(nobody);
        process.seteuid(nobody);
        const asMember = await code();
        process.seteuid(0);
        process.setgroups([]);
        process.seteuid(nobody);
        const asOther = await code();
        process.seteuid(0);
        process.setgid(group);
        process.seteuid(nobody);
        say([asMember, asOther, await code()]);
      },
      { args },
    );
    assert.deepEqual(result, ['shared', 'EACCES', 'shared']);
  });

  it('the rings of worker threads follow the process, too', async () => {
    const result = await resultOf(
      async ({ uring: fs, root, args: { secret, nobody }, say }) => {
        const { Worker } = require('node:worker_threads');
        const program = async (tools, file) => {
          const { parentPort } = require('node:worker_threads');
          const code = () => tools.readFile(file, 'utf8').catch((error) => error.code);
          parentPort.postMessage(await code());
          parentPort.once('message', async () => {
            const codes = await Promise.all(Array.from({ length: 50 }, code));
            parentPort.postMessage([...new Set(codes)].join());
          });
        };
        const worker = new Worker(
          `(${program})(require(${JSON.stringify(root)}), ${JSON.stringify(secret)})`,
          { eval: true },
        );
        const next = () => new Promise((resolve) => worker.once('message', resolve));
        const asRoot = await next();
        process.setgroups([]);
        process.setgid(nobody);
        process.setuid(nobody);
        worker.postMessage('go on');
        say([asRoot, await next(), await fs.readFile(secret).catch((error) => error.code)]);
      },
      { args },
    );
    assert.deepEqual(result, ['secret', 'EACCES', 'EACCES']);
  });
});

describe('security: paths', () => {
  const folder = useFolder();

  const withPath = {
    access: (file) => uring.access(file),
    appendFile: (file) => uring.appendFile(file, 'x'),
    link: (file) => uring.link(file, folder.in('link')),
    'link to': (file) => uring.link(folder.in('file'), file),
    lstat: (file) => uring.lstat(file),
    mkdir: (file) => uring.mkdir(file),
    mkdtemp: (file) => uring.mkdtemp(file),
    open: (file) => uring.open(file, 'w'),
    readFile: (file) => uring.readFile(file),
    readFiles: (file) => uring.readFiles([file, file]),
    rename: (file) => uring.rename(file, folder.in('renamed')),
    'rename to': (file) => uring.rename(folder.in('file'), file),
    rm: (file) => uring.rm(file, { recursive: true }),
    rmdir: (file) => uring.rmdir(file),
    stat: (file) => uring.stat(file),
    statFiles: (file) => uring.statFiles([file, file]),
    symlink: (file) => uring.symlink(file, folder.in('symlink')),
    'symlink to': (file) => uring.symlink(folder.in('file'), file),
    truncate: (file) => uring.truncate(file),
    unlink: (file) => uring.unlink(file),
    writeFile: (file) => uring.writeFile(file, 'x'),
    writeFileAtomic: (file) => uring.writeFileAtomic(file, 'x'),
  };

  it('a null byte ends no path: every function refuses it', async () => {
    folder.file('file');
    for (const [name, call] of Object.entries(withPath)) {
      for (const file of [folder.in('file\0.txt'), Buffer.from(folder.in('file\0'))]) {
        await assert.rejects(call(file), { code: 'ERR_INVALID_ARG_VALUE' }, name);
      }
    }
    assert.deepEqual(nodeFs.readdirSync(folder.in()), ['file']);
    assert.equal(nodeFs.readFileSync(folder.in('file'), 'utf8'), 'contents');
  });

  it('a path that is too long is not cut: every function refuses it', async () => {
    folder.file('file');
    for (const [name, call] of Object.entries(withPath)) {
      for (const length of [4096, 5000, 70_000]) {
        const file = `${folder.in('file')}/`.padEnd(length, '/');
        await assert.rejects(call(file), { code: 'ENAMETOOLONG' }, `${name}, ${length}`);
      }
    }
    assert.deepEqual(nodeFs.readdirSync(folder.in()), ['file']);
  });

  it('a link that is turned round and round: one file or the other, never a mixture', async () => {
    const sizes = [100, 16_000, 40_000, 300_000, 1_500_000];
    for (const size of sizes) {
      nodeFs.mkdirSync(folder.in(`a${size}`));
      nodeFs.mkdirSync(folder.in(`b${size}`));
      folder.file(`a${size}/data`, Buffer.alloc(size, 'a'));
      folder.file(`b${size}/data`, Buffer.alloc(size - 50, 'b'));
      nodeFs.symlinkSync(`a${size}`, folder.in(`link${size}`));
    }
    const turner = startWorker(
      ({ nodeFs: fs, args: { where, all } }) => {
        const { parentPort } = require('node:worker_threads');
        let stop = false;
        parentPort.once('message', () => (stop = true));
        let turn = 0;
        const turnAll = () => {
          for (const size of all) {
            fs.symlinkSync(`${turn % 2 ? 'a' : 'b'}${size}`, `${where}/next`);
            fs.renameSync(`${where}/next`, `${where}/link${size}`);
          }
          turn++;
          if (!stop) setImmediate(turnAll);
        };
        turnAll();
      },
      { where: folder.in(), all: sizes },
    );
    try {
      const seen = new Set();
      for (let round = 0; round < 60 || seen.size < 2; round++) {
        const results = await Promise.all(
          sizes.map((size) => uring.readFile(folder.in(`link${size}`, 'data'))),
        );
        for (const [index, bytes] of results.entries()) {
          const [first] = bytes;
          const size = sizes[index] - (first === 98 ? 50 : 0);
          seen.add(first);
          assert.ok(bytes.equals(Buffer.alloc(size, first)), `${bytes.length} of ${size} bytes`);
        }
      }
    } finally {
      turner.postMessage('stop');
      await new Promise((resolve) => turner.once('exit', resolve));
    }
  });

  it("'wx' follows no link, and lstat looks at the link", async () => {
    const target = folder.in('not-there');
    const link = folder.in('dangling');
    nodeFs.symlinkSync(target, link);
    for (const call of [
      () => uring.writeFile(link, 'x', { flag: 'wx' }),
      () => uring.open(link, 'wx'),
      () => uring.mkdir(link),
      () => uring.symlink('x', link),
    ]) {
      await assert.rejects(call(), { code: 'EEXIST' });
    }
    assert.ok((await uring.lstat(link)).isSymbolicLink());
    assert.equal(nodeFs.existsSync(target), false);
  });
});

describe('security: bytes that belong to others', () => {
  const folder = useFolder();
  const SECRET = 0xa5;

  /** Leaves a pattern in the blocks of the ring, and in memory that is free. */
  async function stain() {
    const secret = folder.file('stain', Buffer.alloc(16_000, SECRET));
    await Promise.all(Array.from({ length: 600 }, () => uring.readFile(secret)));
    for (const size of [64, 4096, 16_384, 65_536, 300_000]) {
      for (let i = 0; i < 20; i++) Buffer.allocUnsafeSlow(size).fill(SECRET);
    }
    gc();
  }

  it('read() without a Buffer: what it does not fill is zero', async () => {
    await stain();
    const handle = await uring.open(folder.file('small', 'small'));
    for (const options of [undefined, {}, { length: 3 }, { position: 2 }]) {
      const { bytesRead, buffer } = await handle.read(options);
      assert.ok(buffer.subarray(bytesRead).every((byte) => byte === 0));
      assert.equal(Buffer.from(buffer.buffer).includes(SECRET), false);
    }
    await handle.close();
  });

  it('short reads, failed reads and reads of pipes touch nothing behind what they bring', async () => {
    await stain();
    const fifo = folder.fifo('fifo');
    const end = nodeFs.openSync(fifo, O_RDWR | O_NONBLOCK);
    const pipe = await uring.open(fifo, 'r+');
    const small = await uring.open(folder.file('small', 'small'));
    const dir = await uring.open(folder.in());
    const written = await uring.open(folder.in('small'), 'a');
    for (const length of [20, 5000, 200_000, 400_000]) {
      const memory = Buffer.alloc(length + 20, 0x11);
      const isUntouched = (from) => memory.subarray(from).every((byte) => byte === 0x11);
      await assert.rejects(dir.read(memory, 10, length, null), { code: 'EISDIR' });
      await assert.rejects(written.read(memory, 10, length, 0), { code: 'EBADF' });
      assert.ok(isUntouched(0));
      const reading = pipe.read(memory, 10, length, null);
      await sleep(5);
      nodeFs.writeSync(end, 'bytes');
      assert.equal((await reading).bytesRead, 5);
      assert.ok(isUntouched(15));
      assert.equal((await small.read(memory, 10, length, 0)).bytesRead, 5);
      assert.ok(isUntouched(15));
      const views = [memory.subarray(0, 3), memory.subarray(10, 10 + length)];
      assert.equal((await small.readv(views, 0)).bytesRead, 5);
      assert.ok(isUntouched(15));
    }
    nodeFs.closeSync(end);
    for (const handle of [pipe, small, dir, written]) await handle.close();
  });

  it('whole files of all sizes, FIFOs and /proc, after others', async () => {
    const names = [0, 1, 100, 16_319, 16_320, 16_321, 16_384, 70_000].map((size) =>
      folder.file(`of-${size}`, Buffer.alloc(size, 'm')),
    );
    const fifo = folder.fifo('other-fifo');
    const holder = nodeFs.openSync(fifo, O_RDONLY | O_NONBLOCK);
    for (let round = 0; round < 5; round++) {
      await stain();
      const writer = nodeFs.openSync(fifo, O_WRONLY);
      const reading = uring.readFile(fifo);
      // A reader that comes after the writer has left waits for the next one, as open(2) does.
      const isOpen = () => (onRing ? uring.ring.stats().inFlight === 1 : descriptorsOf(fifo) === 3);
      await until(isOpen, 'the reader');
      nodeFs.writeSync(writer, 'mm');
      nodeFs.closeSync(writer);
      const all = await Promise.all([
        reading,
        uring.readFile('/proc/version'),
        ...names.flatMap((name) => [uring.readFile(name), uring.readFile(name, 'latin1')]),
        ...(await uring.readFiles(names)),
      ]);
      for (const contents of all) assert.equal(Buffer.from(contents).includes(SECRET), false);
      // A Buffer of readFile is all there is of its ArrayBuffer; with Node not always.
      if (!onRing) continue;
      for (const { length, buffer } of all.slice(0, 2)) assert.equal(buffer.byteLength, length);
    }
    nodeFs.closeSync(holder);
  });

  it('a handle whose file shrinks while it is read brings no more than it has', async () => {
    await stain();
    for (const [size, left] of [
      [9000, 10],
      [600_000, 70_000],
    ]) {
      const handle = await uring.open(folder.file('shrinks', Buffer.alloc(size, 'm')));
      const reading = handle.readFile();
      nodeFs.truncateSync(folder.in('shrinks'), left);
      const contents = await reading;
      assert.ok(contents.length <= size && contents.every((byte) => byte === 109));
      if (onRing) assert.equal(contents.buffer.byteLength, contents.length);
      await handle.close();
    }
  });
});

describeOnRing('security: descriptors and processes', () => {
  const folder = useFolder();
  it('all that the ring opens is closed on exec', async () => {
    const fifo = folder.fifo('fifo');
    const controller = new AbortController();
    const before = new Set(descriptors());
    const file = folder.file('file');
    const handles = [await uring.open(file), await uring.open(file, 'r+')];
    handles.push((await uring.open(file)).createReadStream());
    const waiting = uring.open(fifo, 'r'); // has a descriptor while it waits
    const reading = uring.readFile(fifo, { signal: controller.signal }).catch(() => {});
    await until(() => descriptors().length >= before.size + 4, 'the descriptors');
    const O_CLOEXEC = 0o2000000;
    const isInherited = (line) => {
      const info = nodeFs.readFileSync(`/proc/self/fdinfo/${line.split(' ')[0]}`, 'utf8');
      return !(Number.parseInt(/^flags:\s*(\d+)/m.exec(info)[1], 8) & O_CLOEXEC);
    };
    const own = descriptors().filter((line) => !before.has(line) || /io_uring|eventfd/.test(line));
    assert.ok(own.some((line) => line.includes('io_uring')));
    assert.deepEqual(own.filter(isInherited), []);
    const open = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
    assert.doesNotMatch(open, /io_uring|eventfd|uring-fs-test/);
    controller.abort();
    const writer = await uring.open(fifo, 'w');
    await (await waiting).close();
    await writer.close();
    await reading;
    handles.pop().destroy();
    for (const handle of handles) await handle.close();
  });

  it('a fork has none of the memory of the ring', async () => {
    const helpers = path.join(ROOT, 'test', 'native', 'build', 'Release', 'test_helpers.node');
    const counts = await resultOf(
      async ({ uring: fs, nodeFs: files, args, say }) => {
        const { fork, waitFor } = require(args);
        const inFork = () => waitFor(fork(files.openSync('/dev/null')));
        const here = () =>
          (files.readFileSync('/proc/self/maps', 'utf8').match(/io_uring/g) ?? []).length;
        // libuv has a ring of its own, which it does leave to its forks.
        const before = [here(), inFork()];
        await fs.stat('/');
        await fs.readFile('/proc/self/comm');
        say({ before, after: [here(), inFork()] });
      },
      { args: helpers },
    );
    assert.ok(counts.after[0] > counts.before[0], 'there is a ring');
    assert.equal(counts.after[1], counts.before[1]);
  });

  it('a fork can submit nothing to the ring, and holds nothing up', async () => {
    const { fork, waitFor } = require('./native/build/Release/test_helpers.node');
    const file = folder.file('forked-file', 'contents');
    const { ends, pipe } = await openPipe();
    const reading = pipe.read(Buffer.alloc(20), 0, 20, null);
    await until(() => uring.ring.stats().inFlight === 1, 'the read');
    const queued = uring.readFile(file, 'utf8');
    const alive = nodeFs.openSync(folder.fifo('alive'), O_RDWR);
    const child = fork(alive);
    assert.equal(await queued, 'contents');
    assert.equal(uring.ring.stats().inFlight, 1);

    // It holds copies of the descriptors: they keep nothing of the parent's waiting.
    const worker = startWorker(async ({ uring: fs, args, say }) => {
      const fifo = await fs.open(args, 'r+');
      fifo.read(Buffer.alloc(9)).catch(() => {});
      setTimeout(say, 20, 'reads');
    }, folder.fifo('of-the-worker'));
    await nextMessage(worker);
    await worker.terminate();
    const files = await Promise.all(Array.from({ length: 300 }, () => uring.readFile(file)));
    assert.ok(files.every(({ length }) => length === 8));

    nodeFs.writeSync(alive, 'x');
    assert.ok(waitFor(child) < 100, 'it has submitted something');
    assert.equal(uring.ring.stats().inFlight, 1);
    nodeFs.writeSync(ends[0], 'bytes');
    assert.equal((await reading).bytesRead, 5);
    assert.equal(await uring.readFile(file, 'utf8'), 'contents');
    nodeFs.closeSync(alive);
    await pipe.close();
  });

  const opened = [];
  afterEach(() => {
    for (const { ends, pipe } of opened.splice(0)) {
      // What a failed test has left waiting ends.
      if (pipe.fd !== -1) nodeFs.writeSync(ends[0], 'end');
      for (const end of ends) nodeFs.closeSync(end);
    }
  });

  async function openPipe() {
    const name = folder.fifo(`pipe-${opened.length}`);
    const ends = [nodeFs.openSync(name, O_RDWR | O_NONBLOCK)];
    opened.push({ ends, pipe: await uring.open(name, 'r+') });
    return opened.at(-1);
  }
});

describe('security: what is installed', () => {
  const read = (name) => JSON.parse(nodeFs.readFileSync(path.join(ROOT, name), 'utf8'));

  it('runs no script, and brings along what finds the binary', () => {
    const { scripts, dependencies, files, gypfile, optionalDependencies } = read('package.json');
    assert.deepEqual(
      Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name)),
      [],
    );
    assert.equal(gypfile, false);
    // Package managers would compile what has one there, whatever it says of itself.
    assert.ok(!files.includes('binding.gyp'));
    assert.deepEqual(Object.keys({ ...dependencies, ...optionalDependencies }), ['node-gyp-build']);
  });

  it('what it is developed with runs none either, and is what it was when it was chosen', () => {
    const { packages } = read('package-lock.json');
    for (const [name, { hasInstallScript, integrity }] of Object.entries(packages)) {
      if (name === '') continue;
      assert.notEqual(hasInstallScript, true, name);
      assert.match(integrity, /^sha512-/, name);
    }
  });
});
