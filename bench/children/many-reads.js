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
  const results = await Promise.allSettled(pending);
  const milliseconds = performance.now() - began;

  let bytes = 0;
  const failures = {};
  for (const { value, reason } of results) {
    if (value) bytes += value.length;
    else failures[reason.code ?? reason.name] = (failures[reason.code ?? reason.name] ?? 0) + 1;
  }
  const peak = (process.resourceUsage().maxRSS - before) * RSS_UNIT;
  const succeeded = results.filter(({ status }) => status === 'fulfilled').length;
  // The parent may have been killed meanwhile.
  if (!process.connected) return;
  process.send({ milliseconds, succeeded, bytes, failures, above: peak - bytes });
}

main().finally(() => process.connected && process.disconnect());
