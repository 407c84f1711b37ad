// What the chapters say of Node's server and no twin shows: above all, what has become of
// the calls in older examples.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { next, record, serve } from './kit.mjs';

const require = createRequire(new URL('../../examples/package.json', import.meta.url));
const { WebSocket } = require('ws');

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** A client that sends whatever it is given, and the server's end of it. */
async function connect(server) {
  const { io, origin } = server ?? await serve();
  const accepted = once(io, 'connection');
  const client = new WebSocket(`${origin}/socket.io/?EIO=4&transport=websocket`);
  await once(client, 'open');
  client.send('40');
  const [socket] = await accepted;
  return { io, socket, client };
}

/** Until the server has handled an event of the client, and so all that came before. */
async function roundTrip({ socket, client }) {
  const handled = next(socket, 'so far');
  client.send('42["so far"]');
  await handled;
}

test('the rooms are there at `disconnecting`, and no more at `disconnect`', limit, async () => {
  const { socket, client } = await connect();
  socket.join('red');
  const log = [];
  for (const event of ['disconnecting', 'disconnect']) {
    socket.on(event, () => log.push([event, ...socket.rooms]));
  }
  const gone = next(socket, 'disconnect');
  client.send('41');
  await gone;
  assert.deepEqual(log, [['disconnecting', socket.id, 'red'], ['disconnect']]);
});

test('`error` is for a packet that cannot be read', limit, async () => {
  const { socket, client } = await connect();
  const log = record(socket, ['error', 'disconnecting']);
  client.send('47');
  await next(socket, 'disconnect');
  const [[, error], [, reason]] = log;
  assert.equal(error.message, 'unknown packet type 7');
  assert.equal(reason, 'forced close');
  assert.equal(log.length, 2);
});

test('but not for one that is not even Engine.IO', limit, async () => {
  const { socket, client } = await connect();
  const log = record(socket, ['error']);
  client.send('x');
  assert.equal((await next(socket, 'disconnect'))[0], 'parse error');
  assert.deepEqual(log, []);
});

test('`error` is for `next(error)` in `socket.use`', limit, async () => {
  const peer = await connect();
  const { socket, client } = peer;
  const refused = new Error('refused');
  socket.use(([event], done) => done(event === 'bad' ? refused : undefined));
  const log = record(socket, ['error', 'bad']);
  client.send('42["bad"]');
  await roundTrip(peer);
  assert.deepEqual(log, [['error', refused]]);
});

test('`error` is for an event of that name', limit, async () => {
  const peer = await connect();
  const log = record(peer.socket, ['error']);
  peer.client.send('42["error","mine"]');
  await roundTrip(peer);
  assert.deepEqual(log, [['error', 'mine']]);
});

test('the callbacks of `join` and `leave` are never called', limit, async (t) => {
  const peer = await connect();
  const { socket } = peer;
  const callback = t.mock.fn();
  socket.join('red', callback);
  assert.ok(socket.rooms.has('red'));
  await roundTrip(peer);
  socket.leave('red', callback);
  assert.ok(!socket.rooms.has('red'));
  await roundTrip(peer);
  assert.equal(callback.mock.callCount(), 0);
});

test('`in` is `to`; on a socket both leave out the sender', limit, async () => {
  const server = await serve();
  const all = [await connect(server), await connect(server), await connect(server)];
  const [{ io, socket }, member] = all;
  socket.join('red');
  member.socket.join('red');
  const heard = [[], [], []];
  for (const [n, { client }] of all.entries()) {
    client.on('message', (text) => heard[n].push(String(text)));
  }
  io.to('red').emit('io.to');
  io.in('red').emit('io.in');
  socket.to('red').emit('socket.to');
  socket.in('red').emit('socket.in');
  io.emit('end');
  await Promise.all(all.map(async ({ client }, n) => {
    while (heard[n].at(-1) !== '42["end"]') await once(client, 'message');
  }));
  const events = heard.map((texts) => texts.filter((text) => text.startsWith('42')));
  assert.deepEqual(events, [
    ['42["io.to"]', '42["io.in"]', '42["end"]'],
    ['42["io.to"]', '42["io.in"]', '42["socket.to"]', '42["socket.in"]', '42["end"]'],
    ['42["end"]'],
  ]);
});

test('`clients` throws, and `fetchSockets` returns sockets', limit, async () => {
  const { io, socket } = await connect();
  socket.join('red');
  assert.throws(() => io.in('red').clients(() => {}), {
    name: 'TypeError',
    message: 'io.in(...).clients is not a function',
  });
  const [red, ...others] = await io.in('red').fetchSockets();
  assert.deepEqual([red.id, others], [socket.id, []]);
});

test('`io.sockets.adapter.rooms` is that of `/`, a map of sets', limit, async () => {
  const { io, socket } = await connect();
  socket.join('red');
  const { rooms } = io.sockets.adapter;
  assert.equal(rooms, io.of('/').adapter.rooms);
  assert.deepEqual(rooms.get('red'), new Set([socket.id]));
});
