'use strict';

// Calls of the native module's functions by chance, without lib/ in between: see native.js, which starts
// this in a process of its own. It fails by its exit code, by a signal, or by never ending.
//
//   node --expose-gc native-child.js SEED MILLISECONDS FOLDER

const nodeFs = require('node:fs');
const path = require('node:path');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { binding } = require('../../lib/binding');
const { detached } = require('../helpers/memory');
const { randomFor } = require('../helpers/parity-random');

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NONBLOCK, O_RDWR, O_TRUNC, O_WRONLY } = nodeFs.constants;
const O_PATH = 0o10000000;
const CALLS_IN_A_ROUND = 300;
const DRAINS_WITHIN = 20_000;

const [seed, milliseconds, folder] = isMainThread
  ? [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]]
  : workerData;

/** As in src/: p path, d descriptor, f flags, m mode, b view, offset and length, v views, o offset, y
 * boolean, k a slot, P paths, i an id. */
const ARGUMENTS = {
  open: 'pfm',
  openForProgram: 'pfm',
  close: 'd',
  read: 'dbo',
  readFresh: 'dbo',
  readOwn: 'dbo',
  readWhole: 'dbo',
  write: 'dbo',
  readv: 'dvo',
  writev: 'dvo',
  fsync: 'd',
  fdatasync: 'd',
  ftruncate: 'do',
  fstat: 'd',
  stat: 'pf',
  rename: 'pp',
  unlink: 'p',
  rmdir: 'p',
  mkdir: 'pm',
  symlink: 'pp',
  link: 'pp',
  readSlot: 'kbo',
  writeSlot: 'kbo',
  fsyncSlot: 'k',
  poll_slot: 'k',
  close_slot: 'k',
  readFile: 'pf',
  writeFile: 'pfmby',
  readFileMany: 'Pf',
  statMany: 'Pf',
  callLater: '',
  cancel: 'i',
  look: 'd',
  shield: 'i',
  take: 'iv',
};
const OPERATIONS = Object.keys(ARGUMENTS).filter((name) => typeof binding[name] === 'function');

const random = randomFor(`native ${seed}`);
const { int, pick } = random;
const chance = (one) => int(1, one) === 1;

function fail(message) {
  nodeFs.writeSync(2, `${message}\n`);
  process.exit(1);
}

/* ---- what the ring is given, and what it gives back ---- */

const shared = {
  pending: [],
  ids: new ArrayBuffer(binding.HANDOVER_SIZE * 4),
  entered: new ArrayBuffer(binding.HANDOVER_SIZE * 4),
  results: new ArrayBuffer(binding.HANDOVER_SIZE * 8),
  extras: new ArrayBuffer(binding.HANDOVER_SIZE * 8),
  stats: new ArrayBuffer(binding.HANDOVER_SIZE * binding.STAT_FIELDS * 8),
  counters: new ArrayBuffer(binding.COUNTERS * 8),
  settings: {
    entries: pick([8, 64, 256]),
    workers: pick([1, 256]),
    slab: binding.SLOTS,
    inlineBudget: pick([0, 1]),
    helper: pick([0, 1]),
    polled: 0,
    pollIdle: 0,
    pollCpu: -1,
  },
  slab: new ArrayBuffer(binding.SLOTS * binding.BLOCK_SIZE),
};
const { pending } = shared;
const ids = new Uint32Array(shared.ids);
const entered = new Uint32Array(shared.entered);
const results = new Float64Array(shared.results);
const extras = new Float64Array(shared.extras);
new Float64Array(shared.counters)[binding.COUNT_FREE_TURNS] = pick([0, 1, 96]);

let underWay = 0;
const descriptors = new Set();
const slots = new Set();

/** What the calls are about is held until their results are there: that much is lib/'s to do. */
function enter(id, name, args) {
  if (pending[id] !== undefined) fail(`id ${id} was given out twice: ${name}, ${pending[id].name}`);
  pending[id] = { name, args };
  underWay++;
}

function deliver(status) {
  for (;;) {
    if (status & binding.BROKEN) fail('the ring broke');
    const count = status & 0xffff;
    for (let at = 0; at < count; at++) take(ids[at], results[at], extras[at]);
    if (!(status & binding.MORE)) break;
    status = binding.flush();
  }
  if (chance(50)) deliver(binding.flush());
  if (chance(100)) throw new RangeError('thrown while results were delivered');
  return chance(5); // whether it wants to be called once more
}

function take(id, result, extra) {
  const request = pending[id];
  if (chance(20)) binding.take(id, pick([newViews(), [newView()], request?.args.slice(1, 2)]));
  if (request === undefined) fail(`a result of nobody: ${id}`);
  pending[id] = undefined;
  underWay--;
  if (request.name.startsWith('open') && result >= 0) descriptors.add(result);
  const wholeFile = /^(read|write)File/.test(request.name);
  if (wholeFile && result >= 0 && extra & binding.UNFINISHED) slots.add(extra >> 4);
}

/** flush(), and what it brings; what deliver() throws is the caller's own here. */
function flush(...args) {
  try {
    deliver(binding.flush(...args));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

const turn = () => new Promise(setImmediate);

/* ---- arguments ---- */

const NAMES = ['a', 'b', 'c', 'dir', 'dir/x', 'link', 'pipe', 'missing/x', '/proc/self/stat'];
const NUMBERS = [0, 1, -1, -0, 1.5, NaN, Infinity, 2 ** 31, 2 ** 32, -(2 ** 31), 2 ** 53, 2 ** 63];

function oddValue() {
  return pick([
    () => undefined,
    () => null,
    () => pick(NUMBERS),
    () => 2n ** 65n,
    () => pick(['', 'a', '\0', 'x'.repeat(5000), '\ud800']),
    () => Symbol('odd'),
    () => ({}),
    () => [],
    () => () => {},
    () => new Proxy({}, {}),
    () => new Proxy([new Uint8Array(4)], {}),
    () => Proxy.revocable({}, {}).proxy,
    () => new Date(0),
    () => new ArrayBuffer(8),
    () => new SharedArrayBuffer(8),
    () => new DataView(new ArrayBuffer(8)),
    () => new BigUint64Array(2),
    () => Object.create(Uint8Array.prototype),
    () => true,
  ])();
}

function newView() {
  const size = pick([0, 1, 8, 63, 64, 65, 1000, 4096, 4096, 20_000, chance(10) ? 1 << 20 : 0]);
  return pick([
    () => new Uint8Array(size),
    () => Buffer.alloc(size),
    () => Buffer.from('pooled'),
    () => new Uint8Array(new ArrayBuffer(size + 9), 5, size),
    () => new Uint8Array(new SharedArrayBuffer(size)),
    () => new Uint8Array(new ArrayBuffer(size, { maxByteLength: size + 4096 })),
    () => {
      const buffer = new ArrayBuffer(size, { maxByteLength: size + 4096 });
      const view = new Uint8Array(buffer, size >> 1);
      buffer.resize(size >> 2);
      return view;
    },
    () => detached(new Uint8Array(size)),
    () => new Uint16Array(size >> 1),
    () => new (class extends Uint8Array {})(size),
  ])();
}

function newViews() {
  const few = Array.from({ length: 3 }, newView);
  const views = Array.from({ length: pick([0, 1, 2, 3, 8, 1024, 1025]) }, (_, at) => few[at % 3]);
  if (views.length > 1 && chance(4)) {
    // Looking at one takes another away, or lets the ring go on.
    const [first, second] = views;
    const interfere = pick([() => detached(first), () => flush(), () => gc(), () => views.pop()]);
    const get = () => {
      if (first.buffer instanceof ArrayBuffer && first.buffer.byteLength > 0) interfere();
      return second;
    };
    Object.defineProperty(views, 1, { get, configurable: true });
  }
  if (chance(10)) delete views[0];
  return views;
}

const newPath = () => (chance(8) ? pick([Buffer.from('a'), new Uint8Array(3), '']) : pick(NAMES));

const MAKERS = {
  p: () => [newPath()],
  P: () => [Array.from({ length: pick([0, 1, 5, 128, 200]) }, newPath).join('\0')],
  // Only what was opened here, or cannot be open: another's would be closed or written over.
  d: () => [chance(4) ? pick([-1, 1_000_000, 2 ** 31 - 1]) : (pick([...descriptors]) ?? 1_000_000)],
  k: () => [chance(2) ? int(0, 600) : (pick([...slots]) ?? 0)],
  f: () => [
    pick([0, 0, O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_TRUNC, O_PATH, O_DIRECTORY]) |
      pick([0, 0, 0, O_NONBLOCK, O_EXCL, 3, O_PATH]),
  ],
  m: () => [pick([0o600, 0o700, 0, 0o7777])],
  b: () => {
    const view = newView();
    const length = view.byteLength;
    const offset = pick([0, 0, int(0, length), length, length + 1, -1]);
    return [view, offset, pick([length - offset, length, 0, int(0, length), ...NUMBERS])];
  },
  V: () => [newView()],
  v: () => [newViews()],
  o: () => [pick([-1, 0, 0, 5, 100_000, -2, 2 ** 40])],
  y: () => [chance(2)],
  i: () => [int(0, pending.length + 10)],
};

/** Mostly what the call takes; sometimes with something odd among it, too few, or too many. */
function argumentsFor(name) {
  const args = [...ARGUMENTS[name]].flatMap((letter) => MAKERS[letter]());
  if (chance(5)) {
    const at = int(0, args.length - 1);
    // But for descriptors, see above: an odd value may be somebody's, as a number.
    if (at > 0 || !/^[dk]/.test(ARGUMENTS[name])) args[at] = oddValue();
    else args[at] = pick([null, undefined, {}, 'text', 2 ** 40 + 1e6, -5]);
  }
  if (chance(20)) args.length = int(0, args.length);
  if (chance(20)) args.push(oddValue(), oddValue(), oddValue(), oddValue(), oddValue());
  return args;
}

/* ---- the calls ---- */

function call(name) {
  const args = argumentsFor(name);
  let result;
  try {
    result = binding[name](...args);
  } catch {
    return; // an exception is an answer
  }
  if (name === 'look') return;
  if (name === 'close' && result >= 0) descriptors.delete(args[0]);
  if (name === 'close_slot' && result >= 0) slots.delete(args[0]);
  if (/Many$/.test(name)) {
    for (let at = 0; at < result; at++) enter(entered[at], name, args);
  } else if (typeof result === 'number' && result >= 0) {
    enter(result, name, args);
  }
}

function startAgain() {
  try {
    binding.start(
      ...pick([[], [shared], [shared, deliver], [{}, deliver], [null, 5], [shared, {}]]),
    );
  } catch {
    return;
  }
  fail('a second ring was started');
}

async function round() {
  for (let at = 0; at < CALLS_IN_A_ROUND; at++) {
    if (chance(12)) flush();
    else if (chance(30)) await turn();
    else if (chance(99)) gc();
    else if (chance(100)) startAgain();
    else if (chance(200)) flush(oddValue(), oddValue());
    else call(pick(OPERATIONS));
  }
  await drain();
}

/** Ends what is under way: every request must come back. */
async function drain() {
  const deadline = Date.now() + DRAINS_WITHIN;
  while (underWay > 0) {
    pending.forEach((request, id) => {
      if (request !== undefined) binding.cancel(id);
    });
    flush();
    await turn();
    if (Date.now() > deadline) {
      const left = pending.filter(Boolean).map(({ name }) => name);
      fail(`never came back: ${left}`);
    }
  }
}

/* ---- before the start, and the start itself ---- */

function before() {
  for (let at = 0; at < 100; at++) {
    const name = pick(OPERATIONS);
    const args = argumentsFor(name);
    try {
      if (binding[name](...args) > 0) fail(`${name} took a request before there was a ring`);
    } catch {
      // An exception is an answer.
    }
  }
  const small = { ...shared, slab: new ArrayBuffer(8) };
  const throwing = new Proxy(shared, {
    get() {
      throw new RangeError('no');
    },
  });
  const odd = { ...shared, settings: { ...shared.settings, slab: pick([...NUMBERS, 'x', {}]) } };
  const even = { ...shared, settings: oddValue() };
  const wrongs = [
    [],
    [{}, deliver],
    [small, deliver],
    [throwing, deliver],
    [shared],
    [even, deliver],
  ];
  const { slab } = odd.settings;
  if (!(slab >= 1 && slab <= binding.SLOTS)) wrongs.push([odd, deliver]);
  for (const wrong of wrongs) {
    try {
      binding.start(...wrong);
    } catch {
      continue;
    }
    fail('a ring was started with wrong arguments');
  }
}

function start() {
  // Looking at the argument takes some of it away, and starts the ring by the way.
  const seen = { ...shared };
  if (chance(2)) {
    Object.defineProperty(seen, 'slab', {
      get() {
        try {
          binding.start(shared, deliver);
        } catch {
          // Refused as the second one, when it is.
        }
        return shared.slab;
      },
    });
  }
  try {
    const { reason } = binding.start(seen, deliver);
    if (reason !== undefined) fail(`no ring: ${reason}`);
  } catch (error) {
    if (!/has been started/.test(error.message)) throw error;
  }
  // Nothing of it is needed any more.
  for (const name of Object.keys(seen)) if (name !== 'slab') seen[name] = undefined;
}

async function work() {
  process.chdir?.(folder);
  before();
  start();
  const deadline = Date.now() + milliseconds;
  do await round();
  while (Date.now() < deadline);
}

/** The same in a worker, which is ended amid it. */
async function workInWorker() {
  const worker = new Worker(__filename, { workerData: [seed, 60_000, folder] });
  worker.on('error', (error) => fail(error.stack));
  await new Promise((resolve) => setTimeout(resolve, int(1, Math.min(milliseconds, 1500))));
  await worker.terminate();
}

if (isMainThread) {
  nodeFs.mkdirSync(path.join(folder, 'dir'), { recursive: true });
  process.chdir(folder);
}
process.on('uncaughtException', (error) => {
  if (!(error instanceof RangeError)) fail(error.stack);
});
const inWorker = isMainThread && chance(4);
(inWorker ? workInWorker() : work()).catch((error) => fail(error.stack));
