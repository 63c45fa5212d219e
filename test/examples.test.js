'use strict';

const assert = require('node:assert/strict');
const { execFile, execFileSync, spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { once } = require('node:events');
const http = require('node:http');
const nodeFs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { ROOT, backend, pattern, runProgram, until, useFolder } = require('./helpers/environment');
const { DurableLog } = require('../examples/durable-log');
const { hashTree } = require('../examples/hash-tree');
const { loadGraph } = require('../examples/module-graph');
const { createServer } = require('../examples/static-server');

const example = (name) => path.join(ROOT, 'examples', name);
const run = (name, ...args) => promisify(execFile)(process.execPath, [example(name), ...args]);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

describe('examples', () => {
  const folder = useFolder();

  it('each says how it is run', async () => {
    for (const name of nodeFs.readdirSync(example('')).filter((at) => at.endsWith('.js'))) {
      const { stdout, stderr } = await run(name, '--help');
      assert.match(stdout, new RegExp(`\n {2}node examples/${name} `));
      assert.equal(stderr, '');
    }
  });

  describe('static-server', () => {
    const LARGE = pattern(1_000_003);
    let server;
    let root;

    before(async () => {
      root = folder.in('site');
      nodeFs.mkdirSync(path.join(root, 'sub', '.git'), { recursive: true });
      folder.file('secret.txt', 'not to be served');
      folder.file('site/page.html', '<p>page');
      folder.file('site/sub/index.html', '<p>sub');
      folder.file('site/sub/.git/config', 'hidden');
      folder.file('site/a b%.txt', 'odd name');
      folder.file('site/empty.txt', '');
      folder.file('site/large.bin', LARGE);
      folder.fifo('site/fifo');
      server = createServer(root).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });

    after(() => {
      server.closeAllConnections();
      server.close();
    });

    /** A request whose path is sent as it is written. */
    async function request(url, { method = 'GET', ...headers } = {}) {
      const { port } = server.address();
      const sent = http.request({ port, path: url, method, headers, agent: false }).end();
      const [response] = await once(sent, 'response');
      const chunks = await response.toArray();
      return {
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks),
      };
    }

    it('serves files of every size, with their kind', async () => {
      const page = await request('/page.html?x=1');
      assert.equal(page.status, 200);
      assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
      assert.equal(String(page.body), '<p>page');
      assert.equal(String((await request('/a%20b%25.txt')).body), 'odd name');
      assert.equal((await request('/empty.txt')).headers['content-length'], '0');
      const large = await request('/large.bin');
      assert.equal(sha256(large.body), sha256(LARGE));
      const head = await request('/large.bin', { method: 'HEAD' });
      assert.equal(head.headers['content-length'], String(LARGE.length));
      assert.equal(head.body.length, 0);
    });

    it('sends what a client has not got, and the range that it asks for', async () => {
      const { headers } = await request('/large.bin');
      const known = { 'if-none-match': `"other", W/${headers.etag}` };
      assert.equal((await request('/large.bin', known)).status, 304);
      assert.equal((await request('/large.bin', { 'if-none-match': '"other"' })).status, 200);
      const cases = [
        ['bytes=10-19', 10, 20],
        ['bytes=-5', LARGE.length - 5, LARGE.length],
        ['bytes=-9999999', 0, LARGE.length],
        ['bytes=400000-', 400_000, LARGE.length],
        ['bytes=999999-99999999', 999_999, LARGE.length],
      ];
      for (const [range, start, end] of cases) {
        for (const condition of [{}, { 'if-range': headers.etag }]) {
          const part = await request('/large.bin', { range, ...condition });
          assert.equal(part.status, 206, range);
          const which = `bytes ${start}-${end - 1}/${LARGE.length}`;
          assert.equal(part.headers['content-range'], which);
          assert.ok(part.body.equals(LARGE.subarray(start, end)), range);
        }
      }
      for (const range of ['bytes=-', 'bytes=9-3', 'bytes=1-2,5-6', 'lines=1-2']) {
        assert.equal((await request('/large.bin', { range })).status, 200, range);
      }
      const outdated = { range: 'bytes=0-1', 'if-range': '"other"' };
      assert.equal((await request('/large.bin', outdated)).status, 200);
      for (const [name, range] of [
        ['large.bin', 'bytes=1000003-'],
        ['large.bin', 'bytes=-0'],
        ['empty.txt', 'bytes=0-'],
      ]) {
        const refused = await request(`/${name}`, { range });
        const size = nodeFs.statSync(path.join(root, name)).size;
        assert.equal(refused.status, 416, range);
        assert.equal(refused.headers['content-range'], `bytes */${size}`);
      }
    });

    it('serves nothing but the files of its folder', async () => {
      const cases = {
        '/../secret.txt': 404,
        '/sub/../../secret.txt': 404,
        '/%2e%2e/secret.txt': 404,
        '/..%2fsecret.txt': 404,
        '/sub%2f..%2f..%2fsecret.txt': 404,
        '/sub/.git/config': 404,
        '/%00': 400,
        '/%E0%A4%A': 400,
        '/fifo': 404,
        '/page.html/': 404,
        '/nothing': 404,
        [`/${'n'.repeat(300)}`]: 404,
      };
      for (const [url, status] of Object.entries(cases)) {
        const refused = await request(url);
        assert.equal(refused.status, status, url);
        assert.doesNotMatch(String(refused.body), /served|hidden|site/);
      }
      assert.equal((await request('/page.html', { method: 'PUT' })).headers.allow, 'GET, HEAD');
    });

    it('gives the page of a folder, at its own address', async () => {
      assert.equal(String((await request('/sub/')).body), '<p>sub');
      for (const url of ['/sub?x=1', '//sub?x=1', '/\\other/../sub?x=1', '//other/../sub?x=1']) {
        const moved = await request(url);
        assert.deepEqual([moved.status, moved.headers.location], [301, '/sub/?x=1'], url);
      }
      assert.equal((await request('/')).status, 404);
    });

    it('runs as a program', async () => {
      const child = spawn(process.execPath, [example('static-server.js'), root, '--port', '0']);
      try {
        const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
        assert.ok(line.startsWith(`${root} by ${backend} at http://127.0.0.1:`), line);
        const response = await fetch(`${line.trim().split(' ').pop()}page.html`);
        assert.equal(await response.text(), '<p>page');
      } finally {
        child.kill();
      }
    });
  });

  describe('module-graph', () => {
    it('finds every module of a tree once', async () => {
      nodeFs.mkdirSync(folder.in('modules', 'lib'), { recursive: true });
      folder.file(
        'modules/entry.mjs',
        "import './a.js'; import b from './a'; export * from './lib';",
      );
      folder.file(
        'modules/a.js',
        "import('./lib/c.mjs'); import 'node:fs'; import '@own/thing/x';",
      );
      folder.file('modules/lib/index.js', "import '../entry.mjs'; // import './not-there';");
      folder.file(
        'modules/lib/c.mjs',
        'import(`./` + name); import(`./$' + '{name}.js`); import.meta.url;',
      );
      const modules = await loadGraph(folder.in('modules', 'entry.mjs'));
      const found = ['entry.mjs', 'a.js', 'lib/index.js', 'lib/c.mjs'];
      assert.deepEqual(
        [...modules.keys()].sort(),
        found.map((name) => folder.in('modules', name)).sort(),
      );
      const imports = [folder.in('modules', 'lib', 'c.mjs'), 'node:fs', '@own/thing/x'];
      assert.deepEqual(modules.get(folder.in('modules', 'a.js')).imports, imports);
      for (const [file, { source }] of modules) {
        assert.equal(source, nodeFs.readFileSync(file, 'utf8'));
      }
    });

    it('says who imports what is not there', async () => {
      const entry = folder.file('broken.mjs', "import './missing.js';");
      await assert.rejects(loadGraph(entry), ({ message, cause }) => {
        assert.ok(message.includes('missing.js, imported by ') && message.includes(entry), message);
        return cause.code === 'ENOENT';
      });
    });

    it('runs as a program', async () => {
      const { stdout } = await run('module-graph.js');
      assert.match(stdout, /^\d{3} modules, \d{4} imports, .* packages: tslib zrender\n$/);
    });
  });

  describe('durable-log', () => {
    const records = async (log) => {
      const found = [];
      for await (const data of log.records()) found.push(String(data));
      return found;
    };

    it('has what was appended, in order, synced together', async () => {
      const file = folder.in('log');
      const { log } = await DurableLog.open(file);
      const all = Array.from({ length: 2000 }, (_, i) => `${i} ${'x'.repeat(i)}`);
      await Promise.all(all.map((text) => log.append(Buffer.from(text))));
      assert.ok(log.syncs > 0 && log.syncs < 10, `${log.syncs} syncs`);
      await assert.rejects(log.append(Buffer.alloc(1024 * 1024 + 1)), RangeError);
      assert.deepEqual(await records(log), all);
      await log.close();
      const again = await DurableLog.open(file);
      assert.deepEqual([again.records, again.torn], [all.length, 0]);
      assert.deepEqual(await records(again.log), all);
      await again.log.close();
    });

    it('cuts off a torn record wherever it is torn, and nothing else', async () => {
      const file = folder.in('torn');
      const { log } = await DurableLog.open(file);
      for (const text of ['first', '', 'third']) await log.append(Buffer.from(text));
      await log.close();
      const whole = nodeFs.readFileSync(file);
      const withoutLast = whole.length - 'third'.length - 8;
      for (let length = withoutLast; length < whole.length; length++) {
        for (const [kind, rest] of [
          ['cut', Buffer.alloc(0)],
          ['zeros', Buffer.alloc(whole.length - length)],
          ['garbage', Buffer.alloc(whole.length - length + 20, 0xff)],
        ]) {
          const bytes = Buffer.concat([whole.subarray(0, length), rest]);
          nodeFs.writeFileSync(file, bytes);
          const opened = await DurableLog.open(file);
          const what = `${kind} from ${length}`;
          assert.deepEqual([opened.records, opened.torn], [2, bytes.length - withoutLast], what);
          await opened.log.append(Buffer.from('anew'));
          assert.deepEqual(await records(opened.log), ['first', '', 'anew'], what);
          await opened.log.close();
        }
      }
    });

    it('has lost nothing that it acknowledged when its process is killed', async () => {
      const file = folder.in('killed');
      let acknowledged = 0;
      for (let round = 0; round < 3; round++) {
        const { said, signal } = await runProgram(
          async ({ root, args, say }) => {
            const { DurableLog: Log } = require(`${root}/examples/durable-log.js`);
            const { log, records: there } = await Log.open(args);
            let next = there;
            const writer = async () => {
              for (;;) {
                const number = next++;
                await log.append(Buffer.from(`${number} ${'x'.repeat(number % 5000)}`));
                say(number);
              }
            };
            for (let i = 0; i < 16; i++) writer();
          },
          {
            args: file,
            start(child) {
              let output = '';
              child.stdout.on('data', (text) => (output += text));
              const some = until(() => output.length > 2000, 'some records are written');
              some.finally(() => child.kill('SIGKILL'));
            },
          },
        );
        assert.equal(signal, 'SIGKILL');
        assert.ok(said.length > 100);
        acknowledged = Math.max(acknowledged, ...said);
        const opened = await DurableLog.open(file);
        const found = await records(opened.log);
        await opened.log.close();
        assert.ok(found.length > acknowledged, `${found.length} of ${acknowledged + 1}`);
        const expected = found.map((_, number) => `${number} ${'x'.repeat(number % 5000)}`);
        assert.deepEqual(found, expected);
      }
    });

    it('runs as a program', async () => {
      const args = [folder.in('program'), '--records', '300', '--writers', '8'];
      assert.match((await run('durable-log.js', ...args)).stdout, /: 0 records, .*\n300 records/);
      assert.match((await run('durable-log.js', ...args)).stdout, /: 300 records, 0 bytes/);
    });
  });

  describe('hash-tree', () => {
    before(() => {
      nodeFs.mkdirSync(folder.in('tree', 'sub', 'empty'), { recursive: true });
      for (let i = 0; i < 600; i++) folder.file(`tree/sub/${i}`, `content ${i}`);
      folder.file('tree/large', pattern(3_000_001));
      folder.file('tree/zero', '');
      folder.file('tree/sub.txt', 'sorts before what is below sub');
      folder.file('tree/back\\slash\nline', 'odd name');
      folder.fifo('tree/fifo');
      nodeFs.symlinkSync('large', folder.in('tree', 'link'));
    });

    it('prints what sha256sum prints', async () => {
      const { stdout, stderr } = await run('hash-tree.js', folder.in('tree'));
      const command = 'find . -type f -printf "%P\\0" | LC_ALL=C sort -z | xargs -0 sha256sum';
      const expected = execFileSync('sh', ['-c', command], { cwd: folder.in('tree') });
      assert.equal(stdout, String(expected));
      assert.equal(stderr, `${sha256(expected)}  ${folder.in('tree')}\n`);
    });

    it('tells of every byte, and of files that it cannot read', async () => {
      let bytes = 0;
      let files = 0;
      for await (const { file, digest, error } of hashTree(
        folder.in('tree'),
        (n) => (bytes += n),
      )) {
        files++;
        const { size } = nodeFs.statSync(file, { throwIfNoEntry: false }) ?? {};
        if (file.endsWith('sub/0')) nodeFs.rmSync(folder.in('tree', 'sub', '599'));
        if (size === undefined) assert.equal(error?.code, 'ENOENT');
        else assert.match(digest, /^[0-9a-f]{64}$/);
      }
      const left = nodeFs
        .readdirSync(folder.in('tree'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name, parentPath }) => nodeFs.statSync(path.join(parentPath, name)).size);
      assert.equal(
        bytes,
        left.reduce((sum, size) => sum + size),
      );
      assert.equal(files, left.length + 1);
    });
  });
});
