'use strict';

// index.d.ts against the module itself. What the module exports at run time is written down as
// types, in programs generated into a temporary folder, and the compiler compares the two.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const nodePromises = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const uringFs = require('../..');
const dropIn = require('../../lib/fs');
const register = require('../../lib/register');

register.unregister(); // here it is about its names

const ROOT = path.join(__dirname, '..', '..');
const TSC = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

const OPTIONS = {
  target: 'es2022',
  lib: ['es2024', 'esnext.disposable'],
  types: [],
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  noErrorTruncation: true,
  allowJs: true,
  checkJs: true,
};

/** Start of every generated program. */
const PRELUDE = `
import ours = require('uring-fs');
import dropIn = require('uring-fs/fs');
import register = require('uring-fs/register');
import type { EventEmitter } from 'node:events';
import type * as nodeFs from 'node:fs';
import type * as node from 'node:fs/promises';
type Ours = typeof ours;
type Node = typeof node;
type DropIn = typeof dropIn;
type NodeFs = typeof nodeFs;
type Callable = (...args: never) => unknown;
declare const none: any;
`;

/** An ES module that uses every form of import, for all kinds of module resolution. */
const ES_MODULE = `
import fs from 'uring-fs';
import * as namespace from 'uring-fs';
import { FileHandle, open, readFile, ring, type RingStatus } from 'uring-fs';

export const status: RingStatus = fs.ring.status();
export const text: Promise<string> = readFile('file', 'utf8');
export const handles: Promise<FileHandle>[] = [open('file'), fs.open('file')];
export const same: boolean = namespace.ring === ring && handles[0] instanceof fs.FileHandle;
export const later: Promise<number> = import('uring-fs').then((m) => m.constants.O_RDONLY);
// @ts-expect-error proves that the types were found
fs.readFiel('file');
`;

/** A CommonJS module in TypeScript. */
const CJS_MODULE = `
import fs = require('uring-fs');
import { open, ring } from 'uring-fs';

export const status: fs.RingStatus = ring.status();
export const text: Promise<string> = fs.readFile('file', 'utf8');
export const handles: Promise<fs.FileHandle>[] = [open('file'), fs.open('file')];
// @ts-expect-error proves that the types were found
fs.readFiel('file');
`;

/** A CommonJS module in JavaScript. */
const JS_MODULE = `
// @ts-check
const fs = require('uring-fs');
const { open, ring } = fs;

/** @type {import('uring-fs').RingStatus} */
exports.status = ring.status();
/** @type {Promise<import('uring-fs').FileHandle>} */
exports.handle = open('file');
// @ts-expect-error proves that the types were found
fs.readFiel('file');
`;

/**
 * Every kind of module resolution there is. The format of `esnext` alone does not allow
 * `import fs = require()`.
 */
const RESOLUTIONS = new Map([
  ['node16', { module: 'node16', importRequire: true }],
  ['nodenext', { module: 'nodenext', importRequire: true }],
  ['bundler', { module: 'preserve', moduleResolution: 'bundler', importRequire: true }],
  ['bundler for ES modules', { module: 'esnext', moduleResolution: 'bundler' }],
  [
    'bundler for CommonJS',
    { module: 'commonjs', moduleResolution: 'bundler', importRequire: true },
  ],
]);

/** Runs the compiler on a project. Resolves with what it has to say: nothing when all is well. */
function compile(project) {
  return new Promise((resolve, reject) => {
    const args = [TSC, '--pretty', 'false', '-p', project];
    execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 2 ** 26 }, (err, stdout, stderr) => {
      if (err && !stdout.includes('error TS')) reject(new Error(`tsc: ${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

/** The single messages in what the compiler said, each with its indented continuation. */
function messages(said) {
  return said.trim() === '' ? [] : said.trim().split(/\n(?=\S)/);
}

/** A union type of these names: `'read' | 'write' | typeof Symbol.asyncDispose`. */
function union(names) {
  const literals = [...names].map((name) =>
    typeof name === 'symbol' ? 'typeof Symbol.asyncDispose' : JSON.stringify(name),
  );
  return literals.join(' | ') || 'never';
}

/** Names of an object's members: its own and its classes', of which EventEmitter does not count. */
function memberNames(object) {
  const names = new Set();
  let at = object;
  while (at && at !== EventEmitter.prototype && at !== Object.prototype) {
    for (const name of Reflect.ownKeys(at)) {
      const isPublic = typeof name === 'string' && !name.startsWith('_') && name !== 'constructor';
      if (isPublic || name === Symbol.asyncDispose) names.add(name);
    }
    at = Object.getPrototypeOf(at);
  }
  return names;
}

/** Value of a member, or undefined where it is computed: getters are not run. */
function memberValue(object, name) {
  for (let at = object; at; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor) return descriptor.value;
  }
  return undefined;
}

/**
 * A program that compiles when the names found at run time are those of a type. Names that
 * `node:fs/promises` has only at run time, or only in @types/node, are no difference: the two are
 * of different versions.
 */
function sameNames({ found, declared, nodeFound = [], nodeDeclared = 'never' }) {
  return `${PRELUDE}
type Declared = ${declared};
type Found = ${union(found)};
type NodeDeclared = ${nodeDeclared};
type NodeFound = ${union(nodeFound)};
export const notInIndexDts: never = none as Exclude<
  Found, Declared | Exclude<NodeFound, NodeDeclared>>;
export const notAtRunTime: never = none as Exclude<
  Declared, Found | Exclude<NodeDeclared, NodeFound>>;
`;
}

/** A program that compiles when functions are declared as such, and nothing else is. */
function sameKinds(object, names, declared) {
  const kinds = { function: [], class: [], value: [] };
  for (const name of names) {
    const value = memberValue(object, name);
    if (typeof value !== 'function') kinds.value.push(name);
    else if (/^class\b/.test(Function.prototype.toString.call(value))) kinds.class.push(name);
    else kinds.function.push(name);
  }
  return `${PRELUDE}
type Declared = ${declared};
type Only<Names> = Pick<Declared, Extract<Names, keyof Declared>>;
type Not<Kind, T> = { [K in keyof T]: T[K] extends Kind ? never : K }[keyof T];
type Is<Kind, T> = { [K in keyof T]: T[K] extends Kind ? K : never }[keyof T];
export const functionsNotCallable: never = none as Not<Callable, Only<${union(kinds.function)}>>;
export const classesNotClasses: never = none as
  Not<Function, Only<${union(kinds.class)}>> | Is<Callable, Only<${union(kinds.class)}>>;
export const valuesCallable: never = none as Is<Function, Only<${union(kinds.value)}>>;
`;
}

/** A program that compiles when none of these names is declared. */
function undeclared(names, declared) {
  return `${PRELUDE}
export const declaredNonetheless: never = none as Extract<${union(names)}, ${declared}>;
`;
}

/** A program that compiles when a value found at run time fits a type, without excess. */
function fits(value, type) {
  return `${PRELUDE}
export const value: ${type} = ${JSON.stringify(value)};
`;
}

describe('index.d.ts', function () {
  this.timeout(60_000);

  let folder;
  /** An open FileHandle of ours. */
  let handle;
  /** What the compiler says about the generated programs, about usage.ts, and by resolution. */
  let complaints;
  let usageComplaints;
  let resolutionComplaints;

  /** Writes a project of its own, which sees this package as an installed one. */
  function project(name, compilerOptions, programs) {
    const at = path.join(folder, name);
    fs.mkdirSync(path.join(at, 'node_modules'), { recursive: true });
    fs.symlinkSync(ROOT, path.join(at, 'node_modules', 'uring-fs'), 'junction');
    const tsconfig = { compilerOptions: { ...OPTIONS, ...compilerOptions }, include: ['*'] };
    fs.writeFileSync(path.join(at, 'tsconfig.json'), JSON.stringify(tsconfig));
    for (const [file, text] of Object.entries(programs)) {
      fs.writeFileSync(path.join(at, file), text);
    }
    return at;
  }

  /** Fails with what the compiler had to say about one generated program, and where. */
  function assertCompiled(program) {
    const lines = fs.readFileSync(path.join(folder, 'drift', `${program}.cts`), 'utf8').split('\n');
    const own = messages(complaints).filter((text) => text.includes(`${program}.cts(`));
    const placed = own.map((text) => `${text}\n    ${lines[/\((\d+),/.exec(text)[1] - 1]}`);
    assert.strictEqual(placed.join('\n'), '');
  }

  before(async () => {
    folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'uring-fs-types-'));

    const exported = Object.getOwnPropertyNames(uringFs);
    const nodeExported = Object.getOwnPropertyNames(nodePromises);
    handle = await uringFs.open(__filename);
    const members = memberNames(handle);
    const nodeHandle = await nodePromises.open(__filename);
    const nodeMembers = memberNames(nodeHandle);
    await nodeHandle.close();
    const { operations, ...status } = uringFs.ring.status();
    const stats = uringFs.ring.stats();
    const namespace = await import(pathToFileURL(require.resolve('../..')).href);
    const notImportable = exported.filter((name) => namespace[name] !== uringFs[name]);

    const programs = {
      exports: sameNames({
        found: exported,
        declared: 'keyof Ours',
        nodeFound: nodeExported,
        nodeDeclared: 'keyof Node',
      }),
      'export-kinds': sameKinds({ ...uringFs }, exported, 'Ours'),
      imports: undeclared(notImportable, 'keyof Ours'),
      members: sameNames({
        found: members,
        declared: 'Exclude<keyof ours.FileHandle, keyof EventEmitter>',
        nodeFound: nodeMembers,
        nodeDeclared: 'keyof node.FileHandle',
      }),
      'member-kinds': sameKinds(handle, members, 'ours.FileHandle'),
      ring: sameNames({ found: memberNames(uringFs.ring), declared: 'keyof ours.Ring' }),
      status: sameNames({
        found: [...Object.keys(status), 'operations'],
        declared: 'keyof ours.RingStatus',
      }),
      'status-value': fits(status, 'Omit<ours.RingStatus, "operations">'),
      operations: sameNames({
        found: Object.keys(operations),
        declared: 'keyof ours.RingStatus["operations"]',
        nodeFound: [...nodeExported, ...nodeMembers],
        nodeDeclared: 'keyof Node | keyof node.FileHandle',
      }),
      'operations-value': fits(operations, 'Record<string, ours.ServedBy>'),
      stats: sameNames({ found: Object.keys(stats), declared: 'keyof ours.RingStats' }),
      'stats-value': fits(stats, 'ours.RingStats'),
      'drop-in': sameNames({
        found: Object.getOwnPropertyNames(dropIn),
        declared: 'keyof DropIn',
        nodeFound: Object.getOwnPropertyNames(fs),
        nodeDeclared: 'keyof NodeFs',
      }),
      'drop-in-same': `${PRELUDE}
type Same = Omit<NodeFs, 'promises'>;
export const there: Same = none as DropIn;
export const back: Omit<DropIn, 'promises'> = none as Same;
export const promises: Ours = dropIn.promises;
`,
      register: sameNames({ found: Object.keys(register), declared: 'keyof typeof register' }),
    };
    const files = Object.entries(programs).map(([name, text]) => [`${name}.cts`, text]);
    const drift = project('drift', { module: 'nodenext' }, Object.fromEntries(files));
    const resolutions = [...RESOLUTIONS.values()].map(({ importRequire, ...options }, index) => {
      const modules = { 'es.mts': ES_MODULE, 'js.cjs': JS_MODULE };
      if (importRequire) modules['cjs.cts'] = CJS_MODULE;
      return project(`resolution-${index}`, options, modules);
    });
    [complaints, usageComplaints, ...resolutionComplaints] = await Promise.all(
      [drift, __dirname, ...resolutions].map(compile),
    );
  });

  after(async () => {
    await handle?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('serves the programs in usage.ts, and refuses their mistakes', () => {
    assert.strictEqual(usageComplaints, '');
  });

  it('has no mistakes of its own', () => {
    const elsewhere = messages(complaints).filter((text) => !/^[^(]+\.cts\(/.test(text));
    assert.strictEqual(elsewhere.join('\n'), '');
  });

  it('declares every export, and no other', () => assertCompiled('exports'));

  it('declares exported functions callable, classes as classes, and nothing else so', () => {
    assertCompiled('export-kinds');
  });

  it('declares every member of FileHandle, and no other', () => {
    assert(handle instanceof uringFs.FileHandle);
    assert.strictEqual(typeof handle.once, 'function');
    assertCompiled('members');
  });

  it('declares the methods of FileHandle callable, and its getters not', () => {
    assertCompiled('member-kinds');
  });

  it('declares what ring can do', () => assertCompiled('ring'));

  it('declares what ring.status() returns', () => {
    const status = uringFs.ring.status();
    assert.deepStrictEqual(JSON.parse(JSON.stringify(status)), status);
    assertCompiled('status');
    assertCompiled('status-value');
  });

  it('declares every name in the operations of ring.status(), and no other', () => {
    assertCompiled('operations');
    assertCompiled('operations-value');
  });

  it('declares what ring.stats() returns', () => {
    assertCompiled('stats');
    assertCompiled('stats-value');
  });

  it('uring-fs/fs has the types of node:fs, and promises of uring-fs', () => {
    assertCompiled('drop-in');
    assertCompiled('drop-in-same');
  });

  it('declares what uring-fs/register exports', () => assertCompiled('register'));

  it('declares no name that an ES module cannot import', async () => {
    const { default: main } = await import(pathToFileURL(require.resolve('../..')).href);
    assert.strictEqual(main, uringFs);
    assertCompiled('imports');
  });

  [...RESOLUTIONS.keys()].forEach((name, index) => {
    it(`is found and fits every form of import under ${name}`, () => {
      assert.strictEqual(resolutionComplaints[index], '');
    });
  });
});
