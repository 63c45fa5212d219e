'use strict';

// The page that `uring-fs bench --html` writes, as a browser shows it. Run by `npm run test:report`.

const assert = require('node:assert/strict');
const nodeFs = require('node:fs');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');
const { runCli } = require('../helpers/cli');
const { patient, useFolder } = require('../helpers/environment');
const { page: pageOf } = require('../../lib/cli/page');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** It is to ask for nothing, and nothing is to wait for an answer. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Pixels: a desk, a phone. */
const WIDTHS = [1280, 390];
const SCHEMES = ['light', 'dark'];

describe('the page of uring-fs bench', function () {
  this.timeout(patient(60_000));

  const folder = useFolder();
  let url;
  let contents;
  let browser;

  before(async () => {
    for (let index = 0; index < 20; index++) folder.file(`file-${index}`, 'x'.repeat(index * 500));
    const [html, json] = [folder.in('page.html'), folder.in('run.json')];
    const { status, stderr } = runCli([
      'bench',
      folder.in(),
      '--quick',
      '--html',
      html,
      '--json',
      json,
    ]);
    assert.equal(status, 0, stderr);
    url = pathToFileURL(html).href;
    contents = JSON.parse(nodeFs.readFileSync(json, 'utf8'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });

  after(() => browser?.close());

  /** Opens the page, and gives what `look` finds; anything it says or asks for is an error. */
  async function open(options, look, at = url) {
    const page = await browser.newPage(options);
    const said = [];
    const asked = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    try {
      await page.goto(at);
      const found = await look(page);
      assert.deepEqual(said, []);
      assert.deepEqual(asked, [at]);
      return found;
    } finally {
      await page.close();
    }
  }

  const viewport = (width) => ({ width, height: 800 });

  /** What is seen of the charts. In the browser. */
  const seenCharts = () =>
    [...document.querySelectorAll('[data-chart]')].map((place) => {
      const box = (element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return { left, right, top, bottom };
      };
      const svg = place.querySelector('svg');
      return {
        svg: box(svg),
        role: svg.getAttribute('role'),
        label: svg.getAttribute('aria-label'),
        title: svg.querySelector(':scope > title').textContent,
        bars: [...svg.querySelectorAll('.ct-bar')].map((bar) => ({
          ...box(bar),
          colour: getComputedStyle(bar).stroke,
        })),
        figures: [...svg.querySelectorAll('.figure')].map((text) => ({
          ...box(text),
          text: text.textContent,
        })),
        cells: [...place.closest('article').querySelectorAll('td')].map((cell) => cell.textContent),
      };
    });

  const overflow = () => document.documentElement.scrollWidth - window.innerWidth;

  /** Every chart is drawn, within the width, with a bar and a figure for each value. */
  function areDrawn(charts, width) {
    // Rate and CPU of each workload, and the latency of the one that is timed.
    assert.equal(charts.length, 2 * contents.workloads.length + 1);
    for (const { svg, bars, figures, title } of charts) {
      assert.ok(svg.right - svg.left > 200 && svg.bottom - svg.top > 50, title);
      assert.ok(bars.length >= 3 && bars.length === figures.length, title);
      assert.ok(
        bars.some(({ left, right }) => right - left > 50),
        title,
      );
      for (const { left, right, text } of figures) {
        assert.ok(left >= 0 && right <= width, `${title}: ${text} from ${left} to ${right}`);
      }
    }
  }

  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      it(`is whole at ${width} pixels, ${colorScheme}`, async () => {
        const options = { viewport: viewport(width), colorScheme };
        const { charts, over } = await open(options, async (page) => ({
          charts: await page.evaluate(seenCharts),
          over: await page.evaluate(overflow),
        }));
        assert.equal(over, 0);
        areDrawn(charts, width);
      });
    }
  }

  it('is whole with its tables open, and when the window becomes narrow', async () => {
    const { charts, over } = await open({ viewport: viewport(1280) }, async (page) => {
      await page.setViewportSize(viewport(390));
      for (const summary of await page.locator('summary').all()) await summary.click();
      // Chartist draws anew some time after the last change of the width.
      await page.waitForFunction(() =>
        [...document.querySelectorAll('.chart')].every(
          (place) => place.querySelector('svg').getBoundingClientRect().right <= window.innerWidth,
        ),
      );
      return { charts: await page.evaluate(seenCharts), over: await page.evaluate(overflow) };
    });
    assert.equal(over, 0);
    areDrawn(charts, 390);
  });

  it('is dark where that is preferred, and can be read either way', async () => {
    const [light, dark] = await Promise.all(
      SCHEMES.map((colorScheme) =>
        open({ viewport: viewport(1280), colorScheme }, (page) =>
          page.evaluate(() => {
            const of = (selector, what) => getComputedStyle(document.querySelector(selector))[what];
            return {
              card: of('article', 'backgroundColor'),
              text: of('h2', 'color'),
              soft: of('.gist', 'color'),
              figure: of('.figure', 'fill'),
              bar: of('.ct-bar.uring', 'stroke'),
              baseline: of('.ct-bar.baseline', 'stroke'),
            };
          }),
        ),
      ),
    );
    for (const name of Object.keys(light)) assert.notEqual(light[name], dark[name], name);
    for (const { card, text, soft, figure, bar, baseline } of [light, dark]) {
      for (const colour of [text, soft, figure]) assert.ok(contrast(colour, card) >= 4.5, colour);
      for (const colour of [bar, baseline]) assert.ok(contrast(colour, card) >= 3, colour);
      assert.notEqual(bar, baseline);
    }
  });

  it('says in words and in tables what the charts show', async () => {
    const charts = await open({ viewport: viewport(1280) }, (page) => page.evaluate(seenCharts));
    for (const { role, label, title, figures, cells } of charts) {
      assert.equal(role, 'img');
      assert.ok(label.startsWith(`${title}. `), label);
      for (const { text } of figures) {
        assert.ok(label.includes(text) && cells.includes(text), `${title}: ${text}`);
      }
    }
  });

  it('leaves out what is of too few samples', async () => {
    const few = structuredClone(contents);
    const { drivers } = few.workloads.find(({ rows }) => rows[0].drivers['uring-fs'].latency)
      .rows[0];
    drivers['fs/promises'].latency.samples = 50;
    drivers['fs/promises'].latency.max = NaN;
    const file = folder.file('few.html', pageOf(few));
    const look = (page) => page.evaluate(seenCharts);
    const charts = await open({ viewport: viewport(1280) }, look, pathToFileURL(file).href);
    areDrawn(charts, 1280);
    const { bars, label, cells } = charts.find(({ title }) => title.endsWith('latency'));
    assert.equal(bars.length, 3 * 4 - 2);
    assert.match(label, /fs\/promises: p99\.9 too few, p99 too few, p90 [\d.]+/);
    assert.equal(cells.filter((cell) => cell === 'too few').length, 2);
  });

  it('has the sentence, and every figure without scripts, too', async () => {
    const options = { viewport: viewport(390), javaScriptEnabled: false };
    const page = await browser.newPage(options);
    await page.goto(url);
    const text = await page.locator('body').innerText();
    assert.ok(text.includes(contents.sentence));
    assert.match(text, /drawn by a script/);
    assert.equal(await page.locator('article table').count(), contents.workloads.length);
    await page.close();
  });
});

/** Of two colours 'rgb(...)', as WCAG has it: 1 to 21. */
function contrast(...colours) {
  const [light, dark] = colours
    .map((colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
