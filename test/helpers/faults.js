'use strict';

const path = require('node:path');
const { ROOT } = require('./environment');

/** The sanitised build has the same layer. */
const FAULTY =
  process.env.URING_FS_TEST_ADDON ??
  path.join(ROOT, 'test', 'native', 'build', 'Release', 'uring_fs_faults.node');

/**
 * For runProgram(): the native module over the layer of test/native/faults.h.
 *
 * @param {string} faults as faults.h has them
 */
function withFaults(faults) {
  return {
    flags: ['-r', path.join(__dirname, 'other-addon.js')],
    env: { URING_FS_TEST_ADDON: FAULTY, URING_FS_BACKEND: '', URING_FS_FAULTS: faults },
  };
}

/**
 * A program for runProgram(): whole files, batches, appends, handles, streams and names, one at a time and
 * many at once, each result held against what Node's synchronous functions find. It says { wrong, rejected, settled, asked,
 * status }: `wrong` lists what differs, `rejected` counts errors by code.
 *
 * @param {object} tools `args.folder`: an empty one; `args.errors`: codes that calls may reject with
 */
async function faultyWork({ uring, nodeFs, args, say }) {
  const at = (name) => `${args.folder}/${name}`;
  const wrong = [];
  const rejected = {};
  let asked = 0;
  let settled = 0;
  const expect = (good, text) => {
    if (!good && wrong.length < 20) wrong.push(text);
  };
  /** Resolves with { value } or { code }; an error that is not expected is wrong. */
  function note(what, promise, codes = args.errors ?? []) {
    asked++;
    return promise.then(
      (value) => {
        settled++;
        return { value };
      },
      (error) => {
        settled++;
        const { code } = error;
        rejected[code] = (rejected[code] ?? 0) + 1;
        expect(codes.includes(code), `${what}: ${error.stack}`);
        return { code };
      },
    );
  }
  const content = (size, seed) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = (i * 7 + seed + (i >> 8)) & 255;
    return bytes;
  };
  const sizes = [0, 1, 100, 4096, 16_319, 16_320, 16_321, 16_385, 70_000, 300_000, 1_500_000];

  async function wholeFile(size, n) {
    const name = at(`f${n}`);
    const bytes = content(size, n);
    const written = await note(
      `writeFile ${size}`,
      uring.writeFile(name, bytes, { flush: n % 2 === 0 }),
    );
    if (written.code !== undefined) return;
    expect(nodeFs.readFileSync(name).equals(bytes), `writeFile ${size}: other content`);
    const { value } = await note(`readFile ${size}`, uring.readFile(name));
    expect(value === undefined || value.equals(bytes), `readFile ${size}: other content`);
    const { value: text } = await note('readFile latin1', uring.readFile(name, 'latin1'));
    expect(text === undefined || text === bytes.toString('latin1'), `readFile ${size}: other text`);
    const { value: stats } = await note('stat', uring.stat(name));
    expect(stats === undefined || stats.size === size, `stat ${size}: other size`);
  }

  /** What was resolved is there once; what was rejected is there at most once, or in part. */
  async function appends(n) {
    const name = at(`a${n}`);
    nodeFs.writeFileSync(name, '');
    let expected = '';
    for (let i = 0; i < 20; i++) {
      const piece = `<${n}:${i}:${'x'.repeat((i * 97) % 900)}>`;
      const { code } = await note('appendFile', uring.appendFile(name, piece));
      if (code === undefined) {
        expected += piece;
        expect(nodeFs.readFileSync(name, 'utf8') === expected, `appendFile ${i}: not there once`);
      } else {
        const found = nodeFs.readFileSync(name, 'utf8');
        const rest = found.slice(expected.length);
        expect(found.startsWith(expected) && piece.startsWith(rest), `appendFile ${i}: twice`);
        expected = found;
      }
    }
  }

  async function handles(n) {
    const name = at(`h${n}`);
    const bytes = content(50_000, n);
    const opened = await note('open', uring.open(name, 'w+'));
    if (opened.code !== undefined) return;
    const handle = opened.value;
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + 9_000);
      const { value } = await note('write', handle.write(part));
      if (value === undefined) {
        // Whatever of it is there was put there once.
        const { size } = nodeFs.statSync(name);
        expect(size >= done && size <= done + part.length, 'write: another size');
        await note('close', handle.close());
        return;
      }
      expect(value.bytesWritten > 0 && value.bytesWritten <= part.length, 'write: odd count');
      done += value.bytesWritten;
      expect(nodeFs.statSync(name).size === done, 'write: its count is not what is there');
    }
    expect(nodeFs.readFileSync(name).equals(bytes), 'write: other content');
    const back = Buffer.alloc(bytes.length);
    for (let done = 0; done < bytes.length;) {
      const { value } = await note('read', handle.read(back, done, 7_000, done));
      if (value === undefined) break;
      expect(value.bytesRead > 0, 'read: an end where there is none');
      if (value.bytesRead === 0) break;
      done += value.bytesRead;
      if (done > bytes.length - 7_000) {
        await note('read', handle.read(back, done, bytes.length - done, done));
        break;
      }
    }
    const end = await note('read at the end', handle.read(Buffer.alloc(9), 0, 9, bytes.length));
    expect(end.value === undefined || end.value.bytesRead === 0, 'read: something past the end');
    const vectors = [Buffer.alloc(1000), Buffer.alloc(3000)];
    const { value: read } = await note('readv', handle.readv(vectors, 100));
    if (read !== undefined) {
      const found = Buffer.concat(vectors).subarray(0, read.bytesRead);
      expect(found.equals(bytes.subarray(100, 100 + read.bytesRead)), 'readv: other content');
    }
    await note('sync', handle.sync());
    await note('close', handle.close());
  }

  /** Of many paths at once: each result is that of its path. */
  async function batches() {
    const paths = [];
    for (let n = 0; n < 150; n++) {
      paths.push(at(`b${n}`));
      nodeFs.writeFileSync(paths[n], content(sizes[n % 10], n));
    }
    paths.push(at('b-missing'));
    const outcomes = await uring.readFiles(paths, { settled: true });
    outcomes.forEach(({ value, reason }, n) => {
      if (n === 150) expect(['ENOENT', ...(args.errors ?? [])].includes(reason.code), 'b-missing');
      else if (reason === undefined) expect(value.equals(content(sizes[n % 10], n)), `batch ${n}`);
      else expect(args.errors?.includes(reason.code), `readFiles: ${reason.stack}`);
    });
    const { value: stats } = await note('statFiles', uring.statFiles(paths.slice(0, 150)));
    stats?.forEach(({ size }, n) => expect(size === sizes[n % 10], `statFiles: size of ${n}`));
    const { value: texts } = await note('readFiles', uring.readFiles(paths.slice(0, 9), 'latin1'));
    texts?.forEach((text, n) => expect(text.length === sizes[n], `readFiles: text of ${n}`));
  }

  const collect = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  async function streams(n) {
    const name = at(`s${n}`);
    const bytes = content(400_000, n);
    const opened = await note('open', uring.open(name, 'w'));
    if (opened.code !== undefined) return;
    const stream = opened.value.createWriteStream({ flush: true });
    for (let done = 0; done < bytes.length; done += 30_000) {
      stream.write(bytes.subarray(done, done + 30_000));
    }
    const ended = new Promise((resolve, reject) => {
      stream.on('close', resolve).on('error', reject);
    });
    stream.end();
    const { code } = await note('write stream', ended);
    const found = nodeFs.readFileSync(name);
    expect(found.equals(bytes.subarray(0, found.length)), 'write stream: other content');
    if (code !== undefined) return;
    expect(found.length === bytes.length, 'write stream: a part');
    const { value: handle } = await note('open', uring.open(name));
    if (handle === undefined) return;
    const reading = collect(handle.createReadStream({ start: 5, end: 350_000 }));
    const { value: part } = await note('read stream', reading);
    expect(part === undefined || part.equals(bytes.subarray(5, 350_001)), 'read stream: content');
  }

  async function handleFiles(n) {
    const name = at(`w${n}`);
    const bytes = content(300_000, n);
    const opened = await note('open', uring.open(name, 'w+'));
    if (opened.code !== undefined) return;
    const handle = opened.value;
    const { code } = await note('handle.writeFile', handle.writeFile(bytes));
    const vectors = [bytes.subarray(0, 7000), bytes.subarray(7000, 20_000)];
    const { value: written } = await note('writev', handle.writev(vectors, 1000));
    const at1000 = nodeFs.readFileSync(name).subarray(1000, 1000 + (written?.bytesWritten ?? 0));
    expect(at1000.equals(bytes.subarray(0, at1000.length)), 'writev: other content');
    await note('close', handle.close());
    const again = await note('open', uring.open(name));
    if (again.code !== undefined) return;
    const { value: back } = await note('handle.readFile', again.value.readFile());
    expect(back === undefined || back.equals(nodeFs.readFileSync(name)), 'handle.readFile');
    expect(code !== undefined || back === undefined || back.length === 300_000, 'its length');
    await note('close', again.value.close());
  }

  /** Each is done once: twice would be an EEXIST or ENOENT. */
  async function names(n) {
    const name = (rest) => at(`n${n}-${rest}`);
    nodeFs.writeFileSync(name('file'), 'x');
    const done = async (what, promise, there, gone) => {
      const { code } = await note(what, promise);
      if (code !== undefined) return false;
      expect(!there || nodeFs.lstatSync(name(there), { throwIfNoEntry: false }), `${what}: none`);
      expect(!gone || !nodeFs.lstatSync(name(gone), { throwIfNoEntry: false }), `${what}: left`);
      return true;
    };
    await done('link', uring.link(name('file'), name('linked')), 'linked');
    await done('symlink', uring.symlink('x', name('symlink')), 'symlink');
    await done('mkdir', uring.mkdir(name('deep/er'), { recursive: true }), 'deep/er');
    if (await done('mkdir', uring.mkdir(name('folder')), 'folder')) {
      if (await done('rename', uring.rename(name('file'), name('folder/f')), 'folder/f', 'file')) {
        await done('unlink', uring.unlink(name('folder/f')), '', 'folder/f');
      }
      await done('rm', uring.rm(name('folder'), { recursive: true }), '', 'folder');
    }
    if (await done('mkdir', uring.mkdir(name('last')), 'last')) {
      await done('rmdir', uring.rmdir(name('last')), '', 'last');
    }
  }

  async function atomic(n) {
    const name = at(`r${n}`);
    nodeFs.writeFileSync(name, 'old');
    const bytes = content(60_000, n);
    const { code } = await note('writeFileAtomic', uring.writeFileAtomic(name, bytes));
    const found = nodeFs.readFileSync(name);
    expect(found.equals(bytes) || (code !== undefined && `${found}` === 'old'), 'writeFileAtomic');
  }

  for (const [n, size] of sizes.entries()) await wholeFile(size, n);
  await batches();
  for (const work of [streams, handleFiles, names, atomic]) await work(0);
  for (let n = 0; n < 3; n++) await appends(n);
  await handles(0);
  const many = [];
  for (let n = 0; n < 160; n++) many.push(wholeFile(sizes[n % 9], n + 100));
  for (let n = 10; n < 25; n++) many.push(appends(n));
  for (let n = 10; n < 25; n++) many.push(handles(n));
  for (let n = 10; n < 14; n++) {
    for (const work of [streams, handleFiles, names, atomic]) many.push(work(n));
  }
  many.push(batches());
  await Promise.all(many);
  await note('missing', uring.readFile(at('missing')), ['ENOENT', ...(args.errors ?? [])]);
  expect(settled === asked, `${asked - settled} calls never settled`);
  const descriptors = nodeFs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return nodeFs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(args.folder);
    } catch {
      return false;
    }
  });
  say({ wrong, rejected, open: descriptors.length, status: uring.ring.status() });
}

module.exports = { faultyWork, withFaults };
