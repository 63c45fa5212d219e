#!/usr/bin/env node
'use strict';

/** The command: `node bench/chart.js A.json [B.json ...] --out FILE.svg`. */

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const echarts = require('echarts');
const { BASELINE, URING } = require('./drivers');

const USAGE = `Usage: node bench/chart.js A.json [B.json ...] --out FILE.svg [--filter REGEX]

Draws how many times the operations per second of fs/promises uring-fs does, from what
'node bench/run.js --json' wrote: one colour per file, that is, per version of Node.
--filter: only the bars whose labels match, in any case.
`;

/** Pixels. */
const WIDTH = 900;
const BAR = 13;
const ROW_GAP = 12;
const TOP = 84;
const BOTTOM = 44;
const LEFT = 360;
const RIGHT = 60;

/** Readable on white and on GitHub's near-black alike: the background is left transparent. */
const TEXT = '#7d8590';
const LINE = '#848d97';
const GRID = '#848d9740';
const COLOURS = ['#2f81f7', '#db6d28', '#3fb950', '#a371f7'];

/** What is given makes no chart. */
class ChartError extends Error {}

/**
 * @param {object} contents Of a JSON file of the benchmark.
 * @param {(label: string) => boolean} wanted
 * @returns {Map<string, number>} Ratio to fs/promises by label of the row, in order.
 */
function ratiosOf({ workloads }, wanted) {
  const ratios = new Map();
  for (const { name, rows } of workloads.filter(({ aside }) => !aside)) {
    for (const { c, busy, drivers } of rows) {
      const ratio = drivers[URING]?.ratio;
      const label = `${name}, c=${c.toLocaleString('en-US')}${busy ? ' busy' : ''}`;
      if (!(ratio > 0) || !Number.isFinite(ratio)) continue;
      if (wanted(label)) ratios.set(label, ratio);
    }
  }
  return ratios;
}

function format(ratio) {
  if (ratio >= 9.95) return `${Math.round(ratio)}x`;
  return `${ratio.toFixed(ratio >= 0.95 ? 1 : 2)}x`;
}

/**
 * @param {object[]} runs Contents of JSON files of the benchmark.
 * @param {(label: string) => boolean} [wanted] Which bars. Default: all.
 * @returns {string} The chart as SVG.
 */
function chart(runs, wanted = () => true) {
  const series = runs.map((run) => ({
    name: `Node ${run.environment.node.slice(1)}`,
    ratios: ratiosOf(run, wanted),
  }));
  const labels = [...new Set(series.flatMap(({ ratios }) => [...ratios.keys()]))];
  if (labels.length === 0) throw new ChartError('no ratios in what is given');
  const all = series.flatMap(({ ratios }) => [...ratios.values()]);
  const height = TOP + BOTTOM + labels.length * (BAR * series.length + ROW_GAP);
  const instance = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const text = { color: TEXT, fontFamily: 'sans-serif', fontSize: 12 };
  instance.setOption({
    animation: false,
    color: COLOURS,
    textStyle: text,
    title: {
      text: `uring-fs: times the operations/s of ${BASELINE}`,
      subtext: 'logarithmic; c: operations in flight; busy: with the other cores kept busy',
      left: 8,
      textStyle: { ...text, fontSize: 15 },
      subtextStyle: text,
    },
    legend: { top: 8, right: 24, itemGap: 30, textStyle: text },
    grid: { top: TOP, bottom: BOTTOM, left: LEFT, right: RIGHT },
    xAxis: {
      type: 'log',
      // Bars begin at 1x: what is slower goes to the left, and needs the room.
      min: Math.min(0.5, Math.min(...all) / 1.2),
      max: Math.max(2, Math.max(...all) * 1.1),
      axisLabel: {
        ...text,
        formatter: (ratio) => `${ratio}x`,
        showMinLabel: false,
        showMaxLabel: false,
      },
      splitLine: { showMinLine: false, showMaxLine: false, lineStyle: { color: GRID } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: labels,
      axisLabel: { ...text, interval: 0 },
      axisTick: { show: false },
      axisLine: { show: false },
    },
    series: series.map(({ name, ratios }, index) => ({
      name,
      type: 'bar',
      barWidth: BAR,
      barGap: '0%',
      data: labels.map((label) => ratios.get(label) ?? null),
      label: {
        ...text,
        show: true,
        position: 'right',
        fontSize: 10,
        formatter: ({ value }) => (value == null ? '' : format(value)),
      },
      markLine:
        index > 0
          ? undefined
          : {
              silent: true,
              symbol: 'none',
              lineStyle: { color: LINE, width: 1.5, type: 'solid' },
              label: { ...text, formatter: `1x: ${BASELINE}`, position: 'start' },
              data: [{ xAxis: 1 }],
            },
    })),
  });
  const svg = instance.renderToSVGString();
  instance.dispose();
  return `${withoutHover(svg)}\n`;
}

/** A picture in a page has no hover; and the names of its styles count all charts this process has made. */
function withoutHover(svg) {
  return svg.replaceAll(/ class="zr[^"]*"/g, '').replace(/<style[^]*?<\/style>\s*/, '');
}

function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      filter: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (positionals.length === 0 || values.out === undefined) throw new ChartError(USAGE.trimEnd());
  const runs = positionals.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
  const filter = new RegExp(values.filter ?? '', 'i');
  fs.writeFileSync(
    values.out,
    chart(runs, (label) => filter.test(label)),
  );
}

if (require.main === module) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`chart: ${error.message}`);
    process.exitCode = 2;
  }
}

module.exports = { ChartError, chart };
