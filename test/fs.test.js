'use strict';

const assert = require('node:assert/strict');
const {
  AsyncLocalStorage,
  executionAsyncId,
  createHook,
  triggerAsyncId,
} = require('node:async_hooks');
const { once } = require('node:events');
const nodeFs = require('node:fs');
const { promisify } = require('node:util');
const fs = require('../lib/fs');
const {
  describeOnRing,
  nextMessage,
  onRing,
  pattern,
  resultOf,
  runProgram,
  startWorker,
  uring,
  useFolder,
} = require('./helpers/environment');

const submitted = () => uring.ring.stats().submitted;

describe('lib/fs', () => {
  const folder = useFolder();
  let file;

  before(() => {
    file = folder.file('file', 'contents');
  });

  describe('surface', () => {
    const isDeprecated = (name) => name.endsWith('_OK');

    it('every name of node:fs, of the same kind', () => {
      const kinds = (object) =>
        Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, property]) => [
          name,
          isDeprecated(name) ? 'number' : typeof object[name],
          property.enumerable,
          isDeprecated(name) || (property.writable ?? property.set !== undefined),
          object[name]?.length,
          typeof object[name] === 'function' && object[name].name,
        ]);
      assert.deepEqual(kinds(fs), kinds(nodeFs));
      assert.deepEqual({ ...fs.constants }, { ...nodeFs.constants });
    });

    it('what is synchronous, and all that has no operation, is Node’s itself', () => {
      const { callbackNames } = require('../lib/names');
      for (const name of Object.keys(nodeFs)) {
        const isOurs =
          name === 'promises' ||
          /(Read|Write)Stream$/.test(name) ||
          (onRing && callbackNames.includes(name));
        assert.equal(fs[name] === nodeFs[name], !isOurs, name);
      }
    });

    it('what callbacks.js has is what names.js says', function () {
      if (!onRing) this.skip();
      const { callbacks } = require('../lib/callbacks');
      const { callbackNames } = require('../lib/names');
      assert.deepEqual(Object.keys(callbacks).sort(), [...callbackNames].sort());
    });

    it('promises is uring-fs', () => {
      assert.equal(fs.promises, uring);
    });

    it('every name can be imported, without a warning', async () => {
      const importAll = ({ root, say }) =>
        import(`${root}/lib/fs.js`).then((namespace) => say(Object.keys(namespace)));
      const { code, stderr, said } = await runProgram(importAll);
      assert.deepEqual([code, stderr], [0, '']);
      const names = Object.keys(Object.getOwnPropertyDescriptors(nodeFs));
      assert.deepEqual(
        names.filter((name) => !said[0].includes(name)),
        [],
      );
    });

    it('what is assigned stays here', () => {
      const { ReadStream } = fs;
      const ofNode = nodeFs.ReadStream;
      const own = class Own {};
      fs.ReadStream = own;
      try {
        assert.equal(fs.ReadStream, own);
        assert.ok(fs.createReadStream(file) instanceof own);
        assert.equal(nodeFs.ReadStream, ofNode);
      } finally {
        fs.ReadStream = ReadStream;
      }
    });

    it('util.promisify()', async () => {
      assert.equal(await promisify(fs.readFile)(file, 'utf8'), 'contents');
      assert.equal(await promisify(fs.exists)(file), true);
      assert.equal(await promisify(fs.exists)(`${file}-missing`), false);
      const fd = await promisify(fs.open)(file);
      const buffer = Buffer.alloc(3);
      assert.deepEqual(
        { ...(await promisify(fs.read)(fd, buffer, 0, 3, 0)) },
        { bytesRead: 3, buffer },
      );
      const buffers = [buffer];
      assert.deepEqual(
        { ...(await promisify(fs.readv)(fd, buffers, 0)) },
        { bytesRead: 3, buffers },
      );
      await promisify(fs.close)(fd);
    });
  });

  describeOnRing('goes through the ring', () => {
    const paths = { from: 'from', to: 'to', made: 'made' };
    before(() => {
      for (const name of Object.keys(paths)) paths[name] = folder.in(name);
    });

    const useFd = (call) => (callback) => {
      const fd = nodeFs.openSync(file, 'r+');
      call(fd, (error) => {
        nodeFs.closeSync(fd);
        callback(error);
      });
    };
    const bytes = () => Buffer.alloc(4);
    const calls = {
      access: (callback) => fs.access(file, callback),
      appendFile: (callback) => fs.appendFile(paths.made, 'x', callback),
      close: (callback) => fs.close(nodeFs.openSync(file), callback),
      exists: (callback) => fs.exists(file, () => callback(null)),
      fdatasync: useFd((fd, callback) => fs.fdatasync(fd, callback)),
      fstat: useFd((fd, callback) => fs.fstat(fd, callback)),
      fsync: useFd((fd, callback) => fs.fsync(fd, callback)),
      ftruncate: useFd((fd, callback) => fs.ftruncate(fd, 5, callback)),
      link: (callback) => fs.link(file, folder.in('linked'), callback),
      lstat: (callback) => fs.lstat(file, callback),
      mkdir: (callback) => fs.mkdir(folder.in('folder'), callback),
      'mkdir -p': (callback) => fs.mkdir(folder.in('a/b'), { recursive: true }, callback),
      mkdtemp: (callback) => fs.mkdtemp(folder.in('tmp-'), callback),
      open: (callback) =>
        fs.open(file, (error, fd) => {
          nodeFs.closeSync(fd);
          callback(error);
        }),
      read: useFd((fd, callback) => fs.read(fd, bytes(), 0, 4, 0, callback)),
      'read in turn': useFd((fd, callback) => fs.read(fd, bytes(), callback)),
      readFile: (callback) => fs.readFile(file, callback),
      readv: useFd((fd, callback) => fs.readv(fd, [bytes()], callback)),
      rename: (callback) => {
        nodeFs.writeFileSync(paths.from, '');
        fs.rename(paths.from, paths.to, callback);
      },
      rm: (callback) => fs.rm(folder.file('removed'), callback),
      rmdir: (callback) => {
        nodeFs.mkdirSync(folder.in('empty'));
        fs.rmdir(folder.in('empty'), callback);
      },
      stat: (callback) => fs.stat(file, callback),
      symlink: (callback) => fs.symlink('x', folder.in('symlinked'), callback),
      truncate: (callback) => fs.truncate(file, 5, callback),
      unlink: (callback) => fs.unlink(folder.file('unlinked'), callback),
      write: useFd((fd, callback) => fs.write(fd, bytes(), 0, 4, 0, callback)),
      'write of text': useFd((fd, callback) => fs.write(fd, 'text', callback)),
      writeFile: (callback) => fs.writeFile(paths.made, 'x', callback),
      writev: useFd((fd, callback) => fs.writev(fd, [bytes()], callback)),
    };
    const storage = new AsyncLocalStorage();
    const { operations } = uring.ring.status();
    /** What ring.status() calls it, where that is something else. */
    const OPERATION = {
      exists: 'access',
      fdatasync: 'datasync',
      fstat: 'stat',
      fsync: 'sync',
      ftruncate: 'truncate',
    };

    for (const [name, call] of Object.entries(calls)) {
      it(`${name}, with the async context of the call`, async () => {
        const before = submitted();
        await new Promise((resolve, reject) => {
          storage.run(name, () =>
            call((error) => {
              if (error) reject(error);
              else resolve(assert.equal(storage.getStore(), name));
            }),
          );
        });
        // An old kernel has not all of them.
        const [plain] = name.split(' ');
        const isServed = operations[OPERATION[plain] ?? plain] === 'ring';
        assert.equal(submitted() > before, isServed);
      });
    }

    it('all of them have been tried', () => {
      const { callbackNames } = require('../lib/names');
      const tried = new Set(Object.keys(calls).map((name) => name.split(' ')[0]));
      assert.deepEqual([...tried].sort(), [...callbackNames].sort());
    });

    it('createReadStream and createWriteStream', async () => {
      const before = submitted();
      const output = fs.createWriteStream(folder.in('copied'), { flush: true });
      fs.createReadStream(file).pipe(output);
      await once(output, 'close');
      assert.ok(submitted() >= before + 7); // open, read, read, close; open, write, fsync, close
      assert.deepEqual(nodeFs.readFileSync(folder.in('copied')), nodeFs.readFileSync(file));
    });
  });

  describeOnRing('descriptors', () => {
    let fd;
    const name = 'of a descriptor';
    beforeEach(() => {
      fd = nodeFs.openSync(folder.file(name, ''), 'r+');
    });
    const told = (start) =>
      new Promise((resolve) => {
        start((...values) => resolve(values));
      });

    it('what is written at the file’s own position is there in the order of the calls', async () => {
      const pieces = Array.from({ length: 50 }, (_, i) => `${i},`.repeat(i % 7 ? 1 : 100_000));
      const written = pieces.map((piece) => told((callback) => fs.write(fd, piece, callback)));
      const closed = told((callback) => fs.close(fd, callback));
      for (const [error] of await Promise.all(written)) assert.equal(error, null);
      assert.deepEqual(await closed, [null]);
      assert.equal(nodeFs.readFileSync(folder.in(name), 'latin1'), pieces.join(''));
    });

    it('and read so', async () => {
      nodeFs.writeFileSync(fd, Buffer.from(Array.from({ length: 250 }, (_, i) => i)));
      nodeFs.closeSync(fd);
      fd = nodeFs.openSync(folder.in(name));
      const buffers = Array.from({ length: 50 }, () => Buffer.alloc(5));
      await Promise.all(
        buffers.map((buffer) => told((callback) => fs.read(fd, buffer, 0, 5, null, callback))),
      );
      assert.deepEqual([...Buffer.concat(buffers)], [...Array(250).keys()]);
      nodeFs.closeSync(fd);
    });

    it('a close comes after what is under way', async () => {
      nodeFs.writeFileSync(fd, 'contents');
      const reads = Array.from({ length: 20 }, () =>
        told((callback) => fs.read(fd, Buffer.alloc(8), 0, 8, 0, callback)),
      );
      const closes = [1, 2].map(() => told((callback) => fs.close(fd, callback)));
      for (const [error, count, buffer] of await Promise.all(reads)) {
        assert.deepEqual([error, count, String(buffer)], [null, 8, 'contents']);
      }
      const [[first], [second]] = await Promise.all(closes);
      assert.deepEqual([first, second.code], [null, 'EBADF']);
    });

    const writesThenCloses = ({ root, args, say }) => {
      const program = require(`${root}/lib/fs`);
      const number = nodeFs.openSync(args.file, 'w');
      const codes = [];
      for (let i = 0; i < 20; i++) {
        program.write(number, `${i},`, (error) => {
          if (codes.push(String(error?.code)) < 20) return;
          const look = () => {
            try {
              nodeFs.fstatSync(number);
              setTimeout(look, 1);
            } catch {
              say({ codes, written: nodeFs.readFileSync(args.file, 'latin1') });
            }
          };
          look();
        });
      }
      program.close(number, ...(args.withCallback ? [() => {}] : []));
    };
    const allWritten = {
      codes: Array(20).fill('undefined'),
      written: Array.from({ length: 20 }, (_, i) => `${i},`).join(''),
    };

    it('so does one without a callback', async () => {
      const args = { file: folder.in('closed'), withCallback: false };
      assert.deepEqual(await resultOf(writesThenCloses, { args }), allWritten);
      nodeFs.closeSync(fd);
    });

    it('and one in a worker, which is Node’s', async () => {
      for (const withCallback of [true, false]) {
        const worker = startWorker(writesThenCloses, { file: folder.in('closed'), withCallback });
        assert.deepEqual(await nextMessage(worker), allWritten);
        await worker.terminate();
      }
      nodeFs.closeSync(fd);
    });

    it('the same number for another file is no matter', async () => {
      for (let i = 0; i < 20; i++) {
        const other = folder.file(`number ${i}`, `${i}`);
        const [, number] = await told((callback) => fs.open(other, 'r', callback));
        const [, count, buffer] = await told((callback) =>
          fs.read(number, Buffer.alloc(9), 0, 9, null, callback),
        );
        assert.equal(buffer.latin1Slice(0, count), `${i}`);
        if (i % 2) nodeFs.closeSync(number);
        else await told((callback) => fs.close(number, callback));
      }
      nodeFs.closeSync(fd);
    });

    it('one that the program closed is not closed when the process ends', async () => {
      const said = await resultOf(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          program.open(args.file, (error, number) => {
            nodeFs.closeSync(number);
            // Had the ring noted it, it would end what has the number by then.
            say(nodeFs.openSync(args.file) === number);
          });
        },
        { args: { file: folder.in(name) } },
      );
      assert.equal(said, true);
      nodeFs.closeSync(fd);
    });
  });

  describe('streams', () => {
    const read = async (stream) => Buffer.concat(await stream.toArray());

    it('of a handle of this package, and of Node’s', async () => {
      const large = folder.file('large', pattern(300_000));
      for (const promises of [fs.promises, nodeFs.promises]) {
        const input = await promises.open(large);
        const contents = await read(fs.createReadStream(null, { fd: input, start: 5 }));
        assert.deepEqual(contents, pattern(300_000).subarray(5));
        assert.equal(input.fd, -1);
        const output = await promises.open(folder.in('written'), 'w');
        const stream = new fs.WriteStream('', { fd: output });
        stream.end('text');
        await once(stream, 'close');
        assert.equal(nodeFs.readFileSync(folder.in('written'), 'latin1'), 'text');
      }
    });

    it('use what is assigned', async () => {
      const { open, read: readFd } = fs;
      const used = [];
      fs.open = (...args) => used.push('open') && open(...args);
      fs.read = (...args) => used.push('read') && readFd(...args);
      try {
        await read(fs.createReadStream(file));
      } finally {
        Object.assign(fs, { open, read: readFd });
      }
      assert.deepEqual(used, ['open', 'read', 'read']);
    });

    it('and what is given', async () => {
      const given = { ...nodeFs, open: (path, ...rest) => nodeFs.open(file, ...rest) };
      assert.deepEqual(
        await read(fs.createReadStream('elsewhere', { fs: given })),
        nodeFs.readFileSync(file),
      );
    });

    it('whose descriptor is closed meanwhile fail as Node’s do', async () => {
      const large = folder.file('large', pattern(500_000));
      for (const { createReadStream } of [nodeFs, fs]) {
        const number = nodeFs.openSync(large);
        const stream = createReadStream('', { fd: number, autoClose: false });
        let chunks = 0;
        const reading = (async () => {
          for await (const chunk of stream) {
            if (++chunks === 3) nodeFs.closeSync(number);
            assert.ok(chunk.length > 0);
          }
        })();
        await assert.rejects(reading, {
          code: 'EBADF',
          message: 'EBADF: bad file descriptor, read',
        });
      }
    });

    it('where no descriptor is left to load the ring’s part with', async () => {
      const said = await resultOf(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          const stream = program.createReadStream('', { fd: nodeFs.openSync(args.file) });
          const open = () => nodeFs.openSync('/dev/null') && open();
          try {
            open();
          } catch {
            stream.on('data', (chunk) => say(String(chunk)));
          }
        },
        {
          args: { file: folder.file('of the last descriptor', 'contents') },
          launcher: ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'],
        },
      );
      assert.equal(said, 'contents');
    });

    describeOnRing('on the ring', () => {
      it('several reads are under way', async () => {
        const size = 2_000_000;
        const large = folder.file('larger', pattern(size));
        const most = await resultOf(
          async ({ root, args, uring: { ring }, say }) => {
            const program = require(`${root}/lib/fs`);
            let length = 0;
            for await (const chunk of program.createReadStream(args.large)) length += chunk.length;
            say([length, ring.stats().peakQueued > 1]);
          },
          { args: { large } },
        );
        assert.deepEqual(most, [size, true]);
      });
    });
  });

  describe('callbacks', () => {
    const stat = (callback) => fs.stat(file, callback);

    it('come after the code that runs, its ticks and its microtasks', async () => {
      const order = [];
      await new Promise((resolve) => {
        stat(() => {
          order.push('callback');
          resolve();
        });
        process.nextTick(() =>
          Promise.resolve().then(() => process.nextTick(() => order.push('tick'))),
        );
        (async () => {
          for (let i = 0; i < 10; i++) await null;
          order.push('microtask');
        })();
        order.push('code');
      });
      assert.deepEqual(order, ['code', 'microtask', 'tick', 'callback']);
    });

    it('each has its ticks and microtasks before the next', async () => {
      const order = [];
      await new Promise((resolve) => {
        let left = 20;
        for (let i = 0; i < 20; i++) {
          stat(() => {
            order.push(`${i}`);
            process.nextTick(() => order.push(`${i} tick`));
            Promise.resolve().then(() => order.push(`${i} microtask`));
            if (--left === 0) setImmediate(resolve);
          });
        }
      });
      for (let at = 0; at < 60; at += 3) {
        const number = order[at];
        assert.deepEqual(order.slice(at, at + 3), [
          number,
          `${number} tick`,
          `${number} microtask`,
        ]);
      }
    });

    it('in one, setImmediate() comes before setTimeout()', async () => {
      for (let i = 0; i < 5; i++) {
        const order = await new Promise((resolve) => {
          stat(() => {
            const seen = [];
            const note = (what) => () => seen.push(what) === 2 && resolve(seen);
            setTimeout(note('timeout'), 0);
            setImmediate(note('immediate'));
          });
        });
        assert.deepEqual(order, ['immediate', 'timeout']);
      }
    });

    it('let timers run, however many follow each other', async () => {
      let stopped = false;
      let count = 0;
      const next = () => {
        count++;
        if (!stopped) stat(next);
      };
      next();
      await new Promise((resolve) => setTimeout(resolve, 20));
      stopped = true;
      assert.ok(count > 10);
    });

    it('are async resources as Node’s are', async () => {
      const seen = [];
      const hook = createHook({
        init(id, type, trigger) {
          if (type === 'FSREQCALLBACK') seen.push({ id, trigger });
        },
      }).enable();
      try {
        const caller = executionAsyncId();
        const [id, trigger] = await new Promise((resolve) => {
          fs.lstat(file, () => resolve([executionAsyncId(), triggerAsyncId()]));
        });
        assert.deepEqual(seen[0], { id, trigger });
        assert.equal(trigger, caller);
      } finally {
        hook.disable();
      }
    });

    const throwing = ({ uring: { ring }, root, args, say }) => {
      const program = require(`${root}/lib/fs`);
      let called = 0;
      process.on('uncaughtException', (error, origin) => {
        say([error.message, origin]);
      });
      for (let i = 0; i < args.count; i++) {
        const end = () => {
          if (++called === args.count) say(ring.stats().completed > 0);
          if (i % 10 === 5) throw new Error(`thrown in ${i}`);
        };
        program[i % 2 ? 'stat' : 'readFile'](process.execPath.replace(/.*/, args.file), end);
      }
    };

    it('what one throws is an uncaught exception, and keeps no other from being called', async () => {
      const said = await runProgram(throwing, { args: { count: 100, file } }).then(
        (ended) => ended.said,
      );
      const thrown = said.filter(Array.isArray).map(([message, origin]) => `${origin}: ${message}`);
      const expected = Array.from(
        { length: 10 },
        (_, i) => `uncaughtException: thrown in ${i * 10 + 5}`,
      );
      assert.deepEqual(thrown.sort(), expected.sort());
      assert.deepEqual(
        said.filter((value) => !Array.isArray(value)),
        [onRing],
      );
    });

    it('which ends the program, as with Node', async () => {
      const { code, stderr } = await runProgram(
        ({ root, args }) => {
          require(`${root}/lib/fs`).stat(args.file, () => {
            throw new Error('thrown');
          });
          setTimeout(() => {}, 1e6);
        },
        { args: { file } },
      );
      assert.equal(code, 1);
      assert.match(stderr, /throw new Error\('thrown'\);\n +\^\n\nError: thrown\n/);
    });

    it('in the async context of the call', async () => {
      const { said } = await runProgram(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          const context = new (require('node:async_hooks').AsyncLocalStorage)();
          process.on('uncaughtException', ({ message }) => say([message, context.getStore()]));
          for (const name of ['stat', 'readFile', 'unlink']) {
            context.run(name, () => {
              program[name](`${args.file}${name === 'unlink' ? ' no' : ''}`, () => {
                throw new Error(name);
              });
            });
          }
        },
        { args: { file } },
      );
      assert.deepEqual(said.sort(), [
        ['readFile', 'readFile'],
        ['stat', 'stat'],
        ['unlink', 'unlink'],
      ]);
    });

    it('and the async scopes are left once, whatever is thrown', async () => {
      const { said } = await runProgram(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          const entered = [];
          require('node:async_hooks')
            .createHook({
              before: (id) => entered.push(id),
              after(id) {
                const place = entered.lastIndexOf(id);
                if (place === -1) say('left twice');
                else entered.splice(place, 1);
              },
            })
            .enable();
          process.on('uncaughtException', ({ message }) => say(message));
          program.stat(args.file, () => {
            process.nextTick(() => {
              throw new Error('of a tick');
            });
            throw new Error('of a callback');
          });
        },
        { args: { file } },
      );
      assert.deepEqual(said, ['of a callback', 'of a tick']);
    });

    it('are told the outcome where the program has a Promise of its own', async () => {
      const outcomes = await resultOf(
        async ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          const Native = Promise;
          globalThis.Promise = class Promise {
            constructor(executor) {
              this.native = new Native(executor);
            }

            static resolve(value) {
              return new this((resolve) => resolve(value));
            }

            then(...handlers) {
              return this.native.then(...handlers);
            }
          };
          const told = (name, ...rest) =>
            new Native((resolve) => {
              program[name](...rest, (error, value) =>
                resolve([name, String(error?.code), String(value)]),
              );
            });
          const chunks = [];
          const writing = program.promises.writeFile(args.file, 'text');
          await writing;
          const outcome = [
            writing instanceof Native,
            await told('truncate', args.file, 2),
            await told('mkdir', `${args.file}-a/b`, { recursive: true }),
            await told('rename', `${args.file} no`, args.file),
          ];
          for await (const chunk of program.createReadStream(args.file)) chunks.push(`${chunk}`);
          say([...outcome, chunks]);
        },
        { args: { file: folder.file('promised', 'text') } },
      );
      assert.deepEqual(outcomes, [
        true,
        ['truncate', 'undefined', 'undefined'],
        ['mkdir', 'undefined', folder.in('promised-a')],
        ['rename', 'ENOENT', 'undefined'],
        ['te'],
      ]);
    });

    it('of a copy that has been loaded anew are Node’s, as its promises are', async () => {
      const said = await resultOf(
        async ({ root, args, say }) => {
          const first = require(root);
          await first.stat(args.file);
          for (const name of Object.keys(require.cache)) {
            if (!name.endsWith('.node')) delete require.cache[name];
          }
          const copy = require(`${root}/lib/fs`);
          if (args.onRing) require(`${root}/lib/promises`);
          await new Promise(setImmediate); // in a new turn, whose first flush would be the copy's
          // The copy does not take away what the first one waits for.
          await Promise.all([copy.promises.stat(args.file), first.stat(args.file)]);
          await copy.promises.mkdir(`${args.file}-a/b`, { recursive: true });
          await copy.promises.rm(`${args.file}-a`, { recursive: true });
          copy.readFile(args.file, 'utf8', (error, text) => {
            say([text, copy.existsSync(`${args.file}-a`), copy.promises.ring.status().backend]);
          });
        },
        { args: { file: folder.file('loaded anew', 'text'), onRing } },
      );
      assert.deepEqual(said, ['text', false, 'threadpool']);
    });

    it('the process waits for them, and then ends', async () => {
      const said = await resultOf(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          program.readFile(args.file, 'utf8', (error, text) =>
            program.stat(args.file, () => program.mkdtemp(`${args.file}-`, () => say(text))),
          );
        },
        { args: { file: folder.file('waited for', 'text') } },
      );
      assert.equal(said, 'text');
    });

    it('in a worker, which sees descriptors opened and closed as Node does', async () => {
      const worker = startWorker(
        ({ root, args, say }) => {
          const program = require(`${root}/lib/fs`);
          const warnings = [];
          process.on('warning', ({ message }) => warnings.push(message));
          program.open(args.file, (error, fd) => {
            nodeFs.closeSync(fd);
            const other = nodeFs.openSync(args.file);
            program.read(other, Buffer.alloc(4), (failed, count) =>
              program.close(other, () => {
                const last = nodeFs.openSync(args.file);
                nodeFs.closeSync(last);
                setImmediate(() => say({ count, warnings }));
              }),
            );
          });
        },
        { file: folder.file('of a worker', 'contents') },
      );
      assert.deepEqual(await nextMessage(worker), { count: 4, warnings: [] });
      await worker.terminate();
    });
  });
});
