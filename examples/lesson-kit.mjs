// What every Node twin imports, as the lessons import crates/lesson-kit.
// Lesson 01 shows it all in full, and lesson 08 `milliseconds`.

import { readFileSync } from 'node:fs';

/** The port that PORT asks for, or 3000. Exits if PORT is not a port. */
export function port() {
  const text = process.env.PORT ?? '3000';
  if (!/^\+?\d+$/.test(text) || Number(text) > 65535) {
    fail(`PORT=${text} is not a port: set a number from 0 to 65535 (0: any free one)`);
  }
  return Number(text);
}

/** The milliseconds that the variable asks for. Exits if it is not a number of them. */
export function milliseconds(name, otherwise) {
  const text = process.env[name] ?? String(otherwise);
  // More than 31 bits would overflow Node's timers.
  if (!/^\+?\d+$/.test(text) || Number(text) >= 2 ** 31) {
    fail(`${name}=${text} is not a number of milliseconds`);
  }
  return Number(text);
}

/** Listens on 127.0.0.1 and says so. Exits if that fails. */
export function listen(server, port) {
  server.on('error', (error) => refuse(error, port));
  server.listen(port, '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
  return server;
}

/** Says why the server cannot listen on `port`, and exits. */
export function refuse(error, port) {
  fail(error.code === 'EADDRINUSE'
    ? `port ${port} is taken: stop what listens there, or set PORT to another`
    : `cannot listen on port ${port}: ${error.message}`);
}

/** Calls `stop` at the first Ctrl-C or SIGTERM. Later ones change nothing. */
export function onShutdown(stop) {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (!stopping) stop();
      stopping = true;
    });
  }
}

export function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(1);
}

const SHARED = new URL('../crates/lesson-kit/src/', import.meta.url);

/** A handler of (req, res) that serves `index.html` in `folder`, and what pages share. */
export function pages(folder) {
  const files = {
    '/': ['text/html; charset=utf-8', readFileSync(new URL('index.html', folder))],
    '/style.css': ['text/css; charset=utf-8', readFileSync(new URL('style.css', SHARED))],
    '/page.js': ['text/javascript; charset=utf-8', readFileSync(new URL('page.js', SHARED))],
  };
  return (req, res) => {
    // Not `new URL(req.url, …)`: it throws at `//`.
    const [path] = req.url.split('?', 1);
    const [type, body] = files[path] ?? ['text/plain; charset=utf-8', 'there is only /\n'];
    res.statusCode = type.startsWith('text/plain') ? 404 : 200;
    res.setHeader('Content-Type', type);
    res.end(body);
  };
}
