// The same as CommonJS, with the import that emits require(), and the other entries.

import fs = require('uring-fs');
import nodeFs = require('node:fs');
import { stat, type RingStats } from 'uring-fs';
import { createReadStream, promises, readFile } from 'uring-fs/fs';
import { register, unregister } from 'uring-fs/register';

async function main(): Promise<void> {
  const { size } = await stat(__filename, { bigint: true });
  const [stats] = await fs.statFiles([__filename]);
  const counted: RingStats = fs.ring.stats();
  const backend: fs.Backend = fs.ring.status().backend;
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(__filename)) chunks.push(chunk as Buffer);
  const same = promises === fs && Buffer.concat(chunks).length === stats?.size;
  const replaced: boolean[] = [register(), nodeFs.promises.readFile === fs.readFile];
  unregister();
  readFile(__filename, 'utf8', (error: NodeJS.ErrnoException | null, text: string) => {
    const read = error === null && BigInt(text.length) === size;
    console.log(backend, same, typeof counted.submitted, replaced.join(), read);
  });
}

// @ts-expect-error the compiler knows what it takes
export const wrong = () => fs.readFile(5n);

// @ts-expect-error and what that takes
export const wrongToo = () => readFile('file', 5n, () => {});

void main();
