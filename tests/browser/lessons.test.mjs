// The pages of the lessons, with the lesson itself behind them and with its Node twin.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { ROOT, lesson, start, stop } from './program.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PEERS = {
  rust: (name) => [lesson(name), []],
  node: (name) => ['node', [join(ROOT, 'examples', name, 'node/server.mjs')]],
};

let browser;
const running = new Set();

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await Promise.all([...running].map(stop));
});

/** Starts a lesson, which is stopped at the end if a test fails. */
async function open(peer, name, port) {
  const [program, args] = PEERS[peer](name);
  const server = await start(program, args, port);
  running.add(server);
  return server;
}

for (const peer of Object.keys(PEERS)) {
  test(`05, ${peer}: the page talks to its server`, async (t) => {
    let server = await open(peer, '05_ws_echo');
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    page.setDefaultTimeout(15_000);
    const faults = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(server.origin);
    const status = page.getByRole('status');
    const log = page.getByRole('log');
    const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

    await t.test('text and bytes come back as what they were', async () => {
      await says(status, /^connected$/);
      await page.getByLabel('Message').fill('héllo');
      await page.getByLabel('Message').press('Enter');
      await says(log.locator('.received'), '← text   héllo');
      await page.getByRole('button', { name: 'Send as bytes' }).click();
      await says(log.locator('.received'), '← binary 68 c3 a9 6c 6c 6f');
    });

    await t.test('markup in a message stays text', async () => {
      const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
      await page.getByLabel('Message').fill(markup);
      await page.getByLabel('Message').press('Enter');
      await says(log.locator('.received'), `← text   ${markup}`);
      assert.equal(await log.locator('img, b').count(), 0);
      assert.equal(await page.title(), '05 · WebSocket echo');
    });

    await t.test('a close is shown with its code, and the page connects again', async () => {
      await page.getByLabel('Close code').fill('1002');
      await page.getByRole('button', { name: 'Close' }).click();
      await says(log.locator('.note'), /1002|close code/i);
      await page.getByLabel('Close code').fill('3001');
      await page.getByRole('button', { name: 'Close' }).click();
      await says(log.locator('.note'), 'closed: 3001 done');
      await says(status, /^connected$/);
    });

    await t.test('a server that goes away is shown, and found again', async () => {
      await stop(server);
      await says(status, /^not connected; the next attempt/);
      server = await open(peer, '05_ws_echo', new URL(server.origin).port);
      await says(status, /^connected$/);
    });

    await t.test('axe finds nothing, in light and in dark, and nothing sticks out', async () => {
      await page.addScriptTag({ path: AXE });
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        const { violations } = await page.evaluate(() => window.axe.run());
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
      }
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!sideways);
      assert.deepEqual(faults, []);
    });

    await page.close();
    await stop(server);
  });
}
