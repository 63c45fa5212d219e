'use strict';

/** Burns a core while the last byte of its input is '1'; answers each input; ends with it. */

/** Milliseconds between two looks at the input. */
const STRETCH = 2;

let spinning = false;

function spin() {
  const end = performance.now() + STRETCH;
  while (performance.now() < end);
  if (spinning) setImmediate(spin);
}

process.stdin.setEncoding('latin1').on('data', (text) => {
  const before = spinning;
  spinning = text.endsWith('1');
  if (spinning && !before) setImmediate(spin);
  process.stdout.write('.');
});
process.stdin.on('end', () => process.exit());
