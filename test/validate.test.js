'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { pathToFileURL } = require('node:url');
const validate = require('../lib/validate');
const { useFolder } = require('./helpers/environment');

const { O_APPEND, O_RDWR, O_SYNC, O_WRONLY } = nodeFs.constants;

describe('lib/validate', () => {
  const folder = useFolder();

  describe('toPath', () => {
    it('takes strings, bytes and file URLs', () => {
      const bytes = Buffer.from('/bytes');
      assert.equal(validate.toPath('/string'), '/string');
      assert.equal(validate.toPath(bytes), bytes);
      assert.equal(validate.toPath(pathToFileURL('/a b/ü')), '/a b/ü');
    });

    it('leaves the rest to Node', () => {
      const others = [
        undefined,
        null,
        1,
        {},
        [],
        new URL('http://host/'),
        new URL('file://host/x'),
      ];
      others.push(new Uint16Array(2), new DataView(new ArrayBuffer(2)), Symbol('x'));
      for (const other of others) assert.equal(validate.toPath(other), undefined);
    });
  });

  describe('toFlags', () => {
    const names = ['r', 'rs', 'sr', 'r+', 'rs+', 'sr+', 'w', 'wx', 'xw', 'w+', 'wx+', 'xw+'];
    names.push('a', 'ax', 'xa', 'as', 'sa', 'a+', 'ax+', 'xa+', 'as+', 'sa+');

    for (const name of names) {
      it(`${name} opens as with Node`, () => {
        const file = folder.in(`flags-${names.indexOf(name)}`);
        function open(flags) {
          nodeFs.rmSync(file, { force: true });
          if (name.includes('r')) nodeFs.writeFileSync(file, 'contents');
          const fd = nodeFs.openSync(file, flags);
          const info = nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
          const made = nodeFs.fstatSync(fd).size;
          nodeFs.closeSync(fd);
          return [/^flags:\s*(\d+)/m.exec(info)[1], made];
        }
        assert.deepEqual(open(validate.toFlags(name)), open(name));
      });

      it(`${name} creates, truncates and excludes as with Node`, () => {
        const outcome = (flags, exists) => {
          const file = folder.in('outcome');
          nodeFs.rmSync(file, { force: true });
          if (exists) nodeFs.writeFileSync(file, 'contents');
          try {
            nodeFs.closeSync(nodeFs.openSync(file, flags));
          } catch ({ code }) {
            return code;
          }
          return nodeFs.statSync(file).size;
        };
        for (const exists of [true, false]) {
          assert.equal(outcome(validate.toFlags(name), exists), outcome(name, exists));
        }
      });
    }

    it('takes numbers, and gives the default for nothing', () => {
      assert.equal(validate.toFlags(O_RDWR | O_SYNC, 0), O_RDWR | O_SYNC);
      assert.equal(validate.toFlags(undefined, O_APPEND), O_APPEND);
      assert.equal(validate.toFlags(null, O_WRONLY), O_WRONLY);
    });

    it('leaves the rest to Node', () => {
      for (const other of ['', 'R', 'rw', ' r', 1.5, NaN, 2 ** 31, {}, true, 1n]) {
        assert.equal(validate.toFlags(other, 0), undefined);
      }
    });
  });

  it('toMode', () => {
    const { toMode } = validate;
    assert.deepEqual(
      [toMode(undefined, 5), toMode(0o644), toMode('644'), toMode('0')],
      [5, 420, 420, 0],
    );
    for (const other of ['', '8', '0o644', '-1', -1, 1.5, 2 ** 32, NaN, null, {}, '77777777777']) {
      assert.equal(toMode(other, 0), undefined, String(other));
    }
  });

  it('toOptions', () => {
    const { toOptions } = validate;
    const given = { encoding: 'utf8' };
    assert.equal(toOptions(given), given);
    assert.deepEqual(toOptions('latin1'), { encoding: 'latin1' });
    for (const nothing of [undefined, null, () => {}]) {
      assert.deepEqual(Object.keys(toOptions(nothing)), []);
    }
    for (const other of [1, true, 1n, Symbol('x')]) assert.equal(toOptions(other), undefined);
  });

  it('isEncoding, isSignal, isFlush, isBoolean', () => {
    const { isBoolean, isEncoding, isFlush, isSignal } = validate;
    for (const good of [undefined, null, '', 'utf8', 'UTF-8', 'hex', 'latin1', 'base64url']) {
      assert.equal(isEncoding(good), true);
    }
    for (const bad of ['buffer', 'unknown', 5, {}]) assert.equal(isEncoding(bad), false);
    assert.deepEqual([undefined, AbortSignal.abort(), null, {}].map(isSignal), [
      true,
      true,
      false,
      false,
    ]);
    assert.deepEqual([undefined, null, true, false, 1, 'x'].map(isFlush), [
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    assert.deepEqual([undefined, true, null, 0].map(isBoolean), [true, true, false, false]);
  });

  it('isPosition: whole numbers that are exact', () => {
    const { isPosition } = validate;
    for (const good of [0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER])
      assert.equal(isPosition(good), true);
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53, '1', 1n, null, undefined]) {
      assert.equal(isPosition(bad), false);
    }
  });

  it('isCustomIterable: neither strings nor views', () => {
    const { isCustomIterable } = validate;
    const sources = [[], new Set(), (function* none() {})(), (async function* none() {})()];
    for (const good of sources) assert.equal(isCustomIterable(good), true);
    for (const bad of ['text', Buffer.alloc(1), null, undefined, {}, 5]) {
      assert.equal(isCustomIterable(bad), false);
    }
  });

  it('toBytes: the same memory', () => {
    const memory = new ArrayBuffer(16);
    const bytes = new Uint8Array(memory, 4, 8);
    assert.equal(validate.toBytes(bytes), bytes);
    for (const view of [new DataView(memory, 4, 8), new Uint32Array(memory, 4, 2)]) {
      const same = validate.toBytes(view);
      assert.deepEqual([same.buffer, same.byteOffset, same.length], [memory, 4, 8]);
    }
  });
});
