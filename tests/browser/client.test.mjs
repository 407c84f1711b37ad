// The course's Socket.IO client in a page, and the official one. What they do is tested in
// tests/client, without a browser; here is what only a browser can tell.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { ROOT } from './program.mjs';

const { Server } = createRequire(join(ROOT, 'examples/package.json'))('socket.io');
const SCRIPTS = { official: '/socket.io/socket.io.js', ours: '/client.js' };

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** A server that sends back each event, on a free port or on `port`. */
async function serve(t, script, port = 0) {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', request.url === '/' ? 'text/html' : 'text/javascript');
    if (request.url === '/') response.end(`<!doctype html><script src="${script}"></script>`);
    else createReadStream(join(ROOT, 'crates/parity/src/client.js')).pipe(response);
  });
  const io = new Server(server);
  io.on('connection', (socket) => {
    socket.onAny((event, ...args) => {
      const answer = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      socket.emit('back', ...args);
      answer?.(...args);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    // A browser also opens connections that it does not use yet: they would stay.
    const closed = io.close();
    server.closeAllConnections();
    return closed;
  };
  t.after(stop);
  return { port: server.address().port, stop };
}

for (const [client, script] of Object.entries(SCRIPTS)) {
  test(`${client}: a page talks to a server`, async (t) => {
    const first = await serve(t, script);
    const page = await browser.newPage();
    t.after(() => page.close());
    page.setDefaultTimeout(15_000);
    const faults = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`http://127.0.0.1:${first.port}/`);
    await page.evaluate(() => {
      window.socket = io({ transports: ['websocket'], reconnectionDelay: 50 });
      window.next = (event) => new Promise((resolve) => {
        socket.once(event, (...args) => resolve(args));
      });
      return next('connect');
    });

    await t.test('text, bytes and a Blob come back, and so do answers', async () => {
      const [back, answer] = await page.evaluate(async () => {
        const read = (value) => (
          value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value
        );
        const reply = next('back');
        const args = ['방', Uint8Array.of(1, 2), new Blob(['é']), new ArrayBuffer(1)];
        const asked = new Promise((resolve) => {
          socket.emit('e', ...args, (...answer) => resolve(answer));
        });
        return [(await reply).map(read), (await asked).map(read)];
      });
      assert.deepEqual(back, ['방', [1, 2], [0xc3, 0xa9], [0]]);
      assert.deepEqual(answer, back);
    });

    await t.test('of two volatile events in one task, the second is dropped', async () => {
      const seen = await page.evaluate(async () => {
        const seen = [];
        socket.on('back', (n) => seen.push(n));
        socket.volatile.emit('e', 1).volatile.emit('e', 2);
        await socket.emitWithAck('e', 3);
        socket.off('back');
        return seen;
      });
      assert.deepEqual(seen, [1, 3]);
    });

    await t.test('a mistake in a listener does not end the connection', async () => {
      const thrown = page.waitForEvent('pageerror');
      const answer = await page.evaluate(async () => {
        socket.once('back', () => {
          throw new Error('mine');
        });
        socket.emit('e');
        return socket.emitWithAck('e', 'still here');
      });
      assert.equal((await thrown).message, 'mine');
      assert.equal(answer, 'still here');
      assert.deepEqual(faults.splice(0), ['mine']);
    });

    await t.test('a server that goes away is noticed, and found again', async () => {
      // Listened for before it can happen, and looked at after.
      await page.evaluate(() => {
        window.lost = next('disconnect');
        window.failed = next('connect_error');
        window.found = next('connect');
      });
      await first.stop();
      assert.equal(await page.evaluate(async () => (await lost)[0]), 'transport close');
      const message = await page.evaluate(async () => (await failed)[0].message);
      assert.equal(message, 'websocket error');
      await serve(t, script, first.port);
      await page.evaluate(() => found);
      assert.equal(await page.evaluate(() => socket.emitWithAck('e', 1)), 1);
    });

    assert.deepEqual(faults, []);
  });
}
