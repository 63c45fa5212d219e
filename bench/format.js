'use strict';

/** Figures as people read them. */

/**
 * @param {number} value
 * @returns {string} With about three significant digits, and no more.
 */
function formatNumber(value) {
  if (value === null || !Number.isFinite(value)) return '-';
  if (value >= 99.95) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

const formatRatio = (ratio) => (ratio === null ? '-' : `${formatNumber(ratio)}x`);

/** @param {number} microseconds */
function formatTime(microseconds) {
  if (microseconds < 1e3) return `${formatNumber(microseconds)} \u00b5s`;
  if (microseconds < 1e6) return `${formatNumber(microseconds / 1e3)} ms`;
  return `${formatNumber(microseconds / 1e6)} s`;
}

module.exports = { formatNumber, formatRatio, formatTime };
