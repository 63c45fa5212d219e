'use strict';

// The suite would be worth nothing if it could not fail: each fault below, small as it is, must be
// found in the place where it is.

const assert = require('node:assert');
const nodeFs = require('node:fs/promises');
const { Parity } = require('../helpers/parity-compare');

const rejecting =
  (change) =>
  (original) =>
  (...args) =>
    original(...args).catch((error) => {
      throw change(error) ?? error;
    });
const resolving =
  (change) =>
  (original) =>
  async (...args) =>
    change(await original(...args));

const FAILING = (side) => side.fs.readFile('missing');
const READING = (side) => side.fs.readFile('file');
const WRITING = (side) => side.fs.writeFile('new', 'data');
const STAT = (side) => side.fs.stat('file');

const inHandle = (name, change) => async (original, args) => {
  const handle = await original(...args);
  const method = handle[name].bind(handle);
  handle[name] = async (...given) => change(await method(...given), given);
  return handle;
};
const HANDLE_READ = async (side) => {
  const handle = await side.fs.open('file');
  side.keep(handle);
  return handle.read(side.mark('buffer', Buffer.alloc(4)), 0, 4, 0);
};

// What is wrong: the function, the fault, a call, and where the difference must be found.
const FAULTS = {
  'another content': ['readFile', resolving((data) => data.fill(0, 0, 1)), READING, /content/],
  'a Uint8Array': ['readFile', resolving((data) => new Uint8Array(data)), READING, /type/],
  'part of a larger Buffer': [
    'readFile',
    resolving((data) => Buffer.concat([data, data]).subarray(0, data.length)),
    READING,
    /ownsItsMemory/,
  ],
  'text instead of bytes': ['readFile', resolving(String), READING, /value/],
  'no promise': ['access', () => () => undefined, (side) => side.fs.access('file'), /how/],
  'a synchronous throw': [
    'readFile',
    () => () => {
      throw new Error('too early');
    },
    FAILING,
    /how/,
  ],
  'no rejection': ['readFile', () => async () => undefined, FAILING, /how/],
  'another code': ['readFile', rejecting((e) => void (e.code = 'EPERM')), FAILING, /code/],
  'another errno': ['readFile', rejecting((e) => void (e.errno = -1)), FAILING, /errno/],
  'another syscall': ['readFile', rejecting((e) => void (e.syscall = 'read')), FAILING, /syscall/],
  'another path': ['readFile', rejecting((e) => void (e.path = '/missing')), FAILING, /path/],
  'another message': ['readFile', rejecting((e) => void (e.message += '.')), FAILING, /message/],
  'a missing path': ['readFile', rejecting((e) => void delete e.path), FAILING, /keys/],
  'a property too many': ['readFile', rejecting((e) => void (e.fd = 1)), FAILING, /keys/],
  'another class': [
    'readFile',
    rejecting((e) => Object.setPrototypeOf(e, TypeError.prototype)),
    FAILING,
    /error/,
  ],
  'an error without frames': [
    'access', // readFile's errors have none with Node 26
    rejecting((e) => void (e.stack = e.stack.split('\n')[0])),
    async (side) => side.fs.access('missing').then(() => 'there'),
    /stackHasFrames/,
  ],
  'a stack with another message': [
    'readFile',
    rejecting((e) => void (e.stack = `Error: other\n    at x`)),
    FAILING,
    /stackHead/,
  ],
  'a plain object for Stats': ['stat', resolving((stats) => ({ ...stats })), STAT, /type/],
  'another size': ['stat', resolving((stats) => Object.assign(stats, { size: 1 })), STAT, /size/],
  'a time of one millisecond more': [
    'stat',
    resolving((stats) => Object.assign(stats, { mtimeMs: stats.mtimeMs + 1 })),
    (side) => side.fs.stat('../shared'),
    /mtimeMs/,
    { same: true },
  ],
  'other data written': [
    'writeFile',
    (original) => (path, data) => original(path, `${data}.`),
    WRITING,
    /folder/,
  ],
  'another mode': [
    'writeFile',
    (original) => (path, data) => original(path, data, { mode: 0o600 }),
    WRITING,
    /folder/,
  ],
  'a file left behind': [
    'writeFile',
    (original) => async (path, data) => {
      await original(`${path}.tmp`, data);
      return original(path, data);
    },
    WRITING,
    /folder/,
  ],
  'another link target': [
    'symlink',
    (original) => (target, path) => original(`./${target}`, path),
    (side) => side.fs.symlink('file', 'new'),
    /folder/,
  ],
  'an ordinary prototype': [
    'open',
    (original) =>
      (...args) =>
        inHandle('read', (result) => ({ ...result }))(original, args),
    HANDLE_READ,
    /type/,
  ],
  "a copy of the caller's Buffer": [
    'open',
    (original) =>
      (...args) =>
        inHandle('read', (result) => Object.assign(result, { buffer: Buffer.from(result.buffer) }))(
          original,
          args,
        ),
    HANDLE_READ,
    /buffer/,
  ],
};

async function failuresOf(implementation, call, options) {
  const parity = new Parity('faults', undefined, implementation);
  try {
    await parity.call('call', call, options);
    return parity.failures;
  } finally {
    parity.close();
  }
}

describe('parity: the comparison itself', () => {
  for (const [what, [name, fault, call, place, options]] of Object.entries(FAULTS)) {
    it(`finds ${what}`, async () => {
      const faulty = { ...nodeFs, [name]: fault(nodeFs[name]) };
      const failures = await failuresOf(faulty, call, options);
      assert.strictEqual(failures.length, 1);
      const places = failures[0].unexpected.map(({ path }) => path);
      assert.ok(
        places.some((found) => place.test(found)),
        `${place} in ${places}`,
      );
    });
  }

  it('finds nothing where nothing is wrong', async () => {
    for (const call of [READING, FAILING, WRITING, STAT, HANDLE_READ]) {
      assert.deepStrictEqual(await failuresOf({ ...nodeFs }, call), []);
    }
  });

  it('does not take a script that fails on Node for an equal outcome', async () => {
    const parity = new Parity('faults', undefined, { ...nodeFs });
    try {
      const scripts = [
        () => {
          throw new Error('bad script');
        },
        (side) => side.step('', () => undefined.nothing),
        (side) => side.step('', async () => side.fs.noSuchFunction()),
      ];
      for (const script of scripts) {
        await assert.rejects(parity.script('bad', script), /script failed on Node/);
      }
    } finally {
      parity.close();
    }
  });

  it('names every differing call and both outcomes', async () => {
    const parity = new Parity('faults', undefined, { ...nodeFs, readFile: async () => 'wrong' });
    try {
      await parity.call('first call', READING);
      await parity.call('good call', STAT);
      await parity.call('second call', FAILING);
    } finally {
      parity.close();
    }
    assert.throws(
      () => parity.assertEqual(),
      (error) => {
        for (const part of [
          '2 differing',
          'first call',
          'second call',
          'wrong',
          'ENOENT',
          'SEED',
        ]) {
          assert.match(error.message, new RegExp(part));
        }
        assert.doesNotMatch(error.message, /good call/);
        return true;
      },
    );
  });
});
