'use strict';

// The installed package on each version of Node: on the ring where there is one, on the thread pool where
// the binary is missing or for something else.

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const path = require('node:path');
const { onRing } = require('../helpers/environment');
const { DONE, LONG, NODES, PROGRAMS, nodeOf, useInstalled } = require('../helpers/installed');

const libc = nodeFs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
const BINARY = path.join('prebuilds', `linux-${process.arch}`, `uring-fs.${libc}.node`);

describe('installed, without a compiler', function () {
  this.timeout(LONG);

  const installed = useInstalled();
  let without;
  let onFreeBsd;

  before(() => {
    without = installed.withoutBinaries();
    for (const [name, text] of Object.entries(PROGRAMS)) {
      installed.file(name, text);
      nodeFs.writeFileSync(path.join(without, name), text);
    }
    onFreeBsd = installed.file(
      'freebsd.cjs',
      `Object.defineProperty(process, 'platform', { value: 'freebsd' });`,
    );
  });

  /** What both programs say, which must be the same. */
  function saidBy(node, { flags = [], ...options } = {}) {
    const [required, imported] = Object.keys(PROGRAMS).map((name) =>
      JSON.parse(installed.output(node, [...flags, name], options)),
    );
    assert.deepEqual(imported, required);
    assert.deepEqual(required.done, DONE);
    return required;
  }

  function isPool({ backend, code, reason }, expected, pattern) {
    assert.deepEqual([backend, code], ['threadpool', expected]);
    assert.match(reason, pattern);
  }

  const command = () => installed.in('node_modules', '.bin', 'uring-fs');

  it('bench has all that it is made of', () => {
    const [json, html] = [installed.in('bench.json'), installed.in('bench.html')];
    const folder = installed.package('lib');
    const args = ['bench', folder, '--quick', '--json', json, '--html', html];
    installed.output(process.execPath, [command(), ...args]);
    assert.equal(typeof JSON.parse(nodeFs.readFileSync(json, 'utf8')), 'object');
    assert.match(nodeFs.readFileSync(html, 'utf8'), /<\/html>\s*$/);
  });

  it('a build that has failed hides nothing', () => {
    const build = installed.package('src', 'build');
    nodeFs.mkdirSync(path.join(build, 'Release', 'obj.target'), { recursive: true });
    try {
      assert.match(saidBy(process.execPath).binary, /prebuilds/);
    } finally {
      nodeFs.rmSync(build, { recursive: true });
    }
  });

  for (const version of NODES) {
    describe(`Node ${version}`, () => {
      let node;
      before(() => {
        node = nodeOf(version);
      });

      it('its own binary is loaded, and the ring works if the kernel has it', () => {
        const { backend, code, binary } = saidBy(node);
        assert.equal(binary, nodeFs.realpathSync(installed.package(BINARY)));
        if (onRing) assert.deepEqual([backend, code], ['io_uring', null]);
      });

      it('without the binary the thread pool works', () => {
        const said = saidBy(node, { cwd: without });
        isPool(said, 'no-module', /: No native build was found for platform=linux arch=\w+ /);
      });

      it('so it does on a processor that has none', () => {
        const said = saidBy(node, { env: { npm_config_arch: 'riscv64' } });
        isPool(said, 'no-module', /No native build was found for platform=linux arch=riscv64 /);
      });

      it('and where the binary for another C library cannot be loaded', () => {
        const said = saidBy(node, { env: { LIBC: libc === 'musl' ? 'glibc' : 'musl' } });
        isPool(said, 'no-module', /^the native module could not be loaded: /);
      });

      it('and on another system', () => {
        const said = saidBy(node, { flags: ['--require', onFreeBsd] });
        isPool(said, 'platform', /^io_uring is of Linux, this is freebsd$/);
      });

      it('every entry can be required and imported', () => {
        const { exports: entries } = JSON.parse(
          nodeFs.readFileSync(installed.package('package.json')),
        );
        for (const subpath of Object.keys(entries)) {
          const entry = JSON.stringify(path.posix.join('uring-fs', subpath));
          installed.output(node, ['--eval', `require(${entry})`]);
          if (subpath.endsWith('.json')) continue;
          installed.output(node, ['--input-type=module', '--eval', `await import(${entry})`]);
        }
      });

      it('doctor says what the programs say', () => {
        const { backend } = JSON.parse(installed.output(node, [command(), 'doctor', '--json']));
        assert.equal(backend, saidBy(node).backend);
      });
    });
  }
});
