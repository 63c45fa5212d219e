'use strict';
/** What the ring is made with: defaults, over them the environment's variables, over them configure(). */

/** Seldom needed, and not to be loaded with the package. */
const errors = () => require('./errors');

/**
 * @typedef {object} Setting
 * @property {string} variable of the environment
 * @property {number | null} byDefault
 * @property {number} least
 * @property {number} most the native module checks these limits, too (src/addon.c)
 * @property {boolean} [fractions] whether it need not be an integer
 */

/** @type {Record<string, Setting>} */
const SETTINGS = {
  entries: { variable: 'URING_FS_ENTRIES', byDefault: 256, least: 8, most: 4096 },
  inlineBudget: {
    variable: 'URING_FS_INLINE_BUDGET',
    byDefault: 1,
    least: 0,
    most: 1000,
    fractions: true,
  },
  workers: { variable: 'URING_FS_WORKERS', byDefault: 256, least: 1, most: 4096 },
  slab: { variable: 'URING_FS_SLAB', byDefault: 512, least: 1, most: 512 },
};
/** @type {Record<string, Setting>} */
const POLL_SETTINGS = {
  idle: { variable: 'URING_FS_SQPOLL_IDLE', byDefault: 20, least: 1, most: 60_000 },
  cpu: { variable: 'URING_FS_SQPOLL_CPU', byDefault: null, least: 0, most: 65_535 },
};
const POLL_VARIABLE = 'URING_FS_SQPOLL';
const HELPER_VARIABLE = 'URING_FS_HELPER';

/** What configure() was given. */
let configured = {};
/** The ring has been made, or has been tried to. */
let taken = false;

/** Throws Node's errors. @returns {number} the value */
function check(name, value, { least, most, fractions }) {
  const property = `options.${name}`;
  if (typeof value !== 'number')
    throw errors().invalidType(`"${property}" property`, 'number', value);
  if (!fractions && !Number.isInteger(value))
    throw errors().outOfRange(property, 'an integer', value);
  if (!(value >= least && value <= most)) {
    throw errors().outOfRange(property, `>= ${least} && <= ${most}`, value);
  }
  return value;
}

/** The settings among `options` that are not left out, checked. */
function pick(options, settings, prefix = '') {
  const picked = {};
  for (const [name, setting] of Object.entries(settings)) {
    const value = options[name];
    if (value !== undefined) picked[name] = check(prefix + name, value, setting);
  }
  return picked;
}

/** @returns {object | null | undefined} what sqpoll is made with; null: off; undefined: not said */
function pickPolling(sqpoll) {
  if (sqpoll === undefined) return undefined;
  if (typeof sqpoll === 'boolean') return sqpoll ? {} : null;
  if (sqpoll === null || typeof sqpoll !== 'object') {
    throw errors().invalidType('"options.sqpoll" property', 'boolean or object', sqpoll);
  }
  return pick(sqpoll, POLL_SETTINGS, 'sqpoll.');
}

/** @returns {boolean | undefined} undefined: not said */
function pickHelper(helper) {
  if (helper === undefined || typeof helper === 'boolean') return helper;
  throw errors().invalidType('"options.helper" property', 'boolean', helper);
}

/**
 * Sets how this environment's ring (the main thread's, or a worker's) will be made: before it is first
 * used. What is left out stays as it is: see the defaults above, and the environment's variables, which
 * have less to say than this call.
 *
 * @param {{
 *   entries?: number, inlineBudget?: number, workers?: number, slab?: number,
 *   helper?: boolean, sqpoll?: boolean | { idle?: number, cpu?: number },
 * }} options see index.d.ts
 * @throws ERR_INVALID_STATE once the ring is in use; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
function configure(options) {
  if (taken)
    throw errors().nodeError(Error, 'ERR_INVALID_STATE', 'Invalid state: The ring is in use');
  if (options === null || typeof options !== 'object') {
    throw errors().invalidType('"options" argument', 'object', options);
  }
  const picked = pick(options, SETTINGS);
  const sqpoll = pickPolling(options.sqpoll);
  if (sqpoll !== undefined) picked.sqpoll = sqpoll;
  const helper = pickHelper(options.helper);
  if (helper !== undefined) picked.helper = helper;
  configured = { ...configured, ...picked };
}

const SWITCH = { __proto__: null, 0: false, false: false, 1: true, true: true };

function parseSwitch(text) {
  if (text in SWITCH) return SWITCH[text];
  throw new Error('It must be 0 or 1');
}

/** What the environment's variables say; of those that are wrong, why. */
function fromEnvironment() {
  const wrong = [];
  function read(variable, parse) {
    const text = process.env[variable];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      wrong.push(`${variable}=${text} (${error.message})`);
      return undefined;
    }
  }
  function readAll(settings) {
    const found = {};
    for (const [name, setting] of Object.entries(settings)) {
      const value = read(setting.variable, (text) => check(name, Number(text), setting));
      if (value !== undefined) found[name] = value;
    }
    return found;
  }
  const found = readAll(SETTINGS);
  found.polling = readAll(POLL_SETTINGS);
  found.sqpoll = read(POLL_VARIABLE, (text) => pickPolling(parseSwitch(text)));
  found.helper = read(HELPER_VARIABLE, parseSwitch);
  return { found, wrong };
}

const defaultsOf = (settings) =>
  Object.fromEntries(Object.entries(settings).map(([name, { byDefault }]) => [name, byDefault]));

/**
 * The settings in force.
 *
 * @returns {{
 *   settings: {
 *     entries: number, inlineBudget: number, workers: number, slab: number,
 *     helper: boolean, sqpoll: { idle: number, cpu: number | null } | null,
 *   },
 *   wrong: string[],
 * }} `wrong`: variables of the environment that are not heeded
 */
function current() {
  const { found, wrong } = fromEnvironment();
  const { polling, helper = true, sqpoll = null, ...rest } = found;
  const settings = { ...defaultsOf(SETTINGS), ...rest, helper, sqpoll, ...configured };
  if (settings.sqpoll !== null) {
    settings.sqpoll = { ...defaultsOf(POLL_SETTINGS), ...polling, ...settings.sqpoll };
  }
  return { settings, wrong };
}

/** The settings for the ring that is being made; from then on they stay. */
function take() {
  taken = true;
  const { settings, wrong } = current();
  if (wrong.length > 0) {
    process.emitWarning(`uring-fs does not heed ${wrong.join(', ')}`, { code: 'URING_FS_ENV' });
  }
  return settings;
}

module.exports = { configure, current, take };
