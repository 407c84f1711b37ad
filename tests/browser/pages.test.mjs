// Every page, in both themes, on a desktop and on a phone.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { PAGES, serve } from './site.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const THEMES = ['light', 'navy'];
const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];

let site;
let browser;

before(async () => {
  site = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** Opens a page, and records what it should not have done. */
async function open(path, { theme = 'light', viewport = SIZES[0], ...options } = {}) {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', ...options });
  await context.addInitScript((name) => {
    localStorage.setItem('mdbook-theme', name);
    // The print page opens a dialog, which would stay open.
    window.print = () => {};
  }, theme);
  const page = await context.newPage();
  const faults = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${site.origin}/`) && !url.startsWith('data:')) {
      faults.push(`asks for ${url}`);
    }
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  await page.goto(`${site.origin}/${path}`, { waitUntil: 'load' });
  return { page, faults, close: () => context.close() };
}

/** A page with this element, for tests of one part of a page. */
async function withPart(selector, options) {
  for (const path of PAGES.filter((name) => name !== 'print.html')) {
    const opened = await open(path, options);
    if (await opened.page.locator(selector).count()) return opened;
    await opened.close();
  }
  return assert.fail(`no page has ${selector}`);
}

const describe = ({ id, help, nodes }) =>
  `${id}: ${help}\n${nodes.map((node) => `    ${node.target}: ${node.failureSummary}`).join('\n')}`;

for (const path of PAGES) {
  for (const theme of THEMES) {
    for (const viewport of SIZES) {
      test(`${path}, ${theme}, ${viewport.width} px`, async () => {
        const { page, faults, close } = await open(path, { theme, viewport });
        try {
          assert.deepEqual(faults, []);

          const { inner, scroll } = await page.evaluate(() => ({
            inner: document.documentElement.clientWidth,
            scroll: Math.max(
              document.documentElement.scrollWidth,
              document.body.scrollWidth,
              // mdBook hides what is too wide in here.
              document.getElementById('mdbook-content').scrollWidth,
            ),
          }));
          assert.ok(scroll <= inner, `it is ${scroll} px wide in a window of ${inner}`);

          const empty = await page.evaluate(() =>
            [...document.querySelectorAll('main img, main figure, main .diagram svg')]
              .filter((part) => {
                const { width, height } = part.getBoundingClientRect();
                return width < 20 || height < 20;
              })
              .map((part) => part.outerHTML.slice(0, 200)));
          assert.deepEqual(empty, []);

          await page.addScriptTag({ path: AXE });
          const { violations } = await page.evaluate(() => window.axe.run());
          assert.equal(violations.map(describe).join('\n'), '');
        } finally {
          await close();
        }
      });
    }
  }
}

test('the search finds a word, and its result is a page', async () => {
  const { page, faults, close } = await open('index.html');
  await page.keyboard.press('/');
  await page.locator('#mdbook-searchbar').pressSequentially('hyper');
  const result = page.locator('#mdbook-searchresults a').first();
  await result.waitFor();
  await result.click();
  await page.waitForURL(/\.html\?highlight=hyper/);
  await page.locator('main mark').first().waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('a quiz is answered with the keyboard', async () => {
  const { page, close } = await withPart('.quiz');
  const quiz = page.locator('.quiz').first();
  const [verdict, why] = [quiz.locator('output'), quiz.locator('details')];
  const url = page.url();
  const choices = await quiz.locator('input').evaluateAll((all) => all.map(({ value }) => value));

  await quiz.locator('input').first().focus();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Check');
  await page.keyboard.press('Enter');
  assert.equal(await verdict.textContent(), 'Choose one first.');

  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  // Elsewhere the arrows turn pages; here they must not.
  for (let n = 0; n < choices.length; n += 1) {
    const chosen = await quiz.locator('input:checked').getAttribute('value');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.match(await verdict.textContent(), chosen === 'right' ? /Right/ : /Not this one/);
    if (chosen === 'right') assert.equal(await why.getAttribute('open'), '');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('ArrowDown');
    assert.equal(await verdict.textContent(), '');
  }
  assert.equal(page.url(), url);
  await close();
});

test('the answer of a quiz can be read without JavaScript', async () => {
  const { page, faults, close } = await withPart('.quiz', { javaScriptEnabled: false });
  const quiz = page.locator('.quiz').first();
  assert.equal(await quiz.locator('button').isVisible(), false);
  await quiz.locator('summary').click();
  assert.ok(await quiz.locator('details p').first().isVisible());
  assert.deepEqual(faults, []);
  await close();
});

test('the sidebar is opened and closed with the keyboard', async () => {
  const { page, close } = await open('index.html');
  const toggle = page.locator('#mdbook-sidebar-toggle');
  const link = page.locator('#mdbook-sidebar a').first();
  await toggle.focus();
  for (const shown of [false, true]) {
    await page.keyboard.press('Enter');
    await link.waitFor({ state: shown ? 'visible' : 'hidden' });
    assert.equal(await toggle.getAttribute('aria-expanded'), String(shown));
  }
  await close();
});

test('what scrolls sideways can be scrolled with the keyboard', async () => {
  const { page, close } = await withPart('.listing', { viewport: SIZES[1] });
  const boxes = await page.evaluate(() =>
    [...document.querySelectorAll('main pre > code, main pre.wire, main pre.diff, main .scroll')]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => [box.tabIndex, box.getAttribute('aria-label')]));
  assert.ok(boxes.length > 0, 'no listing is wider than a phone');
  for (const [tabIndex, label] of boxes) {
    assert.equal(tabIndex, 0);
    assert.ok(label);
  }
  await close();
});

test('the theme follows the system', async () => {
  for (const [colorScheme, theme] of [['light', 'light'], ['dark', 'navy']]) {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    await page.goto(site.origin);
    assert.ok(await page.evaluate((name) => document.documentElement.classList.contains(name), theme));
    await context.close();
  }
});

test('a page that is not there says so', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const response = await page.goto(`${site.origin}/nothing/here.html`);
  assert.equal(response.status(), 404);
  assert.match(await page.locator('main').textContent(), /not found/i);
  await context.close();
});
