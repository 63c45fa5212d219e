'use strict';
/**
 * uring-fs: the functions of `node:fs/promises`, through io_uring where the kernel has it.
 *
 * The surface is the running Node's: what has no opcode, or is newer than this package, is Node's own
 * function.
 */

const { constants } = require('node:fs');
const { binding } = require('./binding');
const { nodePromises } = require('./delegate');
const ring = require('./ring');

const { functions, FileHandle } =
  binding === null ? { functions: {}, FileHandle: require('./node-handle') } : require('./promises');

for (const [name, ours] of Object.entries(functions)) {
  const { length } = nodePromises[name];
  module.exports[name] = Object.defineProperty(ours, 'length', { value: length });
}
for (const name of Object.keys(nodePromises)) module.exports[name] ??= nodePromises[name];
Object.assign(module.exports, { constants, FileHandle, ring });
