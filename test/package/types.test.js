'use strict';

// TypeScript with the installed package: what compiles runs, and an editor shows what it is about.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { ROOT, onRing } = require('../helpers/environment');
const { LONG, useInstalled } = require('../helpers/installed');

const SAMPLE = path.join(__dirname, 'sample');
const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

const STRICT = {
  target: 'es2022',
  lib: ['es2024', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUncheckedSideEffectImports: true,
  noUnusedLocals: true,
  skipLibCheck: false,
  rootDir: '.',
};

/** A bundler is given ES modules. */
const RESOLUTIONS = {
  node16: { options: { module: 'node16' }, files: ['esm.mts', 'cjs.cts'] },
  nodenext: { options: { module: 'nodenext' }, files: ['esm.mts', 'cjs.cts'] },
  bundler: { options: { module: 'esnext', moduleResolution: 'bundler' }, files: ['esm.mts'] },
};

/** What the program of each file prints after the backend. */
const PRINTED = {
  'esm.mts': ' // A  true ,ENOENT\n',
  'cjs.cts': ' true number true,true true\n',
};

/** What an editor has to show for a name, among the rest. */
const SHOWN = {
  readFile: 'Asynchronously reads the entire contents of a file',
  stat: 'Fulfills with the',
  open: 'whose operations go through the ring',
  readFiles: 'Reads many whole files',
  statFiles: '`stat` of many paths',
  writeFileAtomic: 'Replaces the content of a file whole',
  ring: 'The ring of this thread',
};

/** A client of the compiler's language server, which is what an editor asks. */
class Editor {
  #server;
  #answers = new Map();
  #pending = Buffer.alloc(0);
  #last = 0;

  constructor(folder) {
    this.#server = spawn(process.execPath, [TSC, '--lsp', '--stdio'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#server.stdout.on('data', (data) => this.#receive(data));
  }

  #send(message) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #receive(data) {
    this.#pending = Buffer.concat([this.#pending, data]);
    for (;;) {
      const start = this.#pending.indexOf('\r\n\r\n') + 4;
      const [, length] = /Content-Length: (\d+)/.exec(this.#pending.subarray(0, start)) ?? [];
      const end = start + Number(length);
      if (start < 4 || this.#pending.length < end) return;
      const message = JSON.parse(this.#pending.subarray(start, end));
      this.#pending = this.#pending.subarray(end);
      if (message.method === undefined) this.#answers.get(message.id)?.(message);
      // What the server asks for (to be told of settings) is granted.
      else if (message.id !== undefined) this.#send({ id: message.id, result: null });
    }
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  request(method, params) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) =>
        error ? reject(new Error(error.message)) : resolve(result),
      );
      this.#send({ id, method, params });
    });
  }

  close() {
    this.#server.kill();
  }
}

describe('TypeScript with the installed package', function () {
  this.timeout(LONG);

  const installed = useInstalled();
  const backend = onRing ? 'io_uring' : 'threadpool';

  before(() => {
    const types = installed.in('node_modules', '@types');
    nodeFs.symlinkSync(path.join(ROOT, 'node_modules', '@types'), types, 'junction');
    for (const name of nodeFs.readdirSync(SAMPLE)) {
      installed.file(name, nodeFs.readFileSync(path.join(SAMPLE, name), 'utf8'));
    }
  });

  for (const [name, { options, files }] of Object.entries(RESOLUTIONS)) {
    it(`a strict program compiles under ${name}, and runs`, () => {
      const outDir = `out-${name}`;
      const project = { compilerOptions: { ...STRICT, ...options, outDir }, files };
      const config = installed.file(`tsconfig.${name}.json`, JSON.stringify(project));
      const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', config], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stdout);
      for (const file of files) {
        const program = path.join(outDir, file.replace(/ts$/, 'js'));
        const printed = installed.output(process.execPath, [program]);
        assert.equal(printed, `${backend}${PRINTED[file]}`);
      }
    });
  }

  it('an editor shows the text of every function, ours and those of Node', async () => {
    const names = Object.keys(SHOWN);
    const lines = [`import { ${names.join(', ')} } from 'uring-fs';`, ...names];
    const uri = pathToFileURL(installed.in('editor.mts')).href;
    const editor = new Editor(installed.in());
    try {
      const rootUri = pathToFileURL(installed.in()).href;
      const capabilities = { textDocument: { hover: { contentFormat: ['plaintext'] } } };
      await editor.request('initialize', { processId: process.pid, rootUri, capabilities });
      editor.notify('initialized', {});
      const document = { uri, languageId: 'typescript', version: 1, text: lines.join('\n') };
      editor.notify('textDocument/didOpen', { textDocument: document });
      for (const [index, name] of names.entries()) {
        const position = { line: index + 1, character: 1 };
        const hover = await editor.request('textDocument/hover', {
          textDocument: { uri },
          position,
        });
        assert.ok(hover.contents.value.includes(SHOWN[name]), hover.contents.value);
      }
    } finally {
      editor.close();
    }
  });
});
