// Pictures of pages, to look at:
//
//   node screenshots.mjs FOLDER PAGE.html …
//
// Each page in both themes, on a desktop and on a phone, in pieces that can be read.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './chromium.mjs';
import { serve } from './site.mjs';

const PIECE = 1600; // px

const [folder, ...pages] = process.argv.slice(2);
if (!folder || pages.length === 0) {
  console.error('usage: node screenshots.mjs FOLDER PAGE.html …');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const site = await serve();
const browser = await launch();
for (const path of pages) {
  for (const theme of ['light', 'navy']) {
    for (const width of [1280, 390]) {
      const context = await browser.newContext({ viewport: { width, height: 900 } });
      await context.addInitScript((name) => localStorage.setItem('mdbook-theme', name), theme);
      const page = await context.newPage();
      await page.goto(`${site.origin}/${path}`);
      const name = path.replaceAll('/', '-').replace('.html', '');
      const all = await page.evaluate(() => document.documentElement.scrollHeight);
      for (let y = 0, n = 1; y < all; y += PIECE, n += 1) {
        const file = join(folder, `${name}-${theme}-${width}-${n}.png`);
        const clip = { x: 0, y, width, height: Math.min(PIECE, all - y) };
        await page.screenshot({ path: file, fullPage: true, clip });
        console.log(file);
      }
      await context.close();
    }
  }
}
await browser.close();
site.close();
