'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { abortError, callNode, nodePromises } = require('../lib/delegate');
const { resultOf, uring, useFolder } = require('./helpers/environment');

describe('lib/delegate', () => {
  const folder = useFolder();

  it('callNode: the value of the callback', async () => {
    const file = folder.file('file', 'contents');
    assert.equal((await callNode('stat', file)).size, 8);
    assert.equal(await callNode('access', file), undefined);
  });

  it('callNode: the error of the callback, with the stack of who awaits', async () => {
    async function caller() {
      await callNode('stat', folder.in('missing'));
    }
    const error = await caller().catch((reason) => reason);
    assert.deepEqual([error.code, error.syscall], ['ENOENT', 'stat']);
    assert.match(error.stack, /at async caller/);
  });

  it('callNode: what is thrown at once is a rejection', async () => {
    await assert.rejects(callNode('stat', 5), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('abortError: that of Node, with the cause', async () => {
    const cause = new Error('why');
    const expected = {
      name: 'AbortError',
      code: 'ABORT_ERR',
      message: 'The operation was aborted',
      cause,
    };
    await assert.rejects(abortError(AbortSignal.abort(cause)), expected);
  });

  it('nodePromises are the functions as they were, whoever replaces them later', async () => {
    const { readdir } = nodeFs.promises;
    nodeFs.promises.readdir = () => assert.fail('the replaced one was called');
    try {
      assert.equal(nodePromises.readdir, readdir);
      assert.ok(Array.isArray(await uring.readdir('/')));
    } finally {
      nodeFs.promises.readdir = readdir;
    }
  });

  it('a program that replaces functions of node:fs changes nothing here', async () => {
    const text = await resultOf(
      async ({ uring: fs, nodeFs: files, args, say }) => {
        const fail = () => {
          throw new Error('replaced');
        };
        for (const name of ['readFile', 'open', 'stat', 'fstat', 'read', 'close']) {
          files[name] = fail;
          files.promises[name] = fail;
        }
        const handle = await fs.open(args.file);
        await handle.chmod(0o600);
        await handle.close();
        say(await fs.readFile(args.file, 'utf8'));
      },
      { args: { file: folder.file('other', 'text') } },
    );
    assert.equal(text, 'text');
  });
});
