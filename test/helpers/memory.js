'use strict';

// Memory that views lose.

/**
 * Takes the memory of a view away from it.
 *
 * @returns {ArrayBuffer} its new owner
 */
function takeMemory({ buffer }) {
  return structuredClone(buffer, { transfer: [buffer] });
}

/** The view, without its memory. */
function detached(view) {
  takeMemory(view);
  return view;
}

module.exports = { detached, takeMemory };
