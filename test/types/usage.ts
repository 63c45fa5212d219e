// What a program written in TypeScript does with uring-fs, compiled and never run. `expectType`
// states what an expression has to be, `@ts-expect-error` what the compiler has to refuse.

import { once } from 'node:events';
import {
  createReadStream as createNodeReadStream,
  type BigIntStats,
  type BigIntStatsFs,
  type Dir,
  type Dirent,
  type ReadStream,
  type Stats,
  type StatsFs,
  type WriteStream,
} from 'node:fs';
import * as nodePromises from 'node:fs/promises';
import type { Interface as ReadlineInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { promisify } from 'node:util';

import fsDefault from 'uring-fs';
import * as fs from 'uring-fs';
import {
  constants,
  FileHandle,
  open,
  readFile,
  ring,
  type Backend,
  type OperationName,
  type Ring,
  type RingOptions,
  type RingStats,
  type RingStatus,
  type ServedBy,
} from 'uring-fs';
import fsRequired = require('uring-fs');
import * as dropIn from 'uring-fs/fs';
import { register, unregister } from 'uring-fs/register';

/** True for the same type only: `any` equals nothing but itself. */
type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when the type of the argument, promise unwrapped, is `Expected`. */
declare function expectType<Expected>(): <Actual>(
  actual: Actual,
  ...same: Equal<Awaited<Actual>, Expected> extends true ? [] : [never]
) => Awaited<Actual>;

/** A Buffer of which nobody else sees the memory: what fs/promises resolves with. */
type OwnBuffer = Buffer<ArrayBuffer>;

const bytes = new Uint8Array(16);
const path = '/tmp/example';
const url = new URL('file:///tmp/example');
const { signal } = new AbortController();

export async function ways(): Promise<void> {
  expectType<OwnBuffer>()(fsDefault.readFile(path));
  expectType<OwnBuffer>()(fsRequired.readFile(path));
  expectType<OwnBuffer>()(readFile(path));
  expectType<FileHandle>()(fsDefault.open(path));
  expectType<FileHandle>()(fsRequired.open(path));
  expectType<FileHandle>()(open(path));
  expectType<Ring>()(fsDefault.ring);
  expectType<Ring>()(fsRequired.ring);

  const { readFile: destructured } = await import('uring-fs');
  expectType<OwnBuffer>()(destructured(path));

  // It stands in where a program asks for fs/promises, in whole or in part.
  const whole: typeof nodePromises = fs;
  const part: Pick<typeof nodePromises, 'open' | 'readFile' | 'stat'> = { ...fs };
  expectType<OwnBuffer>()(whole.readFile(path));
  expectType<Stats>()(part.stat(path));

  // @ts-expect-error an unknown name
  fs.readFiel(path);
  // @ts-expect-error the synchronous functions are those of node:fs
  fs.readFileSync(path);
}

export async function readWhole(handle: FileHandle): Promise<void> {
  expectType<OwnBuffer>()(fs.readFile(path));
  expectType<OwnBuffer>()(fs.readFile(url, { signal, flag: 'r+' }));
  expectType<OwnBuffer>()(fs.readFile(Buffer.from(path), null));
  expectType<OwnBuffer>()(fs.readFile(handle));
  expectType<string>()(fs.readFile(path, 'utf8'));
  expectType<string>()(fs.readFile(path, { encoding: 'latin1', signal }));
  expectType<ArrayBuffer>()((await fs.readFile(path)).buffer);

  // @ts-expect-error no such encoding
  await fs.readFile(path, 'utf-7');
  // @ts-expect-error no callback here
  await fs.readFile(path, () => {});
  // @ts-expect-error a descriptor is no handle
  await fs.readFile(3);
}

export async function writeWhole(handle: FileHandle): Promise<void> {
  async function* chunks(): AsyncGenerator<string> {
    yield 'text';
  }

  expectType<void>()(fs.writeFile(path, 'text', 'utf8'));
  expectType<void>()(fs.writeFile(url, bytes, { mode: 0o600, flag: 'wx', flush: true, signal }));
  expectType<void>()(fs.writeFile(path, new DataView(bytes.buffer)));
  expectType<void>()(fs.writeFile(path, ['a', 'b']));
  expectType<void>()(fs.writeFileAtomic(path, 'text'));
  expectType<void>()(fs.writeFileAtomic(url, bytes, { mode: 0o600, flush: false, signal }));
  expectType<void>()(fs.writeFileAtomic(path, chunks(), 'latin1'));
  // @ts-expect-error it has no flag
  void fs.writeFileAtomic(path, 'text', { flag: 'a' });
  expectType<void>()(fs.writeFile(path, chunks()));
  expectType<void>()(fs.writeFile(path, handle.createReadStream()));
  expectType<void>()(fs.writeFile(handle, 'text'));
  expectType<void>()(fs.appendFile(path, 'text', { flush: true }));
  expectType<void>()(fs.appendFile(handle, bytes));

  // @ts-expect-error data is missing
  await fs.writeFile(path);
  // @ts-expect-error a number is no data
  await fs.writeFile(path, 1);
  // @ts-expect-error flush is a boolean
  await fs.appendFile(path, 'text', { flush: 'yes' });
}

export async function statistics(bigint: boolean): Promise<void> {
  expectType<Stats>()(fs.stat(path));
  expectType<Stats>()(fs.lstat(url, {}));
  expectType<BigIntStats>()(fs.stat(path, { bigint: true }));
  expectType<BigIntStats>()(fs.lstat(path, { bigint: true }));
  expectType<Stats | BigIntStats>()(fs.stat(path, { bigint }));
  expectType<StatsFs>()(fs.statfs(path));
  expectType<BigIntStatsFs>()(fs.statfs(path, { bigint: true }));
  expectType<bigint>()((await fs.stat(path, { bigint: true })).mtimeNs);
  expectType<void>()(fs.access(path));
  expectType<void>()(fs.access(path, constants.R_OK | constants.W_OK));

  // @ts-expect-error nanoseconds are in BigIntStats
  (await fs.stat(path)).mtimeNs;
  // @ts-expect-error a mode is a number
  await fs.access(path, 'r');
}

export async function folders(): Promise<void> {
  expectType<void>()(fs.mkdir(path, 0o700));
  expectType<string | undefined>()(fs.mkdir(path, { recursive: true }));
  expectType<string>()(fs.mkdtemp(path));
  expectType<OwnBuffer>()(fs.mkdtemp(path, 'buffer'));
  expectType<string[]>()(fs.readdir(path, { recursive: true }));
  expectType<Dirent[]>()(fs.readdir(path, { withFileTypes: true }));
  expectType<OwnBuffer[]>()(fs.readdir(path, 'buffer'));
  expectType<Dir>()(fs.opendir(path, { bufferSize: 64 }));
  expectType<void>()(fs.rmdir(path));
  expectType<void>()(fs.rm(path, { recursive: true, force: true, maxRetries: 3 }));
  for await (const entry of await fs.opendir(path)) expectType<Dirent>()(entry);
  for await (const entry of fs.glob('*.js')) expectType<string>()(entry);
  for await (const change of fs.watch(path, { signal })) {
    expectType<string | null>()(change.filename);
  }

  // @ts-expect-error recursive is a boolean
  await fs.mkdir(path, { recursive: 1 });
  // @ts-expect-error without withFileTypes the entries are strings
  (await fs.readdir(path))[0]?.isFile();
  // @ts-expect-error a watcher is no promise
  fs.watch(path).then(() => {});
}

export async function names(): Promise<void> {
  expectType<void>()(fs.rename(path, url));
  expectType<void>()(fs.copyFile(path, url, constants.COPYFILE_EXCL));
  expectType<void>()(fs.cp(path, url, { recursive: true }));
  expectType<void>()(fs.link(path, url));
  expectType<void>()(fs.symlink(path, url, 'file'));
  expectType<void>()(fs.unlink(Buffer.from(path)));
  expectType<string>()(fs.readlink(path));
  expectType<OwnBuffer>()(fs.readlink(path, 'buffer'));
  expectType<string>()(fs.realpath(path, 'utf8'));

  // @ts-expect-error the second path is missing
  await fs.rename(path);
  // @ts-expect-error a path is a string, a Buffer or a URL
  await fs.unlink(7);
}

export async function attributes(): Promise<void> {
  expectType<void>()(fs.chmod(path, '644'));
  expectType<void>()(fs.chown(path, 1000, 1000));
  expectType<void>()(fs.lchown(path, 1000, 1000));
  expectType<void>()(fs.utimes(path, new Date(), 0));
  expectType<void>()(fs.lutimes(path, '1700000000', 0));
  expectType<void>()(fs.truncate(path, 10));

  // @ts-expect-error the group is missing
  await fs.chown(path, 1000);
  // @ts-expect-error a length is a number
  await fs.truncate(path, 10n);
}

export async function handles(): Promise<void> {
  await using handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  expectType<FileHandle>()(handle);
  expectType<number>()(handle.fd);
  expectType<boolean>()(handle instanceof fs.FileHandle);

  const positions: (number | bigint | null)[] = [0, 1n, null];
  for (const position of positions) {
    const result = await handle.read(bytes, 0, bytes.length, position);
    expectType<number>()(result.bytesRead);
    expectType<Uint8Array<ArrayBuffer>>()(result.buffer);
  }
  expectType<Uint8Array<ArrayBuffer>>()((await handle.read(bytes, { offset: 4 })).buffer);
  expectType<Uint8Array<ArrayBuffer>>()((await handle.read({ buffer: bytes, length: 4 })).buffer);
  expectType<OwnBuffer>()((await handle.read()).buffer);
  expectType<number>()((await handle.readv([bytes, bytes], 4)).bytesRead);

  expectType<{ bytesWritten: number; buffer: Uint8Array<ArrayBuffer> }>()(
    handle.write(bytes, 0, 4, null),
  );
  expectType<number>()((await handle.write(bytes, { offset: 4, position: 0 })).bytesWritten);
  expectType<{ bytesWritten: number; buffer: string }>()(handle.write('text', 0, 'utf8'));
  expectType<Uint8Array<ArrayBuffer>[]>()((await handle.writev([bytes])).buffers);

  expectType<OwnBuffer>()(handle.readFile({ signal }));
  expectType<string>()(handle.readFile('utf8'));
  expectType<void>()(handle.writeFile(['a', bytes], { encoding: 'utf8', signal }));
  expectType<void>()(handle.appendFile('text', 'utf8'));
  expectType<Stats>()(handle.stat());
  expectType<BigIntStats>()(handle.stat({ bigint: true }));
  expectType<void>()(handle.truncate(4));
  expectType<void>()(handle.sync());
  expectType<void>()(handle.datasync());
  expectType<void>()(handle.chmod(0o600));
  expectType<void>()(handle.chown(0, 0));
  expectType<void>()(handle.utimes(0, new Date()));

  expectType<ReadStream>()(handle.createReadStream({ start: 0, end: 9, encoding: 'utf8', signal }));
  expectType<WriteStream>()(handle.createWriteStream({ flush: true, highWaterMark: 4096 }));
  expectType<ReadableStream>()(handle.readableWebStream());
  expectType<ReadlineInterface>()(handle.readLines());
  for await (const line of handle.readLines({ encoding: 'utf8' })) expectType<string>()(line);
  await pipeline(handle.createReadStream(), (await fs.open(path, 'w')).createWriteStream());

  handle.on('close', () => {});
  expectType<FileHandle>()(handle.once('close', () => {}).off('close', () => {}));
  await once(handle, 'close');
  expectType<void>()(handle.close());
  expectType<void>()(handle[Symbol.asyncDispose]());

  // @ts-expect-error only open makes a handle
  new FileHandle(3);
  // @ts-expect-error and nothing derives from it
  class Derived extends FileHandle {}
  // @ts-expect-error the descriptor is read-only
  handle.fd = 4;
  // @ts-expect-error 'close' comes without arguments
  handle.on('close', (code: number) => code);
  // @ts-expect-error a number cannot be read into
  await handle.read(7);
  // @ts-expect-error views, not numbers
  await handle.writev([1, 2]);
  // @ts-expect-error datasync takes nothing
  await handle.datasync(true);
  // @ts-expect-error mode is missing
  await handle.chmod();
  // @ts-expect-error a Derived is never made
  new Derived().fd;
}

export async function handlesOfBoth(ours: FileHandle): Promise<void> {
  const takesNodes = (handle: nodePromises.FileHandle): number => handle.fd;
  expectType<number>()(takesNodes(ours));
  expectType<OwnBuffer>()(fs.readFile(await nodePromises.open(path)));
  expectType<void>()(fs.writeFile(await nodePromises.open(path, 'w'), ''));
  createNodeReadStream('', { fd: ours.fd });

  // @ts-expect-error @types/node declares Node's handle without its events
  const own: FileHandle = await nodePromises.open(path);
  expectType<FileHandle>()(own);
}

export function status(): string {
  const current = ring.status();
  expectType<RingStatus>()(current);
  expectType<Backend>()(current.backend);
  expectType<string | null>()(current.reason);
  expectType<string>()(current.kernel);
  expectType<string[]>()(current.setupFlags);
  expectType<number>()(current.sqEntries);
  expectType<number>()(current.cqEntries);
  expectType<boolean>()(current.restricted);
  const { tuning } = current;
  expectType<number[]>()([tuning.entries, tuning.inlineBudget, tuning.workers, tuning.slab]);
  expectType<number | null | undefined>()(tuning.sqpoll?.cpu);
  expectType<ServedBy>()(current.operations.readFile);
  expectType<ServedBy>()(current.operations.readdir);
  expectType<ServedBy>()(current.operations.readv);
  expectType<ServedBy>()(current.operations.datasync);
  for (const name of Object.keys(current.operations) as OperationName[]) {
    expectType<'ring' | 'pool'>()(current.operations[name]);
  }

  // @ts-expect-error there are two backends
  if (current.backend === 'uring') return '';
  // @ts-expect-error reason may be null
  if (current.reason.length > 0) return '';
  // @ts-expect-error not a name of fs/promises or of a handle
  if (current.operations.raed === 'ring') return '';
  // @ts-expect-error fd is no operation
  if (current.operations.fd === 'ring') return '';
  // @ts-expect-error constants is no operation
  if (current.operations.constants === 'ring') return '';
  // @ts-expect-error status takes nothing
  ring.status(true);
  expectType<void>()(ring.configure({ entries: 64, inlineBudget: 0.5, workers: 8, slab: 16 }));
  ring.configure({ sqpoll: true });
  ring.configure({ sqpoll: { idle: 5, cpu: 0 } });
  const none: RingOptions = {};
  ring.configure(none);
  // @ts-expect-error a number
  ring.configure({ entries: '64' });
  // @ts-expect-error no such setting
  ring.configure({ size: 64 });
  // @ts-expect-error settings are to be said
  ring.configure();
  // @ts-expect-error the ring is not to be replaced
  fs.ring = ring;

  return JSON.stringify(current);
}

export function stats(): number {
  const {
    submitted,
    completed,
    inline,
    enters,
    queued,
    inFlight,
    peakQueued,
    peakInFlight,
    helped,
  } = ring.stats();
  expectType<RingStats>()(ring.stats());
  expectType<Record<keyof RingStats, number>>()({ ...ring.stats() });

  // @ts-expect-error counters are numbers
  const text: string = submitted;
  // @ts-expect-error no such counter
  ring.stats().failed;

  return (
    text.length +
    completed +
    inline +
    enters +
    queued +
    inFlight +
    peakQueued +
    peakInFlight +
    helped
  );
}

// uring-fs/fs is node:fs, and uring-fs/register two functions.
export function dropIns(fd: number): void {
  dropIn.readFile('file', 'utf8', (error, text) => {
    expectType<NodeJS.ErrnoException | null>()(error);
    expectType<string>()(text);
  });
  dropIn.read(fd, Buffer.alloc(1), 0, 1, null, (error, bytesRead) => {
    expectType<number>()(bytesRead);
  });
  const contents = promisify(dropIn.readFile)('file');
  expectType<OwnBuffer>()(contents);
  const stream: ReadStream = dropIn.createReadStream('file', { start: 1 });
  const texts: Promise<string[]> = dropIn.promises.readFiles(['file'], 'utf8');
  const entries: string[] = dropIn.readdirSync('.');
  // @ts-expect-error a callback is missing
  dropIn.stat('file');
  const registered: boolean = register();
  unregister();
  void [stream, texts, entries, registered];
}
