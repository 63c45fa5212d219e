'use strict';

// Calls that fail for lack of permission. Nothing is forbidden to root, so they run in a process
// of their own that gives its rights up first. Prints the number of comparisons and, when some
// differ, which.

const fs = require('node:fs');
const path = require('node:path');
const { Parity } = require('./parity-compare');

const NOBODY = 65534;

// At first everything is permitted, so that the twin can be made; then `locked` is closed.
function populate(dir) {
  const at = (...names) => path.join(dir, ...names);
  fs.writeFileSync(at('secret'), 'secret', { mode: 0 });
  fs.writeFileSync(at('readonly'), 'read only', { mode: 0o444 });
  fs.writeFileSync(at('writeonly'), 'write only', { mode: 0o222 });
  fs.writeFileSync(at('file'), 'file');
  for (const [name, mode] of [
    ['locked', 0],
    ['unlistable', 0o311],
    ['unsearchable', 0o644],
    ['unwritable', 0o555],
  ]) {
    fs.mkdirSync(at(name));
    fs.writeFileSync(at(name, 'inner'), 'inner');
    fs.chmodSync(at(name), mode);
  }
  fs.mkdirSync(at('parent', 'empty'), { recursive: true });
  fs.chmodSync(at('parent'), 0o555);
}

const TARGETS = [
  'secret',
  'readonly',
  'writeonly',
  'locked',
  'locked/inner',
  'locked/missing',
  'unlistable',
  'unlistable/inner',
  'unsearchable/inner',
  'unwritable',
  'unwritable/inner',
  'unwritable/new',
  'parent',
  'parent/empty',
  '/root/x',
  '/etc/shadow',
  '/proc/1/mem',
];

// Nothing here could change anything outside of the twin folder, not even if it were permitted.
const READING = [
  ['readFile'],
  ['readFile', 'utf8'],
  ['open', 'r'],
  ['stat'],
  ['lstat'],
  ['access'],
  ['access', 4],
  ['access', 2],
  ['access', 1],
  ['readdir'],
  ['opendir'],
  ['realpath'],
  ['readlink'],
];
const WRITING = [
  ['open', 'w'],
  ['open', 'r+'],
  ['open', 'a'],
  ['open', 'wx'],
  ['writeFile', 'data'],
  ['writeFile', ['da', 'ta']],
  ['writeFile', 'data', { flush: true }],
  ['appendFile', 'data'],
  ['truncate'],
  ['truncate', 2],
  ['unlink'],
  ['rmdir'],
  ['rm'],
  ['rm', { force: true }],
  ['rm', { recursive: true, force: true, maxRetries: 0 }],
  ['mkdir'],
  ['mkdir', { recursive: true }],
  ['chmod', 0o600],
  ['chown', 0, 0],
  ['lchown', 0, 0],
  ['utimes', 1, 1],
  ['rename', 'renamed'],
  ['rename', 'unwritable/renamed'],
  ['link', 'linked'],
  ['link', 'unwritable/linked'],
  ['copyFile', 'copied'],
  ['cp', 'copied', { recursive: true }],
];

async function compareAll(parity) {
  for (const target of TARGETS) {
    const calls = target.startsWith('/') ? READING : [...READING, ...WRITING];
    for (const [name, ...args] of calls) {
      await parity.call(
        `${name}(${target}, ${args.map((value) => JSON.stringify(value))})`,
        (side) => side.fs[name](target, ...args),
      );
    }
    if (target.startsWith('/')) continue;
    for (const name of ['symlink', 'link', 'rename', 'copyFile']) {
      await parity.call(`${name}(file, ${target})`, (side) => side.fs[name]('file', target));
    }
  }
  for (const prefix of ['locked/tmp-', 'unwritable/tmp-', 'unsearchable/tmp-', 'secret/tmp-']) {
    await parity.call(`mkdtemp(${prefix})`, (side) => side.fs.mkdtemp(prefix));
  }
  await parity.script('a handle keeps its rights', async (side) => {
    const handle = await side.step('open', () => side.fs.open('file', 'r+'));
    fs.chmodSync('file', 0);
    await side.step('read', () => handle.readFile('utf8'));
    await side.step('write', () => handle.write('more'));
    await side.step('chown', () => handle.chown(0, 0));
    await side.step('by path', () => side.fs.readFile('file'));
  });
}

async function main() {
  if (process.getuid() === 0) {
    process.setgroups([]);
    process.setgid(NOBODY);
    process.setuid(NOBODY);
  }
  const parity = new Parity('without permission', populate);
  try {
    await compareAll(parity);
  } finally {
    parity.close();
  }
  console.log(JSON.stringify({ comparisons: parity.comparisons }));
  parity.assertEqual();
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
