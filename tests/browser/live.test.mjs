// `cargo book` itself, serving a copy of the book that is edited while it runs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = process.env.BOOK_PROGRAM
  ?? join(ROOT, 'target/debug', process.platform === 'win32' ? 'book.exe' : 'book');
const CHAPTER = '01-raw-hyper';

let browser;
let tree;
let server;

/** Starts the program, and waits until it listens. */
async function start(port) {
  const child = spawn(PROGRAM, ['--root', tree, 'serve'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, origin] = /^listening on (http:.*)$/.exec(line) ?? [];
    if (origin) {
      // Nobody reads the rest, and the program must not wait for a reader.
      child.stdout.resume();
      return { child, origin };
    }
  }
  return assert.fail('it ended before it listened');
}

async function stop({ child }) {
  // A process that has already ended would not emit `exit` again.
  if (child.exitCode !== null || child.signalCode) return [child.exitCode, child.signalCode];
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  return ended;
}

function edit(path, change) {
  const file = join(tree, path);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

before(async () => {
  if (!existsSync(PROGRAM)) {
    console.error(`no program at ${PROGRAM}: run cargo build --package book, or set BOOK_PROGRAM`);
    process.exit(1);
  }
  tree = mkdtempSync(join(tmpdir(), 'book-'));
  const filter = (path) => basename(path) !== 'node_modules';
  for (const folder of ['book', 'examples']) {
    cpSync(join(ROOT, folder), join(tree, folder), { recursive: true, filter });
  }
  browser = await launch();
  server = await start(0);
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
    server = await start(new URL(server.origin).port);
    await page.getByText('Another one.').waitFor();
  });
});

test('nothing is left behind', async () => {
  assert.deepEqual(await stop(server), [0, null]);
  assert.deepEqual(readdirSync(join(tree, 'target/book/serve')), []);
});
