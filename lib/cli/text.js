'use strict';
/** How the commands' output looks: colours where they are wanted, lines that fit. */

const util = require('node:util');

const WIDTH = 80;

/**
 * @param {string | string[]} style of util.styleText()
 * @param {string} text
 * @returns {string} the text, in colour if standard output is a terminal that has colours and NO_COLOR is
 *   not set. Node before 20.12 has no styleText().
 */
function styled(style, text) {
  const { stdout } = process;
  const coloured = stdout.isTTY && stdout.hasColors() && util.styleText !== undefined;
  return coloured ? util.styleText(style, text, { validateStream: false }) : text;
}

/**
 * @param {string} text
 * @param {number} indent of every line but the first
 * @param {number} [first] columns of the first line that are taken
 * @returns {string} in lines of no more than 80 columns, as far as its words allow
 */
function wrapped(text, indent, first = indent) {
  const lines = [''];
  let used = first;
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== '' && used + 1 + word.length > WIDTH) {
      lines.push(word);
      used = indent + word.length;
    } else {
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
      used += word.length + (line === '' ? 0 : 1);
    }
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/**
 * @param {string} title
 * @param {[string, string][]} fields names and values
 * @returns {string}
 */
function section(title, fields) {
  const width = Math.max(...fields.map(([name]) => name.length)) + 4;
  const lines = fields.map(
    ([name, value]) => `  ${name.padEnd(width - 2)}${wrapped(value, width)}`,
  );
  return [styled('bold', title), ...lines].join('\n');
}

/**
 * @param {string[][]} rows the first is the heading; the first column is to the left, all others to the right
 * @returns {string}
 */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = ([first, ...others]) =>
    [first.padEnd(widths[0]), ...others.map((text, column) => text.padStart(widths[column + 1]))]
      .join('  ')
      .trimEnd();
  return rows.map((row) => `  ${line(row)}`).join('\n');
}

module.exports = { section, styled, table, wrapped };
