'use strict';

// docs/api.md: what index.d.ts and the types of the other entries declare, as text. npm run format writes
// it anew, and npm run lint tells when it is not up to date.

const fs = require('node:fs');
const path = require('node:path');
const { parse } = require('@babel/parser');
const prettier = require('prettier');
const { ROOT } = require('./lib/run');

const DOCUMENT = path.join(ROOT, 'docs', 'api.md');
const END = '<!-- end of types -->';
const beginOf = (file) => `<!-- types: ${file} -->`;

/** The files with the types of the package's entries. */
function typeFiles() {
  const { exports: entries } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const files = Object.values(entries).flatMap(({ types }) => types ?? []);
  return [...new Set(files)].map((file) => path.normalize(file));
}

/**
 * A name that a file exports, with all that is declared of it.
 *
 * @typedef {{ name: string, nodes: object[], comment: Comment }} Declared
 * @typedef {{ text: string, params: { name: string, text: string }[] }} Comment
 */

/** @returns {Declared[]} in the order of the file */
function declarationsOf(source) {
  const { program } = parse(source, {
    sourceType: 'module',
    plugins: [['typescript', { dts: true }]],
  });
  const byName = new Map();
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : null;
    if (!node) continue;
    const { name } = node.id ?? node.declarations[0].id;
    if (!byName.has(name)) byName.set(name, { name, nodes: [], comment: commentOf(statement) });
    byName.get(name).nodes.push(node);
  }
  return [...byName.values()];
}

/** The JSDoc before a node, with links made for Markdown. @returns {Comment} */
function commentOf({ leadingComments }) {
  const last = leadingComments?.at(-1);
  if (last?.type !== 'CommentBlock' || !last.value.startsWith('*')) return { text: '', params: [] };
  const lines = last.value.split('\n').map((line) => line.replace(/^\s*\*+ ?/, ''));
  const [text, ...tags] = lines.join('\n').trim().split(/^@/m).map(linked);
  const params = tags.map((tag) => {
    const [, name, about] = /^param (\w+)\s+([^]*)$/.exec(tag) ?? [];
    if (name === undefined) throw new Error(`No text for the tag @${tag}`);
    return { name, text: about.trim() };
  });
  return { text: text.trim(), params };
}

const linked = (text) =>
  text.replace(/\{@link ((\w+)[\w.]*)\}/g, (_, name, type) => `[\`${name}\`](#${slug(type)})`);

const slug = (name) => name.toLowerCase();

/** The text of a node, in one piece, as it is written. */
const textOf = (source, { start, end }) => source.slice(start, end).replace(/;$/, '');

/** @param {Declared} declared */
function section(source, { name, nodes, comment }) {
  const parts = [`### ${name}`, comment.text];
  const members = nodes.flatMap(({ type, body }) => {
    return type === 'TSInterfaceDeclaration' ? body.body : [];
  });
  if (members.length === 0) {
    const signatures = nodes.map((node) => textOf(source, node));
    parts.push(['```ts', ...signatures, '```'].join('\n'));
  } else {
    const bases = nodes.flatMap((node) => node.extends ?? []).map((base) => textOf(source, base));
    if (bases.length > 0) {
      parts.push(`Has what ${bases.map((base) => `[\`${base}\`](#${slug(base)})`)} has, too.`);
    }
    parts.push(members.map((member) => item(source, member)).join('\n'));
  }
  parts.push(comment.params.map(({ name: param, text }) => `- \`${param}\`: ${text}`).join('\n'));
  return parts.filter(Boolean).join('\n\n');
}

/** A member of an interface, as an item of a list. */
function item(source, member) {
  const about = commentOf(member).text.replaceAll('\n', '\n  ');
  const signature = textOf(source, member).replace(/\s+/g, ' ');
  return `- \`${signature}\`${about && `  \n  ${about}`}`;
}

/** docs/api.md as it has to be. */
async function render() {
  let document = fs.readFileSync(DOCUMENT, 'utf8');
  for (const file of typeFiles()) {
    const source = fs.readFileSync(path.join(ROOT, file), 'utf8');
    const begin = document.indexOf(beginOf(file));
    const end = document.indexOf(END, begin);
    if (begin === -1 || end === -1) throw new Error(`docs/api.md has no place for ${file}`);
    const sections = declarationsOf(source).map((declared) => section(source, declared));
    document = [
      document.slice(0, begin + beginOf(file).length),
      ...sections,
      document.slice(end),
    ].join('\n\n');
  }
  const options = await prettier.resolveConfig(DOCUMENT);
  return prettier.format(document, { ...options, parser: 'markdown' });
}

/** @returns {Promise<string>} for the gates: nothing is wrong */
async function write() {
  fs.writeFileSync(DOCUMENT, await render());
  return '';
}

module.exports = { DOCUMENT, render, write };
