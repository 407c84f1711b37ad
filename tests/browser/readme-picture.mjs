// The picture in README.md, from the pages that `cargo book build` wrote:
//
//   node tests/browser/readme-picture.mjs

import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { serve } from './site.mjs';

const site = await serve();
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 760 } });
await page.goto(`${site.origin}/01-raw-hyper.html#in-rust-side-by-side`);
await page.evaluate(() => document.fonts.ready);
await page.screenshot({ path: fileURLToPath(new URL('../../book/screenshot.png', import.meta.url)) });
await browser.close();
site.close();
