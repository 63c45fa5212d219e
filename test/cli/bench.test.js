'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { documented, runCli } = require('../helpers/cli');
const {
  ROOT,
  backend,
  onRing,
  patient,
  pattern,
  skip,
  uring,
  useFolder,
} = require('../helpers/environment');
const { page } = require('../../lib/cli/page');
const { batchesOf, inBatches, inLanes, inTurn } = require('../../lib/cli/passes');
const { Progress } = require('../../lib/cli/progress');
const { outcome, percentileOf, sentenceOf } = require('../../lib/cli/verdict');
const { workloadsOn } = require('../../lib/cli/workloads');
const { createDrivers } = require('../../bench/drivers');

/** ms: a quick run takes some seconds. */
const RUN_TIMEOUT = patient(60_000);

describe('uring-fs bench', () => {
  const folder = useFolder();
  let tree;

  before(() => {
    tree = folder.in('tree');
    nodeFs.mkdirSync(path.join(tree, 'below', 'further'), { recursive: true });
    const sizes = [0, 1, 5, 700, 4096, 9000, 70_000];
    for (const [index, size] of sizes.entries()) {
      nodeFs.writeFileSync(path.join(tree, `file ${index}`), pattern(size));
      nodeFs.writeFileSync(path.join(tree, 'below', 'further', `<b>&${index}`), pattern(size + 3));
    }
    nodeFs.symlinkSync('/nowhere', path.join(tree, 'dangling'));
    execFileSync('mkfifo', [path.join(tree, 'fifo')]);
    nodeFs.writeFileSync(folder.in('large'), pattern(100_000));
  });

  /** Every path below the folder, with what was last changed when. */
  const stateOf = (where) =>
    nodeFs.readdirSync(where, { recursive: true }).map((name) => {
      const { size, mtimeMs, ctimeMs } = nodeFs.lstatSync(path.join(where, name));
      return [name, size, mtimeMs, ctimeMs];
    });

  describe('runs', function () {
    this.timeout(RUN_TIMEOUT);
    let ofTree;

    before(() => {
      const state = stateOf(tree);
      const args = ['bench', tree, '--quick', '--json', folder.in('tree.json')];
      const { status, stdout, stderr } = runCli([...args, '--html', folder.in('tree.html')]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(stateOf(tree), state);
      const contents = JSON.parse(nodeFs.readFileSync(folder.in('tree.json'), 'utf8'));
      ofTree = { stdout, contents };
    });

    it('of a folder end with one sentence', () => {
      const { stdout, contents } = ofTree;
      const text = stdout.replace(/\s+/g, ' ').trim();
      assert.ok(text.endsWith(contents.sentence), text);
      if (!onRing) return assert.match(contents.sentence, /does what fs\/promises does.*doctor/);
      const node = process.versions.node.split('.').slice(0, 2).join('.');
      const [start, end] = contents.sentence.split(/your 14 files/);
      assert.match(start, /^(On this machine|Whether) uring-fs reads $/);
      const outcomes =
        /(times as fast as|more slowly than|about as fast as|faster than) fs\/promises/;
      assert.match(end, outcomes);
      assert.ok(end.includes(`(Node ${node}, page cache, 64 at a time).`), end);
    });

    it('of a folder read every file, and say what is in the JSON', () => {
      const { stdout, contents } = ofTree;
      const { target, options, workloads, environment, schema } = contents;
      assert.deepEqual(Object.keys(contents), documented('bench.md', '## `--json`'));
      assert.equal(schema, 1);
      assert.deepEqual([target.kind, target.path], ['folder', tree]);
      assert.deepEqual([target.files, target.found, target.complete], [14, 14, true]);
      assert.equal(target.bytes, 2 * (1 + 5 + 700 + 4096 + 9000 + 70_000) + 7 * 3);
      assert.deepEqual(options, { quick: true, rounds: 5, slice: 30 });
      assert.equal(environment.ring.backend, backend);
      const drivers = {
        'readFile, 64 at a time': ['uring-fs', 'uring-fs readFiles', 'fs/promises', 'readFileSync'],
        'stat, 64 at a time': ['uring-fs', 'uring-fs statFiles', 'fs/promises', 'statSync'],
        'readFile, one at a time': ['uring-fs', 'fs/promises', 'readFileSync'],
      };
      assert.deepEqual(
        Object.fromEntries(
          workloads.map(({ name, rows: [row] }) => [name, Object.keys(row.drivers)]),
        ),
        drivers,
      );
      for (const { name, rows, samples } of workloads) {
        assert.ok(stdout.includes(name));
        for (const { rate, ratio, cpu } of Object.values(rows[0].drivers)) {
          assert.ok(rate > 0 && ratio > 0 && cpu > 0);
        }
        assert.equal(samples.length, 5 * Object.keys(drivers[name]).length);
        // A pass is over all the files, whoever makes it.
        if (name.includes('64'))
          assert.ok(samples.every(({ operations }) => operations % 14 === 0));
      }
      const { latency } = workloads[2].rows[0].drivers['uring-fs'];
      const { p50, p90, p99, p999, max } = latency;
      assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max);
    });

    it('of a folder make a page that asks for nothing', () => {
      const html = nodeFs.readFileSync(folder.in('tree.html'), 'utf8');
      assert.match(html, /^<!doctype html>/);
      assert.match(html, /default-src 'none'/);
      assert.doesNotMatch(html, /\b(src|href)="(?!data:,)/);
      assert.doesNotMatch(html, /url\(|@import|sourceMappingURL/);
    });

    it('of a file read it in pieces', () => {
      const args = ['bench', folder.in('large'), '--quick', '--json', folder.in('file.json')];
      const { status, stderr } = runCli(args);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const { target, workloads, sentence } = JSON.parse(
        nodeFs.readFileSync(folder.in('file.json'), 'utf8'),
      );
      const { kind, found, bytes } = target;
      assert.deepEqual({ kind, found, bytes }, { kind: 'file', found: 100_000, bytes: 100_000 });
      assert.deepEqual(
        workloads.map(({ name }) => name),
        [
          'FileHandle.read of 4 KiB at random places, 64 at a time',
          'FileHandle.createReadStream',
          'FileHandle.read of 4 KiB at random places, one at a time',
        ],
      );
      if (onRing) assert.match(sentence, /reads your file in pieces of 4 KiB/);
      assert.deepEqual(pattern(100_000), nodeFs.readFileSync(folder.in('large')));
    });
  });

  describe('wrong usage', () => {
    const cases = {
      'two folders': [['/', '/tmp'], /one DIR or FILE, not 2/],
      'a path that is none': [['/nowhere/at/all'], /ENOENT/],
      'a device': [['/dev/null'], /neither a folder nor a regular file/],
      'a small file': [[path.join(ROOT, '.npmrc')], /smaller than 4 KiB/],
      'an option that is none': [['--fast'], /Unknown option '--fast'/],
      'a place for the page that is none': [['--html', '/nowhere/page.html'], /--html .*ENOENT/],
      'a folder for the JSON': [['--json', '/tmp'], /--json \/tmp: a directory/],
    };
    for (const [name, [args, message]] of Object.entries(cases)) {
      it(name, () => {
        const { status, stdout, stderr } = runCli(['bench', ...args]);
        assert.deepEqual([status, stdout], [2, '']);
        assert.match(stderr, message);
      });
    }

    it('a folder without files', () => {
      nodeFs.mkdirSync(folder.in('empty'));
      const { status, stderr } = runCli(['bench', folder.in('empty')]);
      assert.equal(status, 2);
      assert.match(stderr, /no file there that can be read/);
    });
  });

  it('--help tells the exit statuses', () => {
    const { status, stdout } = runCli(['bench', '--help']);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: uring-fs bench \[DIR\|FILE\]/);
    assert.match(stdout, /Exit status: 0/);
  });

  describe('the sentence', () => {
    const target = { kind: 'folder', files: 12412, found: 12412, complete: true };
    const say = (figure, { environment = {}, ...more } = {}) =>
      sentenceOf({
        target: { ...target, ...more },
        environment: { node: 'v24.1.0', ring: { backend: 'io_uring' }, ...environment },
        results: [{ rows: [{ drivers: { 'uring-fs': { ratioRange: [0.9, 1.6], ...figure } } }] }],
      });

    it('is about what is faster', () => {
      assert.equal(
        say({ ratio: 9.123, ahead: 1 }),
        'On this machine uring-fs reads your 12,412 files 9.12 times as fast as fs/promises ' +
          '(Node 24.1, page cache, 64 at a time).',
      );
    });

    it('is as plain about what is slower', () => {
      assert.match(
        say({ ratio: 0.8, ahead: 0 }),
        /reads your 12,412 files more slowly than fs\/promises: at 0\.80 times its rate/,
      );
    });

    it('does not make a difference of noise', () => {
      assert.match(
        say({ ratio: 1.02, ahead: 1 }),
        /reads your 12,412 files about as fast as fs\/promises: at 1\.02 times its rate/,
      );
      assert.match(
        say({ ratio: 1.3, ahead: 0.6 }),
        /^Whether .* is not clear: at 1\.30 times the rate of fs\/promises, but 0\.90 to 1\.60 from round/,
      );
      assert.equal(outcome({ ratio: 0.9, ahead: 0.4 }), 'unclear');
      // Of five rounds one may have been disturbed.
      assert.equal(outcome({ ratio: 9, ahead: 0.8 }), 'faster');
      assert.equal(outcome({ ratio: 0.3, ahead: 0.2 }), 'slower');
    });

    it('says of how many files', () => {
      const figure = { ratio: 2, ahead: 1 };
      assert.match(say(figure, { files: 1, found: 1 }), /reads your 1 file 2\.00/);
      assert.match(say(figure, { files: 20 }), /reads 20 of your 12,412 files/);
      assert.match(say(figure, { complete: false }), /reads 12,412 of your 12,412 or more files/);
      assert.match(say(figure, { kind: 'file' }), /reads your file in pieces of 4 KiB 2\.00/);
    });

    it('compares nothing where there is no ring', () => {
      const ring = { backend: 'threadpool', reason: 'this kernel has no io_uring' };
      const said = say({ ratio: 3, ahead: 1 }, { environment: { ring } });
      assert.match(said, /does what fs\/promises does.*: this kernel has no io_uring\. .*doctor/);
    });
  });

  it('progress is drawn on a terminal only, in one line, and leaves nothing', () => {
    const { isTTY, columns, write } = process.stderr;
    const drawn = [];
    try {
      Object.assign(process.stderr, {
        isTTY: true,
        columns: 40,
        write: (text) => drawn.push(text),
      });
      const progress = new Progress(100);
      progress.set(50, 'a workload with a name that is longer than the line');
      progress.set(150);
      progress.end();
      process.stderr.isTTY = false;
      progress.set(60);
      progress.end();
    } finally {
      Object.assign(process.stderr, { isTTY, columns, write });
    }
    const [half, all, end, ...more] = drawn.map((text) => text.replace('\r\u001b[K', ''));
    assert.match(half, /^\u2588{12}\u2591{12} 50%, \d+ s left/);
    assert.match(all, /^\u2588{24} 100%, 0 s left/);
    for (const line of [half, all]) assert.ok(line.length < 40);
    assert.equal(end, '');
    assert.deepEqual(more, []);
  });

  it('a percentile of too few samples is none', () => {
    const latency = { samples: 99, p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };
    assert.deepEqual(percentileOf(latency, 'p90'), { value: 2, text: '2.00 \u00b5s' });
    assert.equal(percentileOf(latency, 'p99').value, null);
    assert.equal(percentileOf({ ...latency, samples: 100 }, 'p99').value, 3);
  });

  describe('passes', () => {
    const paths = Array.from({ length: 2500 }, (_, index) => `path ${index}`);

    it('visit every path once, in lanes, in turn and in batches', async () => {
      let inFlight = 0;
      let most = 0;
      const one = async (name) => {
        most = Math.max(most, ++inFlight);
        await null;
        inFlight--;
        return name.toUpperCase();
      };
      const batches = batchesOf(paths.map(() => 1));
      const sizes = [];
      const many = async (list) => {
        sizes.push(list.length);
        return list.map((name) => name.toUpperCase());
      };
      const passes = [
        inLanes(one),
        inTurn((name) => name.toUpperCase()),
        inBatches(many, paths, batches),
      ];
      for (const pass of passes) {
        const seen = [];
        await pass(paths, (index, result) => seen.push([index, result]));
        seen.sort(([a], [b]) => a - b);
        assert.deepEqual(
          seen,
          paths.map((name, index) => [index, name.toUpperCase()]),
        );
      }
      assert.equal(most, 64);
      assert.deepEqual(sizes, [1024, 1024, 452]);
    });

    it('a batch has no more bytes than it may', () => {
      const mib = 2 ** 20;
      assert.deepEqual(batchesOf([10 * mib, 30 * mib, 1, 40 * mib, 2]), [
        { first: 0, end: 1 },
        { first: 1, end: 3 },
        { first: 3, end: 4 },
        { first: 4, end: 5 },
      ]);
    });

    it('a wrong byte ends it', async () => {
      const file = folder.file('right', 'right');
      const [workload] = workloadsOn({ kind: 'folder', paths: [file], sizes: [5] }, true);
      const [ours, , theirs] = workload.drivers(createDrivers(uring));
      await workload.verify(ours);
      const wrong = { ...theirs, pass: async (list, visit) => visit(0, Buffer.from('wrong')) };
      await assert.rejects(workload.verify(wrong), { message: /^fs\/promises: readFile .*right/ });
    });
  });

  it('the page escapes what names are made of', () => {
    const drivers = {
      'uring-fs': { rate: 1, ratio: 1, ratioRange: [1, 1], ahead: 1, cpu: 1, latency: null },
    };
    const html = page({
      sentence: '</p><script>alert(1)</script>',
      target: { kind: 'file', path: '/a/</title><b>"&', found: 1, bytes: 1, fileSystem: '<ext4>' },
      options: { rounds: 1, slice: 1 },
      environment: {
        node: 'v1',
        date: '2026-01-01',
        cpuModel: '</dl>',
        loadAverage: 0,
        loadAverageAfter: 0,
        ring: { reason: '<i>', setupFlags: [] },
      },
      workloads: [{ name: '</script><b>', unit: 'files', rows: [{ drivers }] }],
    });
    for (const bad of ['alert(1)</script>', '<b>', '<i>', '<ext4>'])
      assert.ok(!html.includes(bad), bad);
    assert.equal(html.match(/<\/script>/g).length, 3);
    assert.equal(html.match(/<\/dl>/g).length, 1);
  });

  it('what is packed is all it takes', function () {
    if (process.env.URING_FS_BACKEND) skip(this, 'it is the same on either backend');
    this.timeout(RUN_TIMEOUT);
    const npm = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const [{ files }] = JSON.parse(execFileSync('npm', npm, { cwd: ROOT, encoding: 'utf8' }));
    const root = folder.in('packed');
    for (const { path: name } of files.filter(({ path: each }) =>
      /^(lib|bench|package)/.test(each),
    )) {
      nodeFs.cpSync(path.join(ROOT, name), path.join(root, name));
    }
    // Without the native module, and above all without any dependency of development.
    const args = ['bench', tree, '--quick', '--html', folder.in('packed.html')];
    const { status, stdout, stderr } = runCli(args, { root, cwd: folder.in() });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /fs\/promises/);
    assert.match(nodeFs.readFileSync(folder.in('packed.html'), 'utf8'), /Chartist/);
  });
});
