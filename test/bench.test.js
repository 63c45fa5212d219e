'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Folder, Workspace, randomPositions } = require('../bench/files');
const { Harness, Interrupted, Stalled, median, orderOf } = require('../bench/harness');
const { Mismatch, compare } = require('../bench/verify');

const RUN = path.join(__dirname, '..', 'bench', 'run.js');
const TINY = ['--quick', '--rounds', '1', '--slice', '5'];

describe('bench', () => {
  let temporary;

  before(() => {
    temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-test-'));
  });

  after(() => {
    fs.rmSync(temporary, { recursive: true });
  });

  /** Starts the benchmark, with a folder of its own for temporary files. */
  function start(args, onOutput = () => {}) {
    const tmpdir = fs.mkdtempSync(path.join(temporary, 'tmp-'));
    const child = spawn(process.execPath, [RUN, ...args], {
      env: { ...process.env, TMPDIR: tmpdir },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    for (const name of Object.keys(output)) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
        onOutput(child, output);
      });
    }
    return once(child, 'close').then(([status]) => {
      return { status, ...output, left: fs.readdirSync(tmpdir) };
    });
  }

  describe('command', () => {
    it('measures lists, larger files, streams, new files and logs', async () => {
      const file = path.join(temporary, 'others.json');
      const filter = 'Files |64 KiB|stream|unlink|close|datasync';
      const { status, stdout, stderr } = await start([
        ...TINY,
        ...['--filter', filter, '--json', file],
      ]);
      assert.equal(stderr, '');
      assert.equal(status, 0, stdout);
      const { workloads } = JSON.parse(fs.readFileSync(file, 'utf8'));
      assert.deepEqual(
        workloads.map(({ name, rows }) => [name, rows.map(({ c }) => c).join()]),
        [
          ['readFile 64 KiB', '64'],
          ['readFiles 256 x 4 KiB', '1'],
          ['readFiles 256 x 4 KiB utf8', '1'],
          ['statFiles 256 x 4 KiB', '1'],
          ['createReadStream 16 MiB', '1'],
          ['writeFile 4 KiB + unlink, new files', '64'],
          ['open + close 4 KiB', '64'],
          ['write 4 KiB + datasync, 8 logs', '8'],
        ],
      );
      for (const { name, rows } of workloads) {
        for (const { drivers } of rows) {
          const expected = ['uring-fs', 'fs/promises', 'callback fs'];
          if (!name.startsWith('createReadStream')) expected.push('sync');
          assert.deepEqual(Object.keys(drivers), expected, name);
          assert.ok(Object.values(drivers).every(({ rate }) => rate > 0));
        }
      }
    });

    it('measures all drivers and writes it as JSON', async () => {
      const file = path.join(temporary, 'all.json');
      const filter = '^stat 4|overwrite|handle.write|^readFile 4 KiB utf8';
      const { status, stdout, stderr, left } = await start([
        ...TINY,
        ...['--filter', filter, '--json', file],
      ]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(left, []);
      assert.match(stdout, /Node \d+.*backend (io_uring|threadpool)/s);
      assert.match(
        stdout.trimEnd().split('\n').at(-1),
        /^readFile .* 128 in flight: .* files\/s\)\.$/,
      );

      const contents = JSON.parse(fs.readFileSync(file, 'utf8'));
      assert.equal(contents.schema, 1);
      assert.equal(contents.environment.node, process.version);
      assert.equal(contents.environment.ring.backend, require('..').ring.status().backend);
      const asked = { directory: null, quick: true, rounds: 1, slice: 5, filter };
      assert.deepEqual(contents.options, asked);
      assert.ok(stdout.includes(contents.summary));
      const names = contents.workloads.map(({ name }) => name);
      assert.deepEqual(names, [
        'readFile 4 KiB utf8',
        'stat 4 KiB',
        'FileHandle.write 4 KiB random',
        'writeFile 4 KiB overwrite',
      ]);
      for (const { rows, samples } of contents.workloads) {
        assert.deepEqual(
          rows.map(({ c }) => c),
          [1, 16, 128],
        );
        for (const { drivers } of rows) {
          const drivenBy = ['uring-fs', 'fs/promises', 'callback fs', 'sync'];
          assert.deepEqual(Object.keys(drivers), drivenBy);
          for (const { rate, ratio, cpu } of Object.values(drivers)) {
            assert.ok(rate > 0 && ratio > 0 && cpu >= 0);
          }
          assert.equal(drivers['fs/promises'].ratio, 1);
        }
        // Three drivers at three depths, and the synchronous one once.
        assert.equal(samples.length, 10);
        assert.equal(samples.filter(({ c }) => c === null).length, 1);
        for (const { operations, milliseconds } of samples) {
          assert.ok(operations > 0 && milliseconds > 0);
        }
      }
    });

    it('gives latencies beside a load', async () => {
      const file = path.join(temporary, 'load.json');
      const { status, stderr, left } = await start([...TINY, '--filter=pbkdf2', '--json', file]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(left, []);
      const [{ rows }] = JSON.parse(fs.readFileSync(file, 'utf8')).workloads;
      for (const { latency, cpu } of Object.values(rows[0].drivers)) {
        assert.equal(cpu, null);
        assert.ok(latency.samples > 0);
        assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
      }
    });

    it("reads the user's folder and leaves it as it was", async () => {
      const folder = fs.mkdtempSync(path.join(temporary, 'user-'));
      for (const name of ['a', 'b', 'c']) fs.writeFileSync(path.join(folder, name), name);
      const before = fs.statSync(folder, { bigint: true });
      const { status, stdout, stderr, left } = await start([
        ...[folder, ...TINY],
        ...['--filter', `^(readFile|stat) [^ ]+$`],
      ]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(left, []);
      assert.ok(stdout.includes(`3 of the 3 files of ${folder} (up to 8 MiB each): 3 bytes`));
      assert.equal(fs.statSync(folder, { bigint: true }).mtimeNs, before.mtimeNs);
      assert.deepEqual(fs.readdirSync(folder), ['a', 'b', 'c']);
    });

    it('refuses bad options with status 2', async () => {
      const empty = fs.mkdtempSync(path.join(temporary, 'empty-'));
      const cases = [
        [['--bogus'], /'--bogus'/],
        [['--rounds', '0'], /--rounds takes a whole number from 1 to \d+, not '0'/],
        [['--slice', '1.5'], /--slice takes a whole number .*'1.5'/],
        [['--slice'], /--slice/],
        [['--filter', '('], /--filter: .*regular expression/],
        [['--filter', 'no such workload'], /matches none of the workloads:\n {2}readFile 4 KiB\n/],
        [['--json', path.join(temporary, 'none', 'file')], /--json .*ENOENT/],
        [['--json', temporary], /--json .*a directory/],
        [[path.join(temporary, 'none')], /none: no such directory/],
        [[__filename], /not a directory/],
        [[empty], /no readable file/],
        [[empty, empty], /one DIR, not 2/],
      ];
      // A few at a time: each is a process.
      while (cases.length > 0) {
        await Promise.all(
          cases.splice(0, 4).map(async ([args, message]) => {
            const { status, stdout, stderr, left } = await start(args);
            assert.equal(status, 2, args.join(' '));
            assert.equal(stdout, '');
            assert.match(stderr, message);
            assert.match(stderr, /Try 'node bench\/run\.js --help'\.\n$/);
            assert.deepEqual(left, []);
          }),
        );
      }
    });

    it('explains itself', async () => {
      const { status, stdout, stderr } = await start(['--help']);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.match(stdout, /^Usage: .*--filter.*--quick.*--rounds.*--slice.*--json/s);
    });

    it('leaves nothing behind when it is interrupted', async () => {
      let sent = false;
      const { status, stderr, left } = await start(['--filter=^stat'], (child, { stdout }) => {
        if (!sent && stdout.includes('data:')) sent = child.kill('SIGINT');
      });
      assert.equal(stderr, 'bench: interrupted\n');
      assert.equal(status, 130);
      assert.deepEqual(left, []);
    });
  });

  describe('harness', () => {
    const resolved = Promise.resolve();
    const drivers = [
      { name: 'immediate', sync: false, run: () => resolved },
      {
        name: 'later',
        sync: false,
        run: () => new Promise((resolve) => void setImmediate(resolve)),
      },
      { name: 'sync', sync: true, run: () => {} },
    ];
    const workload = {
      name: 'nothing',
      unit: 'times',
      data: 'none',
      concurrency: [1, 4],
      open: async () => ({}),
      verify: async () => {},
      operation: (driver) => driver.run(),
      close: async () => {},
    };
    const harness = (rounds, own = drivers) =>
      new Harness({ drivers: own, baseline: 'later', rounds, slice: 10 });

    it('ends slices in time though the event loop never turns', async () => {
      const { samples } = await harness(1).measure(workload);
      for (const { milliseconds } of samples) assert.ok(milliseconds >= 10 && milliseconds < 2000);
    });

    it('keeps as many in flight as asked for, each loop with its own number', async () => {
      const most = new Map();
      const flying = new Set();
      let operations = 0;
      const operation = async (driver, state, turn, lane) => {
        operations++;
        assert.ok(!flying.has(lane));
        flying.add(lane);
        most.set(driver.name, Math.max(most.get(driver.name) ?? 0, flying.size));
        await driver.run();
        flying.delete(lane);
      };
      const { samples } = await harness(1, drivers.slice(0, 2)).measure({ ...workload, operation });
      assert.deepEqual(Object.fromEntries(most), { immediate: 4, later: 4 });
      assert.equal(flying.size, 0);
      const counted = samples.reduce((sum, sample) => sum + sample.operations, 0);
      assert.ok(counted > 0 && counted < operations, 'the warm-up must not count');
    });

    it('takes medians over rounds and ratios within them', async () => {
      const { rows, samples } = await harness(3).measure(workload);
      const ratesOf = (name, c) =>
        samples.filter((each) => each.driver === name && each.c === c).map(({ rate }) => rate);
      for (const { c, drivers: figures } of rows) {
        const base = ratesOf('later', c);
        const blocking = ratesOf('sync', null);
        assert.equal(blocking.length, 3);
        assert.equal(figures.immediate.rate, median(ratesOf('immediate', c)));
        assert.equal(figures.sync.ratio, median(blocking.map((rate, round) => rate / base[round])));
        assert.equal(figures.later.ratio, 1);
      }
    });

    it('times nothing if a driver gives something wrong, and closes what it opened', async () => {
      const opened = [];
      const wrong = {
        ...workload,
        operation: () => assert.fail('timed'),
        open: async ({ name }) => opened.push(name),
        verify: async ({ name }) => {
          if (name === 'later') throw new Mismatch('wrong');
        },
        close: async ({ name }) => opened.splice(opened.indexOf(name), 1),
      };
      await assert.rejects(harness(1).measure(wrong), new Mismatch('wrong'));
      assert.deepEqual(opened, []);
    });

    it('fails with the error of an operation, after the other loops have ended', async () => {
      let flying = 0;
      let stopped = 0;
      const operation = async (driver, state, turn) => {
        flying++;
        await driver.run();
        flying--;
        if (turn === 7) throw new Error('seven');
      };
      const load = { description: 'none', start: () => ({ stop: async () => stopped++ }) };
      const failing = { ...workload, operation, load };
      await assert.rejects(harness(1, drivers.slice(1, 2)).measure(failing), /^Error: seven$/);
      assert.equal(flying, 0);
      assert.equal(stopped, 1);
    });

    it('stops when told to', async () => {
      const own = harness(1000);
      setTimeout(() => own.abort(), 20);
      await assert.rejects(own.measure(workload), Interrupted);
    });

    it('gives up on an operation that does not settle, and closes nothing then', async () => {
      const never = new Promise(() => {});
      const own = new Harness({ drivers, baseline: 'later', rounds: 1, slice: 1, patience: 30 });
      const operation = (driver, state, turn) => (turn === 9 ? never : driver.run());
      const stuck = { ...workload, operation, close: () => assert.fail('closed') };
      const alive = setTimeout(() => {}, 5000);
      await assert.rejects(own.measure(stuck), (error) => {
        assert.ok(error instanceof Stalled);
        assert.match(error.message, /^nothing, immediate, 1 in flight: .* does not settle$/);
        return true;
      });
      clearTimeout(alive);
    });

    it('lets no driver always follow the same other one', () => {
      const orders = Array.from({ length: 6 }, (_, round) =>
        orderOf(['a', 'b', 'c'], round).join(''),
      );
      assert.equal(new Set(orders).size, 6);
      assert.deepEqual(orders.slice(0, 4), ['abc', 'bca', 'cab', 'cba']);
    });

    it('knows the median', () => {
      assert.equal(median([3, 1, 2]), 2);
      assert.equal(median([4, 1, 3, 2]), 2.5);
    });
  });

  describe('data', () => {
    it('chooses the same files of a folder each time, within bounds', () => {
      const folder = fs.mkdtempSync(path.join(temporary, 'sample-'));
      fs.mkdirSync(path.join(folder, 'deep'));
      for (let i = 0; i < 600; i++) fs.writeFileSync(path.join(folder, 'deep', `${i}`), 'x');
      fs.symlinkSync('deep', path.join(folder, 'link'));
      const { paths, description } = new Folder(folder).sample();
      assert.equal(paths.length, 256);
      assert.equal(new Set(paths).size, 256);
      assert.deepEqual(new Folder(folder).sample().paths, paths);
      assert.match(description, /^256 of the 600 files .*: 256 bytes, median 1 bytes$/);
      assert.equal(new Folder(folder).bigFile(), null);
    });

    it('makes small files that all differ, and removes them', () => {
      const workspace = new Workspace();
      try {
        const { paths } = workspace.smallFiles('some');
        const contents = new Set(paths.map((file) => fs.readFileSync(file, 'latin1')));
        assert.equal(contents.size, paths.length);
        for (const text of contents) assert.equal(text.length, 4096);
      } finally {
        workspace.remove();
      }
      assert.ok(!fs.existsSync(workspace.root));
    });

    it('visits each page once', () => {
      const positions = randomPositions(100 * 4096 + 1);
      assert.equal(new Set(positions).size, 100);
      assert.ok(positions.every((position) => position % 4096 === 0 && position < 100 * 4096));
    });

    it('sees a wrong byte, and lets a file pass that changes meanwhile', async () => {
      let contents = Buffer.from('right');
      const read = () => Buffer.from(contents);
      await compare('same', read, async () => Buffer.from('right'));
      await assert.rejects(
        compare('other', read, async () => Buffer.from('wrong')),
        /^Error: other: not what/,
      );
      await assert.rejects(
        compare('kind', read, async () => 'right'),
        Mismatch,
      );
      await compare('changing', read, async () => {
        contents = Buffer.from('third');
        return Buffer.from('second');
      });
    });
  });
});
