// What lesson 08 is to the official client: a Socket.IO server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next, restartServer } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

test('it connects, with an id and with what it says of itself', limit, async () => {
  const socket = io('/', { auth: { token: 'x', deep: { list: [1, null] } } });
  const auth = next(socket, 'auth');
  await next(socket, 'connect');
  assert.ok(socket.id.length >= 20);
  assert.equal(socket.io.engine.transport.name, 'websocket');
  assert.deepEqual(await auth, [{ token: 'x', deep: { list: [1, null] } }]);
});

test('without auth, the server has an empty object', limit, async () => {
  assert.deepEqual(await next(io('/custom'), 'auth'), [{}]);
});

test('an event has any number of arguments', limit, async () => {
  const socket = io();
  for (const args of [
    [],
    ['hello', 10, { name: 'allie' }],
    [null, true, 0.5, '', [], [[]], { a: { b: [1, 2] } }, '하늘 🦀'],
    Array.from({ length: 500 }, (_, n) => n),
  ]) {
    socket.emit('message', ...args);
    assert.deepEqual(await next(socket, 'message-back'), args);
  }
});

test('the server acks', limit, async () => {
  const socket = io();
  for (const args of [[], [1], ['hello', 10, { name: 'allie' }]]) {
    const acked = await new Promise((resolve) => {
      socket.emit('message-with-ack', ...args, (...answer) => resolve(answer));
    });
    assert.deepEqual(acked, args);
  }
  assert.equal(await socket.emitWithAck('message-with-ack', 'first', 2), 'first');
});

test('the client acks', limit, async () => {
  const socket = io('/custom');
  socket.on('question', (...args) => {
    const answer = args.pop();
    answer(...args, 'indeed');
  });
  socket.emit('ask-me', 'really?', 1);
  assert.deepEqual(await next(socket, 'answered'), ['really?', 1, 'indeed']);
});

test('an ack that does not come in time is an error', limit, async () => {
  const socket = io();
  await assert.rejects(
    socket.timeout(100).emitWithAck('nothing', 1),
    /operation has timed out/,
  );
  // The connection has not suffered.
  const acked = await socket.timeout(10_000).emitWithAck('message-with-ack', 1);
  assert.equal(acked, 1);
});

test('bytes are bytes, in events and in acks both ways', limit, async () => {
  const socket = io();
  const args = [
    Buffer.from([0, 1, 255]),
    { nested: [Buffer.from('hi'), null] },
    Buffer.alloc(0),
    Buffer.alloc(100_000, 7),
  ];
  socket.emit('message', ...args);
  assert.deepEqual(await next(socket, 'message-back'), args);
  const acked = await new Promise((resolve) => {
    socket.emit('message-with-ack', ...args, (...answer) => resolve(answer));
  });
  assert.deepEqual(acked, args);
  socket.on('question', (bytes, answer) => answer(bytes));
  socket.emit('ask-me', Buffer.from('?'));
  assert.deepEqual(await next(socket, 'answered'), [Buffer.from('?')]);
});

test('two namespaces share one connection', limit, async () => {
  const root = io('/');
  await next(root, 'connect');
  const custom = root.io.socket('/custom');
  await next(custom, 'connect');
  assert.notEqual(root.id, custom.id);

  let heard = 0;
  root.on('message-back', () => { heard += 1; });
  custom.emit('message', 'here');
  assert.deepEqual(await next(custom, 'message-back'), ['here']);
  // The answer to this comes after anything that was sent before it.
  await root.emitWithAck('message-with-ack');
  assert.equal(heard, 0);

  const reason = next(root, 'disconnect');
  root.disconnect();
  assert.deepEqual((await reason)[0], 'io client disconnect');
  assert.equal(await custom.emitWithAck('message-with-ack', 'still here'), 'still here');
});

test('a namespace that does not exist is a connect_error', limit, async () => {
  const known = io('/');
  const unknown = known.io.socket('/nope');
  const [error] = await next(unknown, 'connect_error');
  assert.equal(error.message, 'Invalid namespace');
  assert.ok(!unknown.connected);
  assert.equal(await known.emitWithAck('message-with-ack', 1), 1);
});

test('long-polling is refused', limit, async () => {
  const socket = io('/', { transports: ['polling'], reconnection: false });
  const [error] = await next(socket, 'connect_error');
  assert.equal(error.message, 'xhr poll error');
  assert.equal(error.context?.status ?? error.description, 400);
});

test('events come back in the order in which they were sent', limit, async () => {
  const socket = io();
  const back = [];
  socket.on('message-back', (n) => back.push(n));
  const sent = Array.from({ length: 1000 }, (_, n) => n);
  for (const n of sent) socket.emit('message', n);
  await socket.emitWithAck('message-with-ack');
  assert.deepEqual(back, sent);
});

test('the connection survives several heartbeats', limit, async () => {
  const socket = io();
  let reason;
  socket.on('disconnect', (why) => { reason = why; });
  await next(socket, 'connect');
  for (let n = 0; n < 5; n += 1) await next(socket.io, 'ping');
  assert.equal(reason, undefined);
  assert.equal(await socket.emitWithAck('message-with-ack', 1), 1);
});

test('after a restart of the server it connects again', limit, async () => {
  const socket = io('/', { auth: { name: 'allie' } });
  await next(socket, 'auth');
  const before = socket.id;
  const lost = next(socket, 'disconnect');
  const again = next(socket.io, 'reconnect');
  await restartServer();
  assert.equal((await lost)[0], 'transport close');
  await again;
  assert.deepEqual(await next(socket, 'auth'), [{ name: 'allie' }]);
  assert.notEqual(socket.id, before);
  assert.equal(await socket.emitWithAck('message-with-ack', 1), 1);
});
