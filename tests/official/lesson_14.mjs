// What lesson 14 is to the official client: namespaces, a token, and rooms with a door.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next, restartServer } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };
const auth = { token: 'let-me-in' };

/** A socket that has been welcomed. */
async function enter(namespace, options) {
  const socket = io(namespace, options);
  const [id, place, here] = await next(socket, 'welcome');
  return { socket, id, place, here };
}

/** An admin who lets everybody in. */
async function doorkeeper() {
  const { socket } = await enter('/admin', { auth });
  socket.on('knock', (_room, answer) => answer(true));
  return socket;
}

/** Fails if `socket` hears any of these events. Ends when `other` has got an answer. */
async function silence(socket, other) {
  const heard = [];
  socket.onAny((...event) => heard.push(event));
  await other.emitWithAck('alert', 'is anybody there?');
  socket.offAny();
  return heard;
}

// ANCHOR: retry
test('a refused client knows why, and may try again', limit, async () => {
  const lobby = io('/');
  await next(lobby, 'welcome');
  // On the same connection.
  const admin = lobby.io.socket('/admin', { auth: { token: 'let me in' } });
  const [error] = await next(admin, 'connect_error');
  assert.equal(error.message, 'wrong token');
  // Nothing tries again by itself.
  assert.equal(admin.active, false);

  assert.equal(await lobby.emitWithAck('alert', 'a stranger'), 'they know');
  admin.auth = { token: 'let-me-in' };
  admin.connect();
  assert.equal((await next(admin, 'welcome'))[1], 'the office');
});
// ANCHOR_END: retry

test('without a token, or with a number for one, there is a reason too', limit, async () => {
  for (const options of [{}, { auth: {} }, { auth: { token: 7 } }]) {
    const socket = io('/admin', options);
    // Since version 3 it is not called for this.
    socket.on('error', () => assert.fail('error'));
    const [error] = await next(socket, 'connect_error');
    assert.match(error.message, /token|expected a string/);
    // Node could send more, in `error.data`; the lesson cannot.
    assert.equal(error.data, undefined);
  }
});

test('the token can come from a function', limit, async () => {
  const { place } = await enter('/admin', { auth: (done) => done(auth) });
  assert.equal(place, 'the office');
});

test('two namespaces on one connection are two sockets', limit, async () => {
  const { socket: lobby, id } = await enter('/');
  const admin = lobby.io.socket('/admin', { auth });
  const [other] = await next(admin, 'welcome');
  assert.notEqual(id, other);
  lobby.emit('say', 'to the lobby');
  assert.deepEqual(await next(lobby, 'said'), [id, 'to the lobby']);
  admin.emit('say', 'to the office');
  assert.deepEqual(await next(admin, 'said'), [other, 'to the office']);

  const reason = next(admin, 'disconnect');
  admin.disconnect();
  assert.equal((await reason)[0], 'io client disconnect');
  assert.deepEqual(await silence(admin, lobby), []);
  lobby.emit('say', 'still here');
  assert.deepEqual(await next(lobby, 'said'), [id, 'still here']);
});

test('an alert in the lobby rings in the office', limit, async () => {
  const { socket: admin } = await enter('/admin', { auth });
  const { socket: visitor, id } = await enter('/');
  const { socket: other } = await enter('/');
  const alert = next(admin, 'alert');
  assert.deepEqual(await silence(other, visitor), []);
  assert.deepEqual(await alert, [id, 'is anybody there?']);
});

// ANCHOR: knock
test('an admin is asked, and what is said meanwhile is kept', limit, async () => {
  const { socket: admin } = await enter('/admin', { auth });
  const guest = io('/room-7');
  // It is not connected yet: the client keeps this back.
  guest.emit('say', 'at last');
  const [room, answer] = await next(admin, 'knock');
  assert.equal(room, 7);
  assert.equal(guest.connected, false);
  const said = next(guest, 'said');
  answer(true);
  assert.equal((await said)[1], 'at last');
});
// ANCHOR_END: knock

test('a no is a connect_error', limit, async () => {
  const { socket: admin } = await enter('/admin', { auth });
  admin.on('knock', (_room, answer) => answer(false));
  const [error] = await next(io('/room-7'), 'connect_error');
  assert.equal(error.message, 'nobody lets you in');
});

test('rooms are namespaces of their own', limit, async () => {
  const admin = await doorkeeper();
  const { socket: lobby } = await enter('/');
  const { socket: seven, id, place } = await enter('/room-7');
  const { socket: eight } = await enter('/room-8');
  assert.equal(place, 'room 7');
  const heard = [];
  for (const socket of [lobby, eight, admin]) {
    socket.onAny((event) => heard.push(event));
  }
  seven.emit('say', 'to seven');
  assert.deepEqual(await next(seven, 'said'), [id, 'to seven']);
  await lobby.emitWithAck('alert', 'is anybody there?');
  // Only what had to come.
  eight.emit('say', 'to eight');
  await next(eight, 'said');
  assert.deepEqual(heard.sort(), ['alert', 'said']);
});

test('what is no room does not exist', limit, async () => {
  await doorkeeper();
  for (const name of ['/room-0', '/room-100', '/room-x', '/room-07', '/nope']) {
    const [error] = await next(io(name), 'connect_error');
    assert.equal(error.message, 'Invalid namespace');
  }
});

test('after a restart it is back in every namespace, with its token', limit, async () => {
  const { socket: lobby } = await enter('/');
  const admin = lobby.io.socket('/admin', { auth });
  await next(admin, 'welcome');
  const again = Promise.all([next(lobby, 'welcome'), next(admin, 'welcome')]);
  await restartServer();
  const [[, one], [, two]] = await again;
  assert.deepEqual([one, two], ['the lobby', 'the office']);
});
