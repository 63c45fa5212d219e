'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const CHILD = path.join(__dirname, 'children', 'workload.js');

/** A workload has failed, and its message says all. */
class Failure extends Error {}

/** Runs workloads, each in a process of its own. One at a time. */
class Runner {
  /**
   * @param {object} plan What all workloads get; see children/workload.js.
   * @param {(milliseconds: number) => void} onSlice
   */
  constructor(plan, onSlice) {
    this.plan = plan;
    this.onSlice = onSlice;
    this.child = null;
    /** Of what is not a workload. */
    this.stopping = new AbortController();
  }

  /**
   * @param {string} name
   * @returns {Promise<{ result: import('./harness').Result } | { unavailable: string }>}
   */
  async run(name) {
    const child = fork(CHILD);
    this.child = child;
    const exited = once(child, 'exit');
    let answer = null;
    child.on('message', (message) => {
      if (message.slice === undefined) answer = message;
      else this.onSlice(message.slice);
    });
    child.send({ run: { ...this.plan, name } });
    const [status, signal] = await exited;
    this.child = null;
    if (answer === null) throw new Failure(`${name}: ended with ${signal ?? `status ${status}`}`);
    if (answer.failed) throw new Failure(answer.failed.message);
    return answer;
  }

  /** Asks the workload that runs to end, or leaves it no choice. */
  abort(now = false) {
    this.stopping.abort();
    if (now) this.child?.kill('SIGKILL');
    else if (this.child?.connected) this.child.send({ abort: true });
  }
}

module.exports = { Failure, Runner };
