'use strict';

// A command on another kernel: in a virtual machine that sees this machine's own files, so that Node, the
// packages and the addon that are here run there, and only the kernel differs. What it writes stays in the
// machine's memory and on its disk, which end with it. What it does is in tools/guest.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const { ensure } = require('./debian');
const { archive } = require('./kernels');
const {
  FILE_SYSTEMS,
  accelerators,
  machineCommand,
  machineNeeds,
  shareCommand,
} = require('./machine');
const { ROOT, StepError, run, say } = require('./run');

const SCRIPTS = path.join(ROOT, 'tools', 'guest');
const DISK_SIZE = 2 * 1024 ** 3;

/** Until the kernel says that it is up, ms. Emulated, it takes 2 to 10 s. */
const BOOT_MS = { kvm: 20_000, tcg: 120_000 };
/** From the command's end to the machine's, ms. */
const OFF_MS = 20_000;

/** What a kernel prints when it finds fault with itself. */
const COMPLAINT =
  /^\[[ 0-9.]+\] (?:WARNING: |BUG: |Oops|INFO: task .* blocked|INFO: rcu.* stall).*/m;

/** What a guest says of itself, on its line for that. */
class Account {
  up = false;
  failure = null;
  exitCode = null;
  result = null;

  hear(line) {
    const [, word, rest] = /^(\w+) ?(.*)$/s.exec(line) ?? [];
    if (word === 'up') this.up = true;
    else if (word === 'fail') this.failure ??= rest;
    else if (word === 'result') this.result = rest;
    else if (word === 'exit') this.exitCode = Number(rest);
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The command as a script, with these variables and no others. */
function scriptOf(words, env) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const all = ['/usr/bin/env', '-i', ...variables, ...words];
  return `cd ${quoted(ROOT)} && exec ${all.map(quoted).join(' ')}\n`;
}

/** Makes what the machine starts from: the kernel's base, and over it what to do. */
function makeInitrd(folder, { kernel, command, env, fileSystem }) {
  const first = path.join(folder, 'first');
  const job = path.join(first, 'job');
  fs.mkdirSync(job, { recursive: true });
  fs.copyFileSync(path.join(SCRIPTS, 'init'), path.join(first, 'init'));
  fs.chmodSync(path.join(first, 'init'), 0o755);
  fs.copyFileSync(path.join(SCRIPTS, 'run'), path.join(job, 'run'));
  fs.writeFileSync(path.join(job, 'command'), scriptOf(command, env));
  const settings = [`modules=${quoted(kernel.modules)}`, `file_system=${fileSystem}`];
  fs.writeFileSync(path.join(job, 'settings'), `${settings.join('\n')}\n`);

  const added = path.join(folder, 'first.cpio');
  archive(first, added, 'starting a virtual machine');
  const initrd = path.join(folder, 'initrd');
  fs.writeFileSync(
    initrd,
    Buffer.concat([kernel.base, added].map((file) => fs.readFileSync(file))),
  );
  return initrd;
}

/** Makes the machine's disk; null: it has none. */
function makeDisk(folder, fileSystem) {
  if (FILE_SYSTEMS[fileSystem] === null) return null;
  const disk = path.join(folder, 'disk');
  fs.writeFileSync(disk, '');
  fs.truncateSync(disk, DISK_SIZE);
  const { ok, output } = run(`mkfs.${fileSystem}`, ['-q', disk]);
  if (!ok) throw new StepError(`making a disk of ${fileSystem}`, output, `mkfs.${fileSystem} -V`);
  return disk;
}

/** Listens where a machine will call; `onSocket` gets the one call. Keeps no process alive. */
async function listen(file, onSocket) {
  const server = net.createServer((socket) => {
    server.close(); // nobody else calls
    socket.on('error', () => {}); // its end says enough
    onSocket(socket);
  });
  server.listen(file);
  await once(server, 'listening');
  return server.unref();
}

/** The processes and files of one machine; end() leaves nothing of them. */
class Machine {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-guest-'));
  #children = [];
  account = new Account();

  file(name) {
    return path.join(this.#folder, name);
  }

  read(name) {
    return fs.existsSync(this.file(name)) ? fs.readFileSync(this.file(name), 'utf8') : '';
  }

  /** Starts a process, which logs to a file. */
  #start([name, ...args], logName) {
    const log = fs.openSync(this.file(logName), 'a');
    const child = spawn(name, args, { stdio: ['ignore', log, log] });
    fs.closeSync(log);
    child.on('error', (error) => (this.account.failure ??= error.message));
    this.#children.push(child);
    return child;
  }

  async #share() {
    const socket = this.file('share');
    const child = this.#start(shareCommand(socket), 'share.log');
    while (!fs.existsSync(socket)) {
      if (child.exitCode !== null || this.account.failure !== null) {
        const next = 'npm run test:kernels';
        throw new StepError('sharing files with a machine', this.read('share.log'), next);
      }
      await sleep(20);
    }
    return socket;
  }

  /** Runs the machine until it is off, or the time is up. */
  async run(accelerator, { seconds, ...job }) {
    const { account } = this;
    const control = (socket) =>
      readline.createInterface({ input: socket }).on('line', (line) => account.hear(line));
    const output = (socket) => socket.pipe(process.stdout, { end: false });
    const servers = [
      await listen(this.file('control'), control),
      await listen(this.file('output'), output),
    ];
    const closed = servers.map((server) => once(server, 'close'));
    const qemu = this.#start(
      machineCommand({
        accelerator,
        kernel: job.kernel.image,
        initrd: makeInitrd(this.#folder, job),
        disk: makeDisk(this.#folder, job.fileSystem),
        console: this.file('console'),
        share: await this.#share(),
        lines: { control: this.file('control'), output: this.file('output') },
      }),
      'log',
    );
    const watch = this.#watch(qemu, BOOT_MS[accelerator], seconds * 1000);
    await once(qemu, 'close');
    clearInterval(watch);
    for (const server of servers) server.close();
    await Promise.all(closed); // with the sockets, and all that came through them
  }

  /** Ends a machine that does not start, does not get done, or does not end. */
  #watch(qemu, bootMs, wholeMs) {
    const { account } = this;
    const start = Date.now();
    let done;
    return setInterval(() => {
      const now = Date.now();
      if (account.exitCode !== null) done ??= now;
      if (!account.up && now - start > bootMs) {
        account.failure ??= `the kernel did not start within ${bootMs / 1000} s`;
      } else if (done === undefined && now - start > wholeMs) {
        account.failure ??= `the command was not done within ${wholeMs / 1000} s`;
      } else if (done === undefined || now - done < OFF_MS) {
        return;
      }
      qemu.kill('SIGKILL');
    }, 200);
  }

  end() {
    for (const child of this.#children) child.kill('SIGKILL');
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Runs a command on a kernel: as root, in the repository's folder, with TMPDIR for new files. What it prints
 * comes out here.
 *
 * @param {object} job
 * @param {import('./kernels').Kernel} job.kernel
 * @param {string[]} job.command
 * @param {Record<string, string>} job.env
 * @param {string} job.fileSystem of TMPDIR; one of FILE_SYSTEMS
 * @param {number} job.seconds as long as all may take
 * @returns {Promise<{ exitCode: number, result: string | null, complaint: string | null }>} `result`: the
 *   line that it left in RESULT_FILE; `complaint`: what the kernel found fault with
 */
async function runInGuest(job) {
  const step = `running kernel ${job.kernel.version}`;
  ensure(machineNeeds(job.fileSystem));
  for (const accelerator of accelerators()) {
    const machine = new Machine();
    const { account } = machine;
    const end = () => machine.end();
    process.once('exit', end);
    try {
      await machine.run(accelerator, job);
      if (!account.up && accelerator === 'kvm') {
        say(`no kernel starts by ${accelerator} here (${account.failure ?? 'it ended'})`);
        continue;
      }
      const [complaint = null] = COMPLAINT.exec(machine.read('console')) ?? [];
      if (account.exitCode !== null) {
        return { exitCode: account.exitCode, result: account.result, complaint };
      }
      const why = account.failure ?? 'the machine ended before the command did';
      const output = [machine.read('log'), machine.read('console'), why].join('\n');
      throw new StepError(step, output, 'npm run test:kernels');
    } finally {
      process.off('exit', end);
      end();
    }
  }
  throw new Error('accelerators() ends with one that is always there');
}

module.exports = {
  FILE_SYSTEMS: Object.keys(FILE_SYSTEMS),
  /** In the guest. */
  RESULT_FILE: '/run/guest/result',
  TMPDIR: '/scratch/tmp',
  runInGuest,
};
