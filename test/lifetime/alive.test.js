'use strict';

const assert = require('node:assert/strict');
const { resultOf, useFolder } = require('../helpers/environment');

describe('lifetime: what is under way keeps the process alive', () => {
  const folder = useFolder();

  it('though setImmediate() comes between, and a turn of the loop lasts long', async () => {
    const paths = Array.from({ length: 64 }, (_, n) => folder.file(`alive-${n}`, `${n}`));
    // The end of a process that has nothing to wait for comes without a word, and with code 0.
    const { files } = await resultOf(
      async ({ uring, args, say }) => {
        const busy = (ms) => {
          for (const end = performance.now() + ms; performance.now() < end;);
        };
        let count = 0;
        for (let round = 0; round < 300; round++) {
          const some = args.paths.slice(0, 1 + (round % 64));
          count += (await uring.readFiles(some)).length;
          if (round % 2) await new Promise(setImmediate);
          if (round % 3 === 0) busy(1.2);
          const more = Promise.all(some.map((path) => uring.readFile(path)));
          setImmediate(() => uring.stat(args.paths[0]));
          count += (await more).length;
        }
        say({ files: count });
      },
      { args: { paths } },
    );
    assert.ok(files > 0);
  });
});
