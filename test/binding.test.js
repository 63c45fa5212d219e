'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { ROOT, describeOnRing, resultOf, uring } = require('./helpers/environment');
const { takeMemory } = require('./helpers/memory');

describe('lib/binding', () => {
  /** What lib/binding.js gives after `versions` and `platform` of the process were changed. */
  const loadedWith = (args, env = { URING_FS_BACKEND: '' }) =>
    resultOf(
      ({ nodeFs: ofProgram, args: { change, root }, say }) => {
        for (const name of Object.keys(require.cache)) {
          if (name.startsWith(`${root}/lib/`)) delete require.cache[name];
        }
        for (const [name, value] of Object.entries(change)) {
          const given = name === 'versions' ? { ...process.versions, ...value } : value;
          Object.defineProperty(process, name, { value: given });
        }
        const { binding, failure } = require(`${root}/lib/binding`);
        const fs = require(root);
        if (binding === null && fs.readFile !== ofProgram.promises.readFile)
          throw new Error('not Node');
        say({ failure, loaded: binding !== null });
      },
      { args: { change: args, root: ROOT }, env },
    );

  const changes = {
    'another system': [{ platform: 'darwin' }, 'platform', 'io_uring is of Linux, this is darwin'],
    Bun: [{ versions: { bun: '1.0.0' } }, 'bun', 'Bun has no libuv loop to wake'],
    Deno: [{ versions: { deno: '2.0.0' } }, 'deno', 'Deno has no libuv loop to wake'],
    'the permission model': [
      { permission: {} },
      'permission-model',
      "Node's permission model is active",
    ],
  };
  for (const [name, [change, code, reason]] of Object.entries(changes)) {
    it(`${name} is a reason to do without it`, async () => {
      assert.deepEqual(await loadedWith(change), { failure: { code, reason }, loaded: false });
    });
  }

  it('so is URING_FS_BACKEND=threadpool, and no other value of it', async () => {
    const { failure } = await loadedWith({}, { URING_FS_BACKEND: 'threadpool' });
    assert.equal(failure.reason, 'URING_FS_BACKEND=threadpool');
    const { failure: none } = await loadedWith({}, { URING_FS_BACKEND: 'io_uring' });
    assert.notEqual(none?.code, 'environment');
  });

  describeOnRing('on the ring', () => {
    it('it is there without a reason', async () => {
      assert.deepEqual(await loadedWith({}), { failure: null, loaded: true });
    });

    it('start() refuses wrong arguments, and a second ring', () => {
      const { binding } = require('../lib/binding');
      for (const args of [[], [{}], [{}, () => {}], [null, null]]) {
        assert.throws(() => binding.start(...args), Error);
      }
    });

    it('operations refuse wrong arguments by -1', () => {
      const { binding } = require('../lib/binding');
      const bytes = new Uint8Array(8);
      const wrong = {
        open: [[], [5, 0, 0], ['/a\0b', 0, 0], ['', 0, 0], ['x'.repeat(4096), 0, 0], ['/', '0', 0]],
        read: [
          [-1, bytes, 0, 8, 0],
          [0, bytes, 1, 8, 0],
          [0, bytes, -1, 8, 0],
          [0, {}, 0, 8, 0],
          [0],
        ],
        write: [
          [0, new Uint16Array(8), 0, 8, 0],
          [0, bytes, 0, 8, -2],
          [0, 'text', 0, 4, 0],
        ],
        readv: [
          [0, [], 0],
          [0, [bytes, 5], 0],
          [0, {}, 0],
          [0, new Array(2000).fill(bytes), 0],
        ],
        ftruncate: [[0], ['0', 0]],
        rename: [['/a'], ['/a', 5]],
        close: [[-1], ['0'], []],
      };
      for (const [name, calls] of Object.entries(wrong)) {
        for (const args of calls) assert.equal(binding[name](...args), -1, `${name}(${args})`);
      }
    });

    it('slots are refused that were not given out', async () => {
      const { binding } = require('../lib/binding');
      const bytes = new Uint8Array(8);
      await uring.readFile(__filename); // it takes a slot and gives it back
      for (const slot of [0, 1, 511, 512, 100_000, 2 ** 31 - 1]) {
        assert.equal(binding.close_slot(slot), -1);
        assert.equal(binding.fsyncSlot(slot), -1);
        assert.equal(binding.poll_slot(slot), -1);
        assert.equal(binding.readSlot(slot, bytes, 0, 8, 0), -1);
        assert.equal(binding.writeSlot(slot, bytes, 0, 8, 0), -1);
      }
      assert.equal(
        await uring.readFile(__filename, 'utf8'),
        nodeFs.readFileSync(__filename, 'utf8'),
      );
    });

    it('memory that a getter takes away is not used', () => {
      const { binding } = require('../lib/binding');
      const views = [new Uint8Array(64), new Uint8Array(64)];
      Object.defineProperty(views, 1, {
        get() {
          takeMemory(views[0]);
          return 'no view';
        },
      });
      assert.equal(binding.readv(0, views, 0), -1);
      assert.equal(views[0].byteLength, 0);
    });

    it('cancel of what is not there does nothing', () => {
      const { binding } = require('../lib/binding');
      binding.cancel(4_000_000_000);
    });
  });
});
