'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { uring, useFolder } = require('./helpers/environment');

/** Turns that each must have, before so many ms are over. */
const ENOUGH = 15;
const DEADLINE = 10_000;

describe('fairness: a loop that only awaits', () => {
  const folder = useFolder();
  let file;
  let handle;
  before(async () => {
    file = folder.file('file', Buffer.alloc(4096));
    handle = await uring.open(file, 'r+');
  });
  after(() => handle.close());

  const buffer = Buffer.alloc(4096);
  const loops = {
    readFile: () => uring.readFile(file),
    'readFile as text': () => uring.readFile(file, 'utf8'),
    'FileHandle.read': () => handle.read(buffer, 0, 4096, 0),
    'FileHandle.read in turn': () => handle.read(buffer, 0, 4096, null),
    '100 readFile at once': () =>
      Promise.all(Array.from({ length: 100 }, () => uring.readFile(file))),
    'a failing readFile': () => uring.readFile(`${file}-missing`).catch(() => {}),
    'open and close': async () => (await uring.open(file)).close(),
    stat: () => uring.stat(file),
  };

  for (const [name, operation] of Object.entries(loops)) {
    it(`${name}: timers, immediates and sockets have their turn`, async () => {
      const counts = { timer: 0, immediate: 0, socket: 0, operation: 0 };
      let running = true;
      const timer = setInterval(() => counts.timer++, 5);
      (function again() {
        counts.immediate++;
        if (running) setImmediate(again);
      })();
      const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const socket = net.connect(server.address().port, '127.0.0.1');
      socket.setNoDelay(true);
      socket.on('data', () => {
        counts.socket++;
        if (running) socket.write('x');
      });
      socket.write('x');

      // A loop that starved one of them would go on until the deadline.
      const deadline = Date.now() + DEADLINE;
      while (Object.values(counts).some((count) => count < ENOUGH) && Date.now() < deadline) {
        await operation();
        counts.operation++;
      }
      running = false;
      clearInterval(timer);
      socket.destroy();
      server.close();
      for (const [turn, count] of Object.entries(counts)) {
        assert.ok(count >= ENOUGH, `${turn}: ${count} turns`);
      }
    });
  }
});
