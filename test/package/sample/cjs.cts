// The same as CommonJS, with the import that emits require().

import fs = require('uring-fs');
import { stat, type RingStats } from 'uring-fs';

async function main(): Promise<void> {
  const { size } = await stat(__filename, { bigint: true });
  const [stats] = await fs.statFiles([__filename]);
  const counted: RingStats = fs.ring.stats();
  const backend: fs.Backend = fs.ring.status().backend;
  console.log(backend, stats?.size === Number(size), typeof counted.submitted);
}

// @ts-expect-error the compiler knows what it takes
export const wrong = () => fs.readFile(5n);

void main();
