'use strict';

/**
 * A program for runProgram(): some of everything, whose outcome is the same on every backend.
 * It says { status, outcome }.
 *
 * @param {object} tools `args.folder`: an empty one; `args.noThreads`: this process
 * is to make no more threads, by its user's limit, or by the file (pids.max) that this names
 */
async function work({ uring, nodeFs, args, say }) {
  const at = (name) => `${args.folder}/${name}`;
  const outcome = [];
  async function note(name, promise) {
    const result = await promise.then(
      (value) => (Buffer.isBuffer(value) ? value.toString('latin1').slice(0, 20) : value),
      ({ name: kind, message, code, errno, syscall }) => ({ kind, message, code, errno, syscall }),
    );
    outcome.push([name, JSON.stringify(result)?.replaceAll(args.folder, '')]);
  }
  if (args.noThreads) {
    // The pool's threads are made first: without them libuv ends the process.
    await nodeFs.promises.stat('/');
    const { execFileSync } = require('node:child_process');
    if (args.noThreads === true) {
      execFileSync('prlimit', ['--pid', `${process.pid}`, '--nproc=1:1']);
    } else {
      nodeFs.writeFileSync(args.noThreads, '1');
    }
  }
  await note('write', uring.writeFile(at('file'), 'contents'));
  await note('read', uring.readFile(at('file')));
  await note('text', uring.readFile(at('file'), 'utf8'));
  await note('append', uring.appendFile(at('file'), ' and more', { flush: true }));
  await note('large', uring.writeFile(at('large'), Buffer.alloc(3_000_000, 'l')));
  await note(
    'length',
    uring.readFile(at('large')).then(({ length }) => length),
  );
  await note('missing', uring.readFile(at('missing')));
  await note('folder', uring.readFile(args.folder));
  await note('nothing, read only', uring.writeFile(at('missing'), '', { flag: 'r' }));
  await note(
    'size',
    uring.stat(at('file')).then(({ size, mode }) => [size, mode]),
  );
  await note('no stat', uring.lstat(at('missing')));
  await note('mkdir', uring.mkdir(at('a/b/c'), { recursive: true }));
  await note('again', uring.mkdir(at('a')));
  await note('rename', uring.rename(at('file'), at('renamed')));
  await note('link', uring.link(at('renamed'), at('linked')));
  await note('symlink', uring.symlink('renamed', at('symlink')));
  await note('truncate', uring.truncate(at('renamed'), 4));
  await note('access', uring.access(at('symlink')));
  await note('rm', uring.rm(at('a'), { recursive: true }));
  await note('rmdir', uring.rmdir(at('a')));
  await note(
    'mkdtemp',
    uring.mkdtemp(at('t-')).then((name) => name.length - args.folder.length),
  );
  const handle = await uring.open(at('linked'), 'r+');
  await note(
    'bytes',
    handle.read(Buffer.alloc(9), 0, 9, null).then(({ bytesRead }) => bytesRead),
  );
  await note(
    'put',
    handle.write(' at the end').then(({ bytesWritten }) => bytesWritten),
  );
  await note(
    'vectors',
    handle.writev([Buffer.from('x'), Buffer.from('y')]).then(() => undefined),
  );
  await note(
    'whole',
    handle.stat().then(({ size }) => size),
  );
  await note('cut', handle.truncate(10));
  await note('sync', handle.sync());
  await note('datasync', handle.datasync());
  await note('close', handle.close());
  await note('closed', handle.stat());
  let streamed = '';
  for await (const chunk of (await uring.open(at('linked'))).createReadStream()) streamed += chunk;
  outcome.push(['streamed', streamed]);
  const many = Array.from({ length: 500 }, (_, i) =>
    uring.readFile(at(i % 50 ? 'linked' : 'large')),
  );
  await note(
    'many',
    Promise.all(many).then((all) => all.reduce((n, { length }) => n + length, 0)),
  );
  const writes = Array.from({ length: 100 }, (_, i) => uring.writeFile(at(`w${i}`), `${i}`));
  await note('writes', Promise.all(writes));
  for (const name of nodeFs.readdirSync(args.folder).sort()) {
    if (!name.startsWith('t-')) outcome.push([name, nodeFs.statSync(at(name)).size]);
  }
  say({ status: uring.ring.status(), outcome });
}

module.exports = { work };
