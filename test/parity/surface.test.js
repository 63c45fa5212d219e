'use strict';

const { EventEmitter } = require('node:events');
const { parityTest, nodeFs } = require('../helpers/parity-compare');

// Node's internal symbols (kHandle, messaging_transfer_symbol and so on) cannot be reached from
// outside Node: only well-known and registered symbols are part of the surface.
function isPublic(key) {
  if (typeof key === 'string') return true;
  return Symbol.keyFor(key) !== undefined || Object.values(wellKnown).includes(key);
}
const wellKnown = Object.fromEntries(
  Object.getOwnPropertyNames(Symbol)
    .filter((name) => typeof Symbol[name] === 'symbol')
    .map((name) => [name, Symbol[name]]),
);

const publicKeys = (object) => Reflect.ownKeys(object).filter(isPublic).map(String).sort();

function shapeOf(object, key) {
  const { value, get, set, enumerable, configurable, writable } = Object.getOwnPropertyDescriptor(
    object,
    key,
  );
  const shape = { enumerable, configurable, writable, get: Boolean(get), set: Boolean(set) };
  shape.type = typeof value;
  if (typeof value === 'function') {
    shape.name = value.name;
    shape.length = value.length;
    shape.constructible = 'prototype' in value;
  }
  return shape;
}

describe('parity: surface', () => {
  parityTest('every exported name', async (parity) => {
    for (const name of Object.keys(nodeFs)) {
      await parity.script(name, (side) => {
        side.note('present', name in side.fs);
        side.note('enumerable', Object.keys(side.fs).includes(name));
        side.note('type', typeof side.fs[name]);
        if (typeof side.fs[name] !== 'function') return;
        side.note('length', side.fs[name].length);
        side.note('name', side.fs[name].name);
      });
    }
  });

  parityTest('constants', async (parity) => {
    await parity.script('constants', (side) => {
      side.note('prototype', Object.getPrototypeOf(side.fs.constants) === null);
      side.note('constants', { ...side.fs.constants });
    });
  });

  parityTest('FileHandle', async (parity) => {
    await parity.script('instance', async (side) => {
      const handle = await side.step('open', () => side.fs.open('file'));
      side.note('own keys', publicKeys(handle));
      side.note('close', shapeOf(handle, 'close'));
      side.note('tag', Object.prototype.toString.call(handle));
      const { on, once, off, emit, removeAllListeners } = EventEmitter.prototype;
      side.note(
        'emits',
        [on, once, off, emit, removeAllListeners].map(({ name }) => typeof handle[name]),
      );
      side.note('is a number', Number.isInteger(handle.fd) && handle.fd > 2);
      side.note('async id', typeof handle.getAsyncId());
      await side.step('fd is read-only', () => {
        handle.fd = 1;
      });
      side.note('listener counts', [handle.listenerCount('close'), handle.eventNames()]);
    });

    const handle = await nodeFs.open(__filename);
    const names = publicKeys(Object.getPrototypeOf(handle));
    await handle.close();
    for (const name of names) {
      await parity.script(`prototype ${name}`, async (side) => {
        const prototype = Object.getPrototypeOf(await side.fs.open('file').then(closed));
        const key = Reflect.ownKeys(prototype).find((own) => String(own) === name);
        side.note('present', key !== undefined);
        if (key !== undefined && key !== 'constructor') side.note('shape', shapeOf(prototype, key));
      });
    }
    await parity.script('class', async (side) => {
      const FileHandle = (await side.fs.open('file').then(closed)).constructor;
      side.note('name', FileHandle.name);
      side.note('keys of the prototype', publicKeys(FileHandle.prototype));
    });
  });
});

async function closed(handle) {
  await handle.close();
  return handle;
}
