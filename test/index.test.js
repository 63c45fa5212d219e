'use strict';

const assert = require('node:assert/strict');
const nodePromises = require('node:fs/promises');
const { constants } = require('node:fs');
const path = require('node:path');
const { ROOT, onRing, runProgram, uring, useFolder } = require('./helpers/environment');
const { spawnSync } = require('node:child_process');

/** What fs/promises does not have. */
const OURS = ['FileHandle', 'readFiles', 'ring', 'statFiles', 'writeFileAtomic'];

describe('lib/index', () => {
  const folder = useFolder();

  it('has every name of fs/promises of this Node, and ours', () => {
    const names = new Set([...Object.keys(nodePromises), 'constants', ...OURS]);
    assert.deepEqual(Object.keys(uring).sort(), [...names].sort());
    assert.equal(uring.constants, constants);
  });

  it('names and lengths of the functions are those of Node', () => {
    for (const [name, own] of Object.entries(nodePromises)) {
      if (typeof own !== 'function') continue;
      assert.deepEqual([uring[name].name, uring[name].length], [own.name, own.length], name);
    }
  });

  it('what looking at the arguments throws is for Node to meet', async () => {
    const options = {
      get encoding() {
        throw new Error('from the getter');
      },
    };
    const file = folder.file('file');
    const outcomeOf = (promise) => promise.then(String, ({ message }) => message);
    const expected = await outcomeOf(nodePromises.readFile(file, options));
    assert.equal(await outcomeOf(uring.readFile(file, options)), expected);
  });

  it('functions never throw, they reject', async () => {
    for (const [name, own] of Object.entries(uring)) {
      if (typeof own !== 'function' || ['FileHandle', 'watch', 'glob'].includes(name)) continue;
      const promise = own();
      assert.equal(typeof promise.then, 'function', name);
      await promise.catch(() => {});
    }
  });

  it('FileHandle is the class of handles, and cannot be constructed where Node serves', async () => {
    const handle = await uring.open(folder.file('file'));
    assert.ok(handle instanceof uring.FileHandle);
    assert.equal(handle.constructor.name, 'FileHandle');
    assert.ok(!({} instanceof uring.FileHandle));
    await handle.close();
    if (!onRing) assert.throws(() => new uring.FileHandle(), TypeError);
  });

  it('loading it loads little: of Node no more than fs/promises does', () => {
    const modulesAfter = (source) => {
      const say =
        'process.stdout.write(JSON.stringify([process.moduleLoadList, Object.keys(require.cache)]))';
      const { stdout, stderr } = spawnSync(process.execPath, ['-e', `${source};${say}`]);
      assert.equal(String(stderr), '');
      return JSON.parse(stdout);
    };
    const [expected] = modulesAfter(`require('node:fs/promises')`);
    const [loaded, files] = modulesAfter(`require(${JSON.stringify(ROOT)})`);
    assert.deepEqual(
      loaded.filter((name) => !expected.includes(name)),
      [],
    );
    assert.deepEqual(
      files.map((file) => path.relative(ROOT, file)),
      ['lib/index.js', 'lib/delegate.js', 'lib/names.js', 'lib/ring.js', 'lib/tuning.js'],
    );
  });

  it('knows what goes through the ring without loading it', function () {
    if (!onRing) this.skip();
    const { functions } = require('../lib/promises');
    const own = Object.keys(nodePromises).filter((name) => uring[name] !== nodePromises[name]);
    assert.deepEqual(own.sort(), Object.keys(functions).sort());
  });

  it('loading it makes no ring yet, and opens nothing', async () => {
    const { said } = await runProgram(
      ({ nodeFs, args: root, say }) => {
        const open = () => nodeFs.readdirSync('/proc/self/fd').length;
        for (const name of Object.keys(require.cache)) {
          if (name.startsWith(`${root}/lib/`)) delete require.cache[name];
        }
        const before = open();
        require(root);
        say(open() - before);
      },
      { args: ROOT },
    );
    assert.deepEqual(said, [0]);
  });
});
