// The bytes: what a client sends for each call, and what it makes of what it should not get.

import assert from 'node:assert/strict';
import { both, next, ours, record, serveRaw } from './kit.mjs';

const SOON = { reconnectionDelay: 1, reconnectionDelayMax: 5 };

/** A connected socket, and the server's end of it. */
async function connect(page, namespace = '/', options = {}) {
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io(namespace, { ...SOON, ...options });
  const peer = await accept();
  peer.open();
  const asked = await peer.receive();
  const connected = next(socket, 'connect');
  peer.send(`40${namespace === '/' ? '' : `${namespace},`}{"sid":"s1"}`);
  await connected;
  return { socket, peer, accept, asked };
}

both('what is sent, to the byte', async (page) => {
  const { socket, peer, asked } = await connect(page, '/', { auth: { token: 't' } });
  assert.match(peer.url, /^\/socket\.io\/\?EIO=4&transport=websocket$/);
  assert.equal(asked, '40{"token":"t"}');
  assert.equal(socket.id, 's1');
  const placeholder = (num) => `{"_placeholder":true,"num":${num}}`;
  const sent = [
    [() => socket.emit('a'), '42["a"]'],
    [() => socket.emit('a', 1, { b: [null] }), '42["a",1,{"b":[null]}]'],
    [() => socket.emit('a', () => {}), '420["a"]'],
    [() => socket.emitWithAck('a', 1).catch(() => {}), '421["a",1]'],
    [() => socket.emit('a', Uint8Array.of(1)), `451-["a",${placeholder(0)}]`, [1]],
    [
      () => socket.emit('a', { x: Uint8Array.of(2), y: Uint8Array.of(3).buffer }, () => {}),
      `452-2["a",{"x":${placeholder(0)},"y":${placeholder(1)}}]`, [2], [3],
    ],
    [() => peer.send('427["ask"]'), '437["answer"]'],
    [() => peer.send('428["ask",1]'), `461-8["answer",${placeholder(0)}]`, [4]],
    [() => socket.disconnect(), '41'],
  ];
  socket.on('ask', (...args) => {
    const answer = args.pop();
    answer('answer', ...(args.length > 0 ? [Uint8Array.of(4)] : []));
  });
  for (const [act, ...messages] of sent) {
    act();
    for (const message of messages) assert.deepEqual(await peer.receive(), message);
  }
});

both('in a namespace, every packet names it', async (page) => {
  const { socket, peer, asked } = await connect(page, '/admin');
  assert.equal(asked, '40/admin,');
  socket.on('ask', (answer) => answer());
  const sent = [
    [() => socket.emit('a', () => {}), '42/admin,0["a"]'],
    [() => socket.emit('a', Uint8Array.of(1)),
      '451-/admin,["a",{"_placeholder":true,"num":0}]', [1]],
    [() => peer.send('42/admin,12["ask"]'), '43/admin,12[]'],
    [() => socket.disconnect(), '41/admin,'],
  ];
  for (const [act, ...messages] of sent) {
    act();
    for (const message of messages) assert.deepEqual(await peer.receive(), message);
  }
});

both('what is not for a namespace of the page is nobody\'s', async (page) => {
  const { socket, peer } = await connect(page);
  const log = record(socket, ['x', 'y', 'disconnect']);
  peer.send('42/other,["x"]', '41/other', '439["x"]', '6', '42["y"]');
  await next(socket, 'y');
  assert.deepEqual(log, [['y']]);
});

both('connect() when connected asks for nothing', async (page) => {
  const { socket, peer } = await connect(page);
  socket.connect().emit('next');
  assert.equal(await peer.receive(), '42["next"]');
});

both('an answer goes once, and counts once', async (page) => {
  const { socket, peer } = await connect(page);
  socket.on('ask', (answer) => {
    answer(1);
    answer(2);
    socket.emit('next', (...args) => calls.push(args));
  });
  const calls = [];
  peer.send('425["ask"]');
  assert.equal(await peer.receive(), '435[1]');
  assert.equal(await peer.receive(), '420["next"]');
  peer.send('430["a"]', '430["b"]', '42["end"]');
  await next(socket, 'end');
  assert.deepEqual(calls, [['a']]);
});

both('the timer of an answer ends with the wait for it', async (page) => {
  const { accept, origin } = await serveRaw();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ timeout: false, randomizationFactor: 0 });
  const peer = await accept();
  await Promise.all([next(socket, 'connect'), peer.welcome()]);
  await timer(); // for the heartbeat
  const calls = [];
  const note = (error, ...args) => calls.push([error?.message, ...args]);
  socket.timeout(11).emit('answered', note);
  socket.timeout(22).emit('lost', note);
  const [answered, lost] = [await timer(), await timer()];
  assert.deepEqual([answered.ms, lost.ms], [11, 22]);
  peer.send('430["yes"]', '42["end"]');
  await next(socket, 'end');
  assert.deepEqual([answered.cleared, lost.cleared], [true, false]);
  socket.io.engine.close();
  assert.equal(lost.cleared, true);

  // An answer from the next connection is not one to the question of this.
  (await timer()).run();
  const again = await accept();
  await Promise.all([next(socket, 'connect'), again.welcome()]);
  again.send('431["late"]', '42["end"]');
  await next(socket, 'end');
  assert.deepEqual(calls, [[undefined, 'yes'], ['socket has been disconnected']]);
});

both('what was not sent yet is not lost with a connection', async (page) => {
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io(SOON);
  const asked = socket.emitWithAck('ask');
  const peer = await accept();
  peer.open();
  assert.equal(await peer.receive(), '40');
  const lost = next(socket, 'disconnect');
  peer.ws.close();
  await lost;
  const again = await accept();
  await again.welcome();
  assert.equal(await again.receive(), '420["ask"]');
  again.send('430["yes"]');
  assert.equal(await asked, 'yes');
});

both('an answer to a connection that is gone is not an error', async (page) => {
  const { accept, origin } = await serveRaw();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ timeout: false });
  const peer = await accept();
  await Promise.all([next(socket, 'connect'), peer.welcome()]);
  await timer(); // for the heartbeat
  const asked = next(socket, 'ask');
  peer.send('425["ask"]');
  const [answer] = await asked;
  socket.io.engine.close();
  (await timer()).run();
  // The next connection is not open yet, so that nothing can be written to it.
  assert.equal(socket.io.engine.transport.writable, false);
  assert.doesNotThrow(() => answer('to nobody'));
});

both('what still comes on a closed connection is not heard', async (page) => {
  const { socket, peer, accept } = await connect(page);
  const log = record(socket, ['x']);
  socket.io.engine.close();
  peer.send('42["x",1]'); // it does not know yet
  const again = await accept();
  await again.welcome();
  again.send('42["x",2]');
  while (log.length === 0) await next(socket, 'x');
  assert.deepEqual(log, [['x', 2]]);
});

const one = '{"_placeholder":true,"num":0}';
const eleven = Array.from({ length: 11 }, () => one).join();
for (const [what, ...messages] of [
  ['no type', '4'],
  ['an unknown type', '47["x"]'],
  ['no JSON', '42["x"'],
  ['an event that is no list', '42{"x":1}'],
  ['an event without a name', '42[]'],
  ['an event whose name is no name', '42[{}]'],
  ['an event with a reserved name', '42["connect"]'],
  ['an answer that is no list', '430{}'],
  ['a payload where there is none', '41["x"]'],
  ['attachments that are not counted', `45["x",${one}]`],
  ['no attachments where some should be', `450-["x"]`],
  ['more than ten attachments', `4511-["x",${eleven}]`],
  ['bytes of no packet', Buffer.of(1)],
  ['text instead of bytes', `451-["x",${one}]`, '42["y"]'],
  ['a placeholder for what is not there', '451-["x",{"_placeholder":true,"num":1}]', Buffer.of(1)],
]) {
  both(`malformed: ${what}`, async (page) => {
    const { socket, peer, accept } = await connect(page);
    const log = record(socket, ['x', 'y']);
    record(socket.io, ['close'], log);
    const lost = next(socket, 'disconnect');
    peer.send(...messages);
    const [reason, error] = await lost;
    assert.equal(reason, 'parse error');
    assert.ok(error instanceof Error);
    assert.deepEqual(log.map(([name]) => name), ['close']);
    await peer.closed;
    // It is a loss like another: the next connection starts afresh.
    const again = await accept();
    await Promise.all([next(socket, 'connect'), again.welcome()]);
    again.send(`451-["x",${one}]`, Buffer.of(5));
    const [bytes] = await next(socket, 'x');
    assert.deepEqual([...new Uint8Array(bytes)], [5]);
  });
}

both('a message of no Engine.IO type is a transport error', async (page) => {
  const { socket, peer, accept } = await connect(page);
  const lost = next(socket, 'disconnect');
  peer.send('x');
  const [reason, error] = await lost;
  assert.deepEqual([reason, error.message, error.code],
    ['transport error', 'server error', 'parser error']);
  await accept();
});

both('ten attachments are accepted', async (page) => {
  const { socket, peer } = await connect(page);
  const arrived = next(socket, 'x');
  const holes = Array.from({ length: 10 }, (_, num) => `{"_placeholder":true,"num":${9 - num}}`);
  peer.send(`4510-["x",${holes}]`, ...holes.map((_, i) => Buffer.of(i)));
  const bytes = (await arrived).map((buffer) => new Uint8Array(buffer)[0]);
  assert.deepEqual(bytes, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

both('a connection that is lost between a packet and its bytes', async (page) => {
  const { socket, peer, accept } = await connect(page);
  const log = record(socket, ['x']);
  peer.send(`451-["x",${one}]`);
  peer.ws.close();
  await next(socket, 'disconnect');
  const again = await accept();
  await Promise.all([next(socket, 'connect'), again.welcome()]);
  again.send('42["x",2]');
  await next(socket, 'x');
  assert.deepEqual(log, [['x', 2]]);
});

ours('packets without what they must carry are malformed, too', async (page) => {
  // The official client takes these, and throws later or calls nobody.
  for (const message of ['42', '430', '44', '44{}', '40', '40{}']) {
    const { socket, peer } = await connect(page);
    const lost = next(socket, 'disconnect');
    peer.send(message);
    assert.equal((await lost)[0], 'parse error');
  }
});
