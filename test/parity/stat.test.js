'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { parityTest } = require('../helpers/parity-compare');
const { TARGETS, PATH_KINDS } = require('../helpers/parity-values');

const OPTIONS = [
  undefined,
  {},
  { bigint: false },
  { bigint: true },
  { bigint: undefined },
  { throwIfNoEntry: false },
  { throwIfNoEntry: true },
  { throwIfNoEntry: undefined },
  { bigint: true, throwIfNoEntry: false },
  { bigint: 1 },
  { throwIfNoEntry: 0 },
];

const show = (options) =>
  JSON.stringify(options, (key, value) => (value === undefined ? 'undefined' : value));

// Entries that both sides look at together, so that every single field must agree.
function sharedEntries(shared) {
  const at = (name) => path.join(shared, name);
  if (fs.existsSync(at('done'))) return;
  fs.writeFileSync(at('file'), 'x'.repeat(5000));
  fs.writeFileSync(at('setuid'), '', { mode: 0o644 });
  fs.chmodSync(at('setuid'), 0o6755);
  fs.mkdirSync(at('dir'));
  fs.chmodSync(at('dir'), 0o1777);
  fs.symlinkSync('file', at('link'));
  fs.symlinkSync('nowhere', at('dangling'));
  fs.linkSync(at('file'), at('hard'));
  fs.writeFileSync(at('sparse'), '');
  fs.truncateSync(at('sparse'), 2 ** 33 + 1);
  fs.writeFileSync(at('old'), '');
  fs.utimesSync(at('old'), 1.25, 123456789.5);
  fs.writeFileSync(at('ancient'), '');
  fs.utimesSync(at('ancient'), -1.5, -1000000.25);
  fs.writeFileSync(at('future'), '');
  fs.utimesSync(at('future'), 5e9, 6e9 + 0.125);
  execFileSync('mkfifo', [at('fifo')]);
  fs.writeFileSync(at('done'), '');
}

const ELSEWHERE = [
  '/',
  '/dev/null',
  '/dev/full',
  '/dev/tty',
  '/proc/version',
  '/proc/self/exe',
  '/proc/sys',
  '/sys',
];

describe('parity: stat and lstat', () => {
  for (const name of ['stat', 'lstat']) {
    parityTest(`${name}(): the very same entries`, async (parity) => {
      sharedEntries(parity.twin.shared);
      const entries = fs.readdirSync(parity.twin.shared).map((entry) => `../shared/${entry}`);
      for (const entry of [...entries, ...ELSEWHERE, process.execPath]) {
        const same = !entry.startsWith('/proc') && !entry.startsWith('/dev');
        for (const options of OPTIONS.slice(0, 5)) {
          await parity.call(
            `${name}(${entry}, ${show(options)})`,
            (side) => side.fs[name](entry, options),
            { same, tree: false },
          );
        }
        if (/fifo|dangling|tty/.test(entry)) continue;
        for (const options of OPTIONS) {
          await parity.script(
            `handle.stat(${show(options)}) of ${entry}`,
            async (side) => {
              const handle = await side.step('open', () => side.fs.open(entry));
              await side.step('stat', () => handle.stat(options));
            },
            { same, tree: false },
          );
        }
      }
    });

    parityTest(`${name}(): every kind of entry and path`, async (parity) => {
      for (const [kind, target] of TARGETS) {
        for (const options of OPTIONS) {
          await parity.call(
            `${name}(${kind}, ${show(options)})`,
            (side) => side.fs[name](target, options),
            { tree: false },
          );
        }
      }
      for (const [kind, make] of PATH_KINDS) {
        for (const target of ['file', 'dir', 'link', 'missing', 'loop', 'file/below', 'n\u00e4h']) {
          await parity.call(
            `${name}(${kind} of ${target})`,
            (side) => side.fs[name](make(side, target)),
            { tree: false },
          );
        }
      }
    });

    parityTest(`${name}(): signals`, async (parity) => {
      for (const target of ['file', 'missing']) {
        await parity.call(`${name}(${target}), aborted before`, (side) =>
          side.fs[name](target, { signal: AbortSignal.abort(new RangeError('why')) }),
        );
        await parity.call(`${name}(${target}), aborted in the same tick`, (side) => {
          const controller = new AbortController();
          const promise = side.fs[name](target, { signal: controller.signal });
          controller.abort();
          return promise;
        });
        await parity.call(`${name}(${target}), not aborted`, (side) =>
          side.fs[name](target, { signal: new AbortController().signal }),
        );
      }
    });
  }

  parityTest('what Stats can be used for', async (parity) => {
    for (const options of [undefined, { bigint: true }]) {
      await parity.script(`stat(file, ${show(options)})`, async (side) => {
        const stats = await side.fs.stat('../shared', options);
        side.note('keys', Object.keys(stats));
        side.note('for in', forIn(stats));
        side.note('spread', Object.keys({ ...stats }));
        side.note('JSON', options ? 'bigints' : Object.keys(JSON.parse(JSON.stringify(stats))));
        side.note('string', String(stats));
        const { mtime } = stats;
        side.note('dates', [mtime instanceof Date, stats.mtime === mtime]);
        stats.mtime = new Date(5);
        side.note('date set', stats.mtime);
        stats.size = typeof stats.size === 'bigint' ? 7n : 7;
        side.note('size set', stats.size);
        side.note('copy', Object.keys(structuredClone({ ...(await side.fs.stat('file')) })));
        side.note('extra keys', Reflect.ownKeys(stats).map(String));
      });
    }
  });

  parityTest('many at once', async (parity) => {
    const chosen = Array.from({ length: 300 }, () => parity.random.pick(TARGETS)[1]);
    await parity.call('300 stat calls', (side) =>
      Promise.allSettled(chosen.map((target) => side.fs.stat(target))),
    );
    await parity.call('300 lstat calls', (side) =>
      Promise.allSettled(chosen.map((target) => side.fs.lstat(target, { bigint: true }))),
    );
  });
});

function forIn(object) {
  const keys = [];
  for (const key in object) keys.push(key);
  return keys;
}
