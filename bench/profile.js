#!/usr/bin/env node
'use strict';

/** The command: `node bench/profile.js REGEX [options]`. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');

const USAGE = `Usage: node bench/profile.js REGEX [--driver NAME] [--c N] [--rounds N] [--slice MS]

Where the time of the one workload whose name matches goes, by perf(1): the share of each part in the
CPU time of the process that works, within its slices. --c: those with so many operations in flight
only. --driver: uring-fs (the default), fs/promises, 'callback fs', sync.
`;

const RUN = path.join(__dirname, 'run.js');

/** A sample a millisecond, and not in step with anything. */
const FREQUENCY = 997;

/** Parts by the function that was running, or the file that it is in. */
const BY_LEAF = [
  {
    part: 'malloc, free',
    name: /^_*(int_)?(malloc|free|calloc|realloc|cfree)|^unlink_chunk|^_int_/,
  },
  { part: 'the addon', file: /uring_fs/ },
  { part: 'JavaScript', file: /perf-\d+\.map|JIT/ },
  { part: 'builtins of V8', name: /^Builtins_/ },
];

const JAVASCRIPT = BY_LEAF.slice(-2);

/** Parts by the nearest caller that is one of these. */
const BY_CALLER = [
  { part: 'page faults', name: /^(asm_)?exc_page_fault/ },
  { part: 'kernel: madvise', name: /^(do_)?madvise/ },
  {
    part: 'kernel: map and unmap memory',
    name: /^(do_|__|__x64_sys_|vm_|ksys_)?(mmap(_pgoff)?|munmap|brk|mprotect)$/,
  },
  { part: 'kernel: open', name: /^(io_openat2?|do_sys_openat2|do_filp_open)$/ },
  { part: 'kernel: stat', name: /^(io_statx|do_statx|vfs_statx|vfs_fstat)$/ },
  { part: 'kernel: read', name: /^(io_read|vfs_read|ksys_p?read(64)?|do_preadv|vfs_readv)$/ },
  { part: 'kernel: write', name: /^(io_write|vfs_write|ksys_p?write(64)?)$/ },
  { part: 'kernel: close', name: /^(io_close|__x64_sys_close|_*fput|task_work_run)$/ },
  { part: 'kernel: unlink', name: /^(io_unlinkat|do_unlinkat)$/ },
  { part: 'kernel: sync', name: /^(io_fsync|do_fsync|vfs_fsync_range)$/ },
  {
    part: 'kernel: workers of io_uring',
    name: /^(io_wq_worker|create_io_worker|create_io_thread|io_queue_iowq|io_wq_enqueue)$/,
  },
  { part: 'kernel: io_uring_enter, the rest', name: /io_uring_enter$/ },
  { part: 'kernel: epoll', name: /epoll_p?wait/ },
  { part: 'kernel: futex', name: /futex/ },
  { part: 'kernel: other calls', name: /^(do_syscall_64|entry_SYSCALL_64.*)$/ },
  { part: 'garbage collection', name: /v8::internal::.*(Heap::|Scaveng|MarkCompact|Mark|Sweep)/ },
  { part: 'Node-API', name: /^(__)?napi_|^v8impl::|node_napi_env/ },
];

/** What the parts come to. */
const GROUPS = [
  { group: 'workers of io_uring', parts: /^io_uring worker: / },
  { group: 'collection, malloc', parts: /garbage collection$|malloc, free$/ },
  { group: 'fresh pages', parts: /page faults$/ },
  { group: 'the kernel, else', parts: /kernel: / },
  { group: 'V8, JavaScript, Node-API, the addon', parts: /./ },
];

const wordOf = (status) => (status === null ? 'was killed' : `ended with ${status}`);

/**
 * @param {string[]} args Of perf.
 * @param {object} [options] Of spawnSync.
 */
function perf(args, options) {
  const { error, status } = spawnSync('perf', args, options);
  if (error?.code === 'ENOENT') throw new Error('perf is not installed (Debian: linux-perf)');
  if (error || status !== 0) throw new Error(`perf ${args[0]} ${error ?? wordOf(status)}`);
}

/**
 * @typedef {object} Stack
 * @property {string} thread Its name.
 * @property {number} process
 * @property {number} at Seconds, by CLOCK_MONOTONIC.
 * @property {boolean} main Whether it is the main thread.
 * @property {{ name: string, file: string }[]} frames What was running first.
 */

/**
 * @param {string} file What `perf script` wrote.
 * @returns {Promise<Stack[]>}
 */
async function stacksOf(file) {
  const stacks = [];
  let stack = null;
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    const frame = /^\s+[0-9a-f]+ (.*) \((.*)\)$/.exec(line);
    const head = frame === null ? /^\s*(\S.*?)\s+(\d+)\/(\d+)\s+([\d.]+):/.exec(line) : null;
    if (head !== null) {
      const [, thread, process, id, at] = head;
      stack = {
        thread,
        process: Number(process),
        at: Number(at),
        main: process === id,
        frames: [],
      };
      stacks.push(stack);
    } else if (frame !== null && stack !== null) {
      stack.frames.push({ name: frame[1].replace(/\+0x[0-9a-f]+$/, ''), file: frame[2] });
    }
  }
  return stacks.filter(({ frames }) => frames.length > 0);
}

/**
 * @param {Stack} stack
 * @returns {string} What it counts as, and the thread if that is not the main one.
 */
function partOf({ thread, main: isMain, frames }) {
  const part = partOfFrames(frames);
  if (isMain) return part;
  return `${thread.startsWith('iou-wrk') ? 'io_uring worker' : thread}: ${part}`;
}

function partOfFrames(frames) {
  const [running] = frames;
  const fits = (known) => (frame) => known.name?.test(frame.name) || known.file?.test(frame.file);
  const own = BY_LEAF.find((known) => fits(known)(running));
  if (own) return own.part;
  for (const frame of frames) {
    // What JavaScript calls is not its callers' work.
    if (JAVASCRIPT.some((known) => fits(known)(frame))) break;
    const caller = BY_CALLER.find((known) => fits(known)(frame));
    if (caller) return caller.part;
  }
  if (/kernel/.test(running.file)) return 'kernel: interrupts, scheduling';
  return /libc|vdso/.test(running.file) ? 'libc' : 'Node and V8, the rest';
}

/**
 * @param {Stack[]} stacks
 * @returns {[string, number][]} Parts and their shares, the largest first, of the process that has
 *   the most samples with the addon or, without it, at all.
 */
function sharesOf(stacks) {
  const ofAddon = stacks.filter(({ frames }) => frames.some(({ file }) => /uring_fs/.test(file)));
  const counted = countBy(ofAddon.length > 0 ? ofAddon : stacks, ({ process }) => process);
  if (counted.length === 0) throw new Error('no samples: the slices are too short');
  const [[busiest]] = counted;
  const own = stacks.filter(({ process }) => process === busiest);
  return countBy(own, partOf).map(([name, count]) => [name, count / own.length]);
}

/** Whether a stack was seen while something was timed: not while data were made, or compared. */
const isWithin =
  (slices) =>
  ({ at }) =>
    slices.some((slice) => at * 1e3 <= slice.at && at * 1e3 >= slice.at - slice.milliseconds);

function countBy(items, keyOf) {
  const counts = new Map();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/**
 * @param {[string, number][]} shares By part.
 * @returns {[string, number][]} By what these come to, in an order that is always the same.
 */
function groupsOf(shares) {
  const groups = GROUPS.map(({ group }) => [group, 0]);
  for (const [part, share] of shares) {
    groups[GROUPS.findIndex(({ parts }) => parts.test(part))][1] += share;
  }
  return groups;
}

async function profile({ filter, driver, c, rounds, slice }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-profile-'));
  try {
    const [data, text, json] = ['data', 'text', 'json'].map((name) => path.join(folder, name));
    const run = [RUN, '--filter', filter, '--only', driver, '--rounds', rounds, '--slice', slice];
    const node = [process.execPath, '--perf-basic-prof', ...run, '--json', json];
    perf(
      [
        'record',
        '-q',
        '-g',
        '-k',
        'CLOCK_MONOTONIC',
        '-F',
        String(FREQUENCY),
        '-o',
        data,
        '--',
        ...node,
      ],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const out = fs.openSync(text, 'w');
    perf(['script', '-i', data, '-F', 'comm,pid,tid,time,ip,sym,dso'], {
      stdio: ['ignore', out, 'ignore'],
    });
    fs.closeSync(out);
    const { workloads } = JSON.parse(fs.readFileSync(json, 'utf8'));
    const slices = workloads
      .flatMap(({ samples }) => samples)
      .filter((each) => c === undefined || each.c === Number(c));
    if (slices.length === 0) throw new Error(`no row with ${c} in flight`);
    const stacks = (await stacksOf(text)).filter(isWithin(slices));
    return { workloads, shares: sharesOf(stacks) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      driver: { type: 'string', default: 'uring-fs' },
      c: { type: 'string' },
      rounds: { type: 'string', default: '8' },
      slice: { type: 'string', default: '200' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (positionals.length !== 1) throw new Error(USAGE.trimEnd());
  const { workloads, shares } = await profile({ ...values, filter: positionals[0] });
  const names = workloads.map(({ name }) => name).join(', ');
  const table = new Table({
    head: [names, 'share'],
    colAligns: ['left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, share] of shares.filter(([, part]) => part >= 0.005)) {
    table.push([name, `${(share * 100).toFixed(1)} %`]);
  }
  for (const [group, share] of groupsOf(shares)) {
    table.push([`all of ${group}`, `${(share * 100).toFixed(0)} %`]);
  }
  console.log(table.toString());
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`profile: ${error.message}`);
    process.exitCode = 2;
  });
}

module.exports = { groupsOf, partOf, sharesOf };
