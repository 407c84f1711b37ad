// Every link and every `#fragment` between the pages. Links to other sites are left
// alone: whether those work today says nothing about the book.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkChecker } from 'linkinator';
import { PAGES, serve } from './site.mjs';

test('every link between the pages leads somewhere', async () => {
  const site = await serve();
  // The 404 page has a `<base>`, so that it works at any depth: the link of its own
  // heading leads to the front page.
  const pages = [...PAGES, 'toc.html'].filter((page) => page !== '404.html');
  const result = await new LinkChecker().check({
    path: pages.map((page) => `${site.origin}/${page}`),
    checkFragments: true,
    linksToSkip: async (url) => !url.startsWith(`${site.origin}/`),
  });
  site.close();
  const broken = result.links.filter(({ state }) => state === 'BROKEN');
  assert.deepEqual(broken.map(({ url, parent }) => `${parent}: ${url}`), []);
  assert.ok(result.links.length > PAGES.length);
});
