'use strict';

// What goes on at the same time. Each load works until the round is over, leaves nothing open behind, and
// throws when anything is not as it must be.

const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');
const { Worker } = require('node:worker_threads');
const { COUNT, check, contentsOf, pathOf } = require('./files');

const random = (below) => Math.floor(Math.random() * below);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const indices = (count) => Array.from({ length: count }, () => random(COUNT));

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

/** Whether the promise was rejected with that code. */
const failsWith = (code, promise) =>
  promise.then(
    () => false,
    (error) => error.code === code,
  );

/**
 * @typedef {{ fs: typeof import('../..'), folder: string, isOver: () => boolean, counts: object }} Context
 */

/** @type {Record<string, (context: Context) => Promise<void>>} */
const loads = {
  async readFile({ fs, folder, isOver, counts }) {
    while (!isOver()) {
      const some = indices(1 + random(64));
      const contents = await Promise.all(some.map((index) => fs.readFile(pathOf(folder, index))));
      contents.forEach((bytes, at) => check(some[at], bytes, 'readFile'));
      counts.files += some.length;
      if (random(8) === 0) gc();
    }
  },

  async readFiles({ fs, folder, isOver, counts }) {
    while (!isOver()) {
      const some = indices(300);
      const separate = random(2) === 0;
      const paths = some.map((index) => pathOf(folder, index));
      const contents = await fs.readFiles(paths, { separate });
      contents.forEach((bytes, at) => check(some[at], bytes, 'readFiles'));
      const texts = await fs.readFiles(paths.slice(0, 50), 'latin1');
      texts.forEach((text, at) => check(some[at], Buffer.from(text, 'latin1'), 'text of'));
      const stats = await fs.statFiles(paths);
      assert(
        stats.every((one) => one.isFile()),
        'statFiles: no file',
      );
      counts.files += 350;
    }
  },

  async handles({ fs, folder, isOver, counts }) {
    while (!isOver()) {
      const some = indices(20);
      const opened = await Promise.all(some.map((index) => fs.open(pathOf(folder, index))));
      const reads = opened.map(async (handle, at) => {
        const index = some[at];
        const { size } = await handle.stat();
        const bytes = Buffer.allocUnsafe(8 * (1 + random(600)));
        for (let times = 0; times < 4; times++) {
          const position = 8 * random(size / 8);
          const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
          check(index, bytes.subarray(0, bytesRead), 'read');
        }
        const pair = [Buffer.alloc(8), Buffer.alloc(64)];
        const { bytesRead } = await handle.readv(pair, 0);
        check(index, Buffer.concat(pair).subarray(0, bytesRead), 'readv');
        check(index, await handle.readFile(), 'readFile of a handle');
      });
      await Promise.all(reads);
      await Promise.all(opened.map((handle) => handle.close()));
      counts.files += 20;
    }
  },

  async replace({ fs, folder, isOver, counts }) {
    for (let version = 1; !isOver(); version++) {
      const some = [...new Set(indices(8))];
      await Promise.all(
        some.map((index) =>
          fs.writeFileAtomic(pathOf(folder, index), contentsOf(index, version), { flush: false }),
        ),
      );
      counts.writes += some.length;
    }
  },

  async write({ fs, folder, isOver, counts }) {
    const own = path.join(folder, 'own');
    for (let version = 0; !isOver(); version++) {
      const index = random(COUNT);
      const contents = contentsOf(index, version);
      await fs.writeFile(own, contents, { flush: version % 16 === 0 });
      check(index, await fs.readFile(own), 'what was written');
      const half = contents.length >> 1;
      await fs.writeFile(own, contents.subarray(0, half));
      await fs.appendFile(own, contents.subarray(half));
      assert((await fs.readFile(own)).equals(contents), 'appended');
      await fs.truncate(own, 8);
      assert((await fs.stat(own)).size === 8, 'truncated');
      counts.writes += 3;
    }
    await fs.rm(own, { force: true });
  },

  async large({ fs, folder, isOver, counts }) {
    const file = path.join(folder, 'large');
    const contents = Buffer.alloc(8 << 20, 'large file ');
    while (!isOver()) {
      await fs.writeFile(file, contents);
      assert((await fs.readFile(file)).equals(contents), 'a large file');
      counts.writes++;
      counts.files++;
      await sleep(20);
    }
    await fs.rm(file, { force: true });
  },

  async streams({ fs, folder, isOver, counts }) {
    const copy = path.join(folder, 'copy');
    while (!isOver()) {
      const index = random(COUNT);
      const from = await fs.open(pathOf(folder, index));
      const to = await fs.open(copy, 'w');
      await pipeline(
        from.createReadStream({ highWaterMark: 1000 + random(60_000) }),
        to.createWriteStream(),
      );
      check(index, await fs.readFile(copy), 'a copy of');
      const cut = await fs.open(pathOf(folder, index));
      for await (const chunk of cut.createReadStream({ highWaterMark: 64 })) {
        check(index, chunk, 'a stream of');
        break; // closes it in the middle
      }
      counts.files += 3;
    }
    await fs.rm(copy, { force: true });
  },

  async names({ fs, folder, isOver, counts }) {
    const missing = path.join(folder, 'missing');
    while (!isOver()) {
      const made = await fs.mkdtemp(path.join(folder, 'made-'));
      const at = (...names) => path.join(made, ...names);
      await fs.mkdir(at('a', 'b', 'c'), { recursive: true });
      await Promise.all(
        Array.from({ length: 30 }, (_, n) => fs.writeFile(at('a', `${n}`), `${n}`)),
      );
      await fs.rename(at('a', '1'), at('one'));
      await fs.link(at('one'), at('hard'));
      await fs.symlink('one', at('soft'));
      assert((await fs.readFile(at('soft'), 'utf8')) === '1', 'through a link');
      assert(await failsWith('ENOENT', fs.readFile(missing)), 'readFile of nothing');
      assert(await failsWith('ENOENT', fs.stat(missing)), 'stat of nothing');
      assert(await failsWith('EISDIR', fs.readFile(made)), 'readFile of a folder');
      assert(await failsWith('ENOENT', fs.open(missing)), 'open of nothing');
      await fs.unlink(at('hard'));
      await fs.rm(made, { recursive: true });
      counts.names += 40;
    }
  },

  async fifos({ fs, folder, isOver, counts }) {
    const fifo = path.join(folder, 'fifo');
    const lonely = path.join(folder, 'lonely');
    for (const name of [fifo, lonely]) if (!nodeFs.existsSync(name)) execFileSync('mkfifo', [name]);
    while (!isOver()) {
      const said = 'x'.repeat(random(100_000));
      const [heard] = await Promise.all([fs.readFile(fifo, 'utf8'), fs.writeFile(fifo, said)]);
      assert(heard === said, `through a FIFO: ${heard.length} of ${said.length}`);
      const controller = new AbortController();
      const { signal } = controller;
      const stuck = Array.from({ length: 20 }, () => fs.readFile(lonely, { signal }));
      const outcomes = Promise.allSettled(stuck);
      await sleep(random(10));
      controller.abort();
      for (const { reason } of await outcomes) assert(reason?.name === 'AbortError', 'an abort');
      counts.aborts += 20;
    }
  },

  async aborts({ fs, folder, isOver, counts }) {
    const isOutcome = ({ status, reason }) =>
      status === 'fulfilled' || reason.name === 'AbortError';
    while (!isOver()) {
      const controller = new AbortController();
      const { signal } = controller;
      const some = indices(40).map((index) => fs.readFile(pathOf(folder, index), { signal }));
      some.push(
        fs.readFiles(
          indices(300).map((index) => pathOf(folder, index)),
          { signal },
        ),
      );
      const outcomes = Promise.allSettled(some);
      if (random(2) === 0) await sleep(random(3));
      controller.abort();
      assert((await outcomes).every(isOutcome), 'an aborted readFile failed');
      counts.aborts += some.length;
    }
  },

  async workers({ folder, isOver, counts }) {
    while (!isOver()) {
      const worker = new Worker(path.join(__dirname, 'reader.js'), {
        workerData: { folder, milliseconds: 60_000, withPipe: true },
      });
      const failed = new Promise((resolve, reject) => worker.on('error', reject));
      await Promise.race([sleep(50 + random(200)), failed]);
      await worker.terminate();
      counts.workers++;
    }
  },
};

module.exports = { loads };
