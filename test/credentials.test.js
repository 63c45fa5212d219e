'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { describeOnRing, resultOf, skip, useFolder } = require('./helpers/environment');

const NOBODY = 65534;

describeOnRing('credentials', function () {
  const folder = useFolder();
  let paths;
  before(function () {
    if (process.getuid() !== 0) skip(this, 'only root can become somebody else');
    nodeFs.chmodSync(folder.in(), 0o755);
    paths = {
      ofRoot: folder.file('of-root', 'secret'),
      ofGroup: folder.file('of-group', 'shared'),
    };
    nodeFs.chmodSync(paths.ofRoot, 0o600);
    nodeFs.chownSync(paths.ofGroup, 0, NOBODY - 1);
    nodeFs.chmodSync(paths.ofGroup, 0o640);
  });

  /** What came of opening the files after each change, by all ways to open. */
  function outcomesOf(sqpoll, changes) {
    return resultOf(
      async ({ uring, args, say }) => {
        uring.ring.configure({ sqpoll: args.sqpoll });
        const opened = async (path) => {
          const handle = await uring.open(path);
          await handle.close();
        };
        const codeOf = (promise) =>
          promise.then(
            () => 'opens',
            ({ code }) => code,
          );
        async function look(path) {
          const ways = [opened(path)];
          // So many that the ring has them, in whatever mode.
          for (let i = 0; i < 20; i++) ways.push(uring.readFile(path), uring.truncate(path, 6));
          ways.push(uring.readFiles(Array(20).fill(path)));
          const codes = new Set(await Promise.all(ways.map(codeOf)));
          return [...codes].join();
        }
        const seen = [['at first', await look(args.ofRoot), await look(args.ofGroup)]];
        for (const [name, ...rest] of args.changes) {
          process[name](...rest);
          seen.push([name, await look(args.ofRoot), await look(args.ofGroup)]);
        }
        say({ seen, flags: uring.ring.status().setupFlags, backend: uring.ring.status().backend });
      },
      { args: { ...paths, sqpoll, changes } },
    );
  }

  const both = (sqpoll) => {
    const expectMode = ({ flags, backend }) => {
      assert.equal(backend, 'io_uring');
      assert.equal(flags.includes('SQPOLL'), sqpoll);
    };

    it('after setuid nothing is opened that the new user may not', async () => {
      const outcome = await outcomesOf(sqpoll, [
        ['setgroups', []],
        ['setgid', NOBODY],
        ['setuid', NOBODY],
      ]);
      assert.deepEqual(outcome.seen, [
        ['at first', 'opens', 'opens'],
        ['setgroups', 'opens', 'opens'],
        ['setgid', 'opens', 'opens'],
        ['setuid', 'EACCES', 'EACCES'],
      ]);
      expectMode(outcome);
    });

    it('nor after seteuid, and all is again after the way back', async () => {
      const outcome = await outcomesOf(sqpoll, [
        ['setegid', NOBODY],
        ['seteuid', NOBODY],
        ['seteuid', 0],
        ['setegid', 0],
      ]);
      assert.deepEqual(
        outcome.seen.map(([, ofRoot]) => ofRoot),
        ['opens', 'opens', 'EACCES', 'opens', 'opens'],
      );
      expectMode(outcome);
    });

    it('groups come and go', async () => {
      const readOnly = 'opens,EACCES'; // the group may read, and not truncate
      const outcome = await outcomesOf(sqpoll, [
        ['setgroups', [NOBODY - 1]],
        ['setegid', NOBODY],
        ['seteuid', NOBODY],
        ['seteuid', 0],
        ['setgroups', []],
        ['seteuid', NOBODY],
        ['seteuid', 0],
        ['initgroups', 'root', NOBODY - 1],
        ['seteuid', NOBODY],
      ]);
      assert.deepEqual(
        outcome.seen.filter(([name]) => name === 'seteuid').map(([, , ofGroup]) => ofGroup),
        [readOnly, 'opens', 'EACCES', 'opens', readOnly],
      );
      expectMode(outcome);
    });
  };

  describe('with a ring as it is', () => both(false));
  describe('with a kernel thread that submits', () => both(true));
});
