'use strict';
/**
 * A benchmark as a page that needs nothing but itself: its style, its figures and the library that draws
 * them are in it, and its policy lets it ask for nothing else.
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} description the figures in words, for those who cannot see them
 * @property {string[]} labels from the bottom to the top, as are the lists of a series
 * @property {{ values: (number | null)[], texts: string[], classes: string[] }[]} series
 * @property {string[]} marks of a logarithmic axis, at 0, 1, 2 ...; none of a linear one
 */

const fs = require('node:fs');
const path = require('node:path');
const { BASELINE, URING } = require('../../bench/drivers');
const { formatNumber, formatRatio, formatTime } = require('../../bench/format');
const { PERCENTILES, describe, gistOf, percentileOf } = require('./verdict');

/** What a marked-up text may not have as it is. */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);

/** For a script element, which nothing in it may end. */
const embedded = (value) => JSON.stringify(value).replaceAll('<', '\\u003c');

const read = (name) => fs.readFileSync(path.join(__dirname, 'page', name), 'utf8');

/** Chartist; tools/lib/vendored.js puts it there. Its map is not there, and nothing may be asked for. */
const LIBRARY = read('../vendor/chartist.js').replace(/^\/\/# sourceMappingURL=.*$/m, '');

/* ---- charts ---- */

/** The class of a driver gives its colour. */
function classOf(driver) {
  if (driver === URING) return 'uring';
  if (driver.startsWith(URING)) return 'many';
  return driver === BASELINE ? 'baseline' : 'sync';
}

/** A bar for each driver. @returns {Chart} */
function bars(title, drivers, valueOf, textOf) {
  const names = Object.keys(drivers).reverse();
  const texts = names.map((name) => textOf(valueOf(drivers[name])));
  return {
    title,
    description: names.map((name, index) => `${name}: ${texts[index]}`).join('; '),
    labels: names,
    series: [
      { values: names.map((name) => valueOf(drivers[name])), texts, classes: names.map(classOf) },
    ],
    marks: [],
  };
}

/** Bars of each percentile, on an axis of powers of ten. @returns {Chart} */
function percentiles(title, drivers) {
  const parts = Object.keys(PERCENTILES).reverse();
  const names = Object.keys(drivers).reverse();
  const of = (name) => parts.map((part) => percentileOf(drivers[name].latency, part));
  const all = names.flatMap((name) => of(name).flatMap(({ value }) => value ?? []));
  const least = Math.floor(Math.log10(Math.min(...all)) - 0.1);
  const most = Math.ceil(Math.log10(Math.max(...all)));
  const marks = Array.from({ length: most - least + 1 }, (_, index) => markOf(least + index));
  const series = names.map((name) => {
    return {
      values: of(name).map(({ value }) => (value === null ? null : Math.log10(value) - least)),
      texts: of(name).map(({ text }) => text),
      classes: parts.map(() => classOf(name)),
    };
  });
  const said = names.map((name, index) => {
    return `${name}: ${parts.map((part, at) => `${PERCENTILES[part].label} ${series[index].texts[at]}`).join(', ')}`;
  });
  return {
    title,
    description: said.join('; '),
    labels: parts.map((part) => PERCENTILES[part].label),
    series,
    marks,
  };
}

/** Of a power of ten, in microseconds: '100 ns', '10 ms'. */
function markOf(power) {
  const units = ['ns', '\u00b5s', 'ms', 's'];
  const unit = Math.min(Math.floor(power / 3) + 1, units.length - 1);
  return `${10 ** (power - 3 * (unit - 1))} ${units[unit]}`;
}

/* ---- the parts of the page ---- */

/** A workload: its heading, its charts and their figures. Adds the charts to `charts`. */
function articleOf({ name, unit, rows: [{ drivers }] }, charts) {
  const place = (chart) =>
    `<div class="chart${chart.marks.length > 0 ? ' log' : ''}" data-chart="${charts.push(chart) - 1}"></div>`;
  const one = unit === 'MiB' ? unit : unit.slice(0, -1);
  const parts = [
    `<h3>Rate <small>${unit} a second; more is better</small></h3>`,
    place(bars(`${name}: ${unit} a second`, drivers, ({ rate }) => rate, formatNumber)),
  ];
  const { latency, cpu } = drivers[URING];
  if (latency !== null) {
    const entries = Object.keys(drivers).map(
      (driver) => `<li class="${classOf(driver)}"><span>${escape(driver)}</span></li>`,
    );
    parts.push(
      '<h3>Latency <small>from call to result, logarithmic; less is better</small></h3>',
      `<ul class="legend">${entries.join('')}</ul>`,
      place(percentiles(`${name}: latency`, drivers)),
    );
  }
  if (cpu !== null) {
    parts.push(
      `<h3>Processor time <small>for each ${one}, kernel workers included; less is better</small></h3>`,
      place(
        bars(`${name}: processor time for each ${one}`, drivers, (each) => each.cpu, formatTime),
      ),
    );
  }
  return `<article>
<h2>${escape(name)}</h2>
<p class="gist">${escape(gistOf(drivers[URING]))}</p>
${parts.join('\n')}
<details><summary>The figures</summary>${tableOf(unit, drivers)}</details>
</article>`;
}

/** The name of a driver, which may be broken where that does no harm. */
const breakable = (driver) =>
  named(driver).replace('Sync', '<wbr>Sync').replace(BASELINE, BASELINE.replace('/', '/<wbr>'));

/** Marked up, with our name in one piece. */
const named = (text) => escape(text).replaceAll(URING, `<span class="name">${URING}</span>`);

/** @returns {string} HTML; the percentiles under each other, so that a phone has room for the drivers */
function tableOf(unit, drivers) {
  const figures = Object.values(drivers);
  const [{ latency, cpu }] = figures;
  const lines = [
    [`${unit}/s`, figures.map(({ rate }) => formatNumber(rate))],
    ['ratio', figures.map(({ ratio }) => formatRatio(ratio))],
  ];
  if (cpu !== null) lines.push(['CPU each', figures.map((each) => formatTime(each.cpu))]);
  if (latency !== null) {
    for (const [part, { label }] of Object.entries(PERCENTILES)) {
      lines.push([label, figures.map((each) => percentileOf(each.latency, part).text)]);
    }
  }
  const head = Object.keys(drivers).map((driver) => `<th scope="col">${breakable(driver)}</th>`);
  const body = lines.map(([label, texts]) => {
    return `<tr><th scope="row">${label}</th>${texts.map((text) => `<td>${text}</td>`).join('')}</tr>`;
  });
  return `<table><thead><tr><th></th>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function machineOf({ environment, options, target }) {
  const { ring, ...machine } = environment;
  const facts = {
    Read: describe(target),
    Node: `${machine.node.slice(1)}, thread pool of ${machine.threadPoolSize}`,
    System: `${machine.platform} ${machine.kernel}, ${machine.cpus} x ${machine.cpuModel}`,
    Load: `${machine.loadAverage.toFixed(2)} before, ${machine.loadAverageAfter.toFixed(2)} after`,
    'uring-fs': `${machine.package}, ${ring.reason ?? `${ring.backend} (${ring.setupFlags.join(' ')})`}`,
    Measured: `${machine.date.slice(0, 10)}, ${options.rounds} rounds of ${options.slice} ms slices`,
  };
  return Object.entries(facts)
    .map(([name, fact]) => `<dt>${name}</dt><dd>${escape(fact)}</dd>`)
    .join('\n');
}

const METHOD =
  'All take turns in one process for each workload, on the same files, from the page cache; each result was compared ' +
  'with that of the synchronous call first. Rates and processor times are medians of the rounds, ratios (to fs/promises) ' +
  'medians of those within each round. One at a time flatters uring-fs on an idle machine: each hand-over to a pool thread ' +
  'wakes a sleeping processor. The synchronous calls block the event loop.';

/**
 * @param {object} contents what `--json` writes
 * @returns {string} HTML
 */
function page(contents) {
  const charts = [];
  const articles = contents.workloads.map((each) => articleOf(each, charts));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>uring-fs bench: ${escape(contents.target.path)}</title>
<style>
${read('page.css')}</style>
</head>
<body>
<header>
<h1>uring-fs bench</h1>
<p class="sentence">${named(contents.sentence)}</p>
<p class="about">${escape(describe(contents.target))}</p>
<noscript><p>The charts are drawn by a script; all figures are below each.</p></noscript>
</header>
<main>
${articles.join('\n')}
</main>
<footer>
<dl>
${machineOf(contents)}
</dl>
<p>${METHOD}</p>
</footer>
<script type="application/json" id="charts">${embedded({ charts })}</script>
<script>
/*! Chartist, MIT licence, https://chartist.dev */
${LIBRARY}
</script>
<script>
${read('draw.js')}</script>
</body>
</html>
`;
}

module.exports = { page };
