// The static pages, and a server for them that adds nothing.

import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The folder with the static pages. */
export const FOLDER = resolve(process.env.BOOK_DIR ?? join(ROOT, 'target/book/html'));

if (!existsSync(join(FOLDER, 'index.html'))) {
  console.error(`no pages in ${FOLDER}: run cargo book build, or set BOOK_DIR`);
  process.exit(1);
}

/** The paths of all pages. */
export const PAGES = readdirSync(FOLDER, { recursive: true })
  .filter((name) => name.endsWith('.html'))
  // Only the list of chapters, for the frame that pages use without JavaScript.
  .filter((name) => name !== 'toc.html')
  .map((name) => name.split(sep).join('/'))
  .sort();

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Serves FOLDER on a free port. */
export async function serve() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    let file = join(FOLDER, decodeURIComponent(pathname));
    if (relative(FOLDER, file).startsWith('..')) file = FOLDER;
    if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
    const found = existsSync(file);
    if (!found) file = join(FOLDER, '404.html');
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(found ? 200 : 404, { 'content-type': type });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
