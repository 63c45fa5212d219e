'use strict';
/** In the browser: draws the charts that the page describes (../page.js), with Chartist. */

/** Pixels. */
const ROW = 26;
const GROUP_GAP = 14;
const LANE = 12;
const NAMES = 96;
const FIGURES = 64;
const AXIS = 22;
/** Of a chart that has room for every mark of its axis. */
const WIDE = 420;

/** @param {HTMLElement} place @param {object} chart see ../page.js */
function draw(place, chart) {
  const { labels, series, marks, title, description } = chart;
  const isLog = marks.length > 0;
  const height = isLog
    ? labels.length * (series.length * LANE + GROUP_GAP) + AXIS
    : labels.length * ROW + 4;
  const most = isLog ? marks.length - 1 : Math.max(...series.flatMap(({ values }) => values));
  const isWide = place.clientWidth >= WIDE;
  const drawn = new Chartist.BarChart(
    place,
    { labels, series: series.map(({ values }) => values) },
    {
      horizontalBars: true,
      height: `${height}px`,
      seriesBarDistance: LANE,
      chartPadding: { top: 0, right: FIGURES, bottom: 0, left: 0 },
      axisX: {
        type: Chartist.FixedScaleAxis,
        low: 0,
        high: most,
        ticks: marks.map((_, index) => index),
        showGrid: isLog,
        showLabel: isLog,
        offset: isLog ? AXIS : 4,
        labelInterpolationFnc: (mark) => (isWide || mark % 2 === 0 ? marks[mark] : ''),
      },
      axisY: { offset: isLog ? 48 : NAMES, showGrid: false },
    },
  );
  drawn.on('draw', ({ type, element, group, seriesIndex, index, x2, y2 }) => {
    if (type !== 'bar') return;
    const { classes, texts } = series[seriesIndex];
    element.addClass(classes[index]);
    group.elem('text', { x: x2 + 6, y: y2 + 4 }, 'figure').text(texts[index]);
  });
  drawn.on('created', ({ svg }) => {
    svg.attr({ role: 'img', 'aria-label': `${title}. ${description}` });
    svg.elem('desc', {}, undefined, true).text(description);
    svg.elem('title', {}, undefined, true).text(title);
  });
}

const { charts } = JSON.parse(document.getElementById('charts').textContent);
for (const place of document.querySelectorAll('[data-chart]')) {
  draw(place, charts[place.dataset.chart]);
}
