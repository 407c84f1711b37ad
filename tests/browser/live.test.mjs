// `cargo book` itself, serving a copy of the book that is edited while it runs.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { BOOK, ROOT, start, stop } from './program.mjs';

const CHAPTER = '01-raw-hyper';

let browser;
let tree;
let server;

const serve = (port) => start(BOOK, ['--root', tree, 'serve'], port);

function edit(path, change) {
  const file = join(tree, path);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

before(async () => {
  if (!existsSync(BOOK)) {
    console.error(`no program at ${BOOK}: run cargo build --package book, or set BOOK_PROGRAM`);
    process.exit(1);
  }
  tree = mkdtempSync(join(tmpdir(), 'book-'));
  const filter = (path) => basename(path) !== 'node_modules';
  // What the book lists. node_modules has nothing of it, and is large.
  for (const folder of ['book', 'crates', 'examples', 'tests']) {
    cpSync(join(ROOT, folder), join(tree, folder), { recursive: true, filter });
  }
  browser = await launch();
  server = await serve(0);
});

after(async () => {
  await browser?.close();
  server?.child.kill();
  if (tree) rmSync(tree, { recursive: true, force: true });
});

test('an open page follows the book', async (t) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(`${server.origin}/${CHAPTER}.html`);
  const banner = page.locator('#live-problems');

  await t.test('an edit is shown, and the place on the page is kept', async () => {
    await page.evaluate(() => window.scrollTo(0, 400));
    const start = performance.now();
    edit(`book/src/${CHAPTER}.md`, (text) => text.replace('\n\n', '\n\nA new sentence.\n\n'));
    await page.getByText('A new sentence.').waitFor();
    const took = Math.round(performance.now() - start);
    t.diagnostic(`shown after ${took} ms`);
    // The place is kept; what was added above may have moved it a little.
    await page.waitForFunction(() => window.scrollY > 300);
  });

  await t.test('a mistake is shown over the last good page, until it is fixed', async () => {
    const lesson = 'examples/01_raw_hyper/main.rs';
    const good = readFileSync(join(tree, lesson), 'utf8');
    edit(lesson, (text) => text.replaceAll(/^.*ANCHOR.*: handler\n/gm, ''));
    await banner.waitFor();
    assert.match(await banner.textContent(), new RegExp(`book/src/${CHAPTER}\\.md:\\d+: .*handler`));
    assert.ok(await page.getByText('A new sentence.').isVisible());
    edit(lesson, () => good);
    await banner.waitFor({ state: 'detached' });
  });

  await t.test('it ends with exit code 0, and pages find the next one', async () => {
    assert.deepEqual(await stop(server), [0, null]);
    edit(`book/src/${CHAPTER}.md`, (text) => text.replace('A new sentence.', 'Another one.'));
    server = await serve(new URL(server.origin).port);
    await page.getByText('Another one.').waitFor();
  });
});

test('nothing is left behind', async () => {
  assert.deepEqual(await stop(server), [0, null]);
  assert.deepEqual(readdirSync(join(tree, 'target/book/serve')), []);
});
