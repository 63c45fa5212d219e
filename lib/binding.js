'use strict';
/**
 * The native module, or the reason why this process does without it.
 *
 * @type {{ binding: object | null, reason: string | null }}
 */
module.exports = load();

function load() {
  const reason = whyNot();
  if (reason !== null) return { binding: null, reason };
  try {
    return { binding: require('../build/Release/uring_fs.node'), reason: null };
  } catch (error) {
    return { binding: null, reason: `the native module could not be loaded: ${firstLine(error)}` };
  }
}

/** Everything that rules io_uring out before the kernel is asked. */
function whyNot() {
  const wanted = process.env.URING_FS_BACKEND;
  if (wanted === 'threadpool') return 'URING_FS_BACKEND=threadpool';
  if (process.platform !== 'linux') return `io_uring is of Linux, this is ${process.platform}`;
  // Both run the addon's libuv calls not at all, or abort on them.
  if (process.versions.bun !== undefined) return 'Bun has no libuv loop to wake';
  if (process.versions.deno !== undefined) return 'Deno has no libuv loop to wake';
  // Node checks paths in its own fs functions only; an addon would go round the checks.
  if (process.permission !== undefined) return "Node's permission model is active";
  return null;
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}
