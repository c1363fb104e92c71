/**
 * The dashboard on a whole node, served by it under its own security headers: what a person sees
 * after `npm start`. Skipped, loudly, where there is no chromium or the page is not built.
 */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromiumMissing, dashboardMissing, launchChromium } from '../support/chromium.js';
import { LiveNode } from '../support/live-node.js';
import { PATIENCE_MS } from '../support/until.js';

const missing = chromiumMissing() ?? dashboardMissing();

/** What the functions that run in the page use of it. */
declare const document: {
  querySelector(
    selector: string,
  ): { readonly textContent: string | null; getAttribute(name: string): string | null } | null;
};

/**
 * A port that both nodes ask for by number. The second could not take one that the kernel chose for
 * the first: connections of the past still wait on it, and only a port asked for may be taken again.
 */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

test('Dashboard on a node: 24 books Live; the node goes and the page says so, and returns', async (t) => {
  if (missing !== null) {
    console.error(`BROWSER TEST SKIPPED: ${missing}`);
    t.skip(missing);
    return;
  }
  const port = await freePort();
  const first = new LiveNode({ server: { port } });
  t.after(() => first.stop());
  await first.start();
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${port}/`);
  const allLive = (): Promise<unknown> =>
    page.waitForFunction(
      () =>
        document.querySelector('#live-count')?.textContent === '24 of 24 Live' &&
        document.querySelector('#book-state')?.getAttribute('data-state') === '1' &&
        document.querySelector('.bids .price')?.textContent !== '',
    );
  await allLive();
  await page.locator('#instruments button', { hasText: 'SOLUSDT' }).click();
  await allLive();
  const sequence = await page.locator('#book-sequence').innerText();
  await page.waitForFunction(
    (before) => document.querySelector('#book-sequence')?.textContent !== before,
    sequence,
  );
  await page.waitForFunction(
    () => Number(document.querySelector('#total-checked')?.textContent) > 5,
  );
  assert.equal(await page.locator('#total-failed').innerText(), '0');
  assert.equal(await page.locator('#total-gaps').innerText(), '0');
  assert.deepEqual(problems, []);

  await first.stop();
  await page.waitForFunction(
    () =>
      document.querySelector('#connection')?.getAttribute('data-state') === 'waiting' &&
      document.querySelector('#connection .text')?.textContent?.startsWith('Connection lost'),
  );
  assert.equal(await page.locator('#live-count').innerText(), '0 of 24 Live');

  const second = new LiveNode({ server: { port } });
  t.after(() => second.stop());
  await second.start();
  await allLive();
  assert.equal(await page.locator('#book-title').innerText(), 'SOLUSDT');
});
