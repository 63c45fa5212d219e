'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { onRing, uring, useFolder } = require('./helpers/environment');

describe('lib/directories', () => {
  const folder = useFolder();
  let base;
  let count = 0;
  beforeEach(() => {
    base = folder.in(`base-${count++}`);
    nodeFs.mkdirSync(base);
  });

  const exists = (name) => nodeFs.existsSync(name);

  describe('mkdir with parents', () => {
    const make = (path, mode) => uring.mkdir(path, { recursive: true, mode });

    it('gives the first that it made', async () => {
      assert.equal(await make(`${base}/a/b/c`), `${base}/a`);
      assert.equal(await make(`${base}/a/b/c/d`), `${base}/a/b/c/d`);
      assert.equal(await make(`${base}/a/b`), undefined);
      assert.ok(nodeFs.statSync(`${base}/a/b/c/d`).isDirectory());
    });

    it('at once, for the same and for different paths', async () => {
      const paths = Array.from({ length: 60 }, (_, n) => `${base}/x/y/${n % 10}/z`);
      const made = await Promise.all(paths.map((path) => make(path)));
      assert.ok(paths.every(exists));
      assert.ok(made.includes(`${base}/x`));
    });

    it('fails at a file', async () => {
      nodeFs.writeFileSync(`${base}/file`, '');
      await assert.rejects(make(`${base}/file`), { code: 'EEXIST', path: `${base}/file` });
      await assert.rejects(make(`${base}/file/a/b`), { code: 'ENOTDIR' });
    });

    it('the mode is for all of them', async () => {
      await make(`${base}/m/n`, 0o700);
      assert.equal(nodeFs.statSync(`${base}/m`).mode & 0o777, 0o700);
      assert.equal(nodeFs.statSync(`${base}/m/n`).mode & 0o777, 0o700);
    });
  });

  describe('mkdtemp', () => {
    it('makes folders for the owner alone, each with another name', async () => {
      const names = await Promise.all(
        Array.from({ length: 200 }, () => uring.mkdtemp(`${base}/t-`)),
      );
      assert.equal(new Set(names).size, 200);
      for (const name of names) {
        assert.match(name.slice(base.length), /^\/t-[A-Za-z0-9]{6}$/);
        const { mode } = nodeFs.statSync(name);
        assert.equal(mode & nodeFs.constants.S_IFMT, nodeFs.constants.S_IFDIR);
        assert.equal(mode & 0o777, 0o700);
      }
    });

    it('all letters and digits occur', async () => {
      const names = await Promise.all(
        Array.from({ length: 400 }, () => uring.mkdtemp(`${base}/-`)),
      );
      const seen = new Set(names.flatMap((name) => [...name.slice(-6)]));
      assert.equal(seen.size, 62);
    });

    it('names the template in its error', async () => {
      await assert.rejects(uring.mkdtemp(`${base}/missing/t-`), {
        code: 'ENOENT',
        syscall: 'mkdtemp',
        // libuv may have filled its own in by then.
        message: /mkdtemp '.*\/missing\/t-[0-9A-Za-z]{6}'$/,
      });
    });
  });

  describe('rm', () => {
    function makeTree(top) {
      for (let n = 0; n < 5; n++) {
        nodeFs.mkdirSync(`${top}/${n}/deep/er`, { recursive: true });
        for (let i = 0; i < 40; i++) nodeFs.writeFileSync(`${top}/${n}/file-${i}`, 'x');
        nodeFs.symlinkSync('/', `${top}/${n}/deep/link`);
      }
    }

    it('removes a tree, and what links lead to stays', async () => {
      makeTree(`${base}/tree`);
      nodeFs.mkdirSync(`${base}/kept`);
      nodeFs.writeFileSync(`${base}/kept/file`, 'kept');
      nodeFs.symlinkSync('../kept', `${base}/tree/link`);
      await uring.rm(`${base}/tree`, { recursive: true });
      assert.deepEqual(nodeFs.readdirSync(base), ['kept']);
      assert.equal(nodeFs.readFileSync(`${base}/kept/file`, 'utf8'), 'kept');
    });

    it('removes a link to a folder, not the folder', async () => {
      nodeFs.mkdirSync(`${base}/kept`);
      nodeFs.symlinkSync('kept', `${base}/link`);
      await uring.rm(`${base}/link`, { recursive: true });
      assert.deepEqual(nodeFs.readdirSync(base), ['kept']);
    });

    it('goes up from what a link leads to, as the kernel does, and not from the link', async () => {
      nodeFs.mkdirSync(`${base}/elsewhere/folder`, { recursive: true });
      nodeFs.writeFileSync(`${base}/elsewhere/file`, 'to go');
      nodeFs.mkdirSync(`${base}/here/folder`, { recursive: true });
      nodeFs.writeFileSync(`${base}/here/file`, 'kept');
      nodeFs.symlinkSync('../elsewhere/folder', `${base}/here/link`);
      await uring.rm(`${base}/here/link/..`, { recursive: true });
      assert.deepEqual(nodeFs.readdirSync(`${base}/elsewhere`), []);
      assert.deepEqual(nodeFs.readdirSync(`${base}/here`).sort(), ['file', 'folder', 'link']);
    });

    it('removes names that are no UTF-8', async () => {
      nodeFs.mkdirSync(`${base}/odd`);
      nodeFs.writeFileSync(
        Buffer.concat([Buffer.from(`${base}/odd/`), Buffer.from([0xff, 0xfe])]),
        'x',
      );
      const outcome = await uring.rm(`${base}/odd`, { recursive: true }).then(
        () => 'removed',
        ({ code }) => code,
      );
      const twin = `${base}/twin`;
      nodeFs.mkdirSync(twin);
      nodeFs.writeFileSync(
        Buffer.concat([Buffer.from(`${twin}/`), Buffer.from([0xff, 0xfe])]),
        'x',
      );
      const expected = await nodeFs.promises.rm(twin, { recursive: true }).then(
        () => 'removed',
        ({ code }) => code,
      );
      assert.equal(outcome, expected);
    });

    it('without recursive leaves folders alone', async () => {
      await assert.rejects(uring.rm(base), { code: 'ERR_FS_EISDIR' });
      assert.ok(exists(base));
    });

    it('missing: an error, or none with force', async () => {
      await assert.rejects(uring.rm(`${base}/missing`), { code: 'ENOENT' });
      await uring.rm(`${base}/missing`, { force: true });
    });

    it('at once, in the same tree: what somebody else has removed is as good', async () => {
      // Node's pool may not have looked at it four times before it is gone.
      for (const force of onRing ? [true, false] : [true]) {
        makeTree(`${base}/tree`);
        const calls = Array.from({ length: 4 }, () =>
          uring.rm(`${base}/tree`, { recursive: true, force }),
        );
        await Promise.all(calls);
        assert.ok(!exists(`${base}/tree`));
      }
    });
  });
});
