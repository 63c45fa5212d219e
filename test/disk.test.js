'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const { pattern, resultOf, skip, uring, useFolder } = require('./helpers/environment');
const { useMount } = require('./helpers/mounts');

const nodePromises = nodeFs.promises;

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

  const room2 = await fs.open(at('file'), 'w+');
  await note('stream', at('file'), streamTo(room2, data));
  return outcome;
}

function streamTo(handle, data) {
  return new Promise((resolve, reject) => {
    const stream = handle.createWriteStream();
    stream.on('error', reject).on('finish', resolve);
    stream.end(data);
  });
}

describe('a full disk', () => {
  const folder = useFolder();

  for (const [type, size] of [
    ['tmpfs', 1 << 20],
    ['ext4', 4 << 20],
  ]) {
    describe(type, () => {
      const at = useMount(folder, type, size);
      const ROOM = 200_000;
      let filler;

      before(() => {
        filler = at('filler');
        const { bavail, bsize } = nodeFs.statfsSync(at());
        nodeFs.writeFileSync(filler, Buffer.alloc(bavail * bsize - ROOM));
      });

      it('the error reaches the caller, and what is said to be written is', async () => {
        const expected = await fillWith(nodePromises, at, ROOM);
        const found = await fillWith(uring, at, ROOM);
        assert.deepEqual(found, expected);
        assert.ok(expected.filter(([, code]) => code === 'ENOSPC').length >= 12);
      });

      it('reads, and what needs no room, go on', async () => {
        nodeFs.truncateSync(filler, 100_000);
        await uring.writeFile(at('file'), 'some');
        assert.equal(await uring.readFile(at('file'), 'utf8'), 'some');
        assert.equal((await uring.readFile(filler)).length, 100_000);
      });
    });
  }
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
