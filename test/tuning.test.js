'use strict';

const assert = require('node:assert/strict');
const { describeOnRing, resultOf, runProgram, uring, useFolder } = require('./helpers/environment');

const DEFAULTS = {
  entries: 256,
  inlineBudget: 1,
  workers: 256,
  slab: 512,
  helper: true,
  sqpoll: null,
};

/** What a program has as settings after `configure()` of each of `options`. */
function settingsOf(options, env = {}) {
  return resultOf(
    ({ uring: { ring }, args, say }) => {
      for (const one of args) ring.configure(one);
      say(ring.status());
    },
    { args: options, env: { URING_FS_SQPOLL: '', ...env } },
  );
}

describe('lib/tuning', () => {
  const folder = useFolder();

  describe('configure', () => {
    it('refuses what is wrong, in the words of Node', async () => {
      const wrong = [
        [undefined, 'The "options" argument must be of type object. Received undefined'],
        [5, 'The "options" argument must be of type object. Received type number (5)'],
        [
          { entries: '256' },
          `The "options.entries" property must be of type number. Received type string ('256')`,
        ],
        [{ workers: null }, 'The "options.workers" property must be of type number. Received null'],
        [
          { entries: 7 },
          'The value of "options.entries" is out of range. It must be >= 8 && <= 4096. Received 7',
        ],
        [
          { entries: 4097 },
          'The value of "options.entries" is out of range. It must be >= 8 && <= 4096. Received 4097',
        ],
        [
          { slab: 1.5 },
          'The value of "options.slab" is out of range. It must be an integer. Received 1.5',
        ],
        [
          { inlineBudget: NaN },
          'The value of "options.inlineBudget" is out of range. It must be >= 0 && <= 1000. Received NaN',
        ],
        [
          { sqpoll: 'yes' },
          `The "options.sqpoll" property must be one of type boolean or object. Received type string ('yes')`,
        ],
        [
          { sqpoll: { idle: 0 } },
          'The value of "options.sqpoll.idle" is out of range. It must be >= 1 && <= 60000. Received 0',
        ],
        [
          { sqpoll: { cpu: '0' } },
          `The "options.sqpoll.cpu" property must be of type number. Received type string ('0')`,
        ],
        [
          { helper: 1 },
          'The "options.helper" property must be of type boolean. Received type number (1)',
        ],
      ];
      const [types, ranges] = await resultOf(({ root, say }) => {
        // As this process may have its ring already.
        const { configure, current } = require(`${root}/lib/tuning`);
        const before = JSON.stringify(current());
        const messages = [];
        const codes = [];
        const all = [
          undefined,
          5,
          { entries: '256' },
          { workers: null },
          { entries: 7 },
          { entries: 4097 },
          { slab: 1.5 },
          { inlineBudget: NaN },
          { sqpoll: 'yes' },
          { sqpoll: { idle: 0 } },
          { sqpoll: { cpu: '0' } },
          { helper: 1 },
        ];
        for (const options of all) {
          try {
            configure(options);
            messages.push('nothing thrown');
          } catch (error) {
            messages.push(error.message);
            codes.push(`${error.name} ${error.code}`);
          }
        }
        if (JSON.stringify(current()) !== before) messages.push('it has changed something');
        say([messages, codes]);
      });
      assert.deepEqual(
        types,
        wrong.map(([, message]) => message),
      );
      const isRange = (message) => message.includes('out of range');
      assert.deepEqual(
        ranges,
        types.map((message) =>
          isRange(message) ? 'RangeError ERR_OUT_OF_RANGE' : 'TypeError ERR_INVALID_ARG_TYPE',
        ),
      );
    });

    it('without a call there are the defaults', async () => {
      const { tuning } = await settingsOf([]);
      assert.deepEqual(tuning, DEFAULTS);
    });

    it('later calls add to earlier ones', async () => {
      const { tuning } = await settingsOf([
        { entries: 64, workers: 8 },
        { workers: 9, slab: undefined, inlineBudget: 0.5 },
        {},
      ]);
      assert.deepEqual(tuning, { ...DEFAULTS, entries: 64, workers: 9, inlineBudget: 0.5 });
    });
  });

  describe('variables of the environment', () => {
    it('stand between the defaults and configure()', async () => {
      const { tuning } = await settingsOf([{ workers: 3 }], {
        URING_FS_ENTRIES: '32',
        URING_FS_WORKERS: '7',
        URING_FS_SLAB: '16',
        URING_FS_INLINE_BUDGET: '2.5',
        URING_FS_HELPER: '0',
        URING_FS_SQPOLL_IDLE: '5', // says nothing of whether
      });
      assert.deepEqual(tuning, {
        entries: 32,
        workers: 3,
        slab: 16,
        inlineBudget: 2.5,
        helper: false,
        sqpoll: null,
      });
    });

    it('switch the helper off, which configure() can switch on again', async () => {
      const { tuning } = await settingsOf([{ helper: true }], { URING_FS_HELPER: 'false' });
      assert.equal(tuning.helper, true);
    });

    it('switch the kernel thread on, and tune it', async () => {
      const on = await settingsOf([], { URING_FS_SQPOLL: '1', URING_FS_SQPOLL_IDLE: '5' });
      assert.deepEqual(on.tuning.sqpoll, { idle: 5, cpu: null });
      const off = await settingsOf([{ sqpoll: false }], { URING_FS_SQPOLL: 'true' });
      assert.equal(off.tuning.sqpoll, null);
    });

    it('that are wrong are warned of, once, and not heeded', async () => {
      const { said, stderr, code } = await runProgram(
        async ({ uring: fs, say }) => {
          await fs.readFile('/proc/self/comm');
          await fs.readFile('/proc/self/comm');
          say(fs.ring.status().tuning);
        },
        {
          env: {
            URING_FS_ENTRIES: 'many',
            URING_FS_SLAB: '0',
            URING_FS_SQPOLL: 'yes',
            URING_FS_HELPER: '2',
          },
        },
      );
      assert.equal(code, 0, stderr);
      assert.deepEqual(said, [DEFAULTS]);
      if (uring.ring.status().backend !== 'io_uring') return;
      const warnings = stderr.split('\n').filter((line) => line.includes('URING_FS_ENV'));
      assert.equal(warnings.length, 1, stderr);
      for (const text of [
        'URING_FS_ENTRIES=many',
        'URING_FS_SLAB=0',
        'URING_FS_SQPOLL=yes',
        'URING_FS_HELPER=2',
      ]) {
        assert.ok(warnings[0].includes(text), stderr);
      }
    });
  });

  describeOnRing('the ring', () => {
    it('is configured before it is used', () => {
      assert.equal(uring.ring.status().backend, 'io_uring');
      assert.throws(() => uring.ring.configure({}), {
        name: 'Error',
        code: 'ERR_INVALID_STATE',
        message: 'Invalid state: The ring is in use',
      });
    });

    it('has the entries that it is given, the next power of two', async () => {
      const { sqEntries, cqEntries } = await settingsOf([{ entries: 100 }]);
      assert.deepEqual([sqEntries, cqEntries], [128, 2048]);
    });

    it('each worker configures its own', async () => {
      const { main, worker } = await resultOf(async ({ uring: { ring }, root, say }) => {
        const { Worker } = require('node:worker_threads');
        ring.configure({ entries: 8 });
        const mainEntries = ring.status().sqEntries;
        const source = `const { ring } = require(${JSON.stringify(root)});
            ring.configure({ entries: 16 });
            require('node:worker_threads').parentPort.postMessage(ring.status().sqEntries);`;
        const thread = new Worker(source, { eval: true });
        const entries = await new Promise((resolve) => thread.once('message', resolve));
        say({ main: mainEntries, worker: entries });
      });
      assert.deepEqual([main, worker], [8, 16]);
    });

    /** Much at once, of all kinds; what is wrong with the outcome. */
    const work = async ({ uring: fs, args, say }) => {
      fs.ring.configure(args.options);
      const wrong = [];
      const paths = Array.from({ length: 600 }, (_, n) => `${args.folder}/tuned-${n}`);
      await Promise.all(paths.map((path, n) => fs.writeFile(path, `${n}`.repeat(1 + (n % 50)))));
      const texts = await Promise.all(paths.map((path) => fs.readFile(path, 'utf8')));
      const more = await fs.readFiles(paths, 'utf8');
      for (const [n, text] of texts.entries()) {
        const expected = `${n}`.repeat(1 + (n % 50));
        if (text !== expected || more[n] !== expected) wrong.push(n);
      }
      const sizes = (await fs.statFiles(paths)).map(({ size }) => size);
      if (sizes.some((size, n) => size !== texts[n].length)) wrong.push('sizes');
      const handle = await fs.open(paths[0], 'r+');
      const block = Buffer.alloc(300_000, 'b');
      await Promise.all([0, 1, 2].map((n) => handle.write(block, 0, block.length, n * 300_000)));
      await handle.sync();
      const { bytesRead } = await handle.read(Buffer.alloc(900_000), 0, 900_000, 0);
      if (bytesRead !== 900_000) wrong.push(bytesRead);
      await handle.close();
      await Promise.all(paths.map((path) => fs.unlink(path)));
      say({ wrong, status: fs.ring.status() });
    };

    const settings = {
      'few entries': { entries: 8 },
      'many entries': { entries: 4096 },
      'one block': { slab: 1 },
      'no time within a turn': { inlineBudget: 0 },
      'one kernel worker': { workers: 1 },
      'a kernel thread that submits': { sqpoll: true },
      'such a thread that sleeps soon, and few entries': { sqpoll: { idle: 1 }, entries: 8 },
      'such a thread on a CPU of its own': { sqpoll: { cpu: 0 } },
    };
    for (const [title, options] of Object.entries(settings)) {
      it(`works with ${title}`, async () => {
        const { wrong, status } = await resultOf(work, { args: { options, folder: folder.in() } });
        assert.deepEqual(wrong, []);
        assert.equal(status.backend, 'io_uring');
        if (options.sqpoll) assert.ok(status.setupFlags.includes('SQPOLL'));
      });
    }

    it('does without the kernel thread where it cannot be had', async () => {
      const { setupFlags, tuning } = await settingsOf([{ sqpoll: { cpu: 65_535 } }]);
      assert.ok(!setupFlags.includes('SQPOLL'));
      assert.equal(tuning.sqpoll.cpu, 65_535);
    });

    it('with a kernel thread waits for readers that are stuck, and ends with them', async () => {
      const fifo = folder.fifo('fifo');
      const file = folder.file('file', 'text');
      const { texts, stuck } = await resultOf(
        async ({ uring: fs, args, say }) => {
          fs.ring.configure({ sqpoll: { idle: 1 }, entries: 8 });
          const controller = new AbortController();
          const { signal } = controller;
          const readers = Array.from({ length: 40 }, () => fs.readFile(args.fifo, { signal }));
          const files = await Promise.all(
            Array.from({ length: 40 }, () => fs.readFile(args.file, 'utf8')),
          );
          setTimeout(() => controller.abort(), 50);
          const outcomes = await Promise.allSettled(readers);
          say({ texts: files, stuck: outcomes.map(({ reason }) => reason?.name) });
        },
        { args: { fifo, file } },
      );
      assert.deepEqual(new Set(texts), new Set(['text']));
      assert.deepEqual(new Set(stuck), new Set(['AbortError']));
    });
  });
});
