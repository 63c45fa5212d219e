'use strict';

// A virtual machine with an arm64 processor, on any other: it starts from a file system in memory that has
// what it is given, runs a script and is off again. Emulated, so nothing is timed there.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const debian = require('./debian');
const { archive: makeArchive } = require('./kernels');
const { fetchFromDebian } = require('./prebuilds');
const { StepError } = require('./run');

const NEXT = 'npm run test:package -- test/package/targets.test.js';

/** What Node needs of its system. */
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];

/** It starts in about 8 s on a machine that has nothing else to do. */
const LIMIT_MS = 300_000;

/** Debian's kernel, libraries and busybox: the folder they are unpacked in. */
function fetchSystem() {
  return fetchFromDebian('arm64-system', 'arm64', NEXT, (archive, made, step) => {
    const { output } = archive.ask('show', 'linux-image-cloud-arm64');
    const [, kernel] = /^Depends:.*\b(linux-image-[0-9]\S*)/m.exec(output) ?? [];
    if (kernel === undefined) throw new StepError(step, output, NEXT);
    archive.unpack([kernel, 'busybox-static', ...LIBRARIES], made, step);
  });
}

/** The first program: the script, and the end of the machine. What follows a line of its own is the script's. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo
echo "script:"
sh /script 2>&1
poweroff -f
`;

/** Copies the libraries into `root`, where the loader looks first. */
function copyLibraries(system, root) {
  fs.mkdirSync(path.join(root, 'lib'), { recursive: true });
  for (const folder of ['lib', 'usr/lib'].map((name) => `${name}/aarch64-linux-gnu`)) {
    const from = path.join(system, folder);
    if (!fs.existsSync(from)) continue;
    for (const name of fs.readdirSync(from).filter((file) => /\.so(\.\d+)*$/.test(file))) {
      fs.copyFileSync(path.join(from, name), path.join(root, 'lib', name));
    }
  }
}

/**
 * Runs a script in a machine of its own, as root.
 *
 * @param {string} script for busybox's shell
 * @param {Record<string, string>} files where each file or folder is to be, and where it is here
 * @returns {string} what it printed
 */
function runOnArm64(script, files) {
  debian.ensure([debian.command('qemu-system-aarch64', 'qemu-system-arm'), debian.command('cpio')]);
  const system = fetchSystem();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-arm64-'));
  try {
    const root = path.join(work, 'root');
    for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp']) {
      fs.mkdirSync(path.join(root, name), { recursive: true });
    }
    fs.copyFileSync(path.join(system, 'bin', 'busybox'), path.join(root, 'bin', 'busybox'));
    copyLibraries(system, root);
    for (const [target, source] of Object.entries(files)) {
      fs.cpSync(source, path.join(root, target), { recursive: true, dereference: true });
    }
    fs.writeFileSync(path.join(root, 'script'), script);
    fs.writeFileSync(path.join(root, 'init'), INIT, { mode: 0o755 });
    const initrd = path.join(work, 'initrd');
    makeArchive(root, initrd, 'starting an arm64 machine');
    return runMachine(system, initrd);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

function runMachine(system, initrd) {
  const boot = path.join(system, 'boot');
  const kernel = fs.readdirSync(boot).find((name) => name.startsWith('vmlinuz'));
  const machine = ['-machine', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '2G'];
  const parts = [
    '-kernel',
    path.join(boot, kernel),
    '-initrd',
    initrd,
    '-nographic',
    '-nic',
    'none',
  ];
  const parameters = 'console=ttyAMA0 panic=-1 loglevel=1';
  const { stdout, stderr, error } = spawnSync(
    'qemu-system-aarch64',
    [...machine, ...parts, '-no-reboot', '-append', parameters],
    {
      encoding: 'utf8',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [, printed] = /^script:\r?\n(.*)/ms.exec(stdout ?? '') ?? [];
  if (error || printed === undefined) {
    const output = [stdout, stderr, error?.message].filter(Boolean).join('\n');
    throw new StepError('running an arm64 machine', output, NEXT);
  }
  return printed.replaceAll('\r', '');
}

module.exports = { runOnArm64 };
