'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const { constants } = require('node:os');
const { pattern, resultOf, skip, uring, useFolder } = require('./helpers/environment');
const { useFailingDisk, useMount, useQuota } = require('./helpers/mounts');

const nodePromises = nodeFs.promises;

/** libuv has no name for it. */
const EDQUOT = `Unknown system error -${constants.errno.EDQUOT}`;

/** 0, or the code of the error. */
const codeOf = (promise) =>
  promise.then(
    () => 0,
    ({ code }) => code,
  );

/** How `fs` fills the disk: by whole files and by a handle. `at` names files, all of them new. */
async function fillWith(fs, at, room) {
  const outcome = [];
  /** Some file systems have the room of what was removed only then. */
  const sync = () => spawnSync('sync', ['-f', at('')]);
  async function note(label, file, promise) {
    const code = await codeOf(promise);
    const bytes = nodeFs.readFileSync(file);
    const right = bytes.equals(pattern(4_000_000).subarray(0, bytes.length));
    outcome.push([label, code, right, bytes.length > 0]);
    nodeFs.rmSync(file);
    sync();
  }
  const data = pattern(4_000_000);
  for (const size of [room + 5000, room * 2, 4_000_000]) {
    for (const name of ['writeFile', 'appendFile']) {
      for (const flush of [false, true]) {
        const promise = fs[name](at('file'), data.subarray(0, size), { flush });
        await note(`${name} of ${size}`, at('file'), promise);
      }
    }
  }
  const pieces = [data.subarray(0, 500), data.subarray(500, 3_000_000)];
  await note('writeFile of pieces', at('file'), fs.writeFile(at('file'), pieces));

  const handle = await fs.open(at('file'), 'w+');
  let done = 0;
  for (;;) {
    const part = data.subarray(done, done + 60_000);
    const result = await handle.write(part).catch(({ code }) => code);
    if (typeof result === 'string') {
      outcome.push(['handle.write', result]);
      break;
    }
    done += result.bytesWritten;
    const written = nodeFs.statSync(at('file')).size;
    assert.equal(written, done, `${written} bytes are there, ${done} were said to be`);
  }
  await note('write by handle', at('file'), handle.writeFile(data.subarray(done, done + 100_000)));
  await handle.close();
  sync();

  const vectors = await fs.open(at('file'), 'w+');
  const four = Array.from({ length: 4 }, (_, i) => data.subarray(i * 100_000, (i + 1) * 100_000));
  const written = await vectors.writev(four).catch(({ code }) => ({ code, bytesWritten: 0 }));
  outcome.push(['writev', written.code, written.bytesWritten === nodeFs.statSync(at('file')).size]);
  const rest = data.subarray(written.bytesWritten, written.bytesWritten + 100);
  await note('after writev', at('file'), vectors.write(rest));
  await vectors.close();
  sync();

  for (const flush of [false, true]) {
    const last = await fs.open(at('file'), 'w+');
    await note('stream', at('file'), streamTo(last, data, flush));
  }
  return outcome;
}

function streamTo(handle, data, flush) {
  return new Promise((resolve, reject) => {
    const stream = handle.createWriteStream({ flush });
    stream.on('error', reject).on('close', resolve); // 'finish' comes before the flush
    stream.end(data);
  });
}

/** writeFileAtomic where there is no room: the old content stays, and nothing beside it. */
async function replaceWithout(size, at, code) {
  nodeFs.writeFileSync(at('replaced'), 'old');
  const before = nodeFs.readdirSync(at());
  assert.equal(await codeOf(uring.writeFileAtomic(at('replaced'), pattern(size))), code);
  assert.equal(nodeFs.readFileSync(at('replaced'), 'utf8'), 'old');
  assert.deepEqual(nodeFs.readdirSync(at()), before);
  nodeFs.rmSync(at('replaced'));
}

describe('a full disk', () => {
  const folder = useFolder();

  for (const [type, size] of [
    ['tmpfs', 1 << 20],
    ['ext4', 4 << 20],
    ['xfs', 0],
  ]) {
    describe(type, () => {
      const at = useMount(folder, type, size);
      const ROOM = 200_000;
      let filler;

      before(() => {
        filler = at('filler');
        const { bavail, bsize } = nodeFs.statfsSync(at());
        execFileSync('fallocate', ['-l', `${bavail * bsize - ROOM}`, filler]);
      });

      it('the error reaches the caller, and what is said to be written is', async () => {
        const expected = await fillWith(nodePromises, at, ROOM);
        const found = await fillWith(uring, at, ROOM);
        assert.deepEqual(found, expected);
        assert.ok(expected.filter(([, code]) => code === 'ENOSPC').length >= 12);
      });

      it('writeFileAtomic leaves the old content, and nothing beside it', () =>
        replaceWithout(3_000_000, at, 'ENOSPC'));

      it('reads, and what needs no room, go on', async () => {
        nodeFs.truncateSync(filler, 100_000);
        await uring.writeFile(at('file'), 'some');
        assert.equal(await uring.readFile(at('file'), 'utf8'), 'some');
        assert.equal((await uring.readFile(filler)).length, 100_000);
      });
    });
  }
});

describe('a quota', () => {
  const folder = useFolder();

  describe('of btrfs', () => {
    const ROOM = 1 << 20;
    const at = useQuota(folder, ROOM);

    it('the error reaches the caller, and what is said to be written is', async () => {
      const expected = await fillWith(nodePromises, at, ROOM);
      assert.deepEqual(await fillWith(uring, at, ROOM), expected);
      assert.ok(expected.filter(([, code]) => code === EDQUOT).length >= 12);
    });

    it('writeFileAtomic leaves the old content, and nothing beside it', () =>
      replaceWithout(3_000_000, at, EDQUOT));
  });
});

/** All ways to have an fsync, of a disk that loses what is written. */
async function flushWith(fs, at) {
  const data = pattern(500_000);
  const note = (promise) =>
    promise.then(
      () => 'resolved',
      ({ code, syscall }) => `${code} ${syscall}`,
    );
  const outcome = {};
  for (const [name, call] of Object.entries({
    writeFile: (file) => fs.writeFile(file, data, { flush: true }),
    'writeFile, large': (file) => fs.writeFile(file, pattern(2_000_000), { flush: true }),
    'writeFile of pieces': (file) => fs.writeFile(file, [data, data], { flush: true }),
    'writeFile without flush': (file) => fs.writeFile(file, data),
    appendFile: (file) => fs.appendFile(file, data, { flush: true }),
    stream: async (file) => streamTo(await fs.open(file, 'w'), data, true),
    sync: (file) => writeAndThen(file, (handle) => handle.sync()),
    datasync: (file) => writeAndThen(file, (handle) => handle.datasync()),
  })) {
    outcome[name] = await note(call(at(`lost ${name}`)));
    nodeFs.rmSync(at(`lost ${name}`));
  }
  async function writeAndThen(file, flush) {
    const handle = await fs.open(file, 'w');
    await handle.writeFile(data);
    try {
      await flush(handle);
    } finally {
      await handle.close();
    }
  }
  return outcome;
}

describe('a failing disk', () => {
  const folder = useFolder();

  describe('that loses what is written', () => {
    let code;
    const { at } = useFailingDisk(folder, 32 << 20, 2 << 20);

    before(() => {
      nodeFs.writeFileSync(at('filler'), Buffer.alloc(4 << 20, 'f'));
      spawnSync('sync', ['-f', at()]);
    });

    it('an error of the flush reaches the caller', async () => {
      const expected = await flushWith(nodePromises, at);
      assert.deepEqual(await flushWith(uring, at), expected);
      const { 'writeFile without flush': unnoticed, ...noticed } = expected;
      assert.equal(unnoticed, 'resolved');
      const kinds = [...new Set(Object.values(noticed))].sort();
      [code] = kinds[0].split(' '); // of the file below, or EIO: by kernel
      assert.deepEqual(kinds, [`${code} fdatasync`, `${code} fsync`]);
    });

    it('writeFileAtomic leaves the old content, and nothing beside it', () =>
      replaceWithout(500_000, at, code));
  });

  describe('that can be read in part', () => {
    const SIZE = 20 << 20;
    const disk = useFailingDisk(folder, 32 << 20, 34 << 20);
    const file = () => disk.at('file');
    const content = pattern(SIZE);
    /** Where the first read fails. */
    let good;

    before(function () {
      nodeFs.writeFileSync(file(), content, { flush: true });
      nodeFs.writeFileSync(disk.at('small'), 'small', { flush: true });
      disk.cut(18 << 20);
      const fd = nodeFs.openSync(file());
      const page = Buffer.alloc(4096);
      try {
        for (good = 0; good < SIZE; good += page.length) nodeFs.readSync(fd, page, 0, 4096, good);
      } catch ({ code }) {
        assert.equal(code, 'EIO');
      }
      nodeFs.closeSync(fd);
      if (good >= SIZE) skip(this, 'this kernel reads zeros where the end of the disk is missing');
      assert.ok(good > 100_000, `${good}`);
    });

    /** All ways to read, on and off what can be read. */
    async function readWith(fs) {
      const outcome = {};
      const note = async (name, promise) => {
        outcome[name] = await promise.then(
          (value) => value,
          ({ code, syscall }) => `${code} ${syscall}`,
        );
      };
      /** Now and then the kernel tells an end where it failed before, of which no reader knows better. */
      const noteWhole = (name, promise) =>
        note(
          name,
          promise.then((value) => {
            assert.equal(value.length, good);
            throw Object.assign(new Error('the end'), { code: 'EIO', syscall: 'read' });
          }),
        );
      await noteWhole('readFile', fs.readFile(file()));
      await noteWhole('text', fs.readFile(file(), 'latin1'));
      const handle = await fs.open(file());
      for (const [name, length, position] of [
        ['good', 4096, good - 4096],
        ['bad', 4096, good],
        ['both', 8192, good - 4096],
        ['large good', 100_000, good - 100_000],
        ['large both', 600_000, good - 300_000],
        ['large bad', 600_000, good],
      ]) {
        const bytes = Buffer.alloc(length);
        const reading = handle.read(bytes, 0, length, position).then(({ bytesRead }) => {
          const right = content.subarray(position, position + bytesRead);
          return [bytesRead, bytes.subarray(0, bytesRead).equals(right)];
        });
        await note(name, reading);
      }
      await noteWhole('handle.readFile', handle.readFile());
      await handle.close();
      const stream = (await fs.open(file())).createReadStream({ start: good - 70_000 });
      let streamed = 0;
      const all = (async () => {
        for await (const chunk of stream) streamed += chunk.length;
        return { length: good - 70_000 + streamed };
      })();
      await noteWhole('stream', all);
      return { ...outcome, streamed };
    }

    it('errors and counts are those of Node', async () => {
      const expected = await readWith(nodePromises);
      assert.deepEqual(await readWith(uring), expected);
      assert.equal(expected.readFile, 'EIO read');
      assert.deepEqual([expected.good, expected.bad], [[4096, true], 'EIO read']);
    });

    it('readFiles: each its own', async () => {
      const [small, bad] = await uring.readFiles([disk.at('small'), file()], { settled: true });
      assert.equal(`${small.value}`, 'small');
      assert.equal(bad.reason.code, 'EIO');
    });
  });
});

describe('a limit on the size of files', () => {
  const folder = useFolder();

  it('the error reaches the caller, and what is said to be written is', async function () {
    if (process.platform !== 'linux') skip(this, 'prlimit is of Linux');
    const outcomes = await resultOf(
      async ({ uring: ours, nodeFs: fs, args, say }) => {
        process.on('SIGXFSZ', () => {});
        require('node:child_process').execFileSync('prlimit', [
          '--pid',
          `${process.pid}`,
          '--fsize=100000:100000',
        ]);
        const data = Buffer.alloc(300_000, 'x');
        const all = [];
        for (const impl of [fs.promises, ours]) {
          const found = [];
          const note = (promise) =>
            promise.then(
              (value) => found.push(value?.bytesWritten ?? 'resolved'),
              ({ code, syscall }) => found.push([code, syscall, fs.statSync(args).size]),
            );
          await note(impl.writeFile(args, data));
          await note(impl.writeFile(args, data, { flush: true }));
          await note(impl.appendFile(args, data));
          const handle = await impl.open(args, 'w');
          await note(handle.write(data, 0, 99_990));
          await note(handle.write(data, 0, 100));
          await note(handle.write(data, 0, 100));
          await note(handle.truncate(200_000));
          await handle.close();
          all.push(found);
        }
        say(all);
      },
      { args: folder.in('file') },
    );
    const [expected, found] = outcomes;
    assert.deepEqual(found, expected);
    assert.equal(expected.filter((one) => one[0] === 'EFBIG').length, 5);
  });
});
