'use strict';

// What the test files share: the backend under test, temporary folders, waiting, other processes and
// threads.

const { execFileSync, spawn } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const ROOT = path.join(__dirname, '..', '..');
const uring = require(ROOT);
const { backend, reason } = uring.ring.status();
const onRing = backend === 'io_uring';

/** `ms`, or longer where all takes longer: in a machine that is emulated (tools/test-kernels.js). */
const patient = (ms) => ms * Number(process.env.URING_FS_PATIENCE ?? 1);

const { readFile, writeFile } = onRing
  ? require('../../lib/request').ringState().description.operations
  : {};

/** Whether this kernel reads a small file in one request: on a direct descriptor. */
const inOneRequest = onRing && readFile;

/** Whether it closes direct descriptors some time after it has said so (6.1); then nothing is written to them. */
const closesLate = inOneRequest && !writeFile;

/** How long a program may take before it counts as hanging, ms: slow machines included. */
const PROGRAM_TIMEOUT = patient(30_000);

/** A suite for what only the ring has: without a ring it is skipped, and its title says why. */
function describeOnRing(title, body) {
  if (onRing) return describe(title, body);
  return describe.skip(`${title} (skipped, no ring: ${reason})`, body);
}

/** Skips the test or suite of `context`, and says why. */
function skip(context, why) {
  console.log(`      skipped: ${why}`);
  context.skip();
}

/**
 * A folder for the tests of the suite that this is called in.
 *
 * @returns {{
 *   in: (...names: string[]) => string,
 *   file: (name: string, contents?: string | Uint8Array) => string,
 *   fifo: (name: string) => string,
 * }} each gives the path; `file` and `fifo` make what is there
 */
function useFolder() {
  let folder;
  before(() => {
    folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-test-'));
  });
  after(function () {
    this.timeout(patient(60_000)); // thousands of files on a busy disk
    nodeFs.rmSync(folder, { recursive: true, force: true });
  });
  return {
    in: (...names) => path.join(folder, ...names),
    file(name, contents = 'contents') {
      nodeFs.writeFileSync(path.join(folder, name), contents);
      return path.join(folder, name);
    },
    fifo(name) {
      execFileSync('mkfifo', [path.join(folder, name)]);
      return path.join(folder, name);
    },
  };
}

/** `size` bytes that differ from place to place, so that a piece in the wrong place shows. */
function pattern(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4)
    bytes.writeUInt32LE(Math.imul(at + 1, 2654435761) >>> 0, at);
  return bytes;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `check()` is true, and fails after `timeout` ms.
 *
 * @param {() => boolean} check
 * @param {string | (() => string)} what is awaited, for the error
 */
async function until(check, what, timeout = 10_000) {
  const deadline = Date.now() + patient(timeout);
  while (!check()) {
    if (Date.now() > deadline) {
      throw new Error(
        `not within ${patient(timeout)} ms: ${typeof what === 'function' ? what() : what}`,
      );
    }
    await sleep(5);
  }
}

/** until(), with garbage collections. */
function collectUntil(check, what, timeout = 3000) {
  return until(
    () => {
      gc();
      return check();
    },
    what,
    timeout,
  );
}

/** Several garbage collections with turns of the loop between them. */
async function collect() {
  for (let i = 0; i < 4; i++) {
    gc();
    await sleep(2);
  }
}

/** Open descriptors of this process, as lines "number -> what". */
function descriptors() {
  return nodeFs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} -> ${nodeFs.readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return []; // the one by which the folder was listed
    }
  });
}

/** How many descriptors of this process are for the file. */
function descriptorsOf(file) {
  return descriptors().filter((line) => line.endsWith(` -> ${file}`)).length;
}

/**
 * Takes the warnings of each test of a suite, instead of Node, which prints them.
 *
 * @returns {string[]} the messages; emptied for each test
 */
function takeWarnings() {
  const warnings = [];
  const note = ({ message }) => warnings.push(message);
  let listeners;
  beforeEach(() => {
    warnings.length = 0;
    listeners = process.listeners('warning');
    process.removeAllListeners('warning').on('warning', note);
  });
  afterEach(() => {
    process.removeAllListeners('warning');
    for (const listener of listeners) process.on('warning', listener);
  });
  return warnings;
}

/** How a program begins: JS text, by which `program` is called with its tools. */
function sourceOf(program, root, args, say) {
  return `'use strict';
    const nodeFs = require('node:fs');
    const say = ${say};
    (${program})({
      uring: require(${JSON.stringify(root)}), nodeFs, root: ${JSON.stringify(root)},
      args: ${JSON.stringify(args)}, say,
    });`;
}

/**
 * Runs a function in a process of its own. It sees nothing of where it is written, only its parameter:
 * `args`, `uring`, `nodeFs`, `root` (of the package) and `say(value)`, which adds to `said`; and `require`.
 *
 * @param {(tools: object) => any} program
 * @param {{
 *   args?: any, env?: object, flags?: string[], launcher?: string[], root?: string, cwd?: string,
 *   start?: (child: import('node:child_process').ChildProcess) => void,
 * }} [options] `launcher`: a command that starts the command after it; `root`: of the package
 * @returns {Promise<{ code: number, signal: string, said: any[], stdout: string, stderr: string }>}
 */
function runProgram(program, options = {}) {
  const { args = null, env, flags = [], launcher = [], root = ROOT, cwd = ROOT, start } = options;
  const say = "(value) => nodeFs.writeSync(1, '>' + JSON.stringify(value) + '\\n')";
  const node = [process.execPath, '--expose-gc', ...flags];
  const [command, ...rest] = [...launcher, ...node, '-e', sourceOf(program, root, args, say)];
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), PROGRAM_TIMEOUT);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const lines = stdout.split('\n').filter((line) => line.startsWith('>'));
      const said = lines.map((line) => JSON.parse(line.slice(1)));
      resolve({ code, signal, said, stdout, stderr });
    });
    start?.(child);
  });
}

/**
 * Runs a program as runProgram(), which must end well, and gives what it said last.
 *
 * @returns {Promise<any>}
 */
async function resultOf(program, options) {
  const { code, signal, said, stderr } = await runProgram(program, options);
  if (code !== 0 || said.length === 0) {
    throw new Error(`the program ended with code ${code}, signal ${signal}:\n${stderr}`);
  }
  return said.at(-1);
}

/** A function as a worker of this process; see runProgram(). `say` posts a message. */
function startWorker(program, args) {
  const say = "(value) => require('node:worker_threads').parentPort.postMessage(value)";
  return new Worker(sourceOf(program, ROOT, args, say), { eval: true });
}

/** The next message of a worker; rejects when it fails first. */
function nextMessage(worker) {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

module.exports = {
  ROOT,
  backend,
  closesLate,
  collect,
  collectUntil,
  describeOnRing,
  descriptors,
  descriptorsOf,
  inOneRequest,
  nextMessage,
  onRing,
  patient,
  pattern,
  resultOf,
  runProgram,
  skip,
  sleep,
  startWorker,
  takeWarnings,
  until,
  uring,
  useFolder,
};
