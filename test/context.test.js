'use strict';

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { uring, useFolder } = require('./helpers/environment');

describe('AsyncLocalStorage', () => {
  const folder = useFolder();
  const storage = new AsyncLocalStorage();
  let handle;
  let file;
  let large;

  before(async () => {
    file = folder.file('file', Buffer.alloc(100_000, 'x'));
    large = folder.file('large', Buffer.alloc(3_000_000, 'x'));
    handle = await uring.open(file, 'r+');
  });
  after(() => handle.close());

  const bytes = () => Buffer.alloc(10);
  /** What gives promises; the number tells one call from another. */
  const calls = {
    access: () => uring.access(file),
    'access, missing': () => uring.access(`${file}-missing`).catch(() => {}),
    appendFile: (n) => uring.appendFile(folder.in(`append-${n}`), 'x'),
    link: (n) => uring.link(file, folder.in(`link-${n}`)),
    lstat: () => uring.lstat(file),
    mkdir: (n) => uring.mkdir(folder.in(`a-${n}/b`), { recursive: true }),
    mkdtemp: () => uring.mkdtemp(folder.in('tmp-')),
    open: async () => (await uring.open(file)).close(),
    readFile: () => uring.readFile(folder.in('small')),
    'readFile, large': () => uring.readFile(large),
    'readFile, missing': () => uring.readFile(`${file}-missing`).catch(() => {}),
    'readFile, aborted': () => {
      const controller = new AbortController();
      const reading = uring.readFile(file, { signal: controller.signal }).catch(() => {});
      controller.abort();
      return reading;
    },
    readdir: () => uring.readdir(folder.in()),
    rm: (n) => uring.rm(folder.in(`none-${n}`), { force: true }),
    stat: () => uring.stat(file, { bigint: true }),
    symlink: (n) => uring.symlink('x', folder.in(`symlink-${n}`)),
    writeFile: (n) => uring.writeFile(folder.in(`write-${n}`), 'x', { flush: true }),
    'writeFile of chunks': (n) =>
      uring.writeFile(
        folder.in(`chunks-${n}`),
        (async function* chunks() {
          for (let i = 0; i < 3; i++) {
            assert.equal(storage.getStore(), n, 'in the generator');
            yield 'chunk';
          }
        })(),
      ),
    'handle.read at a position': () => handle.read(bytes(), 0, 10, 5),
    'handle.read in turn': () => handle.read(bytes(), 0, 10, null),
    'handle.write in turn': () => handle.write(bytes(), 0, 10, null),
    'handle.readv in turn': () => handle.readv([bytes()]),
    'handle.stat': () => handle.stat(),
    'handle.sync': () => handle.sync(),
    'handle.chmod': () => handle.chmod(0o644),
  };

  before(() => folder.file('small', 'small'));

  let number = 0;
  function inContext(operation) {
    const n = ++number;
    return storage.run(n, async () => {
      await operation(n);
      assert.equal(storage.getStore(), n);
      await operation(`again-${n}`).then(() => assert.equal(storage.getStore(), n));
      assert.equal(storage.getStore(), n);
    });
  }

  for (const [name, operation] of Object.entries(calls)) {
    if (name === 'writeFile of chunks') continue;
    it(`${name}: the caller's, alone and in a batch`, async () => {
      await inContext(operation);
      await Promise.all(Array.from({ length: 10 }, () => inContext(operation)));
    });
  }

  it('writeFile of chunks: the generator runs in the context of the caller', async () => {
    const operation = calls['writeFile of chunks'];
    await Promise.all(
      Array.from({ length: 5 }, () => {
        const n = ++number;
        return storage.run(n, async () => {
          await operation(n);
          assert.equal(storage.getStore(), n);
        });
      }),
    );
  });

  it('all kinds in one batch', async () => {
    const kinds = Object.entries(calls).filter(([name]) => name !== 'writeFile of chunks');
    await Promise.all(kinds.map(([, operation]) => inContext(operation)));
    assert.equal(storage.getStore(), undefined);
  });

  it('events of streams: that in which the stream was made', async () => {
    const seen = new Set();
    await Promise.all(
      [1, 2, 3].map((n) =>
        storage.run(n, async () => {
          const input = (await uring.open(large)).createReadStream();
          const output = (await uring.open(folder.in(`out-${n}`), 'w')).createWriteStream();
          const note = (event) => () => seen.add(`${event} ${storage.getStore() === n}`);
          input.on('data', note('data')).on('end', note('end')).on('close', note('close'));
          output.on('finish', note('finish'));
          input.pipe(output);
          await new Promise((resolve) => output.on('close', resolve));
          assert.equal(storage.getStore(), n);
        }),
      ),
    );
    assert.deepEqual([...seen].sort(), ['close true', 'data true', 'end true', 'finish true']);
  });

  it('lines, web streams', async () => {
    await storage.run('lines', async () => {
      const lines = await uring.open(file);
      for await (const line of lines.readLines()) {
        assert.ok(line);
        assert.equal(storage.getStore(), 'lines');
      }
      const web = await uring.open(file);
      for await (const chunk of web.readableWebStream()) {
        assert.ok(chunk);
        assert.equal(storage.getStore(), 'lines');
      }
      await web.close();
      assert.equal(storage.getStore(), 'lines');
    });
  });

  it('a close that waits: that of its caller', async () => {
    const own = await uring.open(file);
    const reading = storage.run('reader', () => own.read(bytes(), 0, 10, 0));
    await storage.run('closer', async () => {
      own.on('close', () => assert.equal(storage.getStore(), 'closer'));
      await own.close();
      assert.equal(storage.getStore(), 'closer');
    });
    await reading;
  });
});
