'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parityTest, nodeFs } = require('../helpers/parity-compare');
const { ODD_VALUES } = require('../helpers/parity-values');

// Every function with a valid call; each argument in turn is then replaced by each odd value.
const CALLS = {
  access: ['file', 0],
  appendFile: ['file', 'more', {}],
  chmod: ['file', 0o600],
  chown: ['file', 1, 1],
  copyFile: ['file', 'new', 0],
  cp: ['file', 'new', {}],
  glob: ['*', {}],
  lchmod: ['file', 0o600],
  lchown: ['file', 1, 1],
  link: ['file', 'new'],
  lstat: ['file', {}],
  lutimes: ['file', 1, 2],
  mkdir: ['new', {}],
  mkdtemp: ['new-', {}],
  mkdtempDisposable: ['new-', {}],
  open: ['file', 'r+', 0o666],
  opendir: ['dir', {}],
  readFile: ['file', {}],
  readdir: ['dir', {}],
  readlink: ['link', {}],
  realpath: ['file', {}],
  rename: ['file', 'new'],
  rm: ['file', {}],
  rmdir: ['emptydir', {}],
  stat: ['file', {}],
  statfs: ['file', {}],
  symlink: ['target', 'new', 'file'],
  truncate: ['file', 3],
  unlink: ['file'],
  utimes: ['file', 1, 2],
  watch: ['file', {}],
  writeFile: ['file', 'data', {}],
};

const OPTIONS = {
  appendFile: ['encoding', 'mode', 'flag', 'flush', 'signal'],
  cp: [
    'dereference',
    'errorOnExist',
    'filter',
    'force',
    'mode',
    'preserveTimestamps',
    'recursive',
    'verbatimSymlinks',
  ],
  glob: ['cwd', 'exclude', 'withFileTypes'],
  lstat: ['bigint', 'throwIfNoEntry', 'signal'],
  mkdir: ['recursive', 'mode'],
  mkdtemp: ['encoding'],
  opendir: ['encoding', 'recursive'],
  readFile: ['encoding', 'flag', 'signal', 'buffer'],
  readdir: ['encoding', 'withFileTypes', 'recursive'],
  readlink: ['encoding'],
  realpath: ['encoding'],
  rm: ['force', 'recursive', 'maxRetries', 'retryDelay'],
  rmdir: ['recursive', 'maxRetries', 'retryDelay'],
  stat: ['bigint', 'throwIfNoEntry', 'signal'],
  statfs: ['bigint'],
  watch: ['persistent', 'recursive', 'encoding', 'signal'],
  writeFile: ['encoding', 'mode', 'flag', 'flush', 'signal'],
};

// Calls that Node's own functions never answer: on some versions a failed assertion in the
// binding ends the process (a mode or flags of -0 or 2**31), and opendir(), a promisified
// callback function, throws from within its callback (an
// odd bufferSize, too: that option is tested elsewhere) or takes a function for its callback.
function unanswerable(name, slot, odd) {
  if (/^(mode|flags)$/.test(slot)) return odd === '-0' || odd === '2**31';
  if (name !== 'opendir') return false;
  return ['throws', 'throwing Proxy', 'function'].includes(odd);
}

const SLOTS = {
  chmod: ['path', 'mode'],
  lchmod: ['path', 'mode'],
  mkdir: ['path', 'mode'],
  open: ['path', 'flags', 'mode'],
};

async function collect(iterator) {
  const found = [];
  for await (const item of iterator) found.push(item);
  return found.sort((a, b) => (String(a.name ?? a) < String(b.name ?? b) ? -1 : 1));
}

// A watcher gives nothing until something happens, and cannot be ended before it gave something.
async function firstEvent(iterator, file) {
  const next = iterator.next();
  const settled = next.then(
    () => true,
    () => true,
  );
  for (let round = 0; round < 500; round++) {
    const pause = new Promise((resolve) => setTimeout(resolve, 2, false));
    if (await Promise.race([settled, pause])) break;
    fs.appendFileSync(file, '.');
  }
  const { done, value } = await next;
  await iterator.return();
  return { done, value };
}

// The six random characters are checked and then replaced, in the folder as well.
function tame(side, made) {
  const asText = Buffer.isBuffer(made) ? made.toString() : made;
  if (typeof asText !== 'string' || !/[A-Za-z0-9]{6}$/.test(asText)) return made;
  const fixed = asText.replace(/.{6}$/, 'XXXXXX');
  if (fs.existsSync(path.resolve(asText))) fs.renameSync(asText, fixed);
  return Buffer.isBuffer(made) ? { buffer: fixed } : fixed;
}

function run(side, name, args) {
  const fn = side.fs[name]; // called without a receiver, as after `const { readFile } = fs`
  if (name === 'glob') return collect(fn(...args));
  if (name === 'watch') return firstEvent(fn(...args), 'file');
  return fn(...args);
}

function mapResult(side, name) {
  if (name === 'mkdtemp') return (value) => tame(side, value);
  if (name === 'mkdtempDisposable') return ({ path: made }) => tame(side, made);
  return undefined;
}

function compare(parity, name, label, args) {
  return parity.script(label, async (side) => {
    await side.step('', () => run(side, name, args()), mapResult(side, name));
    if (/utimes/.test(name)) side.noteTimes('file'); // no part of the snapshot of the folder
  });
}

describe('parity: arguments of every function', () => {
  for (const [name, valid] of Object.entries(CALLS)) {
    if (nodeFs[name] === undefined) continue; // a newer Node's

    parityTest(`${name}(): each argument`, async (parity) => {
      await compare(parity, name, `${name}: valid`, () => valid);
      for (let given = 0; given < valid.length; given++) {
        await compare(parity, name, `${name}: ${given} arguments`, () => valid.slice(0, given));
      }
      await compare(parity, name, `${name}: surplus`, () => [...valid, 'surplus', 1]);
      for (const position of valid.keys()) {
        for (const [odd, make] of ODD_VALUES) {
          if (unanswerable(name, SLOTS[name]?.[position], odd)) continue;
          await compare(parity, name, `${name}: argument ${position} is ${odd}`, () =>
            valid.with(position, make()),
          );
        }
      }
    });

    for (const option of OPTIONS[name] ?? []) {
      parityTest(`${name}(): option ${option}`, async (parity) => {
        const last = valid.length - 1;
        for (const [odd, make] of ODD_VALUES) {
          if (unanswerable(name, option, odd)) continue;
          await compare(parity, name, `${name}: ${option} is ${odd}`, () =>
            valid.with(last, { [option]: make() }),
          );
        }
        if (unanswerable(name, option, 'throws')) return;
        await compare(parity, name, `${name}: getter of ${option} throws`, () => {
          const options = Object.defineProperty({}, option, {
            enumerable: true,
            get() {
              throw new RangeError(`the getter of ${option} threw`);
            },
          });
          return valid.with(last, options);
        });
        await compare(parity, name, `${name}: ${option} is inherited`, () =>
          valid.with(last, Object.create({ [option]: true })),
        );
      });
    }
  }

  parityTest('two odd arguments at once', async (parity) => {
    const names = Object.keys(CALLS).filter((name) => nodeFs[name] && name !== 'watch');
    for (let i = 0; i < 500; i++) {
      const name = parity.random.pick(names);
      const odd = CALLS[name].map((value, position) => {
        const [text, make] = parity.random.pick(ODD_VALUES);
        const usable = !unanswerable(name, SLOTS[name]?.[position], text);
        return usable && parity.random.next() < 0.6 ? [text, make] : [String(value), () => value];
      });
      const label = `${name}(${odd.map(([text]) => text).join(', ')})`;
      await compare(parity, name, label, () => odd.map(([, make]) => make()));
    }
  });
});
