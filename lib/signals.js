'use strict';
/** One listener for each AbortSignal, however many calls have it: Node warns of more than ten. */

/** What is to be called once a signal is aborted. @type {WeakMap<AbortSignal, Set<() => void>>} */
const waiting = new WeakMap();

function onAbort({ target }) {
  const callbacks = waiting.get(target);
  waiting.delete(target);
  target.removeEventListener('abort', onAbort);
  for (const callback of callbacks) callback();
}

/**
 * @param {AbortSignal} signal not aborted yet
 * @param {() => void} callback called when it is, unless unlisten() comes first
 */
function listen(signal, callback) {
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    callbacks = new Set();
    waiting.set(signal, callbacks);
    signal.addEventListener('abort', onAbort);
  }
  callbacks.add(callback);
}

/** The same arguments as those of listen(); does nothing when that has been over. */
function unlisten(signal, callback) {
  const callbacks = waiting.get(signal);
  if (callbacks === undefined || !callbacks.delete(callback) || callbacks.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', onAbort);
}

module.exports = { listen, unlisten };
