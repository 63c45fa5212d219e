// Type definitions for uring-fs/fs: those of `node:fs`, as the installed @types/node declares them.
// Its own is only `promises`; a declaration in this file takes precedence over one that `export *`
// brings along.

/// <reference types="node" />

import * as promises from 'uring-fs';

export * from 'node:fs';

/** The functions of uring-fs, in place of those of `node:fs/promises`. */
export { promises };
