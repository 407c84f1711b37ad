// How a page connects, loses the connection, and connects again.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { both, next, ours, record, serve, serveRaw } from './kit.mjs';

// Long enough not to fail a slow machine, short enough to retry soon.
const SOON = { reconnectionDelay: 1, reconnectionDelayMax: 5 };

both('io() connects to the server of the page', async (page) => {
  const { io, origin } = await serve();
  const accepted = once(io, 'connection');
  const socket = page(origin).io();
  assert.deepEqual([socket.id, socket.recovered], [undefined, false]);
  assert.deepEqual([socket.connected, socket.disconnected, socket.active], [false, true, true]);

  await next(socket, 'connect');
  const [peer] = await accepted;
  assert.equal(socket.id, peer.id);
  assert.deepEqual([socket.connected, socket.disconnected, socket.active], [true, false, true]);
  assert.ok(!socket.recovered);
  assert.equal(socket.nsp, '/');
  assert.equal(socket.io.engine.transport.name, 'websocket');
  assert.equal(socket.io.engine.id, peer.conn.id);
  assert.notEqual(socket.io.engine.id, socket.id);
});

both('the path of the URL is the namespace', async (page) => {
  const names = [];
  const { origin } = await serve((io) => {
    for (const namespace of [io.of('/'), io.of(/.+/)]) {
      namespace.on('connection', (socket) => names.push(socket.nsp.name));
    }
  });
  const { host } = new URL(origin);
  const urls = {
    '/': '/',
    '/admin': '/admin',
    '/a/b': '/a/b',
    '/방': '/방',
    '/a%20b': '/a%20b',
    [origin]: '/',
    [`${origin}/`]: '/',
    [`${origin}/http`]: '/http',
    [`${origin}/query?a=/b#c`]: '/query',
    [origin.replace('http', 'ws') + '/ws']: '/ws',
    [`//${host}/relative`]: '/relative',
    [`${host}/bare`]: '/bare',
  };
  for (const [url, namespace] of Object.entries(urls)) {
    const socket = page(origin).io(url);
    await next(socket, 'connect');
    assert.equal(socket.nsp, namespace, url);
  }
  assert.deepEqual(names, Object.values(urls));
});

both('options may be the only argument', async (page) => {
  const { origin } = await serve();
  const socket = page(origin).io({ autoConnect: false });
  assert.deepEqual([socket.nsp, socket.active], ['/', false]);
});

both('namespaces share a connection', async (page) => {
  const { io: server, origin } = await serve((io) => io.of(/.+/));
  const { io } = page(origin);
  const main = io();
  const admin = io('/admin');
  await Promise.all([next(main, 'connect'), next(admin, 'connect')]);
  const late = io('/late');
  assert.deepEqual([admin.io, late.io], [main.io, main.io]);
  await next(late, 'connect');
  assert.equal(server.engine.clientsCount, 1);
  assert.notEqual(main.id, admin.id);

  for (const other of [io(), io('/b', { forceNew: true }), io('/c', { multiplex: false })]) {
    assert.notEqual(other.io, main.io);
    await next(other, 'connect');
  }
  assert.equal(server.engine.clientsCount, 4);
});

both('another path is another connection', async (page) => {
  const { origin } = await serve();
  const { io } = page(origin);
  const [here, there] = [io(), io('/admin', { path: '/elsewhere/', autoConnect: false })];
  assert.notEqual(here.io, there.io);
});

both('the connection lasts until the last namespace has left', async (page) => {
  const { io: server, origin } = await serve((io) => {
    io.of('/admin').on('connection', (socket) => socket.on('there?', (yes) => yes('there')));
  });
  const { io } = page(origin);
  const [main, admin] = [io(), io('/admin')];
  const accepted = once(server, 'connection');
  await Promise.all([next(main, 'connect'), next(admin, 'connect')]);
  const [{ conn }] = await accepted;
  const log = record(admin, ['disconnect']);

  main.disconnect();
  assert.equal(await admin.emitWithAck('there?'), 'there');
  assert.deepEqual([main.connected, admin.connected, log], [false, true, []]);

  const closed = once(conn, 'close');
  record(main.io, ['close'], log);
  admin.close();
  await closed;
  assert.deepEqual(log, [
    ['close', 'forced close', undefined],
    ['disconnect', 'io client disconnect', undefined],
  ]);
});

both('a manager makes sockets', async (page) => {
  const { origin } = await serve((io) => io.of('/admin').use((socket, go) => {
    go(socket.handshake.auth.key === 'k' ? undefined : new Error('no key'));
  }));
  const { io } = page(origin);
  const manager = new io.Manager(origin, { transports: ['websocket'], autoConnect: false });
  const socket = manager.socket('/admin', { auth: { key: 'k' } });
  assert.equal(socket.active, false);
  assert.equal(manager.socket('/admin'), socket);
  assert.ok(socket instanceof io.Socket);
  assert.equal(manager.open(), manager);
  await Promise.all([next(manager, 'open'), next(socket, 'connect'), socket.open()]);
  socket.disconnect();
});

both('autoConnect: false waits for connect()', async (page) => {
  const { io: server, origin } = await serve();
  const socket = page(origin).io({ autoConnect: false });
  assert.deepEqual([socket.active, socket.io.engine], [false, undefined]);
  assert.equal(socket.connect(), socket);
  assert.equal(socket.active, true);
  await next(socket, 'connect');
  assert.equal(socket.connect(), socket);
  assert.equal(server.engine.clientsCount, 1);
});

both('auth goes to the server, from an object or a function', async (page) => {
  const seen = [];
  const { origin } = await serve((io) => {
    io.on('connection', ({ handshake }) => seen.push(handshake.auth));
  });
  const { io } = page(origin);
  await next(io('/', { forceNew: true }), 'connect');
  await next(io('/', { forceNew: true, auth: { token: 'a' } }), 'connect');
  const later = (answer) => queueMicrotask(() => answer({ token: 'b' }));
  await next(io('/', { forceNew: true, auth: later }), 'connect');
  assert.deepEqual(seen, [{}, { token: 'a' }, { token: 'b' }]);
});

both('a refusal says why, and the page may change auth', async (page) => {
  const { origin } = await serve((io) => io.use((socket, go) => {
    const error = new Error('not authorized');
    error.data = { retry: 'with a token' };
    go(socket.handshake.auth.token === 'right' ? undefined : error);
  }));
  const socket = page(origin).io({ auth: { token: 'wrong' } });
  const [error] = await next(socket, 'connect_error');
  assert.ok(error instanceof Error);
  assert.equal(error.message, 'not authorized');
  assert.deepEqual(error.data, { retry: 'with a token' });
  assert.deepEqual([socket.active, socket.connected], [false, false]);

  socket.auth = { token: 'right' };
  socket.connect();
  await next(socket, 'connect');
});

both('an unknown namespace is refused, and the others stay', async (page) => {
  const { origin } = await serve();
  const { io } = page(origin);
  const [main, unknown] = [io(), io('/unknown')];
  const [[error]] = await Promise.all([next(unknown, 'connect_error'), next(main, 'connect')]);
  assert.equal(error.message, 'Invalid namespace');
  assert.equal(error.data, undefined);
  assert.deepEqual([main.connected, unknown.active], [true, false]);
});

both('path and query are those of the request', async (page) => {
  const requests = [];
  const { origin } = await serve((io) => {
    io.on('connection', ({ handshake }) => requests.push(handshake));
  }, { path: '/elsewhere' });
  const { io } = page(origin);
  const query = { a: 'b c', d: '&é' };
  await next(io({ path: '/elsewhere/', query }), 'connect');
  await next(io(`${origin}?room=blue`, { path: '/elsewhere', forceNew: true }), 'connect');
  const [first, second] = requests;
  assert.match(first.url, /^\/elsewhere\/\?/);
  assert.deepEqual({ ...first.query }, { ...query, EIO: '4', transport: 'websocket' });
  assert.equal(second.query.room, 'blue');
});

both('disconnect() is an end', async (page) => {
  const { io, origin } = await serve();
  const accepted = once(io, 'connection');
  const socket = page(origin).io(SOON);
  await next(socket, 'connect');
  const [peer] = await accepted;
  const gone = once(peer, 'disconnect');
  const log = record(socket, ['disconnect']);
  assert.equal(socket.disconnect(), socket);
  assert.deepEqual(log, [['disconnect', 'io client disconnect', undefined]]);
  assert.deepEqual([socket.id, socket.connected, socket.active], [undefined, false, false]);
  assert.deepEqual((await gone)[0], 'client namespace disconnect');

  socket.disconnect();
  assert.equal(log.length, 1);
  socket.connect();
  await next(socket, 'connect');
});

both('disconnect() before the connection is there cancels it', async (page) => {
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io();
  const log = record(socket, ['connect', 'disconnect', 'connect_error']);
  const peer = await accept();
  socket.disconnect();
  await peer.closed;
  assert.deepEqual([log, socket.active], [[], false]);
});

both('disconnect() at once is not an error', async (page) => {
  const { origin } = await serve();
  const { io } = page(origin);
  const socket = io();
  const log = record(socket, ['connect', 'disconnect', 'connect_error']);
  record(socket.io, ['open', 'error'], log);
  socket.disconnect();
  await next(io('/', { forceNew: true }), 'connect');
  assert.deepEqual(log, []);
});

for (const close of [false, true]) {
  both(`after the server's disconnect(${close}) nobody tries again`, async (page) => {
    const { io, origin } = await serve();
    const accepted = once(io, 'connection');
    const { io: connect, timer } = page(origin, { holdTimers: true });
    const socket = connect({ ...SOON, timeout: false });
    const attempts = record(socket.io, ['reconnect_attempt']);
    const [peer] = await accepted;
    await next(socket, 'connect');
    const heartbeat = await timer();
    peer.disconnect(close);
    assert.deepEqual(await next(socket, 'disconnect'), ['io server disconnect', undefined]);
    assert.deepEqual([socket.active, socket.connected, attempts], [false, false, []]);
    assert.ok(heartbeat.cleared);

    // The next timer is that of the new connection, not one that waited to reconnect.
    socket.connect();
    await next(socket, 'connect');
    assert.equal((await timer()).ms, heartbeat.ms);
  });
}

both('a server that goes and comes back is found again', async (page) => {
  const first = await serve();
  const { io } = page(first.origin);
  const socket = io(SOON);
  await next(socket, 'connect');
  const { id } = socket;
  const log = record(socket, ['connect', 'disconnect', 'connect_error']);
  const events = ['open', 'close', 'error', 'reconnect_attempt', 'reconnect_error', 'reconnect'];
  record(socket.io, events, log);
  const failed = next(socket.io, 'reconnect_error');
  await first.stop();
  await failed;
  await Promise.all([next(socket, 'connect'), serve(undefined, { port: first.port })]);

  const attempts = log.filter(([name]) => name === 'reconnect_attempt').length;
  const names = log.map(([name, detail]) => (
    name === 'reconnect_attempt' || name === 'reconnect' ? `${name} ${detail}` : name
  ));
  const expected = ['disconnect', 'close'];
  for (let i = 1; i < attempts; i++) {
    expected.push(`reconnect_attempt ${i}`, 'connect_error', 'error', 'reconnect_error');
  }
  expected.push(`reconnect_attempt ${attempts}`, 'open', `reconnect ${attempts}`, 'connect');
  assert.deepEqual(names, expected);
  assert.ok(attempts > 1);

  const [, reason, details] = log[0];
  assert.equal(reason, 'transport close');
  assert.equal(details.description, 'websocket connection closed');
  assert.equal(details.context.type, 'close');
  const [, error] = log.find(([name]) => name === 'connect_error');
  assert.deepEqual([error.message, error.type], ['websocket error', 'TransportError']);
  assert.notEqual(socket.id, id);
  assert.ok(!socket.recovered);
});

both('a server that is not there yet is waited for', async (page) => {
  const gone = await serve();
  await gone.stop();
  const socket = page(gone.origin).io(SOON);
  const [error] = await next(socket, 'connect_error');
  assert.equal(error.message, 'websocket error');
  assert.deepEqual([socket.active, socket.connected], [true, false]);
  await Promise.all([next(socket, 'connect'), serve(undefined, { port: gone.port })]);
});

both('a connection that is lost in its first moment is made again', async (page) => {
  const { origin } = await serve();
  const socket = page(origin).io(SOON);
  await next(socket, 'connect');
  const lost = next(socket, 'disconnect');
  socket.io.once('reconnect', () => socket.io.engine.close());
  socket.io.engine.close();
  await lost;
  await next(socket, 'disconnect');
  await next(socket, 'connect');
});

both('reconnectionAttempts is the most there are', async (page) => {
  const gone = await serve();
  await gone.stop();
  const socket = page(gone.origin).io({ ...SOON, reconnectionAttempts: 2 });
  const events = ['reconnect_attempt', 'reconnect_error', 'reconnect_failed'];
  const log = record(socket.io, events);
  record(socket, ['connect_error'], log);
  await next(socket.io, 'reconnect_failed');
  await Promise.resolve();
  assert.deepEqual(log.map(([name]) => name), [
    'connect_error',
    'reconnect_attempt', 'connect_error', 'reconnect_error',
    'reconnect_attempt', 'connect_error', 'reconnect_failed', 'reconnect_error',
  ]);
});

both('after reconnect_failed, connect() begins anew', async (page) => {
  const gone = await serve();
  await gone.stop();
  const { io, timer } = page(gone.origin, { holdTimers: true });
  const socket = io({ reconnectionAttempts: 1, randomizationFactor: 0, timeout: false });
  for (let i = 0; i < 2; i++) {
    const failed = next(socket.io, 'reconnect_failed');
    const { ms, run } = await timer();
    assert.equal(ms, 1000);
    run();
    await failed;
    const { engine } = socket.io;
    socket.connect();
    assert.notEqual(socket.io.engine, engine);
  }
});

both('each loss begins with the first delay', async (page) => {
  const { origin } = await serve();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ randomizationFactor: 0, timeout: false });
  for (let i = 0; i < 3; i++) {
    await next(socket, 'connect');
    await timer(); // for the heartbeat
    socket.io.engine.close();
    const { ms, run } = await timer();
    assert.equal(ms, 1000);
    run();
  }
  await next(socket, 'connect');
});

both('reconnection: false tries once', async (page) => {
  const { origin, stop } = await serve();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ reconnection: false, timeout: false });
  await next(socket, 'connect');
  const heartbeat = await timer();
  const lost = next(socket, 'disconnect');
  socket.io.engine.close();
  await lost;
  assert.deepEqual([socket.active, heartbeat.cleared], [true, true]);

  // The next timer is that of the new connection, not one that waited to reconnect.
  socket.connect();
  await next(socket, 'connect');
  assert.equal((await timer()).ms, heartbeat.ms);
  await stop();
});

both('each attempt waits twice as long, up to a maximum', async (page) => {
  const gone = await serve();
  await gone.stop();
  const delays = async (options) => {
    const { io, timer } = page(gone.origin, { holdTimers: true });
    io({ timeout: false, ...options });
    const list = [];
    while (list.length < 6) {
      const { ms, run } = await timer();
      list.push(ms);
      run();
    }
    return list;
  };
  assert.deepEqual(await delays({ randomizationFactor: 0 }),
    [1000, 2000, 4000, 5000, 5000, 5000]);
  assert.deepEqual(
    await delays({ randomizationFactor: 0, reconnectionDelay: 3, reconnectionDelayMax: 20 }),
    [3, 6, 12, 20, 20, 20],
  );
  for (const [i, ms] of (await delays({ reconnectionDelayMax: 1e9 })).entries()) {
    const delay = 1000 * 2 ** i;
    assert.ok(ms >= delay / 2 && ms <= delay * 1.5, `${ms} ms for ${delay}`);
  }
});

both('disconnect() ends the attempts', async (page) => {
  const gone = await serve();
  await gone.stop();
  const { io, timer } = page(gone.origin, { holdTimers: true });
  const socket = io({ timeout: false });
  const first = await timer();
  const { engine } = socket.io;
  socket.io.once('reconnect_attempt', () => socket.disconnect());
  first.run();
  assert.equal(socket.active, false);
  assert.equal(socket.io.engine, engine);

  socket.connect();
  assert.notEqual(socket.io.engine, engine);
  const second = await timer();
  assert.equal(second.cleared, false);
  socket.disconnect();
  assert.equal(second.cleared, true);

  // Nobody waits any more, so it tries at once.
  const { engine: last } = socket.io;
  socket.connect();
  assert.notEqual(socket.io.engine, last);
});

both('connect() between two attempts waits for the next', async (page) => {
  const gone = await serve();
  await gone.stop();
  const { io, timer } = page(gone.origin, { holdTimers: true });
  const socket = io({ timeout: false });
  await timer();
  const { engine } = socket.io;
  socket.connect();
  assert.equal(socket.io.engine, engine);
});

both('a server that never answers is given up', async (page) => {
  const { accept, origin } = await serveRaw();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ timeout: 1234 });
  const [peer, { ms, run }] = await Promise.all([accept(), timer()]);
  const failed = next(socket, 'connect_error');
  run();
  assert.equal(ms, 1234);
  assert.equal((await failed)[0].message, 'timeout');
  await peer.closed;
});

both('the connection has 20 s to open unless told otherwise', async (page) => {
  const { origin } = await serve();
  const { io, timer } = page(origin, { holdTimers: true });
  const connected = next(io(), 'connect');
  const timeout = await timer();
  assert.deepEqual([timeout.ms, timeout.cleared], [20_000, false]);
  await connected;
  assert.equal(timeout.cleared, true);
});

both('pings are answered, and silence means that the server is gone', async (page) => {
  const { accept, origin } = await serveRaw();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ timeout: false });
  const peer = await accept();
  await Promise.all([next(socket, 'connect'), peer.welcome()]);
  const first = await timer();
  assert.equal(first.ms, 45_000);

  const pinged = next(socket.io, 'ping');
  peer.send('2');
  assert.equal(await peer.receive(), '3');
  await pinged;
  const second = await timer();
  assert.deepEqual([first.cleared, second.ms, second.cleared], [true, 45_000, false]);

  const lost = next(socket, 'disconnect');
  second.run();
  assert.deepEqual(await lost, ['ping timeout', undefined]);
  await peer.closed;
  (await timer()).run();
  await Promise.all([next(socket, 'connect'), accept().then((again) => again.welcome())]);
});

both('what is sent when a laptop wakes waits for a connection that lives', async (page) => {
  const { accept, origin } = await serveRaw();
  const { io, window } = page(origin);
  const socket = io(SOON);
  const peer = await accept();
  await Promise.all([next(socket, 'connect'), peer.welcome()]);
  const lost = next(socket, 'disconnect');
  window.skew = 45_001;
  socket.emit('after the sleep');
  assert.equal((await lost)[0], 'ping timeout');

  const again = await accept();
  await again.welcome();
  assert.equal(await again.receive(), '42["after the sleep"]');
});

both('a browser that goes offline has lost its connections', async (page) => {
  const { origin } = await serve();
  const { io, events } = page(origin);
  const socket = io(SOON);
  await next(socket, 'connect');
  const lost = next(socket, 'disconnect');
  events.dispatchEvent(new Event('offline'));
  const [reason, details] = await lost;
  assert.equal(reason, 'transport close');
  assert.equal(details.description, 'network connection lost');
  await next(socket, 'connect');
});

both('engine.close() is a loss, for trying out what happens then', async (page) => {
  const { origin } = await serve();
  const socket = page(origin).io(SOON);
  await next(socket, 'connect');
  const lost = next(socket, 'disconnect');
  const { engine } = socket.io;
  engine.close();
  assert.equal((await lost)[0], 'forced close');
  assert.deepEqual([socket.active, engine.id], [true, null]);
  await next(socket, 'connect');
});

both('a broken frame is a transport error', async (page) => {
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io(SOON);
  const peer = await accept();
  await Promise.all([next(socket, 'connect'), peer.welcome()]);
  const log = record(socket.io, ['error']);
  const lost = next(socket, 'disconnect');
  peer.ws._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  const [reason, details] = await lost;
  assert.equal(reason, 'transport error');
  assert.deepEqual([details.message, details.type], ['websocket error', 'TransportError']);
  assert.equal(log[0][1], details);
  const again = await accept();
  await Promise.all([next(socket, 'connect'), again.welcome()]);
});

ours('transports may name polling too, and must name websocket', async (page) => {
  const { origin } = await serve();
  const { io } = page(origin);
  await next(io({ transports: ['polling', 'websocket'] }), 'connect');
  assert.throws(() => io('/', { forceNew: true, transports: ['polling'] }), /add 'websocket'/);
});

ours('retries are refused, rather than forgotten', async (page) => {
  const { io } = page();
  assert.throws(() => io({ retries: 3 }), /no `retries`/);
});

ours('a connection that closes before it is open has failed', async (page) => {
  // The official client waits for its timeout, 20 s.
  const { accept, origin } = await serveRaw();
  const socket = page(origin).io(SOON);
  const failed = next(socket, 'connect_error');
  (await accept()).ws.close();
  assert.equal((await failed)[0].message, 'transport close');
  await accept();
});

ours('connect() in a listener waits its turn', async (page) => {
  // The official client tries at once, and then does not reconnect later.
  const gone = await serve();
  await gone.stop();
  const { io, timer } = page(gone.origin, { holdTimers: true });
  const socket = io({ timeout: false, randomizationFactor: 0 });
  socket.on('connect_error', () => socket.connect());
  const delays = [];
  while (delays.length < 3) {
    const { ms, run } = await timer();
    delays.push(ms);
    run();
  }
  assert.deepEqual(delays, [1000, 2000, 4000]);
});

ours('connect() in a disconnect listener does not disturb the next loss', async (page) => {
  // The official client does not reconnect after the second.
  const { origin } = await serve();
  const { io, timer } = page(origin, { holdTimers: true });
  const socket = io({ timeout: false, randomizationFactor: 0 });
  await next(socket, 'connect');
  socket.once('disconnect', () => socket.connect());
  socket.io.engine.close();
  await next(socket, 'connect');
  socket.io.engine.close();
  // Two heartbeats, and no wait until the second loss.
  for (const expected of [45_000, 45_000, 1000]) assert.equal((await timer()).ms, expected);
});

ours('a connection that has ended leaves no listener in the page', async (page) => {
  const { origin } = await serve();
  const { io, events } = page(origin);
  const socket = io();
  await next(socket, 'connect');
  assert.equal(getEventListeners(events, 'offline').length, 1);
  socket.disconnect();
  assert.equal(getEventListeners(events, 'offline').length, 0);
});

ours('open() does not wait for the next attempt', async (page) => {
  // The official client then does not reconnect again.
  const gone = await serve();
  await gone.stop();
  const { io, timer } = page(gone.origin, { holdTimers: true });
  const socket = io({ timeout: false });
  const waiting = await timer();
  const { origin } = gone;
  await serve(undefined, { port: new URL(origin).port });
  const reconnected = next(socket.io, 'reconnect');
  socket.io.open();
  assert.equal(waiting.cleared, true);
  assert.deepEqual(await reconnected, [1]);
});
