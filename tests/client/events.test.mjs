// What goes to and fro on a connection: events, acks, binary.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { both, next, record, serve, serveRaw } from './kit.mjs';

const SOON = { reconnectionDelay: 1, reconnectionDelayMax: 5 };

/** Both ends of a connection to `/`, with the handlers of the server set at once. */
async function connect(page, { server: setUp = () => {}, ...options } = {}) {
  const { io: server, origin } = await serve((io) => io.on('connection', setUp));
  const accepted = once(server, 'connection');
  const socket = page(origin).io(options);
  await next(socket, 'connect');
  const [peer] = await accepted;
  return { socket, peer, server };
}

/** Sends back each event as `back`, with its arguments but for a callback. */
const echo = (peer) => peer.onAny((event, ...args) => {
  peer.emit('back', ...args.filter((arg) => typeof arg !== 'function'));
});

both('arguments arrive as they were, any number of them', async (page) => {
  const { socket } = await connect(page, { server: echo });
  const lists = [
    [],
    [null],
    ['text', 0, -1.5, true, false, null],
    ['방 🎉 "\\\n', '', ' '],
    [[], [1, [2]], {}, { a: { b: [{ c: null }] } }],
    [{ _placeholder: true, num: 0 }],
    ['5', '51-["x"]', '/admin,', '['],
  ];
  for (const list of lists) {
    socket.emit('list', ...list);
    assert.deepEqual(await next(socket, 'back'), list);
  }
  socket.emit('undefined', undefined, { gone: undefined }, new Date(0), [NaN]);
  assert.deepEqual(await next(socket, 'back'), [null, {}, '1970-01-01T00:00:00.000Z', [null]]);
});

both('an event may have any name but those of the client', async (page) => {
  const { socket, peer } = await connect(page, { server: echo });
  for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty', 'error', '']) {
    const reply = next(socket, 'back');
    assert.equal(socket.emit(name, name), socket);
    assert.deepEqual(await reply, [name]);
    assert.deepEqual(socket.listeners(name), []);
    const heard = next(socket, name);
    peer.emit(name, 'from the server');
    assert.deepEqual(await heard, ['from the server']);
  }
  const reserved = [
    'connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener',
  ];
  for (const name of reserved) {
    const message = `"${name}" is a reserved event name`;
    assert.throws(() => socket.emit(name), { name: 'Error', message });
  }
  // What came before the throw is not left over for the next.
  socket.emit('next', 'fine');
  assert.deepEqual(await next(socket, 'back'), ['fine']);
});

both('2,000 events keep their order, there and back', async (page) => {
  const { socket } = await connect(page, { server: echo });
  const back = [];
  const all = new Promise((resolve) => {
    socket.on('back', (n) => {
      back.push(n);
      if (back.length === 2000) resolve();
    });
  });
  const numbers = Array.from({ length: 2000 }, (_, i) => i);
  // Some with attachments, which must not be overtaken by those without.
  for (const n of numbers) socket.emit('n', n, ...(n % 7 === 0 ? [new Uint8Array([n])] : []));
  await all;
  assert.deepEqual(back, numbers);
});

both('what is sent before the connection is there waits, in order', async (page) => {
  const seen = [];
  const { origin } = await serve((io) => io.on('connection', (peer) => {
    peer.on('n', (n) => seen.push(n));
    peer.on('end', (done) => done());
  }));
  const socket = page(origin).io({ autoConnect: false });
  socket.emit('n', 1);
  socket.connect();
  socket.emit('n', 2);
  socket.on('connect', () => socket.emit('n', 4));
  socket.emit('n', 3);
  assert.equal(socket.sendBuffer.length, 3);
  await next(socket, 'connect');
  await socket.emitWithAck('end');
  assert.deepEqual([seen, socket.sendBuffer], [[1, 2, 3, 4], []]);
});

both('what is sent while the connection is lost waits, too', async (page) => {
  const seen = [];
  const { socket } = await connect(page, {
    ...SOON,
    server: (peer) => peer.on('n', (n, done) => done(seen.push(n))),
  });
  socket.io.engine.close();
  const answers = [1, 2].map((n) => socket.emitWithAck('n', n));
  assert.deepEqual(await Promise.all(answers), [1, 2]);
  assert.deepEqual(seen, [1, 2]);
});

both('what comes before the connection is confirmed waits', async (page) => {
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io();
  const log = record(socket, ['connect', 'early', 'late']);
  socket.on('early', (n) => n === 2 && socket.emit('heard', socket.connected));
  const peer = await accept();
  peer.open();
  await peer.receive();
  peer.send('42["early",1]', '42["early",2]', '40{"sid":"s"}', '42["late"]');
  await next(socket, 'late');
  assert.deepEqual(log, [['early', 1], ['early', 2], ['connect'], ['late']]);
  assert.equal(await peer.receive(), '42["heard",true]');
});

both('volatile events go now or never', async (page) => {
  const seen = [];
  const { origin } = await serve((io) => io.on('connection', (peer) => {
    peer.on('n', (n) => seen.push(n));
    peer.on('end', (done) => done());
  }));
  const socket = page(origin).io();
  socket.volatile.emit('n', 'before');
  socket.emit('n', 'kept');
  await next(socket, 'connect');
  await socket.emitWithAck('end');
  socket.volatile.emit('n', 'now');
  await socket.emitWithAck('end');
  assert.deepEqual(seen, ['kept', 'now']);
});

both('send() is the event message', async (page) => {
  const { socket, peer } = await connect(page);
  const message = once(peer, 'message');
  assert.equal(socket.send('a', 1), socket);
  assert.deepEqual(await message, ['a', 1]);
  peer.send('b', 2);
  assert.deepEqual(await next(socket, 'message'), ['b', 2]);
});

both('on, once and off', async (page) => {
  const { socket } = await connect(page, { server: echo });
  const log = [];
  const say = (who) => {
    const listener = function (n) {
      assert.equal(this, socket);
      log.push(`${who}${n}`);
    };
    return listener;
  };
  const round = async (n) => {
    log.length = 0;
    const reply = next(socket, 'back');
    socket.emit('round', n);
    await reply;
    return log.join(' ');
  };
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(say);
  assert.equal(socket.hasListeners('back'), false);
  assert.equal(socket.on('back', a).once('back', b).on('back', a).once('back', c), socket);
  assert.equal(socket.hasListeners('back'), true);
  assert.equal(socket.listeners('back').length, 4);
  assert.equal(socket.listeners('back')[0], a);
  assert.equal(await round(1), 'a1 b1 a1 c1');
  assert.equal(await round(2), 'a2 a2');
  assert.equal(socket.off('back', a), socket);
  assert.equal(await round(3), 'a3');
  socket.once('back', d).off('back', d).off('back', b).off('other', a).off('other');
  assert.equal(await round(4), 'a4');

  // A listener that leaves, or brings another, changes the next round.
  socket.on('back', function self() {
    socket.off('back', self).off('back', b).on('back', c);
  }).on('back', b);
  assert.equal(await round(5), 'a5 b5');
  assert.equal(await round(6), 'a6 c6');

  socket.on('stays', d).off('back');
  assert.equal(await round(7), '');
  assert.deepEqual([socket.hasListeners('back'), socket.hasListeners('stays')], [false, true]);
  assert.equal(socket.off(), socket);
  assert.equal(socket.hasListeners('stays'), false);

  socket.on('back', a).removeListener('back', a).on('back', b).removeAllListeners('back');
  assert.equal(await round(8), '');
});

both('onAny hears every event first, onAnyOutgoing what is sent', async (page) => {
  const { origin } = await serve((io) => io.on('connection', echo));
  const socket = page(origin).io();
  const log = [];
  const incoming = (...args) => log.push(['in', ...args]);
  const outgoing = (...args) => log.push(['out', ...args]);
  assert.equal(socket.onAny(incoming).onAnyOutgoing(outgoing), socket);
  socket.on('back', (n) => log.push(['back', n]));
  socket.on('connect', () => log.push(['connect']));
  socket.emit('early', 1, () => {});
  assert.deepEqual(log, []);
  await next(socket, 'back');
  assert.deepEqual(log, [['out', 'early', 1], ['connect'], ['in', 'back', 1], ['back', 1]]);

  log.length = 0;
  socket.offAny(() => {}).offAny(incoming).offAnyOutgoing(outgoing);
  socket.onAny(incoming).offAny();
  socket.onAnyOutgoing(outgoing).offAnyOutgoing();
  socket.emit('two', 2);
  await next(socket, 'back');
  assert.deepEqual(log, [['back', 2]]);

  // off() is for events by name.
  socket.onAny(incoming).off();
  socket.emit('three', 3);
  await next(socket, 'back');
  assert.deepEqual(log.at(-1), ['in', 'back', 3]);
});

both('the server answers with any number of arguments', async (page) => {
  const { socket } = await connect(page, {
    server: (peer) => peer.on('ask', (...args) => args.pop()(...args.reverse())),
  });
  const ask = (...args) => new Promise((resolve) => {
    socket.emit('ask', ...args, (...answer) => resolve(answer));
  });
  const all = await Promise.all([ask(), ask(1), ask(1, { two: 2 }, [3])]);
  assert.deepEqual(all, [[], [1], [[3], { two: 2 }, 1]]);
  assert.equal(await socket.emitWithAck('ask', 'first', 'second'), 'second');
  assert.equal(await socket.timeout(20_000).emitWithAck('ask', 'in time'), 'in time');
  const answer = await new Promise((resolve) => {
    socket.timeout(20_000).emit('ask', 1, 2, (...args) => resolve(args));
  });
  assert.deepEqual(answer, [null, 2, 1]);
});

both('an answer that does not come in time is an error', async (page) => {
  const late = [];
  const { socket } = await connect(page, {
    server: (peer) => peer.on('ask', (answer) => late.push(answer)),
  });
  const message = 'operation has timed out';
  await assert.rejects(socket.timeout(1).emitWithAck('ask'), { name: 'Error', message });
  const calls = [];
  await new Promise((resolve) => {
    socket.timeout(1).emit('ask', (...args) => resolve(calls.push(args)));
  });
  assert.deepEqual([calls[0][0].message, calls[0].length], [message, 1]);

  // Too late: nobody listens any more. And timeout() was for one event only.
  const asked = socket.emitWithAck('ask');
  while (late.length < 3) await new Promise(setImmediate);
  for (const answer of late) answer('late');
  assert.equal(await asked, 'late');
  assert.equal(calls.length, 1);
});

both('ackTimeout is that of every event', async (page) => {
  const { origin } = await serve();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ autoConnect: false, timeout: false, ackTimeout: 77 });
  const failed = assert.rejects(socket.emitWithAck('ask'), /timed out/);
  const plain = new Promise((resolve) => socket.emit('ask', resolve));
  const own = assert.rejects(socket.timeout(99).emitWithAck('ask'), /timed out/);
  const delays = [];
  for (let i = 0; i < 3; i++) {
    const { ms, run } = await timer();
    delays.push(ms);
    run();
  }
  assert.deepEqual(delays, [77, 77, 99]);
  await Promise.all([failed, own]);
  assert.match((await plain).message, /timed out/);
});

both('what timed out before it was sent is not sent', async (page) => {
  const seen = [];
  const { origin } = await serve((io) => io.on('connection', (peer) => {
    peer.onAny((event, answer) => answer(seen.push(event)));
  }));
  const socket = page(origin).io({ autoConnect: false });
  const late = socket.timeout(1).emitWithAck('late');
  const kept = socket.emitWithAck('kept');
  await assert.rejects(late, /timed out/);
  socket.connect();
  assert.equal(await kept, 1);
  assert.deepEqual(seen, ['kept']);
});

for (const [how, lose] of Object.entries({
  'disconnect()': (socket) => socket.disconnect(),
  'a loss': (socket) => socket.io.engine.close(),
  'the server': (socket, peer) => peer.disconnect(),
})) {
  both(`what waits for an answer when ${how} ends it`, async (page) => {
    const { socket, peer } = await connect(page, SOON);
    const log = [];
    const message = 'socket has been disconnected';
    socket.on('disconnect', () => log.push('disconnect'));
    socket.emit('plain', () => log.push('plain'));
    socket.timeout(20_000).emit('timeout', ({ message }) => log.push(message));
    const asked = socket.emitWithAck('promise');
    const timed = socket.timeout(20_000).emitWithAck('both');
    const lost = next(socket, 'disconnect');
    lose(socket, peer);
    await assert.rejects(asked, { name: 'Error', message });
    await assert.rejects(timed, { name: 'Error', message });
    await lost;
    assert.deepEqual(log, ['disconnect', message]);
  });
}

both('the server asks, and a listener answers once', async (page) => {
  const { socket, peer } = await connect(page);
  socket.on('ask', (a, b, answer) => {
    answer(a + b, { sum: true });
    answer('again');
  });
  const answers = await new Promise((resolve) => {
    peer.emit('ask', 1, 2, (...args) => resolve(args));
  });
  assert.deepEqual(answers, [3, { sum: true }]);
  assert.equal(await peer.timeout(20_000).emitWithAck('ask', 'x', 'y'), 'xy');

  const any = new Promise((resolve) => socket.onAny((...args) => resolve(args.at(-1))));
  const asked = peer.emitWithAck('other');
  (await any)('by onAny');
  assert.equal(await asked, 'by onAny');

  socket.on('late', (answer) => {
    socket.disconnect();
    answer('to nobody');
  });
  const gone = next(socket, 'disconnect');
  peer.emit('late', () => assert.fail('answered'));
  await gone;
});

/** What arrived, with bytes as arrays of numbers that say what held them. */
function plain(value) {
  if (Buffer.isBuffer(value)) return { buffer: [...value] };
  if (value instanceof ArrayBuffer) return { arrayBuffer: [...new Uint8Array(value)] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v)]));
}

both('binary in, at any depth and of any kind', async (page) => {
  const { socket, peer } = await connect(page);
  const bytes = Uint8Array.of(0, 1, 2, 3, 255);
  const sent = [
    bytes.buffer,
    bytes.subarray(1, 3),
    { deep: [{ view: new DataView(bytes.buffer, 2, 2), text: 'x' }], none: null },
    new Uint16Array([0x0201]),
    new Blob(['blob']),
    Buffer.from('buf'),
    new Uint8Array(0),
    { toJSON: () => ({ inside: bytes.subarray(4) }) },
  ];
  const arrived = once(peer, 'file');
  socket.emit('file', ...sent);
  assert.deepEqual(plain(await arrived), [
    { buffer: [0, 1, 2, 3, 255] },
    { buffer: [1, 2] },
    { deep: [{ view: { buffer: [2, 3] }, text: 'x' }], none: null },
    { buffer: [1, 2] },
    { buffer: [...Buffer.from('blob')] },
    { buffer: [...Buffer.from('buf')] },
    { buffer: [] },
    { inside: { buffer: [255] } },
  ]);
  // What was sent is the page's own, and stays as it was.
  assert.equal(sent[0], bytes.buffer);
  assert.ok(sent[2].deep[0].view instanceof DataView);
});

both('binary out is an ArrayBuffer', async (page) => {
  const { socket, peer } = await connect(page);
  const deep = { list: [{ bytes: Buffer.from([7]) }, 'text'], fake: { num: 0 } };
  peer.emit('file', Buffer.from([1, 2]), deep, new Uint8Array(0));
  assert.deepEqual(plain(await next(socket, 'file')), [
    { arrayBuffer: [1, 2] },
    { list: [{ bytes: { arrayBuffer: [7] } }, 'text'], fake: { num: 0 } },
    { arrayBuffer: [] },
  ]);
});

both('binary goes in answers, too', async (page) => {
  const { socket, peer } = await connect(page, {
    server: (socket) => socket.on('double', (bytes, answer) => {
      answer({ twice: Buffer.concat([bytes, bytes]) });
    }),
  });
  const answer = await socket.emitWithAck('double', Uint8Array.of(1, 2));
  assert.deepEqual(plain(answer), { twice: { arrayBuffer: [1, 2, 1, 2] } });

  socket.on('double', (bytes, answer) => {
    answer([new Uint8Array([...new Uint8Array(bytes), 9])]);
  });
  const back = await peer.emitWithAck('double', Buffer.from([5]));
  assert.deepEqual(plain(back), [{ buffer: [5, 9] }]);
});

both('binary waits for the connection, and belongs to its namespace', async (page) => {
  const { origin } = await serve((io) => io.of('/admin').on('connection', echo));
  const socket = page(origin).io('/admin');
  socket.emit('file', Uint8Array.of(1), 'and text');
  assert.deepEqual(plain(await next(socket, 'back')), [{ arrayBuffer: [1] }, 'and text']);
});
