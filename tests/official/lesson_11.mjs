// What lesson 11 is to the official client. The server waits a second for an answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** A client that knows its public id. */
async function member() {
  const socket = io();
  const [id] = await next(socket, 'welcome');
  return { socket, id };
}

/** A name for a note of this test alone. */
let count = 0;
const newName = () => `note ${count += 1}`;

// ANCHOR: three
test('a callback is called with three arguments', limit, async () => {
  const { socket } = await member();
  const args = await new Promise((resolve) => {
    socket.emit('event_name', 'hello', 10, { name: 'allie' }, (res1, res2, res3) => {
      resolve([res1, res2, res3]);
    });
  });
  assert.deepEqual(args, ['hello', 10, { name: 'allie' }]);
});

test('a promise is kept with the first of them', limit, async () => {
  const { socket } = await member();
  const res = await socket.emitWithAck('event_name', 'hello', 10, { name: 'allie' });
  assert.equal(res, 'hello');
});
// ANCHOR_END: three

test('a callback is called without arguments', limit, async () => {
  const { socket } = await member();
  const args = await new Promise((resolve) => {
    socket.emit('remove', newName(), (...all) => resolve(all));
  });
  assert.deepEqual(args, []);
});

test('bytes come back as bytes', limit, async () => {
  const { socket } = await member();
  const name = newName();
  const bytes = Buffer.from([0, 1, 255]);
  assert.deepEqual(await socket.emitWithAck('save', name, bytes), { saved: name });
  assert.deepEqual(await socket.emitWithAck('load', name), { note: bytes });
});

test('an error is an answer, a problem is an event', limit, async () => {
  const { socket } = await member();
  const { error } = await socket.emitWithAck('save', 1, 2);
  assert.notEqual(error, '');
  const problem = next(socket, 'problem');
  const asked = socket.timeout(10_000).emitWithAck('remove', 1);
  assert.equal((await problem)[0].event, 'remove');
  socket.disconnect();
  await assert.rejects(asked, /disconnected/);
});

test('the server asks, and uses the answer', limit, async () => {
  const { socket } = await member();
  const { socket: reader } = await member();
  const name = newName();
  await socket.emitWithAck('save', name, 'old');
  const answers = [false, true];
  socket.on('overwrite', (_name, _old, callback) => callback(answers.shift()));
  assert.deepEqual(await socket.emitWithAck('save', name, 'new'), { error: 'you said no' });
  assert.deepEqual(await reader.emitWithAck('load', name), { note: 'old' });
  assert.deepEqual(await socket.emitWithAck('save', name, 'new'), { saved: name });
  assert.deepEqual(await reader.emitWithAck('load', name), { note: 'new' });
});

test('who answers twice, late or never has one answer at most', limit, async () => {
  const { socket } = await member();
  const name = newName();
  await socket.emitWithAck('save', name, 'old');
  socket.once('overwrite', (_name, _old, callback) => {
    callback(false);
    callback(true);
  });
  assert.deepEqual(await socket.emitWithAck('save', name, 'new'), { error: 'you said no' });
  const question = next(socket, 'overwrite');
  const late = { error: 'you did not answer in time' };
  assert.deepEqual(await socket.emitWithAck('save', name, 'new'), late);
  const callback = (await question).at(-1);
  callback(true);
  assert.deepEqual(await socket.emitWithAck('load', name), { note: 'old' });
});

// ANCHOR: timeout
test('a timeout says nothing about what was done', limit, async () => {
  const { socket } = await member();
  const { socket: reader } = await member();
  const name = newName();
  await socket.emitWithAck('save', name, 'old');
  const question = next(socket, 'overwrite');
  const saved = socket.timeout(1).emitWithAck('save', name, 'new');
  await assert.rejects(saved, /operation has timed out/);
  // The server does not know that nobody waits any more.
  const [, , callback] = await question;
  callback(true);
  let answer;
  do {
    answer = await reader.emitWithAck('load', name);
  } while (answer.note === 'old');
  assert.deepEqual(answer, { note: 'new' });
});
// ANCHOR_END: timeout

test('everybody else is asked, and who was silent is named', limit, async () => {
  const { socket: asker } = await member();
  const { socket: awake, id } = await member();
  const { id: silent } = await member();
  awake.on('question', (question, callback) => callback(`${question} yes`));
  const [answers, silents] = await new Promise((resolve) => {
    asker.emit('ask', 'awake?', (...args) => resolve(args));
  });
  assert.equal(answers[id], 'awake? yes');
  assert.ok(silents.includes(silent));
  assert.ok(!silents.includes(id));
});

test('a thousand questions in a row have a thousand answers', limit, async () => {
  const { socket } = await member();
  const all = Array.from({ length: 1000 }, (_, n) => String(n));
  const person = { name: 'allie' };
  const asked = all.map((n) => socket.emitWithAck('event_name', n, 10, person));
  assert.deepEqual(await Promise.all(asked), all);
});
