'use strict';
/**
 * What to do where the thread pool serves, by ring.status().code. Paragraphs; lines that begin with blanks
 * are to be typed or copied, and stay as they are.
 *
 * Nothing here gives up more than it takes: no unconfined container, no privileged one, no root.
 */

const fs = require('node:fs');
const path = require('node:path');
const { ioUringDisabled } = require('./system');

const ROOT = path.join(__dirname, '..', '..');

const STAYS = 'It also works as it is: the thread pool gives the same results, more slowly.';
const RISK =
  'Where code runs that nobody vouches for, leave it: io_uring has had many vulnerabilities (SECURITY.md).';
const REPORT = 'This should not happen. Please report it, with what this command prints.';

/** The three system calls, as a rule of a seccomp profile. */
const RULE = [
  '  { "names": ["io_uring_setup", "io_uring_enter", "io_uring_register"],',
  '    "action": "SCMP_ACT_ALLOW" }',
];

const MORE_FILES = [
  '  ulimit -n 65536              # in the shell that starts it',
  '  LimitNOFILE=65536            # in the unit file of systemd',
];

/** Of kernel.io_uring_disabled. */
function sysctl() {
  const disabled = ioUringDisabled();
  const own = [
    'To allow it for one group, and shut out all others, run the program with that group:',
    '  sysctl -w kernel.io_uring_group=GID kernel.io_uring_disabled=1',
  ];
  const means =
    disabled === 2
      ? 'kernel.io_uring_disabled=2 means: no process may make a ring.'
      : `kernel.io_uring_disabled=${disabled ?? 1} means: only a process with CAP_SYS_ADMIN may make a ` +
        'ring, or one of the group kernel.io_uring_group.';
  const lasting =
    'A file in /etc/sysctl.d/ makes it last; 0 lets everybody have it. For containers it is set on the host.';
  return [means, STAYS, RISK, ...own, lasting];
}

/** How the native module is built where this package is. */
function build() {
  const cloned = fs.existsSync(path.join(ROOT, 'tools', 'setup.js'));
  if (cloned) return ['Build it (it says what it lacks):', `  cd ${ROOT} && npm run setup`];
  return [
    'There are ready-made ones for Linux on x64 and arm64. Elsewhere on Linux, or if yours is missing, build ' +
      "it; it takes a C compiler, make, Python 3 and liburing's header and static library (Debian: " +
      'build-essential python3 liburing-dev):',
    `  npx node-gyp rebuild --directory=${path.join(ROOT, 'src')}`,
  ];
}

/** @type {Record<import('../..').ReasonCode, () => string[]>} */
const REMEDIES = {
  environment: () => [
    'Unset URING_FS_BACKEND where it is set (shell profile, unit file, container), and start the program anew.',
  ],
  platform: () => [
    'None is needed: io_uring is a part of Linux. Elsewhere Node itself serves every call.',
  ],
  bun: () => ['Run the program with Node. With Bun its own fs/promises serves every call.'],
  deno: () => ['Run the program with Node. With Deno its own node:fs/promises serves every call.'],
  'permission-model': () => [
    "Nothing, as long as you want Node's permission model: it checks paths within Node's own functions " +
      'only, so this package leaves every call to those. Without --permission the ring is used.',
  ],
  'no-module': () => [...build(), STAYS],
  'not-loaded': () => [
    'Most often no descriptor is left. Look for files that the program does not close; if it needs so many, ' +
      'raise the limit:',
    ...MORE_FILES,
  ],
  'no-io-uring': () => [
    'It takes Linux 5.6 or newer, built with CONFIG_IO_URING; 5.19 or newer is better, 6.1 better still. ' +
      'Sandboxes that stand in for the kernel (gVisor, WSL 1) have none.',
    STAYS,
  ],
  'old-kernel': () => [
    'It takes Linux 5.6 or newer; 5.19 or newer is better, 6.1 better still. docs/kernels.md has what each gives.',
    STAYS,
  ],
  sysctl,
  seccomp: () => [
    'A seccomp filter is around this process: those of Docker, Podman and Kubernetes forbid io_uring by ' +
      'default.',
    STAYS,
    RISK,
    'To allow it for one service whose code you trust, take a copy of the default profile of your runtime, ' +
      'add this to its "syscalls", and nothing else,',
    ...RULE,
    'and start that service with it:',
    '  docker run --security-opt seccomp=PROFILE.json ...',
    '  seccompProfile: { type: Localhost, localhostProfile: PROFILE.json }   # Kubernetes',
    '  SystemCallFilter=io_uring_setup io_uring_enter io_uring_register   # systemd, beside its list',
    'Never switch the filter off for this, nor give the container all privileges: that opens far more ' +
      'than these three calls.',
  ],
  'security-module': () => [
    'A security module (SELinux, AppArmor) refuses it. Its log says which rule: ausearch -m avc -ts recent, ' +
      'or journalctl -k. Allow it by a rule for this program alone.',
    RISK,
    STAYS,
  ],
  memlock: () => [
    'On this kernel a ring counts as locked memory, and RLIMIT_MEMLOCK leaves too little. The ' +
      'main thread and every worker have a ring, each of some 100 KiB:',
    '  ulimit -l 65536              # KiB, in the shell that starts it',
    '  LimitMEMLOCK=64M             # in the unit file of systemd',
    '  docker run --ulimit memlock=67108864 ...',
    'or make smaller rings: URING_FS_ENTRIES=32.',
  ],
  descriptors: () => [
    'No descriptor was left when the ring was to be made. Look for files that the program does not close; ' +
      'if it needs so many, raise the limit:',
    ...MORE_FILES,
  ],
  'no-answer': () => [REPORT, STAYS],
  'set-up': () => [REPORT, STAYS],
  broken: () => [
    'The kernel refused a ring that had worked. What it had begun was rejected with EIO; all since then goes to ' +
      'the thread pool. Start the program anew for a new ring.',
    REPORT,
  ],
};

/**
 * @param {import('../..').ReasonCode} code
 * @returns {string[]}
 */
const remedyOf = (code) => REMEDIES[code]();

module.exports = { REMEDIES, remedyOf };
