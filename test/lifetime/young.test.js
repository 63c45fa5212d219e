'use strict';

const assert = require('node:assert/strict');
const { describeOnRing, resultOf, useFolder } = require('../helpers/environment');

/*
 * A program that reads one file after the other has no full collection for a while: what it has done with must
 * go with the other young objects. Else memory piles up until full collections are made for its sake.
 */
describeOnRing('lifetime: memory that has been used goes in a minor collection', () => {
  const folder = useFolder();

  /** By what was done: of how many `times` the memory is still there in the end. */
  async function countHeld({ uring, root, args: { large, small, target, times }, say }) {
    const { promisify } = require('node:util');
    const callbackFs = require(`${root}/lib/fs.js`);
    const MIB = 1024 * 1024;
    const fresh = () => Buffer.allocUnsafeSlow(MIB).fill('b');
    const { signal } = new AbortController();
    const handle = await uring.open(large, 'r+');
    const cases = {
      readFile: [2 * MIB, () => uring.readFile(large)],
      'readFile, with a signal': [2 * MIB, () => uring.readFile(large, { signal })],
      'readFile of small files': [
        MIB,
        () => Promise.all(small.map((file) => uring.readFile(file))),
      ],
      readFiles: [MIB, () => uring.readFiles(small)],
      'readFiles, separate': [MIB, () => uring.readFiles(small, { separate: true })],
      writeFile: [MIB, () => uring.writeFile(target, fresh())],
      appendFile: [MIB, () => uring.appendFile(target, fresh())],
      'readFile, callback': [2 * MIB, () => promisify(callbackFs.readFile)(large)],
      'writeFile, callback': [MIB, () => promisify(callbackFs.writeFile)(target, fresh())],
      'FileHandle.read': [MIB, () => handle.read(fresh(), 0, MIB, 0)],
      'FileHandle.write': [MIB, () => handle.write(fresh(), 0, MIB, 0)],
      'FileHandle.writeFile': [MIB, () => handle.writeFile(fresh())],
    };
    const swept = () => new Promise((resolve) => setTimeout(resolve, 30));
    const held = {};
    for (const [name, [size, run]] of Object.entries(cases)) {
      for (let i = 0; i < 3; i++) await run();
      gc();
      await swept();
      const before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < times; i++) {
        await run();
        gc({ type: 'minor' });
      }
      await swept();
      held[name] = (process.memoryUsage().arrayBuffers - before) / size;
    }
    await handle.close();
    say(held);
  }

  it('whatever it was for', async () => {
    const MIB = 1024 * 1024;
    const args = {
      large: folder.file('large', Buffer.alloc(2 * MIB, 'a')),
      small: Array.from({ length: 64 }, (_, i) => folder.file(`${i}`, Buffer.alloc(MIB / 64, i))),
      target: folder.file('target'),
      times: 8,
    };
    const held = await resultOf(countHeld, { args });
    // The last one may be; a handle keeps what it wrote last until it does something else.
    const kept = Object.entries(held).filter(([, count]) => count > 2);
    assert.deepEqual(kept, []);
    assert.ok(Object.keys(held).length > 0);
  });
});
