// Type definitions for uring-fs/register.

/**
 * Puts the asynchronous functions of uring-fs in the place of those of `node:fs` and
 * `node:fs/promises`, for CommonJS and ES modules of this thread. Loading the module does that, so
 * this is for after {@link unregister}. Does nothing where it has been done, and where io_uring is
 * ruled out: `ring.status()` of uring-fs says why. Returns whether the functions are replaced now.
 */
export function register(): boolean;

/**
 * Puts Node's own functions back. What others have put in the place of ours since stays where it
 * is, and goes on to call them.
 */
export function unregister(): void;
