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

/** Waits until something shows this text. */
const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

/** Types into the field labelled Message, and presses Enter. */
async function send(page, text) {
  await page.getByLabel('Message').fill(text);
  await page.getByLabel('Message').press('Enter');
}

const MARKUP = '<img src=x onerror="document.title=1"><b>bold</b>';

// What each lesson's page shows. What holds for all of them is tested below.
const LESSONS = {
  '05_ws_echo': async (t, page, { status, log }) => {
    await t.test('text and bytes come back as what they were', async () => {
      await send(page, 'héllo');
      await says(log.locator('.received'), '← text   héllo');
      await page.getByRole('button', { name: 'Send as bytes' }).click();
      await says(log.locator('.received'), '← binary 68 c3 a9 6c 6c 6f');
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
  },

  '06_ws_json': async (t, page, { log }) => {
    await t.test('a call is answered with its result or an error', async () => {
      await page.getByRole('button', { name: 'Send' }).click();
      await says(log.locator('.received'), '← {"result":3}');
      await send(page, '{"op":"pow","args":[2,3]}');
      await says(log.locator('.received'), /^← \{"error":".*pow.*"\}$/);
    });
  },

  '07_ws_broadcast': async (t, page, { log }) => {
    await t.test('two tabs talk, in text and in bytes', async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      const heard = other.getByRole('log').locator('.received');
      await send(page, 'hello, tab');
      await says(heard, /^← 1: hello, tab$/);
      await send(other, 'and back');
      await says(log.locator('.received'), /^← 2: and back$/);
      await page.getByLabel('Message').fill('in bytes');
      await page.getByRole('button', { name: 'Send as bytes' }).click();
      await says(heard, /^← 1: in bytes$/);
      await send(other, MARKUP);
      await says(log.locator('.received'), `← 2: ${MARKUP}`);
      await other.close();
    });
  },
};

for (const [name, steps] of Object.entries(LESSONS)) {
  for (const peer of Object.keys(PEERS)) {
    test(`${name}, ${peer}: the page talks to its server`, async (t) => {
      let server = await open(peer, name);
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      page.setDefaultTimeout(15_000);
      const faults = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      await page.goto(server.origin);
      const title = await page.title();
      const status = page.getByRole('status');
      const log = page.getByRole('log');
      await says(status, /^connected$/);

      await steps(t, page, { status, log });

      await t.test('markup in a message stays text', async () => {
        const before = await log.locator('.received').count();
        await send(page, MARKUP);
        await says(log.locator('.sent'), MARKUP);
        await log.locator('.received').nth(before).waitFor();
        assert.equal(await log.locator('img, b').count(), 0);
        assert.equal(await page.title(), title);
      });

      await t.test('a server that goes away is shown, and found again', async () => {
        await stop(server);
        await says(status, /^not connected; the next attempt/);
        server = await open(peer, name, new URL(server.origin).port);
        await says(status, /^connected$/);
      });

      await t.test('axe finds nothing, in light and dark, and nothing sticks out', async () => {
        await page.addScriptTag({ path: AXE });
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate(() => window.axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
        }
        const sideways = () => document.documentElement.scrollWidth > innerWidth;
        assert.ok(!await page.evaluate(sideways));
        assert.deepEqual(faults, []);
      });

      await page.close();
      await stop(server);
    });
  }
}
