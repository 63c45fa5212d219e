'use strict';

// Running commands for the set-up and the gates: one short line per step, and on failure what a
// person needs: the step, the tail of what it said, and the command to type next.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..', '..');
const TAIL_LINES = 40;

/** A step that failed. `next` is the exact command with which a person goes on. */
class StepError extends Error {
  /**
   * @param {string} step what was tried
   * @param {string} output what it printed
   * @param {string} next the command to type next
   */
  constructor(step, output, next) {
    super(`${step} failed`);
    this.output = output;
    this.next = next;
  }
}

/**
 * Runs a command to its end and captures stdout and stderr together.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {{ ok: boolean, output: string }}
 */
function run(command, args, options) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...options,
  });
  const died = result.error?.message ?? (result.signal ? `ended by ${result.signal}` : '');
  const output = [result.stdout, result.stderr, died].filter(Boolean).join('\n').trim();
  return { ok: result.status === 0, output };
}

/**
 * Announces a step in one line, runs it, and throws a StepError if it fails.
 *
 * @param {string} step
 * @param {string} command
 * @param {string[]} args
 * @param {{ next: string, cwd?: string, env?: NodeJS.ProcessEnv }} options
 */
function runStep(step, command, args, { next, ...options }) {
  say(step);
  const { ok, output } = run(command, args, options);
  if (!ok) throw new StepError(step, output, next);
}

/** Prints one line of the set-up. On stderr, so that a command's own output stays clean. */
function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/**
 * Runs `main`; a StepError becomes a short report and exit code 1.
 *
 * @param {() => void | Promise<void>} main
 */
async function exitOnFailure(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    process.stderr.write(`\n${report(error)}\n`);
    process.exitCode = 1;
  }
}

/** @param {StepError} error */
function report(error) {
  const lines = error.output.split('\n').slice(-TAIL_LINES);
  const tail = error.output ? `${lines.map((line) => `  | ${line}`).join('\n')}\n` : '';
  return `set-up: ${error.message}\n${tail}set-up: to go on, type:  ${error.next}`;
}

/**
 * Where a command is on the PATH, or null.
 *
 * @param {string} command
 */
function which(command) {
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(directory, command);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return file;
    } catch {
      // Not in this directory: look in the next.
    }
  }
  return null;
}

module.exports = { ROOT, StepError, run, runStep, say, exitOnFailure, which };
