// What lesson 10 is to the official client: events, with all that JavaScript can put into
// one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io, next } from './kit.mjs';

// Every test ends by itself, or fails after this long.
const limit = { timeout: 20_000 };

/** Emits `echo`, and returns the arguments that come back. */
async function echo(socket, ...args) {
  const back = next(socket, 'echo');
  socket.emit('echo', ...args);
  return back;
}

// ANCHOR: three
test('three arguments come back', limit, async () => {
  const socket = io();
  const back = next(socket, 'event_back');
  socket.emit('event_name', 'hello', 10, { name: 'allie' });
  assert.deepEqual(await back, ['hello', 10, { name: 'allie' }]);
});

test('what does not fit is a problem', limit, async () => {
  const socket = io();
  for (const wrong of [
    ['hello', 'ten', { name: 'allie' }],
    ['hello', 10],
    ['hello', 10, { name: 'allie', age: 7 }],
    ['hello', 10, { name: 'allie' }, 'more'],
    ['hello', NaN, { name: 'allie' }],
    [undefined, 10, { name: 'allie' }],
  ]) {
    const came = next(socket, 'problem');
    socket.emit('event_name', ...wrong);
    const [{ event, error }] = await came;
    assert.equal(event, 'event_name');
    assert.ok(error.length > 0);
  }
});
// ANCHOR_END: three

test('any number of any values comes back', limit, async () => {
  const socket = io();
  for (const args of [
    [],
    [null],
    [[]],
    ['하늘 🦀', '"\\\0\u2028', ''],
    [0, -1, 0.5, 1e21, true, false, [1, [2]], { a: { b: [{}] }, 'ü': null }],
    Array.from({ length: 500 }, (_, n) => n),
  ]) {
    assert.deepEqual(await echo(socket, ...args), args);
  }
});

// ANCHOR: kinds
test('JSON decides what becomes of a value', limit, async () => {
  const socket = io();
  for (const [sent, received] of [
    [undefined, null],
    [NaN, null],
    [-Infinity, null],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Map([[1, 2]]), {}],
    [{ a: undefined, b: [undefined] }, { b: [null] }],
    [/x/, {}],
    [{ toJSON: () => 'mine' }, 'mine'],
  ]) {
    assert.deepEqual(await echo(socket, sent), [received]);
  }
});
// ANCHOR_END: kinds

test('bytes come back wherever they are', limit, async () => {
  const socket = io();
  for (const args of [
    [Buffer.from([0, 1, 255])],
    [Buffer.alloc(0)],
    [Buffer.from('1'), 'a', Buffer.from('2')],
    [{ file: { data: Buffer.from('1'), name: 'a' } }, [Buffer.from('2')]],
    [Buffer.alloc(50_000, 7)],
  ]) {
    assert.deepEqual(await echo(socket, ...args), args);
  }
});

test('any view of memory is bytes', limit, async () => {
  const socket = io();
  const { buffer } = Uint8Array.of(1, 2, 3, 4);
  const bytes = Buffer.from([1, 2, 3, 4]);
  assert.deepEqual(await echo(socket, buffer), [bytes]);
  assert.deepEqual(await echo(socket, new Uint8Array(buffer)), [bytes]);
});

test('the server takes a file, and sends bytes of its own', limit, async () => {
  const socket = io();
  const came = next(socket, 'uploaded');
  socket.emit('upload', { name: 'a.txt', data: Buffer.from('hello') });
  assert.deepEqual(await came, ['a.txt', 5, Buffer.from('hell')]);
});

test('two handlers of the server both run', limit, async () => {
  const socket = io();
  const heard = [];
  socket.onAny((event, ...args) => heard.push([event, ...args]));
  const twice = new Promise((resolve) => {
    socket.on('echoed', (n) => { if (n === 2) resolve(); });
  });
  socket.emit('echo', 'a');
  socket.emit('echo', 'b');
  await twice;
  assert.deepEqual(heard, [['echo', 'a'], ['echoed', 1], ['echo', 'b'], ['echoed', 2]]);
});

// ANCHOR: order
test('2,000 events in a row come back in order', limit, async () => {
  const socket = io();
  const back = [];
  const all = new Promise((resolve) => {
    socket.on('event_back', (text, n) => {
      if (back.push(n) === 2000) resolve();
    });
  });
  const sent = Array.from({ length: 2000 }, (_, n) => n);
  for (const n of sent) socket.emit('event_name', 'x', n, { name: 'allie' });
  await all;
  assert.deepEqual(back, sent);
});

test('5,000 emits in a row all arrive', limit, async () => {
  const socket = io();
  const numbers = [];
  socket.on('number', (n) => numbers.push(n));
  socket.emit('count', 5000);
  await next(socket, 'counted');
  assert.deepEqual(numbers, Array.from({ length: 5000 }, (_, n) => n));
});
// ANCHOR_END: order

test('an event that nobody listens to harms nothing', limit, async () => {
  const socket = io();
  for (const name of ['nothing', '', '하늘', 'problem', 'toString', '__proto__']) {
    socket.emit(name, 1, Buffer.from('a'));
  }
  assert.deepEqual(await echo(socket, 'still here'), ['still here']);
});

test('a reserved name is refused by the client itself', limit, async () => {
  const socket = io();
  for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting']) {
    assert.throws(() => socket.emit(name), /is a reserved event name/);
  }
  assert.deepEqual(await echo(socket, 'still here'), ['still here']);
});

test('what is emitted before the connection waits for it', limit, async () => {
  const socket = io();
  assert.ok(!socket.connected);
  const back = [];
  socket.on('echo', (n) => back.push(n));
  for (let n = 0; n < 10; n += 1) socket.emit('echo', n);
  assert.deepEqual(await echo(socket, 10), [0]);
  while (back.length < 11) await next(socket, 'echo');
  assert.deepEqual(back, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
