// Type definitions for uring-fs.
//
// The functions are those of `node:fs/promises` as the installed @types/node declares them, so the
// version of @types/node decides which of them are known to the compiler, just as the version of
// Node decides which of them exist at run time. Declared here is only what uring-fs adds or makes
// its own; a declaration in this file takes precedence over one that `export *` brings along.

/// <reference types="node" />

import { EventEmitter } from 'node:events';
import type { BigIntStats, Mode, PathLike, Stats } from 'node:fs';
import type * as promises from 'node:fs/promises';

export * from 'node:fs/promises';

/**
 * Opens a file and resolves with a {@link FileHandle} whose operations go through the ring. Takes
 * what `open` of `node:fs/promises` takes.
 *
 * @param path File to open: a string, a Buffer or a `file:` URL.
 * @param flags File system flags, such as `'r'`, `'w+'` or `'ax'`, or a number made of
 *   `constants.O_*`. Default: `'r'`.
 * @param mode Permission bits of a file that is created, reduced by the umask of the process.
 *   Default: `0o666`.
 */
export function open(path: PathLike, flags?: string | number, mode?: Mode): Promise<FileHandle>;

/**
 * An open file, made by {@link open}: it cannot be constructed. A class of uring-fs with all
 * methods of Node's `FileHandle`, and assignable to that type. Where io_uring is ruled out from the
 * start, `open` resolves with Node's own handles, and `instanceof FileHandle` holds for those.
 *
 * Emits `'close'`, without arguments, when the descriptor has been closed. A handle has to be
 * closed, with `close()` or `await using`; one that is garbage-collected open is closed, and a
 * warning is printed.
 *
 * Functions that take a handle (`readFile`, `writeFile`, `appendFile`) take this one and Node's.
 * Node's own functions that take a `FileHandle` object at run time, such as `fs.createReadStream`
 * with the option `fd`, know only Node's: use the methods of the handle there.
 */
export class FileHandle extends EventEmitter<{ close: [] }> {
  private constructor();
}

export interface FileHandle extends promises.FileHandle {}

/** What {@link readFiles} and {@link statFiles} both take. */
export interface ManyOptions {
  /** Ends the call: it rejects with an `AbortError` at once. */
  signal?: AbortSignal | undefined;
  /**
   * Whether to resolve with what became of each path, as `Promise.allSettled()` does, instead of
   * rejecting with the first error. An aborted `signal` rejects even so. Default: `false`.
   */
  settled?: boolean | undefined;
}

/** Options of {@link readFiles}. */
export interface ReadFilesOptions extends ManyOptions {
  /** Decodes the contents to strings. Default: none, which gives Buffers. */
  encoding?: BufferEncoding | null | undefined;
  /**
   * Whether each Buffer owns its `ArrayBuffer`, at `byteOffset` 0, as those of `readFile` do. Those
   * of small files otherwise share pieces of memory of 64 KiB, which is quicker: look at the
   * Buffers, not at their `.buffer`, and know that one keeps its neighbours' memory. Default:
   * `false`.
   */
  separate?: boolean | undefined;
}

/** Options of {@link statFiles}. */
export interface StatFilesOptions extends ManyOptions {
  /** Whether to resolve with `BigIntStats`. Default: `false`. */
  bigint?: boolean | undefined;
}

/**
 * Reads many whole files. Resolves with their contents in the order of the paths; rejects with the
 * first error, and tells the kernel to give up what is then under way. No more than 256 files are
 * worked on at a time, whatever the number of paths, and paths are taken from the iterable as they
 * are needed.
 *
 * Rejects with `ERR_INVALID_ARG_TYPE` when `paths` is not iterable (a string is one path, not many)
 * or an option has the wrong type, with Node's errors for a wrong encoding, signal or path.
 *
 * @param paths Files to read, each as `readFile` takes it: strings, Buffers or `file:` URLs.
 * @param options Options, or an encoding.
 */
export function readFiles(
  paths: Iterable<PathLike>,
  options: ReadFilesOptions & { encoding: BufferEncoding; settled: true },
): Promise<PromiseSettledResult<string>[]>;
export function readFiles(
  paths: Iterable<PathLike>,
  options: ReadFilesOptions & { encoding?: null | undefined; settled: true },
): Promise<PromiseSettledResult<Buffer>[]>;
export function readFiles(
  paths: Iterable<PathLike>,
  options:
    (ReadFilesOptions & { encoding: BufferEncoding; settled?: false | undefined }) | BufferEncoding,
): Promise<string[]>;
export function readFiles(
  paths: Iterable<PathLike>,
  options?:
    (ReadFilesOptions & { encoding?: null | undefined; settled?: false | undefined }) | null,
): Promise<Buffer[]>;

/**
 * `stat` of many paths: as {@link readFiles}, with `Stats` in place of contents. Symbolic links are
 * followed.
 *
 * @param paths Paths to look at: strings, Buffers or `file:` URLs.
 * @param options Options.
 */
export function statFiles(
  paths: Iterable<PathLike>,
  options: StatFilesOptions & { bigint: true; settled: true },
): Promise<PromiseSettledResult<BigIntStats>[]>;
export function statFiles(
  paths: Iterable<PathLike>,
  options: StatFilesOptions & { bigint?: false | undefined; settled: true },
): Promise<PromiseSettledResult<Stats>[]>;
export function statFiles(
  paths: Iterable<PathLike>,
  options: StatFilesOptions & { bigint: true; settled?: false | undefined },
): Promise<BigIntStats[]>;
export function statFiles(
  paths: Iterable<PathLike>,
  options?: StatFilesOptions & { bigint?: false | undefined; settled?: false | undefined },
): Promise<Stats[]>;

/** Options of {@link writeFileAtomic}. */
export interface WriteFileAtomicOptions {
  /** Of a string. Default: `'utf8'`. */
  encoding?: BufferEncoding | null;
  /**
   * Permission bits of the new file, reduced by the umask. Default: those of the file it replaces,
   * exactly; without one `0o666`, reduced by the umask.
   */
  mode?: Mode;
  /** Whether to wait until content and name are on the disk. Default: `true`. */
  flush?: boolean;
  /** Gives up, as long as the new file is not in place. */
  signal?: AbortSignal;
}

/**
 * Replaces the content of a file whole, or not at all: whoever reads it meanwhile, even after this
 * process was killed, sees all of the old content or all of the new. With `flush` that holds for a
 * crash of the system too, and once the promise is fulfilled the new content is there to stay.
 *
 * The content is written to a temporary file in the same folder, `.<random>.tmp`, which then gets
 * the name of the other. So the folder must be writable; the file is a new one, whose other hard
 * links and open handles keep the old content. It keeps the mode of the old file and, where that is
 * permitted, its owner, but not its extended attributes. Symbolic links are followed: they stay, and
 * what they lead to is replaced. Directories, FIFOs and devices are refused.
 *
 * A rejection means that the old content is untouched and the temporary file removed, with one
 * exception: when it comes from the last step, the fsync of the folder, the new content is in place
 * and may not survive a crash of the system. A process that is killed can leave the temporary file.
 *
 * @param path File to replace or make: a string, a Buffer or a `file:` URL.
 * @param data What `writeFile` takes.
 */
export function writeFileAtomic(
  path: PathLike,
  data: Parameters<promises.FileHandle['writeFile']>[0],
  options?: WriteFileAtomicOptions | BufferEncoding | null,
): Promise<void>;

/**
 * What carries out the operations: the ring (`'io_uring'`), or Node's own functions on libuv's
 * thread pool (`'threadpool'`).
 */
export type Backend = 'io_uring' | 'threadpool';

/**
 * What serves one operation: the ring (`'ring'`), or Node's own function (`'pool'`).
 */
export type ServedBy = 'ring' | 'pool';

/**
 * Name of an operation in {@link RingStatus.operations}: a function of `node:fs/promises`
 * (`'readFile'`, `'stat'`), or a method of {@link FileHandle} that returns a promise (`'read'`,
 * `'datasync'`). A name that is both stands for both.
 */
export type OperationName = PromisesFunctionName | FileHandleMethodName;

/** Name of a function of `node:fs/promises`. */
type PromisesFunctionName = {
  [Name in keyof typeof promises]: (typeof promises)[Name] extends (...args: never) => unknown
    ? Name
    : never;
}[keyof typeof promises];

/** Name of a method of a handle that returns a promise. */
type FileHandleMethodName = {
  [Name in string & keyof promises.FileHandle]: promises.FileHandle[Name] extends (
    ...args: never
  ) => Promise<unknown>
    ? Name
    : never;
}[string & keyof promises.FileHandle];

/**
 * Why the thread pool serves:
 *
 * - `'environment'`: `URING_FS_BACKEND=threadpool` is set;
 * - `'platform'`, `'bun'`, `'deno'`: not Linux, or another runtime than Node;
 * - `'permission-model'`: that of Node is active;
 * - `'no-module'`: there is no native module, or it cannot be loaded;
 * - `'not-loaded'`: the files of this package cannot be read (no descriptor is left, say);
 * - `'no-io-uring'`, `'old-kernel'`: the kernel has no io_uring, or too old a one;
 * - `'sysctl'`, `'seccomp'`, `'security-module'`: what forbids it;
 * - `'memlock'`, `'descriptors'`: a limit that is in its way;
 * - `'no-answer'`, `'set-up'`: a first request did not come back, or the set-up failed otherwise;
 * - `'broken'`: the ring failed while in use.
 */
export type ReasonCode =
  | 'environment'
  | 'platform'
  | 'bun'
  | 'deno'
  | 'permission-model'
  | 'no-module'
  | 'not-loaded'
  | 'no-io-uring'
  | 'old-kernel'
  | 'sysctl'
  | 'seccomp'
  | 'security-module'
  | 'memlock'
  | 'descriptors'
  | 'no-answer'
  | 'set-up'
  | 'broken';

/**
 * Which backend serves this thread, and how its ring is set up. A plain object, fit for
 * `JSON.stringify`.
 */
export interface RingStatus {
  /** What carries out the operations. */
  backend: Backend;
  /** Why the thread pool serves. `null` when the ring does. */
  code: ReasonCode | null;
  /** The same in words. `npx uring-fs doctor` has a remedy for each. */
  reason: string | null;
  /** Release of the running kernel, as `os.release()` gives it: `'6.12.48'`. */
  kernel: string;
  /**
   * Flags the ring was set up with: `'SINGLE_ISSUER'` for `IORING_SETUP_SINGLE_ISSUER`. Empty when
   * there is no ring.
   */
  setupFlags: string[];
  /** Entries of the submission queue. `0` when there is no ring. */
  sqEntries: number;
  /**
   * Entries of the completion queue: a bound on what is in flight at a time. `0` when there is no
   * ring.
   */
  cqEntries: number;
  /**
   * Whether the kernel has been told to refuse all that the ring is not for: sockets, other
   * processes, registrations. `false` when there is no ring, or no such thing in the kernel.
   */
  restricted: boolean;
  /** The settings that the ring is made with, or will be. */
  tuning: RingTuning;
  /**
   * What serves each operation of the running Node: `'ring'`, or `'pool'` where the kernel has no
   * opcode for it (or there is no ring). A name of which some calls go one way and some the other
   * (`access` with `F_OK` and with other modes) is `'ring'`.
   */
  operations: Record<OperationName, ServedBy>;
}

/**
 * Counters of this thread's ring since it was made, in requests but for `enters`. A request is one
 * operation, such as a whole `readFile` of a small file, however many steps the kernel does for it.
 * All are `0` when there has been no ring.
 */
export interface RingStats {
  /** Requests made, including those that are still queued or in flight. */
  submitted: number;
  /** Requests that are done, well or not. */
  completed: number;
  /**
   * Requests among `completed` that were done as soon as they were submitted (served from the page
   * cache, for example), and were settled without a turn of the event loop.
   */
  inline: number;
  /** Calls of `io_uring_enter(2)`. */
  enters: number;
  /** Requests that wait to be submitted, now. */
  queued: number;
  /** Requests the kernel, or the thread beside the ring, is working on, now. */
  inFlight: number;
  /** The most that `queued` has been. */
  peakQueued: number;
  /** The most that `inFlight` has been. */
  peakInFlight: number;
  /**
   * Requests among `completed` that the thread beside the ring has done: see `helper` in
   * {@link RingOptions}.
   */
  helped: number;
}

/** What {@link Ring.configure} sets, each with its variable of the environment. */
export interface RingOptions {
  /**
   * Entries of the submission queue, `8` to `4096`, rounded up to a power of two: how much goes to
   * the kernel at once. The completion queue has 16 times as many, which is what can be in flight.
   * Where there is no memory for it, the ring is smaller. Default: `256`, or `URING_FS_ENTRIES`.
   */
  entries?: number | undefined;
  /**
   * Milliseconds, `0` to `1000`, for which completions may settle promises before the event loop
   * has to turn, so that timers and sockets wait no longer. Default: `1`, or
   * `URING_FS_INLINE_BUDGET`.
   */
  inlineBudget?: number | undefined;
  /**
   * How many kernel workers may be blocked at a time, `1` to `4096` (those for regular files; they
   * are made only when needed). Default: `256`, or `URING_FS_WORKERS`.
   */
  workers?: number | undefined;
  /**
   * Blocks of 16 KiB for small whole files, `1` to `512`, and so the number of whole-file calls by
   * path that the kernel has at a time. Only those that are used take memory. Default: `512`, or
   * `URING_FS_SLAB`.
   */
  slab?: number | undefined;
  /**
   * Whether a kernel thread submits (`IORING_SETUP_SQPOLL`), which costs its CPU time as long as
   * anything goes on. Where it cannot be had, the ring is made without: `setupFlags` says so.
   * Default: `false`, or `URING_FS_SQPOLL` (`0` or `1`).
   */
  sqpoll?: boolean | PollingOptions | undefined;
  /**
   * Whether a thread helps with small files, and `stat`, where twenty or more are waited for at a
   * time and another CPU is idle, so that two CPUs are at it instead of one. It is made when first
   * needed, takes only what is in memory, sleeps when there is nothing to do, and rests for 200 ms
   * where to wake it up takes longer than it saves. With fewer blocks than by default (`slab`, or
   * for lack of descriptors) there is none, nor while the process has given up rights for a time
   * (`process.seteuid()`). Default: `true`, or `URING_FS_HELPER` (`0` or `1`).
   */
  helper?: boolean | undefined;
}

/** Of the kernel thread that submits. */
export interface PollingOptions {
  /**
   * Milliseconds without work, `1` to `60000`, after which it sleeps. Default: `20`, or
   * `URING_FS_SQPOLL_IDLE`.
   */
  idle?: number | undefined;
  /** The CPU that it stays on. Default: any, or `URING_FS_SQPOLL_CPU`. */
  cpu?: number | undefined;
}

/** Settings in force: see {@link RingOptions}. */
export interface RingTuning {
  entries: number;
  inlineBudget: number;
  workers: number;
  slab: number;
  helper: boolean;
  /** `null`: no kernel thread. */
  sqpoll: { idle: number; cpu: number | null } | null;
}

/** A look at the ring of this thread: each worker thread has its own. */
export interface Ring {
  /**
   * Sets how the ring of this thread will be made. To be called before it is first used (by any
   * operation, or by `status()`); once it is, throws `ERR_INVALID_STATE`. Calls add up. Throws
   * `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for wrong settings, and then sets none.
   *
   * Variables of the environment say the same for a whole process, and have less to say. One with
   * a wrong value is warned of when the ring is made, and not heeded.
   */
  configure(options: RingOptions): void;
  /** Says which backend serves, and why. Makes the ring when nothing has used it so far. */
  status(): RingStatus;
  /** Returns a snapshot of the counters. */
  stats(): RingStats;
}

/** The ring of this thread. */
export const ring: Ring;
