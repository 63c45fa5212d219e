'use strict';

// Generated calls come from a seed, so a failing run can be repeated: PARITY_SEED=<n> npm test.
const seed = Number(process.env.PARITY_SEED ?? 20261122) >>> 0;

function hash(text) {
  let h = 2166136261;
  for (const char of text) h = Math.imul(h ^ char.codePointAt(0), 16777619);
  return h >>> 0;
}

// Each test draws from a stream of its own, named after it: running one test alone, or adding
// another before it, changes none of its calls.
function randomFor(name) {
  let state = (seed ^ hash(name)) >>> 0;
  function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  const int = (low, high) => low + Math.floor(next() * (high - low + 1));
  const pick = (list) => list[int(0, list.length - 1)];
  function bytes(length) {
    const out = Buffer.alloc(length);
    for (let i = 0; i < length; i++) out[i] = int(0, 255);
    return out;
  }
  return { next, int, pick, bytes };
}

module.exports = { seed, randomFor };
