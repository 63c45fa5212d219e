'use strict';

// Long series of ordinary calls, drawn from the seed, on one pair of folders: what one call leaves
// behind (positions, sizes, removed names under open handles) is what the next one meets.

const { parityTest } = require('../helpers/parity-compare');
const { sizesOfFoldersOut } = require('../helpers/parity-describe');

const NAMES = ['a', 'b', 'c', 'dir', 'dir/x', 'dir/y', 'deep/er/z', 'link', 'file', 'missing/q'];

function pathCall({ pick, int }) {
  const name = pick(NAMES);
  const other = pick(NAMES);
  const data = 'x'.repeat(int(0, 3)) + 'y\u2603'.repeat(int(0, 2000));
  const encoding = pick(['utf8', 'latin1', 'hex', undefined]);
  const flag = pick(['w', 'wx', 'a', 'r+', undefined]);
  const length = int(0, 3000);
  return pick([
    ['readFile', name],
    ['readFile', name, encoding],
    ['writeFile', name, data, { flag }],
    ['writeFile', name, Buffer.from(data), { flag, mode: pick([0o600, 0o644]) }],
    ['writeFile', name, [data, data], { flush: pick([true, false]) }],
    ['appendFile', name, data, encoding],
    ['truncate', name, length],
    ['rename', name, other],
    ['link', name, other],
    ['symlink', other, name],
    ['unlink', name],
    ['mkdir', name],
    ['mkdir', name, { recursive: true }],
    ['rmdir', name],
    ['rm', name, { recursive: pick([true, false]), force: pick([true, false]) }],
    ['stat', name],
    ['lstat', name, { bigint: pick([true, false]) }],
    ['access', name, pick([0, 4, 6])],
    ['readdir', name],
    ['readlink', name],
    ['realpath', name],
    ['chmod', name, pick([0o600, 0o755])],
    ['copyFile', name, other],
  ]);
}

function handleCall({ pick, int }) {
  const length = int(0, 4000);
  const position = pick([null, null, int(0, 5000)]);
  const text = 'h'.repeat(int(0, 50)) + '\u00e9'.repeat(int(0, 300));
  return pick([
    ['read', () => [Buffer.alloc(length), 0, length, position]],
    ['read', () => [{ buffer: Buffer.alloc(length), position }]],
    ['readv', () => [[Buffer.alloc(length), Buffer.alloc(7)], position]],
    ['readFile', () => ['utf8']],
    ['readFile', () => []],
    ['write', () => [Buffer.from(text), 0, undefined, position]],
    ['write', () => [text, position]],
    ['writev', () => [[Buffer.from(text), Buffer.from('!')], position]],
    ['writeFile', () => [text]],
    ['appendFile', () => [text]],
    ['truncate', () => [length]],
    ['stat', () => []],
    ['sync', () => []],
    ['datasync', () => []],
    ['chmod', () => [0o640]],
    ['close', () => []],
  ]);
}

const show = (value) =>
  Buffer.isBuffer(value) || typeof value === 'string'
    ? `${value.length > 20 ? `${value.length} of ` : ''}'${String(value).slice(0, 12)}'`
    : JSON.stringify(value);

describe('parity: series of calls', () => {
  parityTest('on paths', async (parity) => {
    for (let round = 0; round < 40; round++) {
      const calls = Array.from({ length: 30 }, () => pathCall(parity.random));
      await parity.script(`series ${round}`, async (side) => {
        for (const [index, [name, ...args]] of calls.entries()) {
          const label = `${index}: ${name}(${args.map(show).join(', ')})`;
          await side.step(
            label,
            () => side.fs[name](...args),
            (value) => (name === 'readdir' ? [...value].sort() : sizesOfFoldersOut(value)),
          );
        }
      });
    }
  });

  parityTest('on handles', async (parity) => {
    for (let round = 0; round < 40; round++) {
      const flags = parity.random.pick(['r', 'r+', 'w+', 'a+', 'a', 'w']);
      const calls = Array.from({ length: 25 }, () => handleCall(parity.random));
      calls.push(['close', () => []], ['read', () => []]);
      await parity.script(`series ${round}, '${flags}'`, async (side) => {
        const handle = await side.step('open', () => side.fs.open('text', flags));
        for (const [index, [name, args]] of calls.entries()) {
          await side.step(`${index}: ${name}(${args().map(show)})`, () => handle[name](...args()));
        }
      });
    }
  });

  parityTest('on paths, at once', async (parity) => {
    // Only calls whose outcome does not depend on their order.
    const independent = (i, { pick, int }) =>
      pick([
        ['readFile', 'file', 'utf8'],
        ['readFile', 'missing'],
        ['stat', 'text'],
        ['lstat', 'link'],
        ['access', 'dir'],
        ['writeFile', `new-${i}`, 'x'.repeat(int(0, 5000))],
        ['appendFile', `new-${i}`, ['a', 'b']],
        ['mkdir', `newdir-${i}/deep`, { recursive: true }],
        ['symlink', 'file', `newlink-${i}`],
        ['link', 'file', `hard-${i}`],
        ['unlink', `missing-${i}`],
        ['truncate', 'dir', 5],
        ['rename', 'missing', `renamed-${i}`],
        ['rm', `missing-${i}`, { force: true }],
        ['rmdir', 'file'],
        ['readdir', 'emptydir'],
        ['readlink', 'link'],
        ['open', 'missing/x'],
      ]);
    for (const count of [5, 50, 500]) {
      const calls = Array.from({ length: count }, (_, i) => independent(i, parity.random));
      await parity.call(
        `${count} calls`,
        (side) => Promise.allSettled(calls.map(([name, ...args]) => side.fs[name](...args))),
        { map: (results) => results.map(withoutLinks) },
      );
    }
  });
});

// How many links there are at the moment depends on the calls that have been made so far.
function withoutLinks(result) {
  if (result.value?.nlink !== undefined) result.value.nlink = 0;
  return result;
}
