// What lesson 13 is to the official client: four ways to say who receives a message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next, restartServer } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** A client that knows its public id, and keeps what it hears. */
async function enter() {
  const socket = io();
  const heard = [];
  socket.on('message', ({ from, text }) => heard.push([from, text]));
  const [id] = await next(socket, 'you-are');
  return { socket, id, heard };
}

/** Fails unless the clients have heard this, once all that was sent has arrived. */
async function expectHeard(clients, expected) {
  // This is sent to each at the end, so it comes after everything else.
  const { socket, id } = clients[0];
  for (const client of clients) {
    await socket.emitWithAck('sendMessageToSpecificClient', client.id, 'the end');
    while (client.heard.at(-1)?.[1] !== 'the end') await next(client.socket, 'message');
    assert.deepEqual(client.heard.pop(), [id, 'the end']);
  }
  assert.deepEqual(clients.map(({ heard }) => heard.splice(0)), expected);
}

test('everyone else, everyone, all but some, one', limit, async () => {
  const clients = [await enter(), await enter(), await enter()];
  const [ada, bob, cy] = clients;
  ada.socket.emit('sendMessage', 'hello');
  await expectHeard(clients, [[], [[ada.id, 'hello']], [[ada.id, 'hello']]]);
  ada.socket.emit('sendMessageToAll', 'hello');
  const all = [[ada.id, 'hello']];
  await expectHeard(clients, [all, all, all]);
  ada.socket.emit('sendMessageExcept', [bob.id], 'hello');
  await expectHeard(clients, [[], [], [[ada.id, 'hello']]]);
  const event = 'sendMessageToSpecificClient';
  assert.equal(await ada.socket.emitWithAck(event, cy.id, 'hello'), true);
  await expectHeard(clients, [[], [], [[ada.id, 'hello']]]);
  assert.equal(await ada.socket.emitWithAck(event, 'nobody', 'hello'), false);
  await expectHeard(clients, [[], [], []]);
});

test('they are listed by the ids that their messages have', limit, async () => {
  const clients = [await enter(), await enter()];
  const ids = await clients[0].socket.emitWithAck('who-is-here');
  for (const { id } of clients) assert.ok(ids.includes(id));
  const [ada, bob] = clients;
  const gone = bob.id;
  bob.socket.disconnect();
  while ((await ada.socket.emitWithAck('who-is-here')).includes(gone));
  const event = 'sendMessageToSpecificClient';
  assert.equal(await ada.socket.emitWithAck(event, gone, 'hello?'), false);
});

test('a thousand messages arrive in their order', limit, async () => {
  const [ada, bob] = [await enter(), await enter()];
  const sent = Array.from({ length: 1000 }, (_, n) => String(n));
  for (const text of sent) ada.socket.emit('sendMessage', text);
  const ofAda = () => bob.heard.filter(([from]) => from === ada.id);
  while (ofAda().length < sent.length) await next(bob.socket, 'message');
  assert.deepEqual(ofAda().map(([, text]) => text), sent);
});

test('a wrong argument is a problem', limit, async () => {
  const ada = await enter();
  ada.socket.emit('sendMessage', { from: 'somebody else', text: 'hello' });
  const [{ event, error }] = await next(ada.socket, 'problem');
  assert.equal(event, 'sendMessage');
  assert.equal(typeof error, 'string');
});

test('after a restart of the server it has another id', limit, async () => {
  const ada = await enter();
  const you = next(ada.socket, 'you-are');
  await restartServer();
  const [id] = await you;
  assert.notEqual(id, ada.id);
  const event = 'sendMessageToSpecificClient';
  assert.equal(await ada.socket.emitWithAck(event, ada.id, 'is that me?'), false);
  const message = next(ada.socket, 'message');
  assert.equal(await ada.socket.emitWithAck(event, id, 'this is me'), true);
  assert.deepEqual(await message, [{ from: id, text: 'this is me' }]);
});
