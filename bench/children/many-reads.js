'use strict';

/**
 * Reads files all at once, with the driver of a name, and sends the parent what came of it.
 * Arguments: the driver, how many reads, the paths.
 */

const { createDrivers } = require('../drivers');

/** Bytes of the unit of `maxRSS`. */
const RSS_UNIT = 1024;

const [name, count, ...paths] = process.argv.slice(2);

async function main() {
  const driver = createDrivers(require('../..')).find((each) => each.name === name);
  const before = process.resourceUsage().maxRSS;
  const began = performance.now();
  const pending = new Array(Number(count));
  for (let i = 0; i < pending.length; i++) pending[i] = driver.readFile(paths[i % paths.length]);
  let bytes = 0;
  let succeeded = 0;
  const failures = {};
  // One after the other, and not by Promise.allSettled(): its own objects are as large as ours. All
  // results stay alive, in their promises.
  for (const promise of pending) {
    try {
      bytes += (await promise).length;
      succeeded++;
    } catch ({ code, name: kind }) {
      failures[code ?? kind] = (failures[code ?? kind] ?? 0) + 1;
    }
  }
  const milliseconds = performance.now() - began;
  const peak = (process.resourceUsage().maxRSS - before) * RSS_UNIT;
  // The parent may have been killed meanwhile.
  if (!process.connected) return;
  process.send({ milliseconds, succeeded, bytes, failures, above: peak - bytes });
}

main().finally(() => process.connected && process.disconnect());
