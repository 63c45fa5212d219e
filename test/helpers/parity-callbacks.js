'use strict';

// The callback functions of a `node:fs` as parity-compare.js looks at functions: each gives a promise of
// what its callback was told.

/** Where the callback goes among the arguments of a call. */
const CALLBACK = Symbol('callback');

/**
 * @param {typeof import('node:fs')} fs
 * @returns {Record<string, (...args: any[]) => Promise<any> | undefined>} what a function throws at once
 *   it throws; without CALLBACK among its arguments nothing is waited for
 */
function told(fs) {
  return new Proxy(fs, {
    get: (target, name) =>
      typeof target[name] === 'function' ? (...args) => call(target[name], args) : target[name],
  });
}

function call(fn, args) {
  if (!args.includes(CALLBACK)) return fn(...args);
  let resolve;
  const outcome = new Promise((take) => {
    resolve = take;
  });
  let calls = 0;
  let returned = false;
  const callback = (...values) => {
    calls++;
    if (calls > 1) throw new Error(`the callback was called ${calls} times`);
    resolve({ told: values, atOnce: !returned });
  };
  fn(...args.map((arg) => (arg === CALLBACK ? callback : arg)));
  returned = true;
  return outcome;
}

module.exports = { CALLBACK, told };
