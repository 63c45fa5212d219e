'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chart } = require('../bench/chart');
const { Folder, Workspace, randomPositions } = require('../bench/files');
const { gather, workloadsOn } = require('../bench/context');
const { median } = require('../bench/figures');
const { TARGETS } = require('../bench/goals');
const { Harness, Interrupted, Stalled, orderOf } = require('../bench/harness');
const { groupsOf, partOf, sharesOf } = require('../bench/profile');
const { filled, publishedRuns, rendered } = require('../bench/publish');
const { hold } = require('../bench/targets');
const { Mismatch, compare } = require('../bench/verify');
const { onRing } = require('./helpers/environment');

const RUN = path.join(__dirname, '..', 'bench', 'run.js');
/** ms: where others use the cores too, a run of some seconds takes a minute. */
const RUN_TIMEOUT = 120_000;

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
      timeout: RUN_TIMEOUT,
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

  /** Runs the benchmark, which must end well and leave nothing, and gives what it wrote. */
  async function run(args) {
    const file = path.join(fs.mkdtempSync(path.join(temporary, 'json-')), 'run.json');
    const { status, stdout, stderr, left } = await start([...args, '--json', file]);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.deepEqual(left, []);
    return { stdout, contents: JSON.parse(fs.readFileSync(file, 'utf8')) };
  }

  describe('command', function () {
    this.timeout(RUN_TIMEOUT);

    it('measures all drivers and writes it as JSON', async () => {
      const filter = '^stat 4|^write|handle.write|4 KiB utf8';
      const { stdout, contents } = await run([...TINY, '--filter', filter]);
      assert.match(stdout, /Node \d+.*backend (io_uring|threadpool)/s);
      assert.match(
        stdout.trimEnd().split('\n').at(-1),
        /^readFile .* 128 in flight: .* files\/s\)\.$/,
      );

      assert.equal(contents.schema, 2);
      assert.equal(contents.environment.node, process.version);
      assert.equal(contents.environment.ring.backend, require('..').ring.status().backend);
      const [, { rows: stats }] = contents.workloads;
      const noFloor = contents.skipped.find(({ name }) => name === 'C floor');
      if (noFloor === undefined) {
        const { rate, share } = stats.at(-1).floor;
        assert.ok(rate > 0 && share > 0);
        assert.match(stdout, /stat 4 KiB, 128 in flight: [\d.]+ of the C floor/);
      }
      const asked = { directory: null, quick: true, rounds: 1, slice: 5, only: null, filter };
      assert.deepEqual(contents.options, asked);
      assert.ok(stdout.includes(contents.summary));
      const names = contents.workloads.map(({ name }) => name);
      assert.deepEqual(names, [
        'readFile 4 KiB utf8',
        'stat 4 KiB',
        'FileHandle.write 4 KiB random',
        'writeFile 4 KiB overwrite',
      ]);
      for (const { name, rows, samples } of contents.workloads) {
        const expected = [1, '1 busy', 128];
        if (name.startsWith('stat')) expected.splice(2, 0, 16);
        assert.deepEqual(
          rows.map(({ c, busy }) => (busy ? `${c} busy` : c)),
          expected,
        );
        for (const { drivers, times } of rows) {
          const drivenBy = ['uring-fs', 'fs/promises', 'callback fs', 'sync'];
          assert.deepEqual(Object.keys(drivers), drivenBy);
          for (const { rate, ratio, cpu } of Object.values(drivers)) {
            assert.ok(rate > 0 && ratio > 0 && cpu >= 0);
          }
          assert.ok(times['callback fs'] > 0 && times.sync > 0);
          assert.equal(drivers['fs/promises'].ratio, 1);
        }
        const driven = samples.filter(({ driver }) => driver !== 'C floor');
        assert.equal(driven.length, rows.length * 4);
        for (const { operations, milliseconds } of samples) {
          assert.ok(operations > 0 && milliseconds > 0);
        }
      }
    });

    it('measures one driver alone', async () => {
      const { stdout, contents } = await run([...TINY, '--filter', '^open', '--only', 'uring-fs']);
      const [{ rows }] = contents.workloads;
      assert.deepEqual(Object.keys(rows[0].drivers), ['uring-fs']);
      assert.equal(rows[0].drivers['uring-fs'].ratio, null);
      assert.match(stdout, /\nNothing here is held against fs\/promises\.\n$/);
    });

    it('gives latencies beside a load', async () => {
      const { contents } = await run([...TINY, '--filter=^readFile.*pbkdf2']);
      const [{ rows }] = contents.workloads;
      for (const { latency, cpu } of Object.values(rows[0].drivers)) {
        assert.equal(cpu, null);
        assert.ok(latency.samples > 0);
        assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
      }
    });

    it('measures what programs do, or says why not', async () => {
      const filter = 'O_DIRECT|open|create|append|Stream|^readFiles|1 GiB|at once';
      const { stdout, contents } = await run([...TINY, '--filter', filter]);
      const { workloads, skipped } = contents;
      for (const { name, reason } of skipped) {
        assert.ok(stdout.includes(`left out: ${name}: ${reason}`));
        assert.match(name, /1 GiB|O_DIRECT|Files|^fio$/);
      }
      const reads = workloads.find(({ name }) => name.endsWith('at once'));
      for (const { burst, rate } of Object.values(reads.rows[0].drivers)) {
        const failed = Object.values(burst.failures).reduce((sum, count) => sum + count, 0);
        assert.equal(burst.bytes, (2_000 - failed) * 4096);
        assert.ok(rate > 0);
      }
      assert.deepEqual(reads.rows[0].drivers['uring-fs'].burst.failures, {});
      const stream = workloads.find(({ unit }) => unit === 'MiB');
      assert.ok(!('sync' in stream.rows[0].drivers));
      for (const { operations } of stream.samples) assert.equal(operations % 16, 0);
      for (const name of ['open', 'create', 'append']) {
        assert.ok(workloads.some((workload) => workload.name.startsWith(name)));
      }
    });

    it('tells growth, delays of the event loop and allocations', async () => {
      const filter = '^(growth|fairness|workers)|into a';
      const { stdout, contents } = await run([...TINY, '--filter', filter]);
      const of = (title) => contents.workloads.find(({ name }) => name.startsWith(title));
      const files = of('growth: readFiles');
      assert.deepEqual(
        files.rows.map(({ step }) => step),
        ['1,000 files', '10,000 files', ...(onRing ? ['100,000 files'] : [])],
      );
      assert.equal(files.rows[0].drivers['uring-fs'].growth, 1);
      for (const { step, operations } of files.samples) {
        assert.equal(operations % Number.parseInt(step.replaceAll(',', ''), 10), 0);
      }
      assert.match(
        stdout,
        /readFile 4 KiB.*times the rate with 128 in flight: .* \(10,000 in flight\)/,
      );
      const { rows: workers } = of('workers');
      assert.deepEqual(
        workers.map(({ step }) => step),
        ['1 worker', '2 workers', '4 workers'],
      );
      for (const { drivers } of workers) {
        assert.deepEqual(Object.keys(drivers), ['uring-fs', 'fs/promises', 'sync']);
        for (const { rate, growth } of Object.values(drivers)) assert.ok(rate > 0 && growth > 0);
      }
      for (const { drivers } of of('fairness').rows) {
        const { p99, max } = drivers['uring-fs'].loopDelay;
        assert.ok(p99 >= 0 && max >= p99);
      }
      const into = of('readFile 4 KiB into a Buffer');
      if (into === undefined) {
        assert.match(stdout, /left out: readFile 4 KiB into a Buffer: readFile of this Node/);
      } else {
        // The promise at least, and nothing of the size of a file.
        const { heap, outside } = into.rows.at(-1).drivers['uring-fs'].allocations;
        const most = onRing ? 4096 : 16_384; // Node's own function makes more
        assert.ok(heap > 0 && heap < most && outside < 4096);
      }
    });

    it('asks an HTTP server', async () => {
      const args = ['--quick', '--rounds', '1', '--slice', '20', '--filter', '^HTTP.*KiB$'];
      const { contents } = await run(args);
      const [{ rows, unit }] = contents.workloads;
      assert.equal(unit, 'requests');
      assert.deepEqual(Object.keys(rows[0].drivers), ['uring-fs', 'fs/promises']);
      for (const { latency, rate } of Object.values(rows[0].drivers)) {
        assert.ok(rate > 0 && latency.p50 > 0 && latency.p50 <= latency.p99);
      }
    });

    it("reads the user's folder and leaves it as it was", async () => {
      const folder = fs.mkdtempSync(path.join(temporary, 'user-'));
      for (const name of ['a', 'b', 'c']) fs.writeFileSync(path.join(folder, name), name);
      const before = fs.statSync(folder, { bigint: true });
      const { stdout } = await run([folder, ...TINY, '--filter', `^(readFile|stat) [^ ]+$`]);
      assert.ok(stdout.includes(`3 of the 3 files of ${folder} (up to 8 MiB each): 3 bytes`));
      assert.equal(fs.statSync(folder, { bigint: true }).mtimeNs, before.mtimeNs);
      assert.deepEqual(fs.readdirSync(folder), ['a', 'b', 'c']);
    });

    it('tells what the package costs', async () => {
      const { stdout, contents } = await run([...TINY, '--filter', '^cost']);
      assert.deepEqual(contents.workloads, []);
      const { load, loadNode, held, idle, worker } = contents.cost;
      assert.ok(load.milliseconds >= 0 && loadNode.bytes >= 0 && Number.isFinite(held));
      // It takes half a minute.
      assert.equal(idle, null);
      assert.ok(worker.make > 0 && Number.isFinite(worker.end));
      assert.match(stdout, /require\(\) of uring-fs.* ms .* MiB/);
    });

    it('draws a chart', async () => {
      const svg = path.join(temporary, 'chart.svg');
      await run([...TINY, '--filter', '^create', '--svg', svg]);
      assert.match(fs.readFileSync(svg, 'utf8'), /^<svg .*create \+ unlink, c=64/s);
    });

    it('refuses bad options with status 2', async () => {
      const empty = fs.mkdtempSync(path.join(temporary, 'empty-'));
      const cases = [
        [['--bogus'], /'--bogus'/],
        [['--rounds', '0'], /--rounds takes a whole number from 1 to \d+, not '0'/],
        [['--slice', '1.5'], /--slice takes a whole number .*'1.5'/],
        [['--slice'], /--slice/],
        [['--only', 'other'], /--only takes one of uring-fs, fs\/promises, .*, not 'other'/],
        [['--filter', '('], /--filter: .*regular expression/],
        [['--filter', 'no such workload'], /matches none of the workloads:\n {2}readFile 4 KiB\n/],
        [['--json', path.join(temporary, 'none', 'file')], /--json .*ENOENT/],
        [['--json', temporary], /--json .*a directory/],
        [['--svg', temporary], /--svg .*a directory/],
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
      assert.match(stdout, /^Usage: .*--filter.*--quick.*--rounds.*--slice.*--json.*--svg/s);
    });

    it('leaves nothing behind when it is interrupted', async () => {
      let sent = false;
      const { status, stderr, left } = await start(
        [...TINY, '--filter=^stat'],
        (child, { stdout }) => {
          if (!sent && stdout.includes('data:')) sent = child.kill('SIGINT');
        },
      );
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
        const blocking = ratesOf('sync', c);
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

    it('holds the floor against the same round', async () => {
      let runs = 0;
      const floor = {
        run: async () => ({ operations: ++runs * 1e9, milliseconds: 1 }),
        abort() {},
      };
      const settings = { drivers, baseline: 'later', measured: 'immediate', rounds: 3, slice: 5 };
      const work = { ...workload, floor: { name: 'C floor', c: 4 } };
      const { rows, samples } = await new Harness({ ...settings, floor }).measure(work);
      assert.equal(runs, 3);
      assert.equal(rows[0].floor, null);
      assert.equal(rows[1].floor.rate, 2e12);
      const shares = samples
        .filter(({ driver, c }) => driver === 'immediate' && c === 4)
        .map(({ rate, round }) => rate / ((round + 1) * 1e12));
      assert.equal(rows[1].floor.share, median(shares));
    });

    it('keeps other cores busy for a second row of c=1', async () => {
      let state = false;
      const seen = new Set();
      const spinners = { set: async (busy) => (state = busy) };
      const operation = (driver) => {
        seen.add(state);
        return driver.run();
      };
      const own = new Harness({ drivers, baseline: 'later', rounds: 1, slice: 5, spinners });
      const { rows } = await own.measure({ ...workload, operation });
      assert.deepEqual(
        rows.map(({ c, busy }) => [c, busy]),
        [
          [1, false],
          [1, true],
          [4, false],
        ],
      );
      assert.deepEqual([...seen], [false, true]);
      assert.ok(rows[1].drivers.immediate.ratio > 0);
    });

    it('counts in units, and sees how late the event loop is', async () => {
      const operation = async () => {
        for (const end = performance.now() + 15; performance.now() < end;);
        await new Promise((resolve) => setImmediate(resolve));
      };
      const heavy = { ...workload, concurrency: [1], weight: 256, loopDelay: true, operation };
      const { rows, samples } = await harness(1, drivers.slice(1, 2)).measure(heavy);
      assert.equal(samples[0].operations % 256, 0);
      const { p99, max } = rows[0].drivers.later.loopDelay;
      assert.ok(p99 >= 5 && max >= p99);
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

  describe('targets', () => {
    const runOf = (node, figures) => ({
      environment: { node },
      workloads: [
        {
          name: 'readFile 4 KiB',
          rows: [
            {
              c: 128,
              busy: false,
              step: null,
              drivers: { 'uring-fs': figures },
              times: { sync: 1.2 },
            },
          ],
        },
      ],
    });

    it('holds figures against what is asked on the same Node', () => {
      const held = hold([
        runOf('v24.1.0', { ratio: 10, cpuRatio: 0.3 }),
        runOf('v26.1.0', { ratio: 1.5, cpuRatio: 0.3 }),
      ]);
      const of = (against) =>
        held
          .filter(({ goal }) => goal.name === 'readFile 4 KiB, c=128' && goal.against === against)
          .map(({ node, asked, value, met }) => [node, asked, value, met]);
      assert.deepEqual(of('fs/promises'), [
        ['v24.1.0', '\u2265 10x', 10, true],
        ['v26.1.0', '\u2265 1.6x', 1.5, false],
      ]);
      assert.deepEqual(of('CPU, fs/promises'), [
        ['v24.1.0', '\u2264 0.2x', 0.3, false],
        ['v26.1.0', '\u2264 0.6x', 0.3, true],
      ]);
      assert.deepEqual(of('readFileSync')[0], ['v24.1.0', '\u2265 1.3x', 1.2, false]);
      const other = held.find(({ goal }) => goal.name === 'create + unlink, c=64');
      assert.deepEqual([other.value, other.met], [null, null]);
    });

    it('names workloads and rows that there are', () => {
      const workspace = new Workspace();
      try {
        const workloads = workloadsOn(gather(null, workspace, false), false);
        const own = new Harness({ drivers: [], spinners: {}, rounds: 1, slice: 1 });
        for (const { name, against, workload, row, cost } of TARGETS) {
          if (cost) continue;
          const matching = workloads.filter((each) => workload.test(each.name));
          assert.equal(matching.length, 1, `${name}, ${against}`);
          const rows = own.rowsOf(matching[0]).map((each) => {
            return { ...each, step: each.step?.label ?? null };
          });
          assert.ok(rows.some(row), `${name}, ${against}`);
        }
      } finally {
        workspace.remove();
      }
    });
  });

  describe('chart', () => {
    const runOf = (node, ratio) => ({
      environment: { node },
      workloads: [
        {
          name: 'readFile 4 KiB',
          rows: [{ c: 1, busy: true, drivers: { 'uring-fs': { ratio } } }],
        },
      ],
    });

    it('draws a bar for each run, with its label', () => {
      const svg = chart([runOf('v24.1.0', 12.3), runOf('v26.1.0', 0.5)]);
      assert.match(svg, /^<svg /);
      for (const text of ['readFile 4 KiB, c=1 busy', 'Node 24.1.0', 'Node 26.1.0']) {
        assert.ok(svg.includes(text), text);
      }
      for (const text of ['>12x<', '>0.50x<', '>1x: fs/promises<']) assert.ok(svg.includes(text));
    });

    it('refuses runs without a ratio', () => {
      assert.throws(() => chart([runOf('v24.1.0', null)]), /no ratios/);
    });
  });

  describe('profile', () => {
    const stackOf = (thread, ...frames) => ({
      thread,
      process: 1,
      main: thread === 'node',
      frames: frames.map((frame) => {
        const [name, file = '/usr/bin/node'] = frame.split(' in ');
        return { name, file };
      }),
    });

    it('tells what a stack counts as', () => {
      const cases = [
        [['__d_lookup in [kernel.kallsyms]', 'io_openat2', 'v8impl::X'], 'kernel: open'],
        [['clear_page in [kernel.kallsyms]', 'asm_exc_page_fault', 'io_read'], 'page faults'],
        [['memcg in [kernel.kallsyms]', 'irqentry_exit'], 'kernel: interrupts, scheduling'],
        [['fill in /x/uring_fs.node', 'v8impl::X'], 'the addon'],
        [['v8::Object::New', 'napi_create_object', 'fill in /x/uring_fs.node'], 'Node-API'],
        [['v8::Object::New', 'Builtins_Await', 'napi_call'], 'Node and V8, the rest'],
        [['*work in /tmp/perf-7.map', 'napi_call_function'], 'JavaScript'],
        [['_int_malloc in libc.so.6', 'v8::internal::Heap::Allocate'], 'malloc, free'],
        [['memmove in libc.so.6', 'main'], 'libc'],
      ];
      for (const [frames, part] of cases) assert.equal(partOf(stackOf('node', ...frames)), part);
      assert.equal(partOf(stackOf('iou-wrk-7', 'x', 'io_write')), 'io_uring worker: kernel: write');
    });

    it('is of the process that uses the addon', () => {
      const addon = stackOf('node', 'fill in /x/uring_fs.node');
      const other = { ...stackOf('node', 'io_read'), process: 2 };
      const shares = sharesOf([other, other, other, addon, stackOf('node', 'io_write')]);
      assert.deepEqual(shares, [
        ['the addon', 0.5],
        ['kernel: write', 0.5],
      ]);
      assert.deepEqual(groupsOf([...shares, ['io_uring worker: kernel: write', 0.25]]), [
        ['workers of io_uring', 0.25],
        ['collection, malloc', 0],
        ['fresh pages', 0],
        ['the kernel, else', 0.5],
        ['V8, JavaScript, Node-API, the addon', 0.5],
      ]);
    });
  });

  describe('documents', () => {
    const figure = (rate, ratio) => ({ rate, ratio });
    const runOf = (node, ratio) => ({
      environment: { node },
      workloads: [
        {
          name: 'stat 4 KiB',
          rows: [
            {
              c: 128,
              busy: false,
              step: null,
              drivers: { 'uring-fs': figure(500e3, ratio), 'fs/promises': figure(125e3, 1) },
              times: {},
            },
          ],
        },
      ],
    });

    it('get what the runs say between their marks, and nothing else', () => {
      const text = 'before\n<!-- bench: summary -->\nold\n<!-- end of bench -->\nafter\n';
      const made = filled(text, [runOf('v24.1.0', 4), runOf('v26.1.0', 3.456)]);
      assert.match(
        made,
        /^before\n<!-- bench: summary -->\n\n\| .*\|\n\n!\[.*\]\(docs\/performance\.svg\)\n\n<!-- end of bench -->\nafter\n$/s,
      );
      assert.match(
        made,
        /\n\| `stat` +\| +128 \| +4\.00 \| +3\.46 \| +500,000 against 125,000 \|\n/,
      );
      assert.match(made, /\n\| create and `unlink` +\| +64 \| +- \| +- \| +- against - \|\n/);
      assert.equal(filled(made, [runOf('v24.1.0', 4), runOf('v26.1.0', 3.456)]), made);
      assert.throws(() => filled(text.replace('summary', 'other'), []), /no part called 'other'/);
    });

    it('say what the published runs say', () => {
      const runs = publishedRuns();
      if (runs.length === 0) return;
      for (const [name, text] of Object.entries(rendered(runs))) {
        assert.equal(fs.readFileSync(path.join(__dirname, '..', name), 'utf8'), text, name);
      }
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
