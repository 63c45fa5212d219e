'use strict';

// Kills a process that replaces a file, again and again, at moments drawn from the seed; in between and
// meanwhile reads the file: it must always be one whole version.
//
//   node test/helpers/atomic-killed.js [KILLS] [SEED]

const { spawn } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/** A version: a number, then its remainder by 251 as so many bytes; the length differs too. */
function version(n) {
  const bytes = Buffer.alloc(8 + 1000 + ((n * 7919) % 300000), n % 251);
  bytes.writeDoubleBE(n);
  return bytes;
}

const WRITER = `
  const { writeFileAtomic } = require(${JSON.stringify(ROOT)});
  ${version}
  (async () => {
    for (let n = Number(process.argv[2]); ; n++) {
      await writeFileAtomic(process.argv[1], version(n), { flush: n % 4 === 0 });
      if (n % 4 === 0) require('node:fs').writeSync(1, n + ' ');
    }
  })();`;

/** The number of the version, or -1 when the bytes are none. */
function versionOf(bytes) {
  if (bytes.length < 1008) return -1;
  const n = bytes.readDoubleBE();
  if (bytes.length !== 1008 + ((n * 7919) % 300000)) return -1;
  return bytes.subarray(8).every((byte) => byte === n % 251) ? n : -1;
}

/**
 * @param {number} kills
 * @param {number} seed
 * @returns {Promise<{ kills: number, reads: number, versions: number, torn: string[], lost: string[] }>}
 */
async function killWriters(kills, seed) {
  const folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'uring-fs-atomic-'));
  const file = path.join(folder, 'file');
  const outcome = { kills: 0, reads: 0, versions: 0, torn: [], lost: [] };
  let state = seed >>> 0 || 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let latest = 0;
  const look = () => {
    if (!nodeFs.existsSync(file)) return;
    outcome.reads++;
    const n = versionOf(nodeFs.readFileSync(file));
    if (n < 0) outcome.torn.push(`after kill ${outcome.kills}`);
    else if (n < latest) outcome.lost.push(`${n} after ${latest}`);
    latest = Math.max(latest, n);
  };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    while (outcome.kills < kills) {
      const writer = spawn(process.execPath, ['-e', WRITER, file, String(latest + 1)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let told = '';
      writer.stdout.setEncoding('latin1').on('data', (text) => (told += text));
      const ended = new Promise((resolve) => writer.on('close', resolve));
      await new Promise((resolve) => writer.stdout.once('data', resolve));
      const until = performance.now() + random() * 40;
      while (performance.now() < until) {
        look();
        await sleep(random() * 3);
      }
      writer.kill('SIGKILL');
      await ended;
      outcome.kills++;
      // What was said to be written is there.
      latest = Math.max(latest, ...told.trim().split(' ').map(Number));
      look();
      for (const name of nodeFs.readdirSync(folder)) {
        if (name.endsWith('.tmp')) nodeFs.unlinkSync(path.join(folder, name));
      }
    }
    outcome.versions = latest;
  } finally {
    nodeFs.rmSync(folder, { recursive: true });
  }
  return outcome;
}

if (require.main === module) {
  const [kills = '5000', seed = String(Date.now())] = process.argv.slice(2);
  killWriters(Number(kills), Number(seed)).then((outcome) => {
    console.log(JSON.stringify({ seed: Number(seed), ...outcome }));
    if (outcome.torn.length + outcome.lost.length > 0) process.exitCode = 1;
  });
}

module.exports = { killWriters, version, versionOf };
