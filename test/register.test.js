'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ROOT, onRing, resultOf, useFolder } = require('./helpers/environment');

const REGISTER = path.join(ROOT, 'lib', 'register.js');
const FLAGS = ['-r', '--import'];

describe('lib/register', () => {
  const folder = useFolder();

  /** What a program says on standard output, as JSON; it has register.js and a file to read. */
  function run(source, { name = 'program.js', flags = ['-r', REGISTER], env } = {}) {
    const program = folder.file(name, source);
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, program], {
      encoding: 'utf8',
      env: { ...process.env, REGISTER, ROOT, ...env },
    });
    assert.deepEqual([status, stderr], [0, ''], `${status}\n${stderr}`);
    return JSON.parse(stdout);
  }

  const CJS = `
    const fs = require('fs');
    const { ring } = require(process.env.ROOT);
    const submitted = () => ring.stats().submitted;
    const used = async (call) => {
      const before = submitted();
      await call();
      return submitted() > before;
    };
    const callback = (name, ...args) => new Promise((resolve, reject) => {
      fs[name](...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
    const say = (value) => fs.writeSync(1, JSON.stringify(value));
  `;
  const HERE = `[
    await used(() => callback('readFile', __filename)),
    await used(() => fs.promises.readFile(__filename)),
    await used(() => require('node:fs/promises').stat(__filename)),
    await used(() => require('util').promisify(require('node:fs').stat)(__filename)),
    await used(() => fs.createReadStream(__filename).toArray()),
    await used(() => new fs.ReadStream(__filename).toArray()),
  ]`;
  const all = (answer) => Array(6).fill(answer);

  for (const flag of FLAGS) {
    it(`${flag}: CommonJS`, () => {
      const flags = [flag, REGISTER];
      assert.deepEqual(run(`${CJS} (async () => say(${HERE}))();`, { flags }), all(onRing));
    });

    it(`${flag}: ES modules`, () => {
      const source = `
        import { readFile, createReadStream, writeSync, stat } from 'node:fs';
        import fs from 'fs';
        import { access } from 'fs/promises';
        import promises from 'node:fs/promises';
        import { createRequire } from 'node:module';
        import { promisify } from 'node:util';
        const require = createRequire(import.meta.url);
        const __filename = process.argv[1];
        const { ring } = require(process.env.ROOT);
        const used = async (call) => {
          const before = ring.stats().submitted;
          await call();
          return ring.stats().submitted > before;
        };
        writeSync(1, JSON.stringify([
          await used(() => promisify(readFile)(__filename)),
          await used(() => promises.readFile(__filename)),
          await used(() => access(__filename)),
          await used(() => promisify(stat)(__filename)),
          await used(() => createReadStream(__filename).toArray()),
          await used(() => new fs.ReadStream(__filename).toArray()),
        ]));`;
      const flags = [flag, REGISTER];
      assert.deepEqual(run(source, { name: 'program.mjs', flags }), all(onRing));
    });

    it(`${flag}: workers have it, unless they are started without the flags`, () => {
      const source = `
        const { Worker, isMainThread, parentPort } = require('node:worker_threads');
        if (isMainThread) {
          const answers = [];
          for (const options of [{}, { execArgv: [] }]) {
            new Worker(__filename, options).on('message', (answer) => {
              answers.push(answer);
              if (answers.length === 2) {
                require('fs').writeSync(1, JSON.stringify(answers.sort((a, b) => b[0] - a[0])));
              }
            });
          }
        } else {
          ${CJS}
          (async () => parentPort.postMessage(${HERE}))();
        }`;
      const flags = [flag, REGISTER];
      assert.deepEqual(run(source, { name: `workers${flag}.js`, flags }), [
        all(onRing),
        all(false),
      ]);
    });
  }

  it('NODE_OPTIONS: in the process and its workers', () => {
    const source = `
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      ${CJS}
      (async () => {
        const here = ${HERE};
        if (!isMainThread) return parentPort.postMessage(here);
        new Worker(__filename).on('message', (there) => say([here, there]));
      })();`;
    const answer = run(source, { flags: [], env: { NODE_OPTIONS: `-r ${REGISTER}` } });
    assert.deepEqual(answer, [all(onRing), all(onRing)]);
  });

  const EVERYTHING = `
    const everything = () => [fs, fs.promises].flatMap((object) =>
      Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, property]) =>
        ({ name, ...property, now: /_OK$/.test(name) ? 0 : object[name] })));
    const same = (a, b) => require('util').isDeepStrictEqual(a, b);
  `;

  it('replaces what goes through the ring, and nothing else', () => {
    const source = `
      const fs = require('fs');
      ${EVERYTHING}
      const before = everything();
      require(process.env.REGISTER);
      const after = everything();
      fs.writeSync(1, JSON.stringify(
        after.filter(({ now }, at) => now !== before[at].now).map(({ name }) => name)));`;
    const replaced = run(source, { flags: [] });
    const { callbackNames, promiseNames } = require('../lib/names');
    const streams = ['ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream'];
    const expected = [...callbackNames, ...promiseNames, ...streams];
    assert.deepEqual(replaced.sort(), onRing ? expected.sort() : []);
  });

  it('can be undone, done again, and is done once only', () => {
    const source = `
      const fs = require('fs');
      ${EVERYTHING}
      everything(); // some of them change when they are looked at first
      const before = everything();
      const { register, unregister } = require(process.env.REGISTER);
      const ours = fs.readFile;
      const answers = [register(), fs.readFile === ours];
      unregister();
      answers.push(same(everything(), before));
      unregister();
      answers.push(register(), fs.readFile === ours, same(everything(), before));
      unregister();
      answers.push(same(everything(), before));
      import('fs').then(({ readFile, promises }) => {
        answers.push(readFile === fs.readFile, promises.readFile === fs.promises.readFile);
        fs.writeSync(1, JSON.stringify(answers));
      });`;
    assert.deepEqual(run(source, { flags: [] }), [
      onRing, // registered
      true,
      true, // as before
      onRing,
      true,
      !onRing,
      true,
      true,
      true,
    ]);
  });

  it('ES modules that have been loaded see each change', () => {
    const source = `
      import { readFile, writeSync } from 'fs';
      import { stat } from 'fs/promises';
      import { createRequire } from 'node:module';
      const original = [readFile, stat];
      const { register, unregister } = createRequire(import.meta.url)(process.env.REGISTER);
      const answers = [readFile !== original[0], stat !== original[1]];
      unregister();
      answers.push(readFile === original[0], stat === original[1]);
      writeSync(1, JSON.stringify(answers));`;
    const answers = run(source, { name: 'live.mjs', flags: [] });
    assert.deepEqual(answers, [onRing, onRing, true, true]);
  });

  it('leaves alone what others have put on top', () => {
    const source = `
      const fs = require('fs');
      const before = [fs.readFile, fs.stat, fs.promises.stat, fs.ReadStream];
      const { unregister } = require(process.env.REGISTER);
      const ours = fs.readFile;
      const theirs = (...args) => ours(...args);
      fs.readFile = theirs;
      const { stat } = fs.promises;
      fs.promises.stat = (...args) => stat(...args);
      unregister();
      const answers = [fs.readFile === theirs, fs.stat === before[1], fs.promises.stat === before[2],
        fs.ReadStream === before[3]];
      fs.readFile(__filename, (error, data) =>
        fs.promises.stat(__filename).then(({ size }) =>
          fs.writeSync(1, JSON.stringify([...answers, data.length === size]))));`;
    assert.deepEqual(run(source, { flags: [] }), [true, true, false, true, true]);
  });

  it('a second copy of the package does not replace the first', () => {
    const source = `
      const fs = require('fs');
      const { readFile } = fs;
      const first = require(process.env.REGISTER);
      const ours = fs.readFile;
      for (const name of Object.keys(require.cache)) {
        if (name.startsWith(process.env.ROOT)) delete require.cache[name];
      }
      const second = require(process.env.REGISTER);
      const answers = [second !== first, fs.readFile === ours];
      second.unregister();
      answers.push(fs.readFile === ours);
      first.unregister();
      answers.push(fs.readFile === readFile);
      fs.writeSync(1, JSON.stringify(answers));`;
    assert.deepEqual(run(source, { flags: [] }), [true, true, true, true]);
  });

  it('the functions that Node has for what is left to it are never ours', () => {
    const source = `
      ${CJS}
      (async () => {
        const handle = await fs.promises.open(__filename);
        const stats = await handle.stat();
        await handle.close();
        await callback('mkdir', process.env.FOLDER, { recursive: true });
        await callback('writeFile', process.env.FOLDER + '/file', 'text');
        await callback('cp', process.env.FOLDER, process.env.FOLDER + '-copy', { recursive: true });
        await fs.promises.rm(process.env.FOLDER + '-copy', { recursive: true });
        await callback('rm', process.env.FOLDER, { recursive: true });
        await callback('rm', process.env.FOLDER, { recursive: true, force: true });
        const errors = [];
        for (const [name, ...args] of [['readFile', 'a\\0b'], ['stat', 5], ['open', 'x', 'odd']]) {
          try { fs[name](...args, () => {}); } catch ({ code }) { errors.push(code); }
          await fs.promises[name](...args).catch(({ code }) => errors.push(code));
        }
        say([stats.isFile(), errors]);
      })();`;
    const [isFile, errors] = run(source, { env: { FOLDER: folder.in('made') } });
    assert.equal(isFile, true);
    const codes = ['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'];
    assert.deepEqual(
      errors,
      codes.flatMap((code) => [code, code]),
    );
  });

  it('is no circle when the package’s modules are loaded anew', async () => {
    const said = await resultOf(
      async ({ root, nodeFs, args, say }) => {
        require(`${root}/lib/register`);
        await nodeFs.promises.stat(args.folder);
        for (const name of Object.keys(require.cache)) {
          if (!name.endsWith('.node')) delete require.cache[name];
        }
        await nodeFs.promises.mkdir(`${args.folder}/a/b`, { recursive: true });
        await nodeFs.promises.rm(`${args.folder}/a`, { recursive: true });
        nodeFs.rm(`${args.folder}/a`, (error) => say(error.code));
      },
      { args: { folder: folder.in('') }, flags: ['--max-old-space-size=100'] },
    );
    assert.equal(said, 'ENOENT');
  });
});
