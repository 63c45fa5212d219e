'use strict';

// What a file stream does, as data that can be compared.

const fs = require('node:fs');

const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

// Waits until `condition` holds, but not for ever: some streams never get there.
async function until(condition, limit) {
  const deadline = Date.now() + limit;
  while (!condition() && Date.now() < deadline) await sleep(1);
}

// Everything a stream does, in its order, until it is closed, or has ended and stays open, or
// nothing has happened for a while (with a highWaterMark of 0 nothing ever does).
async function observe(stream, end) {
  const events = [];
  const chunks = [];
  let last = Date.now();
  let over = false;
  for (const name of ['open', 'ready', 'end', 'finish', 'close', 'error']) {
    stream.on(name, (...args) => {
      events.push(name === 'open' ? [name, typeof args[0]] : [name, ...args]);
      last = Date.now();
      over ||= !['open', 'ready'].includes(name);
    });
  }
  if (end === undefined) {
    stream.on('data', (chunk) => {
      chunks.push(chunk);
      last = Date.now();
    });
  } else {
    end(stream);
  }
  await until(() => over || Date.now() - last > 300, 10000);
  if (over && stream.autoClose !== false) await until(() => stream.closed, 1000);
  await sleep(stream.autoClose === false ? 15 : 1); // to see that nothing else comes
  return {
    events,
    sizes: chunks.map(({ length }) => length),
    content: typeof chunks[0] === 'string' ? chunks.join('') : Buffer.concat(chunks),
    bytes: stream.bytesRead ?? stream.bytesWritten,
    state: [stream.destroyed, stream.closed, stream.pending, stream.autoClose, stream.flags],
    path: stream.path,
    class: stream.constructor.name,
    known: stream instanceof fs.ReadStream || stream instanceof fs.WriteStream,
  };
}

module.exports = { observe, sleep, until };
