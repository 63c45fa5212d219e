'use strict';

const { SingleBar } = require('cli-progress');

/** A progress bar on a terminal, and nothing anywhere else. */
class Progress {
  /** @param {number} total Milliseconds that will be measured. */
  constructor(total) {
    this.bar = null;
    this.value = 0;
    if (!process.stderr.isTTY) return;
    this.bar = new SingleBar({
      format: '{bar} {percentage}% | {eta_formatted} left | {workload}',
      barCompleteChar: '\u2588',
      barIncompleteChar: '\u2591',
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      // Drawn between slices where possible: each drawing within one costs it some microseconds.
      fps: 2,
      synchronousUpdate: true,
      etaBuffer: 100,
    });
    this.bar.start(Math.round(total), 0, { workload: '' });
  }

  workload(name) {
    this.bar?.update({ workload: name });
  }

  add(milliseconds) {
    this.set(this.value + milliseconds);
  }

  /** What is done is known anew: a workload may have been left out. */
  set(milliseconds) {
    this.value = milliseconds;
    this.bar?.update(Math.round(milliseconds));
  }

  stop() {
    this.bar?.stop();
  }
}

module.exports = { Progress };
