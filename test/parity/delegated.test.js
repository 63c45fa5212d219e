'use strict';

// What io_uring has no operation for and Node's own functions serve: a lighter pass, which proves
// that arguments and results go through unchanged.

const fs = require('node:fs');
const path = require('node:path');
const { parityTest, nodeFs } = require('../helpers/parity-compare');
const { TARGETS, PATH_KINDS } = require('../helpers/parity-values');

const show = (value) =>
  JSON.stringify(value, (key, inner) =>
    typeof inner === 'function' ? 'function' : inner === undefined ? 'undefined' : inner,
  );

const byName = (entries) =>
  Array.isArray(entries)
    ? entries.sort((a, b) => (String(a.name ?? a) < String(b.name ?? b) ? -1 : 1))
    : entries;

async function overEntries(parity, name, argumentLists, { map, targets = TARGETS } = {}) {
  for (const args of argumentLists) {
    for (const [kind, target] of targets) {
      await parity.call(
        `${name}(${kind}, ${args.map(show)})`,
        (side) => side.fs[name](target, ...args),
        { map },
      );
    }
    for (const [kind, make] of PATH_KINDS) {
      for (const target of ['file', 'dir', 'missing', 'link']) {
        await parity.call(
          `${name}(${kind} of ${target}, ${args.map(show)})`,
          (side) => side.fs[name](make(side, target), ...args),
          { map },
        );
      }
    }
  }
}

describe('parity: delegated functions', () => {
  parityTest('readdir()', async (parity) => {
    const lists = [
      [],
      [null],
      ['latin1'],
      ['buffer'],
      ['bad'],
      [{ encoding: 'hex' }],
      [{ withFileTypes: true }],
      [{ withFileTypes: true, encoding: 'buffer' }],
      [{ recursive: true }],
      [{ recursive: true, withFileTypes: true }],
    ];
    await overEntries(parity, 'readdir', lists, { map: byName });
  });

  parityTest('opendir()', async (parity) => {
    const list = async (side, target, options) => {
      const dir = await side.fs.opendir(target, options);
      const entries = [];
      for await (const entry of dir) entries.push(entry);
      return [dir.path, byName(entries)];
    };
    const targets = [...TARGETS.map(([, target]) => target), 'dir/sub'];
    for (const options of [
      undefined,
      { bufferSize: 1 },
      { encoding: 'latin1' },
      { recursive: true },
    ]) {
      for (const target of targets) {
        await parity.call(`opendir(${target.slice(0, 40)}, ${show(options)})`, (side) =>
          list(side, target, options),
        );
      }
    }
  });

  parityTest('readlink() and realpath()', async (parity) => {
    const lists = [[], ['utf8'], ['hex'], ['bad'], [{ encoding: 'buffer' }], [null]];
    await overEntries(parity, 'readlink', lists);
    await overEntries(parity, 'realpath', lists);
  });

  parityTest('chmod() and lchmod()', async (parity) => {
    for (const mode of [0, 0o400, 0o755, 0o7777, '600', '0o600', 'rwx', 0o10777]) {
      await overEntries(parity, 'chmod', [[mode]], { targets: TARGETS.slice(0, 14) });
    }
    await overEntries(parity, 'lchmod', [[0o600]], { targets: TARGETS.slice(0, 6) });
  });

  parityTest('chown() and lchown()', async (parity) => {
    const ids = process.getuid() === 0 ? [1, 65534, -1, 0, 2 ** 32 - 1] : [process.getuid(), -1, 0];
    for (const id of ids) {
      await overEntries(parity, 'chown', [[id, id]], { targets: TARGETS.slice(0, 14) });
      await overEntries(parity, 'lchown', [[id, -1]], { targets: TARGETS.slice(0, 14) });
    }
  });

  parityTest('utimes() and lutimes()', async (parity) => {
    const times = [
      0,
      1.5,
      -1.5,
      123456789.123,
      '1000',
      '1.5',
      'soon',
      new Date(1234567),
      new Date(NaN),
      5e9,
      NaN,
      Infinity,
    ];
    for (const name of ['utimes', 'lutimes']) {
      for (const time of times) {
        for (const target of ['file', 'dir', 'link', 'dangling', 'missing', 'loop', 'readonly']) {
          await parity.script(`${name}(${target}, ${String(time)})`, async (side) => {
            await side.step(name, () => side.fs[name](target, time, time));
            if (target !== 'loop') side.noteTimes(target);
            if (target === 'link') side.noteTimes('file');
          });
        }
      }
    }
  });

  parityTest('statfs()', async (parity) => {
    await overEntries(parity, 'statfs', [[], [{ bigint: true }], [{ bigint: false }]]);
    for (const place of ['/proc', '/sys', '/dev', '/']) {
      await parity.call(`statfs(${place})`, (side) => side.fs.statfs(place));
    }
  });

  parityTest('copyFile(): modes', async (parity) => {
    const { COPYFILE_EXCL, COPYFILE_FICLONE } = fs.constants;
    for (const mode of [0, COPYFILE_EXCL, COPYFILE_FICLONE, 3, 8, -1, '1', null]) {
      for (const [source, target] of [
        ['file', 'new'],
        ['file', 'text'],
        ['program', 'new'],
        ['readonly', 'new'],
        ['dir', 'new'],
        ['file', 'dir'],
        ['file', 'file'],
        ['missing', 'new'],
        ['link', 'new'],
        ['file', 'link'],
      ]) {
        await parity.call(`copyFile(${source}, ${target}, ${mode})`, (side) =>
          side.fs.copyFile(source, target, mode),
        );
      }
    }
  });

  parityTest('cp()', async (parity) => {
    const options = [
      undefined,
      { recursive: true },
      { recursive: true, force: false },
      { recursive: true, force: false, errorOnExist: true },
      { recursive: true, dereference: true },
      { recursive: true, verbatimSymlinks: true },
      { recursive: true, preserveTimestamps: true },
      { recursive: true, filter: (source) => !/sub/.test(source) },
      { recursive: true, filter: async () => false },
      { mode: fs.constants.COPYFILE_EXCL },
      { dereference: true, verbatimSymlinks: true },
    ];
    for (const option of options) {
      for (const [source, target] of [
        ['file', 'new'],
        ['file', 'text'],
        ['dir', 'new'],
        ['dir', 'emptydir'],
        ['dir', 'file'],
        ['file', 'dir'],
        ['dir', 'dir/sub/inside'],
        ['link', 'new'],
        ['dirlink', 'new'],
        ['dangling', 'new'],
        ['missing', 'new'],
        ['file', 'file'],
      ]) {
        await parity.call(`cp(${source}, ${target}, ${show(option)})`, (side) =>
          side.fs.cp(source, target, option),
        );
      }
    }
  });

  parityTest('watch()', async (parity) => {
    const watch = async (side, target, options, touch) => {
      const controller = new AbortController();
      const seen = [];
      const deadline = setTimeout(() => controller.abort(), 10000);
      let round = 0;
      try {
        const events = side.fs.watch(target, { ...options, signal: controller.signal });
        const ticking = setInterval(() => touch(round++), 5);
        try {
          for await (const event of events) {
            seen.push(event);
            break;
          }
        } finally {
          clearInterval(ticking);
        }
      } finally {
        clearTimeout(deadline);
      }
      return seen;
    };
    const ignore = { tree: 'ignore' };
    for (const options of [
      {},
      { encoding: 'buffer' },
      { encoding: 'hex' },
      { persistent: false },
    ]) {
      await parity.call(
        `watch(file, ${show(options)})`,
        (side) => watch(side, 'file', options, (round) => fs.appendFileSync('file', `${round}`)),
        ignore,
      );
      await parity.call(
        `watch(emptydir, ${show(options)})`,
        (side) => watch(side, 'emptydir', options, () => fs.writeFileSync('emptydir/x', '')),
        ignore,
      );
    }
    for (const target of ['missing', 'file/below', '', 'loop']) {
      await parity.call(`watch(${target})`, (side) => watch(side, target, {}, () => {}));
    }
    await parity.call('watch() with an aborted signal', async (side) => {
      for await (const event of side.fs.watch('dir', { signal: AbortSignal.abort() })) return event;
      return 'ended';
    });
    await parity.call('watch() aborted later', async (side) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new RangeError('why')), 5);
      for await (const event of side.fs.watch('dir', { signal: controller.signal })) return event;
      return 'ended';
    });
    await parity.script('the iterator', (side) => {
      const iterator = side.fs.watch('dir');
      side.note('tag', Object.prototype.toString.call(iterator));
      side.note('iterable', typeof iterator[Symbol.asyncIterator]);
      return iterator.return();
    });
  });

  if (nodeFs.glob !== undefined) {
    parityTest('glob()', async (parity) => {
      const patterns = ['*', '**', '**/*', 'dir/*', '{file,empty}', 'f?le', '!(dir)', '', 'none*'];
      const options = [
        undefined,
        {},
        { cwd: 'dir' },
        { withFileTypes: true },
        { exclude: (name) => (name.name ?? name) === 'sub' },
        { exclude: ['dir/**'] },
        { cwd: 'missing' },
      ];
      for (const pattern of [...patterns, ['f*', 'e*'], [], path.join(parity.twin.dir, '*')]) {
        for (const option of options) {
          await parity.call(`glob(${show(pattern)}, ${show(option)})`, async (side) => {
            const found = [];
            for await (const entry of side.fs.glob(pattern, option)) found.push(entry);
            return byName(found);
          });
        }
      }
    });
  }
});
