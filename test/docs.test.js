'use strict';

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./helpers/environment');

const read = (name) => nodeFs.readFileSync(path.join(ROOT, name), 'utf8');
const list = (name) => nodeFs.readdirSync(path.join(ROOT, name));

const DOCUMENTS = [
  ...list('').filter((name) => name.endsWith('.md')),
  ...list('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** As GitHub makes the anchor of a heading. */
function anchorsOf(text) {
  const headings = [...text.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs', () => {
  it('the map has every file of lib/ and src/', () => {
    const text = read('docs/architecture.md');
    const missing = [
      ...list('lib').filter((name) => name.endsWith('.js')),
      ...list('src')
        .filter((name) => /\.(c|h|gyp)$/.test(name))
        .map((name) => name.replace(/\.[ch]$/, '')),
    ].filter((name) => !text.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
    const rows = [...text.matchAll(/^\| `([\w-]+\.js)`/gm)].map(([, name]) => name);
    assert.deepEqual(
      rows.filter((name) => !list('lib').includes(name)),
      [],
    );
  });

  it('links lead to what is there', () => {
    const broken = [];
    let links = 0;
    for (const name of DOCUMENTS) {
      for (const [, link] of read(name).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link)) continue;
        links++;
        const [to, anchor] = link.split('#');
        const file = to === '' ? name : path.join(path.dirname(name), to);
        const isThere = nodeFs.existsSync(path.join(ROOT, file));
        if (!isThere || (anchor && !anchorsOf(read(file)).includes(anchor))) {
          broken.push(`${name}: ${link}`);
        }
      }
    }
    assert.deepEqual(broken, []);
    assert.ok(links > 20);
  });

  it('every script of tests is told of', () => {
    const text = read('docs/CONTRIBUTING.md');
    const { scripts } = JSON.parse(read('package.json'));
    const missing = Object.keys(scripts)
      .filter((name) => /^(test|fuzz|soak)\b/.test(name))
      .filter((name) => !text.includes(name === 'test' ? '`npm test`' : `\`npm run ${name}\``));
    assert.deepEqual(missing, []);
  });

  it('commands are there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const missing = [];
    for (const name of DOCUMENTS) {
      for (const [command, script = 'test', file] of read(name).matchAll(
        /\bnpm (?:run ([\w:-]+)|test\b)|\bnode ((?:examples|tools|bench|test)\/[\w./-]+\.js)/g,
      )) {
        const isThere = file
          ? nodeFs.existsSync(path.join(ROOT, file))
          : Object.hasOwn(scripts, script);
        if (!isThere) missing.push(`${name}: ${command}`);
      }
    }
    assert.deepEqual(missing, []);
  });
});
