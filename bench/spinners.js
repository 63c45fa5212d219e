'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');

const CHILD = path.join(__dirname, 'children', 'spinner.js');

/** Processes that keep all cores but one busy, on demand. */
class Spinners {
  constructor() {
    this.children = [];
    this.busy = false;
  }

  /** @param {boolean} busy Whether they spin from now on. */
  async set(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    if (this.children.length === 0) this.start();
    await Promise.all(
      this.children.map(async (child) => {
        const answer = once(child.stdout, 'data');
        child.stdin.write(busy ? '1' : '0');
        await answer;
      }),
    );
  }

  start() {
    const count = Math.max(1, os.availableParallelism() - 1);
    this.children = Array.from({ length: count }, () =>
      spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
  }

  /** Ends them. */
  end() {
    for (const child of this.children) child.kill('SIGKILL');
    this.children = [];
  }
}

module.exports = { Spinners };
