'use strict';

// The installed package in other runtimes, which have no ring, and in programs that are bundled.

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const path = require('node:path');
const { fetchPackage } = require('../../tools/lib/fetched');
const { onRing } = require('../helpers/environment');
const { AGAIN, DONE, LONG, PROGRAMS, useInstalled } = require('../helpers/installed');

const { arch } = process;

const RUNTIMES = {
  Bun: {
    package: `@oven/bun-linux-${arch === 'arm64' ? 'aarch64' : arch}`,
    version: '1.4.5',
    binary: 'bin/bun',
    flags: [],
    failure: ['bun', 'Bun has no libuv loop to wake'],
  },
  Deno: {
    package: `@deno/linux-${arch}-glibc`,
    version: '2.9.6',
    binary: 'deno',
    flags: ['run', '--allow-all'],
    failure: ['deno', 'Deno has no libuv loop to wake'],
  },
};

/** The other entries, where Node's own functions serve. */
const OTHER_ENTRIES = `
require('uring-fs/register');
const fs = require('uring-fs/fs');
fs.readFile('package.json', 'utf8', (error, text) => {
  require('node:fs').readFile('package.json', 'utf8', (none, same) => {
    const stream = fs.createReadStream('package.json', 'utf8');
    let streamed = '';
    stream.on('data', (chunk) => (streamed += chunk));
    stream.on('close', () => {
      const isOurs = stream instanceof fs.ReadStream;
      console.log(JSON.stringify(error === null && [text, same, streamed, isOurs]));
    });
  });
});
`;

describe('in other runtimes', function () {
  this.timeout(LONG);

  const installed = useInstalled();

  before(() => {
    for (const [name, text] of Object.entries(PROGRAMS)) installed.file(name, text);
    installed.file('entries.cjs', OTHER_ENTRIES);
  });

  for (const [name, runtime] of Object.entries(RUNTIMES)) {
    describe(name, () => {
      let run;
      before(() => {
        const folder = fetchPackage(runtime.package, runtime.version, AGAIN);
        const env = { DENO_DIR: installed.in('deno'), DENO_NO_UPDATE_CHECK: '1' };
        const binary = path.join(folder, runtime.binary);
        run = (program) => installed.output(binary, [...runtime.flags, program], { env });
      });

      for (const program of Object.keys(PROGRAMS)) {
        it(`its own functions serve ${program}, and the reason is known`, () => {
          const { backend, code, reason, binary, done } = JSON.parse(run(program));
          assert.deepEqual([backend, code, reason], ['threadpool', ...runtime.failure]);
          assert.equal(binary, null);
          assert.deepEqual(done, DONE);
        });
      }

      it('so they do by the other entries', () => {
        const text = nodeFs.readFileSync(installed.in('package.json'), 'utf8');
        const said = JSON.parse(run('entries.cjs'));
        assert.deepEqual(said, [text, text, text, true]);
      });
    });
  }
});

describe('bundled by esbuild', function () {
  this.timeout(LONG);

  const installed = useInstalled();
  let esbuild;

  before(() => {
    esbuild = path.join(fetchPackage('esbuild', '0.28.2', AGAIN), 'bin', 'esbuild');
    for (const [name, text] of Object.entries(PROGRAMS)) installed.file(name, text);
  });

  /** Bundles a program into dist/, and gives what it says without the installed package. */
  function saidByBundle(program, flags, { keep }) {
    const file = path.join('dist', program);
    const format = program.endsWith('.mjs') ? 'esm' : 'cjs';
    const args = ['--platform=node', `--format=${format}`, '--log-level=warning', ...flags];
    const bundle = [esbuild, program, '--bundle', `--outfile=${file}`, ...args];
    installed.output(process.execPath, bundle);
    const hidden = installed.in('hidden');
    if (!keep) nodeFs.renameSync(installed.in('node_modules'), hidden);
    try {
      const said = JSON.parse(installed.output(process.execPath, [file]));
      assert.deepEqual(said.done, DONE);
      return said;
    } finally {
      if (!keep) nodeFs.renameSync(hidden, installed.in('node_modules'));
    }
  }

  const ring = onRing ? 'io_uring' : 'threadpool';

  it('left out of a bundle, it is as ever', () => {
    for (const program of Object.keys(PROGRAMS)) {
      const { backend } = saidByBundle(program, ['--external:uring-fs'], { keep: true });
      assert.equal(backend, ring);
    }
  });

  it('within a bundle it does without the ring, and says why', () => {
    const { backend, code, reason } = saidByBundle('program.cjs', [], { keep: false });
    assert.deepEqual([backend, code], ['threadpool', 'no-module']);
    assert.match(reason, /No native build was found for platform=linux /);
  });

  it('within a bundle it finds the binaries in a folder beside that of the bundle', () => {
    const prebuilds = installed.in('prebuilds');
    nodeFs.cpSync(installed.package('prebuilds'), prebuilds, { recursive: true });
    const { backend, binary } = saidByBundle('program.cjs', ['--minify'], { keep: false });
    assert.equal(backend, ring);
    assert.ok(nodeFs.realpathSync(binary).startsWith(nodeFs.realpathSync(prebuilds)), binary);
  });
});
