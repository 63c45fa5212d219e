'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parityTest } = require('../helpers/parity-compare');
const { standardContent } = require('../helpers/parity-twin');
const { TARGETS, PATH_KINDS } = require('../helpers/parity-values');

const show = (value) => (typeof value === 'symbol' ? 'symbol' : JSON.stringify(value));

async function overPathKinds(parity, name, targets, ...rest) {
  for (const [kind, make] of PATH_KINDS) {
    for (const target of targets) {
      await parity.call(`${name}(${kind} of ${target})`, (side) =>
        side.fs[name](make(side, target), ...rest),
      );
    }
  }
}

describe('parity: entries of folders', () => {
  for (const name of ['rename', 'link', 'copyFile', 'symlink']) {
    parityTest(`${name}(): every pair of entries`, async (parity) => {
      const few = TARGETS.filter(([kind]) => !/slash|long|surrogate|blanks|not ASCII/.test(kind));
      for (const [from, source] of TARGETS) {
        for (const [to, target] of from.length > 14 ? few.slice(0, 4) : few) {
          await parity.call(`${name}(${from}, ${to})`, (side) => side.fs[name](source, target));
        }
        await parity.call(`${name}(${from}, new)`, (side) => side.fs[name](source, 'new'));
        await parity.call(`${name}(${from}, emptydir)`, (side) =>
          side.fs[name](source, 'emptydir'),
        );
        await parity.call(`${name}(${from}, emptydir/new)`, (side) =>
          side.fs[name](source, 'emptydir/new'),
        );
      }
      for (const [to, target] of TARGETS) {
        await parity.call(`${name}(file, ${to})`, (side) => side.fs[name]('file', target));
      }
      for (const [kind, make] of PATH_KINDS) {
        for (const target of ['new', 'dir', 'missing/new', 'n\u00e4h']) {
          await parity.call(`${name}(${kind} of file, ${kind} of ${target})`, (side) =>
            side.fs[name](make(side, 'file'), make(side, target)),
          );
          await parity.call(`${name}(missing, ${kind} of ${target})`, (side) =>
            side.fs[name]('missing', make(side, target)),
          );
        }
      }
    });
  }

  parityTest('rename(): folders', async (parity) => {
    const pairs = [
      ['dir', 'dir/sub/inside-itself'],
      ['dir/sub', 'dir'],
      ['dir', 'renamed'],
      ['dir/', 'renamed/'],
      ['dir', 'emptydir/'],
      ['emptydir', 'dir'],
      ['file', 'file'],
      ['dir', 'dir'],
      ['.', 'new'],
      ['..', 'new'],
    ];
    for (const [from, to] of pairs) {
      await parity.call(`rename(${from}, ${to})`, (side) => side.fs.rename(from, to));
    }
    await parity.call('rename to another file system', (side) =>
      side.fs.rename('file', '/dev/shm/uring-fs-parity/missing-folder/x'),
    );
    await parity.call('link to another file system', (side) =>
      side.fs.link('file', '/proc/parity'),
    );
  });

  parityTest('symlink(): types and targets', async (parity) => {
    const types = [undefined, null, 'file', 'dir', 'junction', '', 'FILE', 'x', 1, {}, true];
    for (const type of types) {
      for (const target of ['file', 'dir', 'missing', '', '../outside', 't\u00e4rget']) {
        await parity.call(`symlink(${target}, new, ${show(type)})`, (side) =>
          side.fs.symlink(target, 'new', type),
        );
      }
      await parity.call(`symlink(file, file, ${show(type)})`, (side) =>
        side.fs.symlink('file', 'file', type),
      );
    }
    await parity.call('a target of 4,095 bytes', (side) =>
      side.fs.symlink('t'.repeat(4095), 'new'),
    );
    await parity.call('a target that is not UTF-8', (side) =>
      side.fs.symlink(Buffer.from([0xff, 0x61]), 'new'),
    );
  });

  for (const name of ['unlink', 'rmdir']) {
    parityTest(`${name}()`, async (parity) => {
      for (const [kind, target] of TARGETS) {
        await parity.call(`${name}(${kind})`, (side) => side.fs[name](target));
      }
      for (const target of [
        'emptydir',
        'emptydir/',
        'dir/sub',
        'dir/inner',
        '/',
        '/proc/version',
      ]) {
        if (target === '/' && name === 'unlink') continue;
        await parity.call(`${name}(${target})`, (side) => side.fs[name](target));
      }
      await overPathKinds(parity, name, ['file', 'emptydir', 'missing', 'link', 'n\u00e4h']);
      await parity.call('many at once', (side) =>
        Promise.allSettled(
          ['file', 'file', 'emptydir', 'emptydir', 'empty', 'missing', 'link'].map((target) =>
            side.fs[name](target).then(
              () => 'removed',
              ({ code }) => code,
            ),
          ),
        ).then((results) => results.map(({ value }) => value).sort()),
      );
    });
  }

  parityTest('mkdir()', async (parity) => {
    const options = [
      undefined,
      null,
      {},
      0o700,
      '755',
      'rwx',
      '',
      { mode: 0o711 },
      { mode: '0750' },
      { mode: 'rw' },
      { recursive: true },
      { recursive: false },
      { recursive: true, mode: 0o701 },
      { recursive: true, mode: 0o1777 },
      { recursive: true, mode: null },
      { recursive: undefined },
      { recursive: null },
      { recursive: 1 },
      { recursive: 'true' },
      { mode: 0o10777 },
      { mode: -1 },
    ];
    const targets = [
      ...TARGETS.map(([, target]) => target),
      'new',
      'new/',
      'new/deep/er',
      'new//deep///er/',
      'new/../other/x',
      './new/./x',
      'dir/new/x',
      'dir/inner/x',
      'file/x/y',
      'link/x',
      'dirlink/x/y',
      'dangling/x',
      'loop/x',
      `new/${'n'.repeat(256)}/x`,
      'a/b/c/d/e/f/g/h/i/j/k/l',
    ];
    for (const target of targets) {
      for (const option of options) {
        await parity.call(`mkdir(${target.slice(0, 40)}, ${show(option)})`, (side) =>
          side.fs.mkdir(target, option),
        );
      }
    }
    for (const option of [undefined, { recursive: true }]) {
      await overPathKinds(parity, 'mkdir', ['new', 'new/deep', 'dir', 'file', 'f\u00fcr'], option);
    }
    await parity.call('the same one many times at once', (side) =>
      Promise.allSettled(Array.from({ length: 20 }, () => side.fs.mkdir('new'))).then((results) =>
        results.map(({ status }) => status).sort(),
      ),
    );
    // Which of them says that it made the first folder depends on who came first.
    await parity.call('the same deep one many times at once', (side) =>
      Promise.all(
        Array.from({ length: 20 }, () => side.fs.mkdir('new/a/b', { recursive: true })),
      ).then(() => 'all made'),
    );
  });

  parityTest('mkdtemp()', async (parity) => {
    const prefixes = {
      relative: () => 'tmp-',
      absolute: (side) => side.path('tmp-'),
      'X at the end': () => 'tmpX',
      'not ASCII': () => 't\u00e4mp\u2603-',
      Buffer: () => Buffer.from('tmp-'),
      Uint8Array: () => new Uint8Array([0x74, 0x2d]),
      URL: (side) => require('node:url').pathToFileURL(side.path('tmp-')),
      'not UTF-8': () => Buffer.from([0xff, 0x2d]),
      empty: () => '',
      'with slash': () => 'dir/',
      missing: () => 'missing/tmp-',
      'below a file': () => 'file/tmp-',
      'too long': () => 'n'.repeat(250),
      'just not too long': () => 'n'.repeat(249),
      nul: () => 'a\0b',
      'with a lone surrogate, not ASCII': () => 'lone\ud800',
    };
    const encodings = [undefined, null, 'utf8', 'buffer', 'hex', 'base64', 'latin1', 'ucs2', 'bad'];
    // Six random characters: their kind is compared, and the folder itself is renamed.
    const tame = (result, encoding) => {
      const binary = Buffer.isBuffer(result)
        ? result
        : Buffer.from(result, encoding === 'bad' ? 'utf8' : (encoding ?? 'utf8'));
      const random = binary.subarray(-6).toString('latin1');
      const fixed = Buffer.concat([binary.subarray(0, -6), Buffer.from('XXXXXX')]);
      if (!fs.existsSync(binary)) return { unexpected: result };
      const mode = fs.statSync(binary).mode.toString(8);
      fs.renameSync(binary, fixed);
      return {
        type: typeof result,
        isBuffer: Buffer.isBuffer(result),
        isWellFormed: result.isWellFormed?.(),
        alphanumeric: /^[A-Za-z0-9]{6}$/.test(random),
        mode,
        fixed: fixed.toString('latin1'),
      };
    };
    for (const [kind, make] of Object.entries(prefixes)) {
      for (const encoding of encodings) {
        // Latin-1 and UCS-2 text of a UTF-8 path does not lead back to it unless it is ASCII.
        if (/latin1|ucs2/.test(encoding) && /not/.test(kind)) continue;
        if (/latin1|ucs2|undefined|null|utf8/.test(String(encoding)) && kind === 'not UTF-8')
          continue;
        const decode =
          encoding === 'ucs2' ? (value) => typeof value : (value) => tame(value, encoding);
        const options = encoding === 'ucs2' ? { tree: 'ignore' } : {};
        await parity.call(
          `mkdtemp(${kind}, ${encoding})`,
          (side) => side.fs.mkdtemp(make(side), encoding),
          { ...options, map: decode },
        );
        await parity.call(
          `mkdtemp(${kind}, { encoding: ${encoding} })`,
          (side) => side.fs.mkdtemp(make(side), { encoding }),
          { ...options, map: decode },
        );
      }
    }
    await parity.call(
      '50 at once are 50 folders',
      (side) => Promise.all(Array.from({ length: 50 }, () => side.fs.mkdtemp('tmp-'))),
      { tree: 'ignore', map: (names) => new Set(names).size },
    );
    await parity.script('mkdtempDisposable', async (side) => {
      if (side.nodeFs.mkdtempDisposable === undefined) return side.note('not in this Node', true);
      const made = await side.fs.mkdtempDisposable('tmp-');
      side.note('keys', Reflect.ownKeys(made).map(String));
      side.note('prototype', Object.getPrototypeOf(made) === null);
      fs.writeFileSync(path.join(made.path, 'inside'), 'x');
      await side.step('remove', () => made.remove());
      side.note('gone', !fs.existsSync(made.path));
      await side.step('remove again', () => made.remove());
    });
  });

  parityTest('rm()', async (parity) => {
    const options = [
      undefined,
      null,
      {},
      { force: true },
      { recursive: true },
      { force: true, recursive: true },
      { force: false, recursive: true, maxRetries: 2, retryDelay: 1 },
      { force: 1 },
      { recursive: 'yes' },
      { maxRetries: -1 },
      { maxRetries: 1.5 },
      { maxRetries: 2 ** 33 },
      { retryDelay: -1 },
      { retryDelay: 'soon' },
      { retryDelay: 2 ** 33 },
      { force: undefined, recursive: undefined },
      'recursive',
      5,
      true,
      [],
    ];
    const targets = TARGETS.filter(([kind]) => kind !== 'dot').map(([, target]) => target);
    for (const target of [...targets, 'emptydir', 'emptydir/', 'dir/sub', 'dir/inner']) {
      for (const option of options) {
        await parity.call(`rm(${target.slice(0, 40)}, ${show(option)})`, (side) =>
          side.fs.rm(target, option),
        );
      }
    }
    for (const option of [undefined, { recursive: true }, { recursive: true, force: true }]) {
      await overPathKinds(parity, 'rm', ['file', 'dir', 'missing', 'link', 'dirlink'], option);
    }
  });

  parityTest('rm(): a path that goes up again', async (parity) => {
    for (const target of ['dir/sub/..', 'dir/../dir/sub/..', 'other/link/..', 'other/link/../']) {
      for (const force of [true, false]) {
        await parity.script(`rm(${target}, force: ${force})`, async (side) => {
          fs.mkdirSync('dir/sub', { recursive: true });
          fs.mkdirSync('other');
          fs.writeFileSync('other/file', 'of the folder that the link is in');
          fs.symlinkSync('../dir/sub', 'other/link');
          await side.step('rm', () => side.fs.rm(target, { recursive: true, force }));
        });
      }
    }
  });

  parityTest(
    'rm(): a large tree',
    async (parity) => {
      for (const target of ['tree', 'tree/deep', 'tree/links']) {
        for (const option of [{ recursive: true }, { recursive: true, force: true }, {}]) {
          await parity.call(`rm(${target}, ${show(option)})`, (side) => side.fs.rm(target, option));
        }
      }
      await parity.call('twice at once', (side) =>
        Promise.all([
          side.fs.rm('tree', { recursive: true, force: true }),
          side.fs.rm('tree', { recursive: true, force: true }),
        ]),
      );
    },
    (dir) => {
      standardContent(dir);
      const at = (...names) => path.join(dir, 'tree', ...names);
      fs.mkdirSync(at(...Array.from({ length: 20 }, () => 'deep')), { recursive: true });
      fs.mkdirSync(at('links'));
      fs.symlinkSync('../../dir', at('links', 'outside'));
      fs.symlinkSync('.', at('links', 'itself'));
      fs.writeFileSync(at('n\u00e4h \u2603'), '');
      fs.writeFileSync(Buffer.concat([Buffer.from(`${at()}/`), Buffer.from([0xff])]), '');
      fs.writeFileSync(at('readonly'), '', { mode: 0o400 });
      for (let i = 0; i < 60; i++) fs.writeFileSync(at(`file-${i}`), String(i));
    },
  );

  parityTest('truncate()', async (parity) => {
    const lengths = [
      undefined,
      null,
      0,
      1,
      5,
      12,
      13,
      14,
      4096,
      100000,
      2 ** 31,
      2 ** 32 + 1,
      2 ** 40,
    ];
    const bad = [-1, -100, -(2 ** 40), 1.5, NaN, Infinity, 2 ** 53, 2 ** 62, '3', 3n, {}, true];
    for (const [kind, target] of TARGETS) {
      for (const length of [undefined, 3]) {
        await parity.call(`truncate(${kind}, ${length})`, (side) =>
          side.fs.truncate(target, length),
        );
      }
    }
    for (const length of [...lengths, ...bad]) {
      for (const target of ['file', 'empty', 'link', 'readonly', 'missing', 'dir']) {
        await parity.call(`truncate(${target}, ${length})`, (side) =>
          side.fs.truncate(target, length),
        );
      }
      for (const flags of ['r+', 'r', 'a', 'w+']) {
        await parity.script(`handle.truncate(${length}), '${flags}'`, async (side) => {
          const handle = await side.step('open', () => side.fs.open('file', flags));
          await side.step('truncate', () => handle.truncate(length));
          await side.step('size', async () => (await handle.stat()).size);
          await side.step('write', () =>
            handle.write('!').then(({ bytesWritten }) => bytesWritten),
          );
        });
      }
    }
    await overPathKinds(parity, 'truncate', ['file', 'missing', 'dir', 'n\u00e4h'], 4);
    await parity.script('a directory handle', async (side) => {
      const handle = await side.step('open', () => side.fs.open('dir'));
      await side.step('truncate', () => handle.truncate(1));
    });
  });

  parityTest('access()', async (parity) => {
    const modes = [undefined, null, 0, 1, 2, 3, 4, 5, 6, 7, 8, -1, 1.5, '4', {}, 2 ** 31, 4n, NaN];
    for (const [kind, target] of TARGETS) {
      for (const mode of kind.length < 14 ? modes : [undefined, 4]) {
        await parity.call(
          `access(${kind}, ${String(mode)})`,
          (side) => side.fs.access(target, mode),
          { tree: false },
        );
      }
    }
    for (const target of [
      'readonly',
      'program',
      'dir/inner',
      '/proc/version',
      '/dev/null',
      '/sys',
    ]) {
      for (const mode of modes) {
        await parity.call(
          `access(${target}, ${String(mode)})`,
          (side) => side.fs.access(target, mode),
          { tree: false },
        );
      }
    }
    await overPathKinds(parity, 'access', ['file', 'missing', 'dir', 'loop', 'file/below']);
  });
});
