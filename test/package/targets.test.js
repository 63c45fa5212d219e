'use strict';

// The binaries for other processors and another C library than this machine's. No Node that is linked with
// musl is to be had from Debian or npm: there it is shown that the loader finds all that the binary needs.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { runOnArm64 } = require('../../tools/lib/arm64');
const { describe: describeBinary } = require('../../tools/lib/binary');
const { fetchNode } = require('../../tools/lib/fetched');
const {
  TARGETS,
  fetchMusl,
  fileOf,
  makePrebuild,
  muslCompiler,
} = require('../../tools/lib/prebuilds');
const { skip, useFolder } = require('../helpers/environment');
const { AGAIN, DONE, LONG, PROGRAMS, useInstalled } = require('../helpers/installed');

const HOST = path.join(__dirname, '..', 'helpers', 'load-addon.c');
const LOADERS = { x64: 'ld-musl-x86_64.so.1', arm64: 'ld-musl-aarch64.so.1' };

const targetOf = (arch, libc) =>
  TARGETS.find((target) => target.arch === arch && target.libc === libc);

describe('binaries for other systems', function () {
  this.timeout(3 * LONG);

  const folder = useFolder();
  const installed = useInstalled();

  /** A program for musl that loads the target's addon, with stand-ins for what is Node's. */
  function makeHost(target) {
    const { imported } = describeBinary(fileOf(target));
    const ofNode = imported.filter(({ name }) => /^(napi|uv)_/.test(name));
    const standIns = ofNode.map(({ name }) => `void ${name}(void) { __builtin_trap(); }`);
    const source = folder.file(`stand-ins-${target.arch}.c`, `${standIns.join('\n')}\n`);
    const host = folder.in(`host-${target.arch}`);
    const [compiler, ...flags] = muslCompiler(target, folder.in()).split(' ');
    execFileSync(compiler, [...flags, '-rdynamic', '-w', HOST, source, '-o', host]);
    return host;
  }

  it('building again makes the same bytes', function () {
    const target = targetOf(process.arch, 'glibc');
    const before = nodeFs.readFileSync(fileOf(target));
    makePrebuild(target);
    assert.ok(before.equals(nodeFs.readFileSync(fileOf(target))));
  });

  it('musl on x64: all that the binary needs is there', function () {
    if (process.arch !== 'x64') skip(this, `this is ${process.arch}`);
    const target = targetOf('x64', 'musl');
    const loader = path.join(fetchMusl(target), 'lib', LOADERS.x64);
    const said = execFileSync(loader, [makeHost(target), fileOf(target)], { encoding: 'utf8' });
    assert.equal(said, 'loaded\n');
  });

  describe('on arm64', () => {
    let printed;

    before(function () {
      if (process.arch === 'arm64') skip(this, 'this is arm64');
      const musl = targetOf('arm64', 'musl');
      const glibc = targetOf('arm64', 'glibc');
      const libc = path.join(fetchMusl(musl), 'lib', 'aarch64-linux-musl', 'libc.so');
      const program = folder.file('program.cjs', PROGRAMS['program.cjs']);
      const script = `
        cd /app
        mkdir files
        /bin/node program.cjs
        /host-musl node_modules/uring-fs/prebuilds/linux-arm64/${path.basename(fileOf(musl))}
        /bin/node -p 'process.versions.node + " " + process.arch'
        rm node_modules/uring-fs/prebuilds/linux-arm64/${path.basename(fileOf(glibc))}
        /bin/node program.cjs
      `;
      printed = runOnArm64(script, {
        'bin/node': fetchNode('20', { ...AGAIN, arch: 'arm64' }),
        'app/program.cjs': program,
        'app/node_modules': installed.in('node_modules'),
        'host-musl': makeHost(musl),
        [`lib/${LOADERS.arm64}`]: libc,
      }).split('\n');
    });

    const saidBy = (index) => JSON.parse(printed.filter((line) => line.startsWith('{'))[index]);

    it('Node runs on the ring', () => {
      assert.ok(
        printed.some((line) => /^20\.\d+\.\d+ arm64$/.test(line)),
        printed.join('\n'),
      );
      const { backend, code, binary, done } = saidBy(0);
      assert.deepEqual([backend, code, done], ['io_uring', null, DONE]);
      assert.match(binary, /linux-arm64\/uring-fs\.glibc\.node$/);
    });

    it('without the binary the thread pool works', () => {
      const { backend, code, done } = saidBy(1);
      assert.deepEqual([backend, code, done], ['threadpool', 'no-module', DONE]);
    });

    it('musl: all that the binary needs is there', () => {
      assert.ok(printed.includes('loaded'), printed.join('\n'));
    });
  });
});
