'use strict';

// Values that a function may not expect. Each is made anew for each side, since a call may change
// what it is given. Strings are relative names: the working directory is the twin folder, so
// nothing here can reach anything outside it.

function throwing() {
  const refuse = () => {
    throw new RangeError('the getter threw');
  };
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse });
}

// Not from the pool that Buffer.from() cuts from: offsets in it show up in Node's messages.
function unpooled(text) {
  const buffer = Buffer.alloc(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
}

class Custom {
  constructor() {
    this.own = 1;
  }
}

const ODD_VALUES = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['true', () => true],
  ['false', () => false],
  ['0', () => 0],
  ['-0', () => -0],
  ['1', () => 1],
  ['-1', () => -1],
  ['1.5', () => 1.5],
  ['NaN', () => NaN],
  ['Infinity', () => Infinity],
  ['-Infinity', () => -Infinity],
  ['2**31', () => 2 ** 31],
  ['2**32', () => 2 ** 32],
  ['2**53', () => 2 ** 53],
  ['10n', () => 10n],
  ['-1n', () => -1n],
  ['2n**64n', () => 2n ** 64n],
  ["''", () => ''],
  ["'missing'", () => 'missing'],
  ["'644'", () => '644'],
  ["'utf8'", () => 'utf8'],
  ["'nul\\0byte'", () => 'nul\0byte'],
  ['symbol', () => Symbol('odd')],
  ['function', () => function odd() {}],
  ['{}', () => ({})],
  ['{own: 1}', () => ({ own: 1 })],
  ['null-prototype object', () => Object.create(null)],
  ['class instance', () => new Custom()],
  ['[]', () => []],
  ["['file']", () => ['file']],
  ['[1]', () => [1]],
  ['Date', () => new Date(1000)],
  ['invalid Date', () => new Date(NaN)],
  ['RegExp', () => /odd/],
  ['Map', () => new Map([['file', 1]])],
  ['Set', () => new Set(['file'])],
  ['Promise', () => Promise.resolve('file')],
  ['Proxy', () => new Proxy({}, {})],
  ['throwing Proxy', throwing],
  ['new String', () => new String('file')],
  ['new Number', () => new Number(1)],
  ['empty Buffer', () => Buffer.alloc(0)],
  ['Buffer missing', () => unpooled('missing')],
  ['Buffer with nul', () => unpooled('nul\0byte')],
  ['Uint8Array', () => new Uint8Array([109, 105, 115, 115])],
  ['Uint16Array', () => new Uint16Array([1, 2])],
  ['DataView', () => new DataView(new ArrayBuffer(2))],
  ['ArrayBuffer', () => new ArrayBuffer(2)],
  ['http URL', () => new URL('http://localhost/file')],
  ['URL with a host', () => new URL('file://elsewhere/file')],
  ['URL with nul', () => new URL('file:///file%00')],
  ['URL with a slash', () => new URL('file:///a%2fb')],
  ['URL look-alike', () => ({ href: 'file:///x', protocol: 'file:', pathname: '/x' })],
  ['AbortSignal', () => new AbortController().signal],
];

// Ways to write a path, all for the same entry of the twin folder.
const PATH_KINDS = [
  ['string', (side, name) => side.path(name)],
  ['relative', (side, name) => name],
  ['with dots', (side, name) => `./dir/../${name}`],
  ['Buffer', (side, name) => Buffer.from(side.path(name))],
  ['relative Buffer', (side, name) => Buffer.from(name)],
  ['Uint8Array', (side, name) => new Uint8Array(Buffer.from(side.path(name)))],
  ['URL', (side, name) => require('node:url').pathToFileURL(side.path(name))],
];

// Paths that lead to each kind of error or odd entry.
const TARGETS = [
  ['file', 'file'],
  ['empty', 'empty'],
  ['folder', 'dir'],
  ['folder with slash', 'dir/'],
  ['file with slash', 'file/'],
  ['link', 'link'],
  ['link to folder', 'dirlink'],
  ['dangling link', 'dangling'],
  ['loop', 'loop'],
  ['missing', 'missing'],
  ['in a missing folder', 'missing/file'],
  ['below a file', 'file/below'],
  ['empty path', ''],
  ['dot', '.'],
  ['long name', 'n'.repeat(256)],
  ['longest name', 'n'.repeat(255)],
  ['long path', `${'dir/../'.repeat(700)}file`],
  ['through a link', 'dirlink/inner'],
  ['nul byte', 'fi\0le'],
  ['blanks and quotes', ' a \'b" \n'],
  ['not ASCII', '\u00fcn\u00efcode \u2603 \u{1f600}'],
  ['lone surrogate', 'lone\ud800'],
];

const ENCODINGS = [
  'utf8',
  'UTF-8',
  'utf-8',
  'ascii',
  'latin1',
  'binary',
  'hex',
  'base64',
  'base64url',
  'ucs2',
  'ucs-2',
  'utf16le',
  'UTF-16LE',
];

module.exports = { ODD_VALUES, PATH_KINDS, TARGETS, ENCODINGS };
