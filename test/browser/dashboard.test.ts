/**
 * The dashboard as a person sees it: the built page in a headless chromium, on a feed whose true
 * books are known. Skipped, loudly, where there is no chromium or the page is not built.
 */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { formatDecimal } from '../../src/domain/decimal.js';
import {
  chromiumMissing,
  dashboardFolder,
  dashboardMissing,
  launchChromium,
} from '../support/chromium.js';
import { FakeFeed } from '../support/fake-feed.js';
import { PATIENCE_MS } from '../support/until.js';

/** What the functions that run in the page use of it; the tests themselves know no DOM. */
interface PageNode {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}
interface PageRoot {
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}
declare const document: {
  readonly body: { readonly classList: { contains(name: string): boolean } };
  readonly documentElement: PageRoot;
  querySelector(selector: string): PageNode | null;
  querySelectorAll(selector: string): Iterable<PageNode> & { readonly length: number };
};

const missing = chromiumMissing() ?? dashboardMissing();
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

let browser: Browser | null = null;
before(async () => {
  if (missing !== null) console.error(`BROWSER TESTS SKIPPED: ${missing}`);
  else browser = await launchChromium();
});
after(() => browser?.close());

interface Desk {
  readonly feed: FakeFeed;
  readonly page: Page;
  readonly problems: string[];
}

/** A page on a feed; null, with the test skipped, where there is no browser. */
async function open(t: TestContext, viewport = WIDE): Promise<Desk | null> {
  if (browser === null) {
    t.skip(missing ?? 'no browser');
    return null;
  }
  const feed = new FakeFeed({ dashboard: dashboardFolder, heartbeatMs: 200, levels: 60 });
  await feed.listen();
  const page = await browser.newPage({ viewport });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.setDefaultTimeout(PATIENCE_MS);
  t.after(async () => {
    await page.close();
    await feed.stop();
  });
  await page.goto(`http://127.0.0.1:${feed.port}/`);
  await page.waitForFunction(
    () => document.querySelectorAll('#instruments tbody .state[data-state="1"]').length === 24,
  );
  return { feed, page, problems };
}

function text(page: Page, selector: string): Promise<string> {
  return page.locator(selector).first().innerText();
}

/** Best first, as shown. */
function ladderPrices(page: Page, side: 'bids' | 'asks'): Promise<string[]> {
  return page.locator(`.${side} .ladder-row:not([hidden]) .price`).allInnerTexts();
}

function trueBest(feed: FakeFeed, name: string, side: 0 | 1): string {
  const instrument = feed.instrument(name);
  return formatDecimal(feed.levels(instrument, side, 1)[0]![0], instrument.priceDecimals);
}

/** Opaque pixels of a colour, within what rounding does to it. */
function inkOf(page: Page, canvas: string, color: string): Promise<number> {
  return page.locator(canvas).evaluate((node, hex) => {
    const drawing = node as unknown as {
      readonly width: number;
      readonly height: number;
      getContext(kind: '2d'): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
      };
    };
    const { data } = drawing.getContext('2d').getImageData(0, 0, drawing.width, drawing.height);
    const wanted = [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) {
      const near = wanted.every((value, channel) => Math.abs(data[i + channel]! - value) <= 8);
      if (near && data[i + 3]! > 150) pixels += 1;
    }
    return pixels;
  }, color);
}

test('Dashboard: shows every instrument Live with its true best prices', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page, problems } = desk;
  assert.equal(await text(page, '#live-count'), '24 of 24 Live');
  assert.equal(await text(page, '#connection .text'), 'Connected');
  for (const { name } of feed.instruments) {
    const row = page.locator('#instruments tbody tr', { hasText: name.split(':')[1]! });
    assert.equal(await row.locator('.bid').innerText(), trueBest(feed, name, 0));
    assert.equal(await row.locator('.ask').innerText(), trueBest(feed, name, 1));
  }
  assert.deepEqual(problems, []);
});

test('Dashboard: the chosen ladder moves with the book, and its hashes are checked', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page, problems } = desk;
  const name = 'binance-futures:SOLUSDT';
  await page.locator('#instruments button', { hasText: 'SOLUSDT' }).click();
  await page.waitForFunction(() => document.querySelector('.bids .price')?.textContent !== '');
  assert.equal(await text(page, '#book-title'), 'SOLUSDT');
  const before = await text(page, '#book-sequence');
  for (let i = 0; i < 50; i++) feed.tick(feed.instrument(name));
  const [bid, ask] = [trueBest(feed, name, 0), trueBest(feed, name, 1)];
  await page.waitForFunction(
    ([b, a]) =>
      document.querySelector('.bids .price')?.textContent === b &&
      document.querySelector('.asks .price')?.textContent === a,
    [bid, ask],
  );
  assert.notEqual(await text(page, '#book-sequence'), before);
  const bids = (await ladderPrices(page, 'bids')).map(Number);
  const asks = (await ladderPrices(page, 'asks')).map(Number);
  assert.ok(bids.length >= 8 && asks.length >= 8, 'a useful number of levels fits');
  assert.deepEqual(
    bids,
    bids.toSorted((x, y) => y - x),
  );
  assert.deepEqual(
    asks,
    asks.toSorted((x, y) => x - y),
  );
  await page.waitForFunction(
    () => Number(document.querySelector('#total-checked')?.textContent?.replace(/,/g, '')) > 50,
  );
  assert.equal(await text(page, '#total-failed'), '0');
  assert.match(await text(page, '#book-hash'), /^[0-9a-f]{16}$/);
  assert.match(await text(page, '#book-mark'), /^\d+\.\d+$/);
  assert.match(await text(page, '#book-funding'), /^-?\d+(\.\d+)? %$/);
  assert.deepEqual(problems, []);
});

test('Dashboard: both charts are drawn and every hop has figures', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page } = desk;
  feed.run(20, 10);
  await page.waitForFunction(() =>
    [...document.querySelectorAll('#hops tr td:nth-child(2)')].every((c) => c.textContent !== '–'),
  );
  const lines: Record<string, string[]> = {
    '#depth-chart': ['5aa9e6', 'f0a84a'],
    '#latency-chart': ['9a8cf0', '5aa9e6', 'f0a84a', '7fc8a9'],
  };
  for (const [chart, colors] of Object.entries(lines)) {
    for (const color of colors) {
      // A line grows by a point a second, and a busy machine draws late.
      let pixels = 0;
      for (let tries = 0; tries < 100 && pixels < 6; tries++) {
        await page.waitForTimeout(100);
        pixels = await inkOf(page, `${chart} canvas`, color);
      }
      assert.ok(pixels >= 6, `${chart} has a line of colour ${color}: ${pixels} pixels`);
    }
    assert.equal(await inkOf(page, `${chart} canvas`, 'ff00ff'), 0);
  }
});

test('Dashboard: says so when the node is gone, and returns with it', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page } = desk;
  const { port } = feed;
  await feed.stop();
  // It tries again now and then: between two attempts it says what is the matter.
  await page.waitForFunction(
    () =>
      document.body.classList.contains('offline') &&
      document.querySelector('#connection .text')?.textContent?.startsWith('Connection lost'),
  );
  assert.equal(await text(page, '#live-count'), '0 of 24 Live');
  assert.equal(await text(page, '#book-state .text'), 'No feed');
  feed.forget();
  feed.tick(feed.instruments[0]!);
  await feed.listen(port);
  await page.waitForFunction(
    () =>
      document.querySelector('#connection')?.getAttribute('data-state') === 'live' &&
      document.querySelector('#live-count')?.textContent === '24 of 24 Live' &&
      document.querySelector('#book-state')?.getAttribute('data-state') === '1',
  );
  const { name } = feed.instruments[0]!;
  feed.tick(feed.instruments[0]!);
  await page.waitForFunction(
    (bid) => document.querySelector('.bids .price')?.textContent === bid,
    trueBest(feed, name, 0),
  );
});

test('Dashboard: a state that changes is told by its word and its shape', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page } = desk;
  feed.setState(feed.instrument('binance-futures:BTCUSDT'), BookState.Suspect, StateReason.Gap);
  const state = page.locator('#instruments tbody tr', { hasText: 'BTCUSDT' }).locator('.state');
  await page.waitForFunction(
    () => document.querySelector('#live-count')?.textContent === '23 of 24 Live',
  );
  assert.equal(await state.innerText(), 'Suspect');
  assert.equal(await state.getAttribute('title'), 'Gap');
  assert.equal(await text(page, '#book-state .text'), 'Suspect');
  assert.ok(await page.locator('#ladder.not-live').isVisible());
});

test('Dashboard: keys choose and filter instruments', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { page } = desk;
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await text(page, '#book-title'), 'SOLUSDT');
  assert.match(page.url(), /#binance-futures%3ASOLUSDT$/);
  await page.keyboard.press('/');
  await page.keyboard.type('doge');
  assert.equal(await page.locator('#instruments tbody tr:visible').count(), 1);
  await page.keyboard.press('Enter');
  assert.equal(await text(page, '#book-title'), 'DOGEUSDT');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#instruments tbody tr:visible').count(), 24);
  await page.reload();
  await page.waitForFunction(
    () => document.querySelector('#book-title')?.textContent === 'DOGEUSDT',
  );
});

test('Dashboard: fits a desk screen without scrolling and a phone without sideways scrolling', async (t) => {
  const desk = await open(t, PHONE);
  if (desk === null) return;
  const { page } = desk;
  const sideways = (): Promise<number> =>
    page.evaluate(() => {
      const root = document.documentElement;
      return root.scrollWidth - root.clientWidth;
    });
  assert.equal(await sideways(), 0);
  await page.setViewportSize(WIDE);
  assert.equal(await sideways(), 0);
  const down = await page.evaluate(() => {
    const root = document.documentElement;
    return root.scrollHeight - root.clientHeight;
  });
  assert.equal(down, 0);
  // Nothing of a row of the table is cut off, the longest name included.
  const table = await page.locator('#instruments').boundingBox();
  const panel = await page.locator('.instruments').boundingBox();
  assert.ok(table!.width <= panel!.width, `${table!.width} in ${panel!.width}`);
  // For people who want to see it: RINGSIDE_SCREENSHOT=dashboard.png
  const path = process.env['RINGSIDE_SCREENSHOT'];
  if (path !== undefined) await page.screenshot({ path });
});

test('Dashboard: asks for the token of a node that wants one, and keeps it for the tab', async (t) => {
  const desk = await open(t);
  if (desk === null) return;
  const { feed, page } = desk;
  feed.token = 'sesame';
  await page.reload();
  const form = page.locator('#token-form');
  await form.waitFor();
  assert.match(await form.innerText(), /This node asks for a token/);
  assert.equal(await text(page, '#connection .text'), 'The node asks for a token');
  await page.locator('#token').fill('open');
  await page.keyboard.press('Enter');
  await page.locator('#token-form', { hasText: 'not the right one' }).waitFor();
  await page.locator('#token').fill('sesame');
  await page.keyboard.press('Enter');
  const live = (): Promise<unknown> =>
    page.waitForFunction(
      () =>
        document.querySelector('#live-count')?.textContent === '24 of 24 Live' &&
        document.querySelector('#book-state')?.getAttribute('data-state') === '1',
    );
  await live();
  assert.equal(await form.isVisible(), false);
  await page.reload();
  await live();
  assert.equal(await form.isVisible(), false);
});
