'use strict';

const BAR = 24;

/** A progress bar on a terminal (standard error), and nothing anywhere else. */
class Progress {
  /** @param {number} total of whatever is counted */
  constructor(total) {
    this.total = total;
    this.value = 0;
    this.began = performance.now();
    this.text = '';
  }

  /** @param {number} value that is done; `text`: what comes next */
  set(value, text = this.text) {
    this.value = Math.min(value, this.total);
    this.text = text;
    this.draw();
  }

  draw() {
    if (!process.stderr.isTTY) return;
    const share = this.value / this.total;
    const full = Math.round(share * BAR);
    const seconds = (performance.now() - this.began) / 1e3;
    const left = share > 0.05 ? `, ${Math.ceil((seconds / share) * (1 - share))} s left` : '';
    const bar = '\u2588'.repeat(full) + '\u2591'.repeat(BAR - full);
    const line = `${bar} ${Math.floor(share * 100)}%${left}  ${this.text}`;
    process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  /** Leaves no trace of it. */
  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}

module.exports = { Progress };
