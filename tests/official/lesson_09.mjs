// What lesson 09 is to the official client: connect, disconnect, and come back.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { TRANSPORTS, io, next, restartServer } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** Somebody who is in the lobby, and what others know them by. */
async function guest(options) {
  const socket = io('/', options);
  const [id, user] = await next(socket, 'welcome');
  return { socket, id, user };
}

/** What is told of `user` when they leave. Of others, something may be told as well. */
function left(socket, user) {
  return new Promise((resolve) => {
    socket.on('left', (who, ...rest) => who === user && resolve(rest));
  });
}

test('both sides know the same socket.id', limit, async () => {
  const { socket, id, user } = await guest();
  assert.ok(socket.connected);
  assert.equal(socket.id, id);
  assert.ok(user.length >= 16);
});

test('the connection ends up on the best transport', limit, async () => {
  const { socket } = await guest();
  const { engine } = socket.io;
  if (engine.transport.name !== 'websocket') await next(engine, 'upgrade');
  assert.equal(engine.transport.name, 'websocket');
  assert.ok(TRANSPORTS.includes('websocket'));
});

test('what is sent at once is not lost, nor what is sent too early', limit, async () => {
  const all = Array.from({ length: 50 }, (_, n) => {
    const socket = io();
    socket.on('connect', () => socket.emit('hello', `at once, ${n}`));
    socket.emit('hello', `too early, ${n}`);
    return new Promise((resolve) => {
      const heard = [];
      socket.on('hello', (text) => heard.push(text) === 2 && resolve(heard));
    });
  });
  for (const [n, heard] of (await Promise.all(all)).entries()) {
    assert.deepEqual(heard.sort(), [`at once, ${n}`, `too early, ${n}`]);
  }
});

// ANCHOR: reasons
test('who disconnects says so', limit, async () => {
  const [watcher, leaver] = [await guest(), await guest()];
  const reason = next(leaver.socket, 'disconnect');
  const seen = left(watcher.socket, leaver.user);
  leaver.socket.disconnect();
  assert.equal((await reason)[0], 'io client disconnect');
  assert.deepEqual(await seen, ['client namespace disconnect', ['lobby']]);
  assert.ok(!leaver.socket.active, 'it stays away');
});

test('who is disconnected stays away until told to connect', limit, async () => {
  const [watcher, leaver] = [await guest(), await guest()];
  const reason = next(leaver.socket, 'disconnect');
  const seen = left(watcher.socket, leaver.user);
  leaver.socket.emit('bye');
  assert.equal((await reason)[0], 'io server disconnect');
  assert.deepEqual(await seen, ['server namespace disconnect', ['lobby']]);
  assert.ok(!leaver.socket.active, 'it stays away');
  leaver.socket.connect();
  const [id, user] = await next(leaver.socket, 'welcome');
  assert.equal(id, leaver.socket.id);
  assert.notEqual(user, leaver.user);
});

test('who loses the connection comes back', limit, async () => {
  const [watcher, leaver] = [await guest(), await guest()];
  const reason = next(leaver.socket, 'disconnect');
  const seen = left(watcher.socket, leaver.user);
  const again = next(leaver.socket, 'welcome');
  leaver.socket.io.engine.close();
  assert.equal((await reason)[0], 'forced close');
  assert.deepEqual(await seen, ['transport close', ['lobby']]);
  assert.ok(leaver.socket.active, 'it connects again by itself');
  assert.equal((await again)[0], leaver.socket.id);
});
// ANCHOR_END: reasons

test('who hears no ping in time hangs up, and comes back', limit, async () => {
  const [watcher, leaver] = [await guest(), await guest()];
  const reason = next(leaver.socket, 'disconnect');
  const seen = left(watcher.socket, leaver.user);
  const again = next(leaver.socket, 'welcome');
  // After the next ping, it expects another one 20 ms later.
  leaver.socket.io.engine._pingInterval = 0;
  leaver.socket.io.engine._pingTimeout = 20;
  assert.equal((await reason)[0], 'ping timeout');
  assert.deepEqual(await seen, ['transport close', ['lobby']]);
  assert.ok(leaver.socket.active, 'it connects again by itself');
  assert.equal((await again)[0], leaver.socket.id);
});

test('a namespace that is not there is a connect_error', limit, async () => {
  const { socket } = await guest();
  const nowhere = socket.io.socket('/nowhere');
  // Since version 3 it is not called for this.
  nowhere.on('error', () => assert.fail('error'));
  const [error] = await next(nowhere, 'connect_error');
  assert.equal(error.message, 'Invalid namespace');
  assert.ok(!nowhere.active, 'it does not try again');
  socket.emit('hello', 'still there?');
  assert.deepEqual(await next(socket, 'hello'), ['still there?']);
});

test('a server that is not there is one too, and is asked again', limit, async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const origin = `http://127.0.0.1:${taken.address().port}`;
  taken.close();
  await once(taken, 'close');
  const socket = io('/', { origin });
  socket.on('error', () => assert.fail('error'));
  const attempt = next(socket.io, 'reconnect_attempt');
  const [error] = await next(socket, 'connect_error');
  assert.match(error.message, /^(websocket|xhr poll) error$/);
  assert.ok(socket.active, 'it tries again');
  assert.deepEqual(await attempt, [1]);
});

test('a restart is seen by the manager, and no longer by the socket', limit, async () => {
  const { socket, user } = await guest();
  // Events of the past: since version 3 nobody calls these.
  for (const event of ['reconnect', 'reconnecting', 'error']) {
    socket.on(event, () => assert.fail(event));
  }
  const lost = next(socket, 'disconnect');
  const attempt = next(socket.io, 'reconnect_attempt');
  const again = next(socket.io, 'reconnect');
  const welcome = next(socket, 'welcome');
  await restartServer();
  assert.match((await lost)[0], /^transport (close|error)$/);
  assert.deepEqual(await attempt, [1]);
  assert.ok((await again)[0] >= 1);
  const [id, now] = await welcome;
  assert.equal(id, socket.id);
  assert.notEqual(now, user);
});
