'use strict';

const assert = require('node:assert/strict');
const { describeOnRing, resultOf, useFolder } = require('../helpers/environment');

describeOnRing('lifetime: a ring that has nothing to do', () => {
  const folder = useFolder();

  /** The fewest wake-ups of the process within 200 ms, after `uring` has worked. */
  function wakeUpsOf(args) {
    return resultOf(
      async ({ uring, args: { files, fifo }, say }) => {
        const controller = new AbortController();
        const { signal } = controller;
        const stuck = fifo ? uring.readFile(fifo, { signal }).catch(({ name }) => name) : undefined;
        for (let round = 0; round < 20; round++) {
          await Promise.all(files.map((path) => uring.readFile(path)));
          await Promise.all(files.map((path) => uring.writeFile(path, 'again')));
        }
        const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
        let fewest = Infinity;
        // Garbage collections and the like come after work, now and then; the ring's would stay.
        for (let tries = 0; tries < 20 && fewest > 2; tries++) {
          const before = process.resourceUsage().voluntaryContextSwitches;
          await pause();
          const after = process.resourceUsage().voluntaryContextSwitches;
          fewest = Math.min(fewest, after - before);
        }
        controller.abort();
        say({ fewest, ended: (await stuck) ?? null });
      },
      { args },
    );
  }

  /** The timer's own, and one to spare. */
  const QUIET = 2;

  it('never wakes the process', async () => {
    const files = ['a', 'b', 'c'].map((name) => folder.file(name));
    const { fewest } = await wakeUpsOf({ files });
    assert.ok(fewest <= QUIET, `${fewest} wake-ups`);
  });

  it('nor does one whose reader waits', async () => {
    const files = ['d', 'e'].map((name) => folder.file(name));
    const { fewest, ended } = await wakeUpsOf({ files, fifo: folder.fifo('fifo') });
    assert.ok(fewest <= QUIET, `${fewest} wake-ups`);
    assert.equal(ended, 'AbortError');
  });
});
