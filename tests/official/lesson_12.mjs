// What lesson 12 is to the official client: rooms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next, restartServer } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** A client that knows its public id, as `user`, and keeps every event it hears. */
async function client() {
  const socket = io();
  socket.heard = [];
  [socket.user] = await next(socket, 'welcome');
  socket.onAny((...event) => socket.heard.push(event));
  return socket;
}

/** The result of an event, or an exception with its error. */
async function call(socket, event, ...args) {
  const { result, error } = await socket.timeout(10_000).emitWithAck(event, ...args);
  if (error) throw new Error(error);
  return result;
}

/** Fails unless a client has heard these events, and no others. Each server sends what it
 *  has to send to a client before it answers the client's next question. */
async function hasHeard(socket, ...events) {
  await call(socket, 'rooms');
  assert.deepEqual(socket.heard, events);
  socket.heard.length = 0;
}

test('the members of a room hear what is said there, and nobody else', limit, async () => {
  const [ada, bob, cy] = [await client(), await client(), await client()];
  await call(ada, 'join', 'red');
  await call(bob, 'join', 'red');
  await call(cy, 'join', 'blue');
  await call(bob, 'say', 'red', 'hello');
  await hasHeard(ada, ['joined', 'red', bob.user], ['said', 'red', bob.user, 'hello']);
  await hasHeard(bob, ['said', 'red', bob.user, 'hello']);
  await hasHeard(cy);
  await assert.rejects(call(cy, 'say', 'red', 'psst'), /you are not in this room/);
  await hasHeard(ada);

  await call(bob, 'leave', 'red');
  await call(ada, 'say', 'red', 'alone');
  await hasHeard(ada, ['left', 'red', bob.user], ['said', 'red', ada.user, 'alone']);
  await hasHeard(bob);
});

test('anybody may ask who is where', limit, async () => {
  const [ada, bob, cy] = [await client(), await client(), await client()];
  for (const room of ['하늘', '__proto__']) await call(ada, 'join', room);
  await call(bob, 'join', '하늘');
  const rooms = await call(cy, 'rooms');
  assert.deepEqual(Object.keys(rooms).sort(), ['__proto__', '하늘']);
  assert.deepEqual(rooms['하늘'].sort(), [ada.user, bob.user].sort());
  assert.deepEqual(await call(cy, 'who', '__proto__'), [ada.user]);
  assert.deepEqual(await call(cy, 'who', 'nowhere'), []);
});

test('a name has 1 to 50 characters, and is a string', limit, async () => {
  const ada = await client();
  await call(ada, 'join', '🦀'.repeat(50));
  for (const name of ['', '🦀'.repeat(51), null, 7, ['a'], Buffer.from('a')]) {
    await assert.rejects(call(ada, 'join', name));
  }
  assert.equal(Object.keys(await call(ada, 'rooms')).length, 1);
});

test('nobody listens at the room of somebody else', limit, async () => {
  const [host, victim, spy] = [await client(), await client(), await client()];
  await call(host, 'join', 'red');
  for (const name of [victim.user, victim.id, spy.id]) await call(spy, 'join', name);
  assert.deepEqual(await call(spy, 'who', victim.user), [spy.user]);
  await call(spy, 'say', victim.user, 'psst');
  await call(host, 'invite', 'red', [victim.user]);
  await hasHeard(victim, ['invited', 'red', host.user]);
  await hasHeard(spy, ['said', victim.user, spy.user, 'psst']);
});

test('whoever shares two rooms with one who goes hears it once', limit, async () => {
  const [ada, bob] = [await client(), await client()];
  for (const room of ['red', 'blue']) {
    await call(ada, 'join', room);
    await call(bob, 'join', room);
  }
  await hasHeard(ada, ['joined', 'red', bob.user], ['joined', 'blue', bob.user]);
  const gone = next(ada, 'gone');
  bob.disconnect();
  assert.deepEqual(await gone, [bob.user]);
  assert.deepEqual(await call(ada, 'who', 'red'), [ada.user]);
  await hasHeard(ada, ['gone', bob.user]);
});

test('many clients in many rooms hear theirs and nothing else', limit, async () => {
  const clients = await Promise.all(Array.from({ length: 30 }, client));
  const room = (n) => `room ${n % 6}`;
  await Promise.all(clients.map((socket, n) => call(socket, 'join', room(n))));
  await Promise.all(clients.map(async (socket, n) => {
    for (let text = 0; text < 10; text += 1) {
      await call(socket, 'say', room(n), String(text));
    }
  }));
  for (const [n, socket] of clients.entries()) {
    await call(socket, 'rooms');
    const said = socket.heard.filter(([event]) => event === 'said');
    assert.equal(said.length, 50);
    assert.ok(said.every(([, where]) => where === room(n)));
  }
});

test('after a restart of the server a client is in no room', limit, async () => {
  const ada = await client();
  await call(ada, 'join', 'red');
  const welcome = next(ada, 'welcome');
  await restartServer();
  const [user] = await welcome;
  assert.notEqual(user, ada.user);
  await assert.rejects(call(ada, 'say', 'red', 'hello'), /you are not in this room/);
  assert.deepEqual(await call(ada, 'rooms'), {});
});
