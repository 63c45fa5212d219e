'use strict';

const assert = require('node:assert/strict');
const { describeOnRing, resultOf, useFolder } = require('./helpers/environment');

/** Everything that is served by the ring, and then: which threads are there that were not at first. */
async function useAllOperations({ uring, nodeFs, args: { folder }, say }) {
  // Kernel workers of io_uring, and the one thread that helps, are threads of the process; libuv's are what
  // we look for.
  function threads() {
    return nodeFs.readdirSync('/proc/self/task').flatMap((id) => {
      try {
        const name = nodeFs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
        return /^(iou-|uring-fs$)/.test(name) ? [] : [`${id} ${name}`];
      } catch {
        return []; // gone meanwhile
      }
    });
  }
  const before = new Set(threads());
  const at = (name) => `${folder}/${name}`;
  const missing = async (promise) => {
    const failed = await promise.then(
      () => false,
      () => true,
    );
    if (!failed) throw new Error('it should have failed');
  };

  const sizes = [1, 100, 4096, 16_319, 16_320, 16_321, 70_000, 3_000_000, 0];
  for (const size of sizes) await uring.writeFile(at(`${size}`), Buffer.alloc(size, 'x'));
  for (let i = 0; i < 10; i++) {
    const calls = Array.from({ length: 1000 }, (_, n) => uring.readFile(at(`${sizes[n % 3]}`)));
    await Promise.all(calls);
  }
  for (const size of sizes) {
    await uring.readFile(at(`${size}`), 'utf8');
    await uring.stat(at(`${size}`));
  }
  await uring.readFile('/proc/self/status');
  await missing(uring.readFile(at('missing')));
  await missing(uring.readFile(folder));
  await missing(uring.readFile(at('1'), { signal: AbortSignal.abort() }));

  await uring.writeFile(at('text'), 'text', { encoding: 'latin1', flush: true, mode: 0o600 });
  await uring.writeFile(at('chunks'), ['a', 'b', Buffer.from('c')]);
  await uring.writeFile(at('large'), Buffer.alloc(2_000_000));
  await uring.appendFile(at('text'), 'more');

  const handle = await uring.open(at('text'), 'r+');
  await handle.read();
  await handle.read(Buffer.alloc(10), 0, 10, 0);
  await handle.readv([Buffer.alloc(2), Buffer.alloc(2)], 0);
  await handle.write('string');
  await handle.write(Buffer.from('bytes'), 0, 5, 3);
  await handle.writev([Buffer.from('a'), Buffer.from('b')], 0);
  await handle.stat();
  await handle.stat({ bigint: true });
  await handle.truncate(3);
  await handle.sync();
  await handle.datasync();
  await handle.readFile('utf8');
  await handle.writeFile('all of it');
  await handle.appendFile('and more');
  await handle.close();
  for await (const chunk of (await uring.open(at('70000'))).createReadStream()) void chunk;
  for await (const line of (await uring.open(at('70000'))).readLines()) void line;
  const output = (await uring.open(at('streamed'), 'w')).createWriteStream();
  output.write('some');
  await new Promise((resolve) => output.end('thing', resolve));

  await uring.lstat(at('text'), { bigint: true });
  await uring.access(at('text'));
  await missing(uring.access(at('missing')));
  await uring.truncate(at('text'), 2);
  await uring.rename(at('text'), at('renamed'));
  await uring.link(at('renamed'), at('linked'));
  await uring.symlink('renamed', at('symlink'));
  await uring.unlink(at('symlink'));
  await uring.rm(at('linked'));
  await uring.mkdir(at('single'));
  await missing(uring.mkdir(at('single')));
  await uring.mkdir(at('one/two/three'), { recursive: true });
  await uring.rmdir(at('single'));
  await uring.mkdtemp(at('temporary-'));

  say({ backend: uring.ring.status().backend, started: threads().filter((id) => !before.has(id)) });
}

describe('threads of the libuv pool', () => {
  const folder = useFolder();

  describeOnRing('on the ring', () => {
    it('10,000 readFile and all that the ring serves start none', async () => {
      const result = await resultOf(useAllOperations, { args: { folder: folder.in() } });
      assert.deepEqual(result, { backend: 'io_uring', started: [] });
    });
  });

  it('are seen when the pool serves', async () => {
    const { backend, started } = await resultOf(useAllOperations, {
      args: { folder: folder.in() },
      env: { URING_FS_BACKEND: 'threadpool' },
    });
    assert.equal(backend, 'threadpool');
    assert.ok(started.length >= 1, 'no thread was seen');
  });
});
