'use strict';

const fs = require('node:fs');
const nodeFs = require('node:fs/promises');
const path = require('node:path');
const { inspect, types } = require('node:util');
const { Twin } = require('./parity-twin');
const { Describer, differences } = require('./parity-describe');
const { patient } = require('./environment');
const { seed, randomFor } = require('./parity-random');
const deviations = require('../parity/deviations');

// PARITY_IMPL names another module to hold against Node's: one with a known fault shows that a
// test can fail, `node:fs/promises` itself that the suite demands nothing Node does not do.
const ourFs = require(process.env.PARITY_IMPL ?? '../..');

const SETTLES_WITHIN = patient(20_000);
const TESTS = path.join(__dirname, '../parity');
const STACK_TRACE_LIMIT = Error.stackTraceLimit;
// Node leaves it at 0 when a getter throws while it words an error.
const restoreStacks = () => (Error.stackTraceLimit = STACK_TRACE_LIMIT);
const CLOSES_WITHIN = 100;
const SHOWN_IN_FULL = 25;

const totals = { comparisons: 0, calls: 0, trees: 0, deviated: 0 };

function timeLimit(promise) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, SETTLES_WITHIN, { how: 'never settles' });
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// With Node, a handle from which a stream could not be made (bad options) can never be closed. It is
// held on to, since its collection would be reported as an error.
const neverClosed = [];
async function closeOrHold(value) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSES_WITHIN, 'late');
  });
  const closed = Promise.resolve().then(() => value.close());
  const outcome = await Promise.race([closed, late]).catch(() => 'failed');
  clearTimeout(timer);
  if (outcome !== undefined) neverClosed.push(value);
}

// A mistake in a test would end in the same TypeError on both sides, and pass.
function refuseOwnMistake(error) {
  if (!(error instanceof TypeError || error instanceof ReferenceError) || error.code) return;
  const [, firstFrame = ''] = String(error.stack).split('\n    at ');
  if (firstFrame.includes(TESTS) && !/only a getter/.test(error.message)) {
    throw new Error('the step itself is wrong', { cause: error });
  }
}

// One implementation at work on its own folder; keeps a record of everything it did.
class Side {
  constructor(implementation, twin, options) {
    this.fs = implementation;
    this.isNode = options.isNode;
    this.nodeFs = nodeFs; // whichever side this is
    this.dir = twin.dir;
    this.shared = twin.shared;
    this.describer = new Describer(options);
    this.records = [];
    this.cleanups = [];
  }

  path(...names) {
    return path.join(this.dir, ...names);
  }

  mark(name, object) {
    return this.describer.mark(name, object);
  }

  later(cleanup) {
    this.cleanups.push(cleanup);
  }

  // Runs `thunk` and records what came of it, a synchronous throw told from a rejection. Gives
  // back the value, or undefined.
  async step(label, thunk, map = (value) => value) {
    const record = { label };
    this.records.push(record);
    restoreStacks();
    // Afterwards, too: the arguments of the next step, made before it, may have stacks.
    return this.settle(record, thunk, map).finally(restoreStacks);
  }

  async settle(record, thunk, map) {
    let returned;
    try {
      returned = thunk();
    } catch (error) {
      if (this.isNode) refuseOwnMistake(error);
      record.outcome = { how: 'throws', error: this.describer.describe(error) };
      return undefined;
    }
    if (!types.isPromise(returned)) {
      this.keep(returned);
      record.outcome = { how: 'returns', value: this.describer.describe(map(returned)) };
      return returned;
    }
    let value;
    record.outcome = await timeLimit(
      returned.then(
        (resolved) => {
          value = resolved;
          this.keep(resolved);
          return { how: 'resolves', value: this.describer.describe(map(resolved)) };
        },
        (error) => {
          if (this.isNode) refuseOwnMistake(error);
          return { how: 'rejects', error: this.describer.describe(error) };
        },
      ),
    );
    return value;
  }

  note(label, value) {
    this.records.push({ label, outcome: { how: 'is', value: this.describer.describe(value) } });
  }

  // Access and modification time of an entry; those of the present cannot be equal.
  noteTimes(target) {
    const recent = (time) => (Math.abs(time - Date.now()) < 300000 ? 'now' : time);
    const stats = fs.lstatSync(target, { throwIfNoEntry: false });
    this.note(`times of ${target}`, stats && [recent(stats.atimeMs), recent(stats.mtimeMs)]);
  }

  // Handles and directories that a call opened are closed when the script is over.
  keep(value) {
    if (value === null || typeof value !== 'object' || types.isProxy(value)) return;
    const kind = value.constructor?.name;
    if (kind === 'FileHandle' || kind === 'Dir') this.later(() => closeOrHold(value));
  }

  async finish() {
    for (const cleanup of this.cleanups.reverse()) {
      try {
        await timeLimit(Promise.resolve(cleanup()));
      } catch {
        // Closed by the script itself.
      }
    }
  }
}

function treeDifferences(node, ours) {
  if (node === ours) return [];
  const inNode = node.split('\n');
  const inOurs = ours.split('\n');
  return [
    {
      path: 'folder afterwards',
      node: inNode.filter((line) => !inOurs.includes(line)),
      ours: inOurs.filter((line) => !inNode.includes(line)),
    },
  ];
}

class Parity {
  constructor(title, populate, ours = ourFs, node = nodeFs) {
    this.title = title;
    this.ours = ours;
    this.node = node;
    this.twin = new Twin(populate);
    this.random = randomFor(title);
    this.failures = [];
    this.comparisons = 0;
  }

  // Compares one call, and the folders after it.
  call(label, thunk, options) {
    return this.script(label, (side) => side.step('', () => thunk(side), options?.map), options);
  }

  // Compares a series of steps; each recorded step is a comparison. Options: `same`: both sides
  // look at one and the same file, so that inode, times and blocks must agree too; `tree: false`:
  // only reads, so the folder need not be looked at; `tree: 'ignore'`: the folder changes in a way
  // that nobody is promised anything about.
  async script(label, body, options = {}) {
    const { twin } = this;
    const sides = {};
    const trees = {};
    for (const name of ['node', 'ours']) {
      twin.activate(name);
      const side = new Side(this[name], twin, { ...options, isNode: name === 'node' });
      sides[name] = side;
      try {
        await body(side);
      } catch (error) {
        // On Node's side the script itself is wrong: it must never pass as an equal outcome.
        if (name === 'node') throw new Error(`script failed on Node: ${label}`, { cause: error });
        side.note('script', error);
      } finally {
        await side.finish();
      }
      if (options.tree === undefined) trees[name] = twin.snapshot();
    }
    const found = this.compareRecords(sides.node.records, sides.ours.records);
    this.comparisons += sides.node.records.length;
    if (this.ours === ourFs) {
      totals.calls++;
      totals.comparisons += sides.node.records.length;
    }
    if (options.tree === undefined) {
      if (this.ours === ourFs) totals.trees++;
      found.push(...treeDifferences(trees.node, trees.ours));
    }
    if (options.tree === 'ignore') twin.rebuild();
    else if (options.tree !== false) {
      twin.restore('node', trees.node);
      twin.restore('ours', trees.ours);
    }
    this.report(label, found, sides);
  }

  compareRecords(node, ours) {
    const found = [];
    for (let i = 0; i < Math.max(node.length, ours.length); i++) {
      const label = node[i]?.label ?? ours[i].label;
      found.push(...differences(node[i]?.outcome, ours[i]?.outcome, label));
    }
    return found;
  }

  report(label, found, sides) {
    const full = `${this.title}: ${label}`;
    const unexpected = found.filter(({ path: place }) => {
      const known = deviations.find((one) => one.call.test(full) && one.place.test(place));
      if (known) totals.deviated++;
      return !known;
    });
    if (unexpected.length > 0) this.failures.push({ label, unexpected, sides });
  }

  explain() {
    const print = (value) =>
      inspect(value, { depth: 8, breakLength: 96, maxArrayLength: 40, maxStringLength: 400 });
    const lines = [`${this.failures.length} differing (PARITY_SEED=${seed}):`];
    for (const [index, { label, unexpected, sides }] of this.failures.entries()) {
      lines.push(`\n${index + 1}. ${label}`);
      for (const { path: place, node, ours } of unexpected.slice(0, 12)) {
        lines.push(`   at ${place || 'the outcome'}`);
        lines.push(`     node: ${print(node)}`, `     ours: ${print(ours)}`);
      }
      if (index < SHOWN_IN_FULL) {
        const last = ({ records }) => print(records.slice(-6)).replace(/\n/g, '\n   ');
        lines.push(`   all of node: ${last(sides.node)}`, `   all of ours: ${last(sides.ours)}`);
      }
    }
    return lines.join('\n');
  }

  close() {
    this.twin.close();
  }

  assertEqual() {
    if (this.comparisons === 0) throw new Error(`nothing was compared in: ${this.title}`);
    if (this.failures.length > 0) throw new Error(this.explain());
  }
}

// Warnings that Node prints, once or each time, about what the tests do on purpose.
const EXPECTED_WARNINGS =
  /non-"bytes" options\.type|mkdtemp\(\) templates|fs\.rmdir\(path, \{ recursive|glob is an exp/;

function quietly(emitWarning) {
  return (warning, ...rest) => {
    if (!EXPECTED_WARNINGS.test(String(warning))) emitWarning.call(process, warning, ...rest);
  };
}

// A mocha test made of many comparisons; all of the differing ones are listed when it fails. `ours` is
// held against `node`.
function parityTest(title, body, populate, { ours, node } = {}) {
  it(title, async function () {
    this.timeout(patient(120_000));
    const parity = new Parity(title, populate, ours, node);
    const { emitWarning } = process;
    process.emitWarning = quietly(emitWarning);
    try {
      await body.call(this, parity);
    } finally {
      process.emitWarning = emitWarning;
      parity.close();
    }
    parity.assertEqual();
  });
}

module.exports = { Parity, parityTest, quietly, totals, nodeFs, ourFs };
