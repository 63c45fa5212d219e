'use strict';

// Cuts the power, again and again, of a disk on which a process replaces a file and writes logs, and looks
// at what is there after the next mount. A cut is a copy of the disk as it is at one instant: its image lies on an XFS,
// which copies a file so. What the kernel had not written out by then is lost, as it is with the power.
//
//   node test/helpers/power-cuts.js [CUTS]

const { spawn } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { version, versionOf } = require('./atomic-killed');
const { mountImage, run } = require('./mounts');

const ROOT = path.join(__dirname, '..', '..');

/** Logs that are flushed for each record, one by each way to do so. */
const LOGS = ['sync', 'datasync', 'appendFile', 'stream'];

/** Replaces the file and writes the logs until it is killed; says which round it was told is there. */
const WRITER = `
  const fs = require('node:fs');
  const uring = require(${JSON.stringify(ROOT)});
  ${version}
  const [, folder, flushed] = process.argv;
  const flush = flushed === 'flush';
  (async () => {
    const [sync, datasync] = await Promise.all(
      ['sync', 'datasync'].map((name) => uring.open(folder + '/' + name, 'a')));
    const streamed = async (text) => {
      const stream = (await uring.open(folder + '/stream', 'a')).createWriteStream({ flush });
      stream.end(text);
      await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    };
    for (let n = 1; ; n++) {
      const record = String(n).padStart(999) + ' ';
      await Promise.all([
        uring.writeFileAtomic(folder + '/file', version(n), { flush }),
        sync.write(record).then(() => flush && sync.sync()),
        datasync.write(record).then(() => flush && datasync.datasync()),
        uring.appendFile(folder + '/appendFile', record, { flush }),
        streamed(record),
      ]);
      fs.writeSync(1, n + ' ');
    }
  })();
  // The journal is written all the time, whether the file's bytes are or not.
  const other = fs.openSync(folder + '/other', 'w');
  setInterval(() => {
    fs.writeSync(other, 'x');
    fs.fsync(other, () => {});
  }, 5);`;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {number} cuts
 * @param {boolean} flush whether the process flushes what it writes
 * @returns {Promise<{ problem?: string, cuts: number, torn: string[], lost: string[] }>} `problem`: why there
 *   can be none here; `torn`: no whole version of the file was there; `lost`: what had been told is not there
 */
async function cutPower(cuts, flush) {
  const folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-crash-'));
  const at = (name) => path.join(folder, name);
  const mounted = [];
  const mount = (name, make) => {
    nodeFs.mkdirSync(at(name));
    const problem = make(at(name));
    if (problem) throw new Error(problem);
    mounted.push(at(name));
  };
  const outcome = { cuts: 0, torn: [], lost: [] };
  let writer;
  try {
    try {
      mount('store', (point) => mountImage('xfs', at('store-image'), 640 << 20, point));
      // Without the journal's care for renames, which hides a flush that is missing.
      mount('disk', (point) => makeDisk(at('store/disk'), point));
      nodeFs.mkdirSync(at('after'));
    } catch ({ message }) {
      return { ...outcome, problem: message };
    }
    const args = ['-e', WRITER, at('disk'), flush ? 'flush' : 'no flush'];
    writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    writer.stdout.setEncoding('latin1').on('data', (text) => (told += text));
    while (!told.includes(' ')) await sleep(5);
    for (; outcome.cuts < cuts; outcome.cuts++) {
      await sleep(Math.random() * 60);
      const latest = Number(told.trim().split(' ').at(-1));
      cutOnce(at('store/disk'), at('store/copy'), at('after'), (there) => {
        const found = versionOf(there('file'));
        if (found < 0) outcome.torn.push(`file after cut ${outcome.cuts}`);
        if (found >= 0 && found < latest) outcome.lost.push(`file ${latest}: ${found}`);
        const lost = LOGS.filter((log) => recordsOf(there(log)) < latest);
        outcome.lost.push(...lost.map((log) => `${log} ${latest}`));
      });
    }
    return outcome;
  } finally {
    if (writer !== undefined) {
      writer.kill('SIGKILL');
      await new Promise((resolve) => writer.on('close', resolve));
    }
    for (const point of mounted.reverse()) run('umount', '-l', point);
    nodeFs.rmSync(folder, { recursive: true, force: true });
  }
}

function makeDisk(image, point) {
  nodeFs.writeFileSync(image, '');
  nodeFs.truncateSync(image, 64 << 20);
  return (
    run('mkfs.ext4', '-q', image) ||
    run('mount', '-o', 'loop,noauto_da_alloc,commit=1', image, point)
  );
}

/** How many records are there from the first, one after the other. */
function recordsOf(log) {
  for (let n = 0; ; n++) {
    const record = log.toString('latin1', n * 1000, (n + 1) * 1000);
    if (record !== `${String(n + 1).padStart(999)} `) return n;
  }
}

/** Mounts the disk as it is now at `point`; `look` is given what reads a file of it, empty if missing. */
function cutOnce(disk, copy, point, look) {
  const problem =
    run('cp', '--reflink=always', disk, copy) || run('mount', '-o', 'loop', copy, point);
  if (problem) throw new Error(problem);
  try {
    look((name) => {
      const file = path.join(point, name);
      return nodeFs.existsSync(file) ? nodeFs.readFileSync(file) : Buffer.alloc(0);
    });
  } finally {
    run('umount', point);
    nodeFs.rmSync(copy);
  }
}

if (require.main === module) {
  cutPower(Number(process.argv[2] ?? 1000), true).then((outcome) => {
    console.log(JSON.stringify(outcome));
    const { problem, torn, lost } = outcome;
    if (problem !== undefined || torn.length + lost.length > 0) process.exitCode = 1;
  });
}

module.exports = { cutPower };
