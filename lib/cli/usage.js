'use strict';
/** What the commands are asked for. */

const { parseArgs } = require('node:util');

/** What the user asked for makes no sense; the message says why. */
class UsageError extends Error {}

/**
 * @param {string[]} args
 * @param {import('node:util').ParseArgsConfig['options']} options beside --help
 * @param {string} what the one positional argument is called
 * @returns {{ values: object, positional: string | undefined }}
 * @throws {UsageError}
 */
function parse(args, options, what) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new UsageError(`one ${what}, not ${positionals.length}`);
  return { values, positional: positionals[0] };
}

module.exports = { UsageError, parse };
