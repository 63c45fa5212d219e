// A program in TypeScript, as an ES module: compiled with the strictest settings against the installed
// package, and run.

import fs, { open, readFile, readFiles, ring, writeFile, type RingStatus } from 'uring-fs';
import type { FileHandle as NodeFileHandle } from 'node:fs/promises';

const name = 'files/sample-esm';

async function firstBytes(path: string): Promise<Buffer> {
  await using handle = await open(path);
  const ofNode: NodeFileHandle = handle;
  const { buffer, bytesRead } = await ofNode.read(Buffer.alloc(5), 0, 5, 0);
  return buffer.subarray(0, bytesRead);
}

const status: RingStatus = ring.status();
await writeFile(name, 'hello, world');
const [text] = await readFiles([name], 'utf8');
const same: boolean = text === (await readFile(name, { encoding: 'utf8' }));
const settled = await fs.readFiles([name, 'files/none'], { settled: true });
const reasons = settled.map((each) => (each.status === 'rejected' ? String(each.reason.code) : ''));
await fs.unlink(name);

// @ts-expect-error the compiler knows what there is
export type None = typeof fs.readFiel;

console.log(status.backend, String(await firstBytes(import.meta.filename)), same, reasons.join());
