// What the tests of the Socket.IO client need: pages without a browser, with the official
// client in them or the course's own, and servers for them.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// The twins' packages: these tests have none of their own.
const require = createRequire(new URL('../../examples/package.json', import.meta.url));
const { Server } = require('socket.io');
const { WebSocket, WebSocketServer } = require('ws');

const SCRIPTS = {
  official: require.resolve('socket.io-client/dist/socket.io.js'),
  ours: fileURLToPath(new URL('../../crates/parity/src/client.js', import.meta.url)),
};

const cleanups = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()();
});

/** Runs a test with the official client, and then with ours. */
export function both(name, run) {
  register(`official: ${name}`, 'official', run);
  register(`ours: ${name}`, 'ours', run);
}

/** Runs a test with our client, for what it does otherwise. */
export function ours(name, run) {
  register(`ours only: ${name}`, 'ours', run);
}

function register(name, client, run) {
  // For what never comes; nothing here waits for time to pass.
  const timeout = 60_000;
  test(name, { timeout }, () => run((origin, options) => page(client, origin, options)));
}

/**
 * Loads a client as `<script>` does, into a page of `origin`. With `holdTimers` its timers
 * do not run: `timer` gives them to the test, in the order in which they were set.
 */
function page(client, origin = 'http://127.0.0.1', { holdTimers = false } = {}) {
  const timers = new Queue();
  const events = new EventTarget();
  const window = {
    location: new URL('/some/page.html', origin),
    skew: 0, // milliseconds by which the page's clock is fast
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    WebSocket,
    Date: class extends Date {
      static now() {
        return super.now() + window.skew;
      }
    },
    setTimeout(run, ms) {
      if (!holdTimers) return setTimeout(run, ms);
      const timer = { ms, run, cleared: false };
      timers.push(timer);
      return timer;
    },
    clearTimeout(timer) {
      if (holdTimers && timer) timer.cleared = true;
      else clearTimeout(timer);
    },
  };
  window.self = window.window = window.globalThis = window;
  const names = Object.keys(window);
  const source = `${readFileSync(SCRIPTS[client], 'utf8')}\n//# sourceURL=${SCRIPTS[client]}`;
  new Function(...names, source)(...names.map((name) => window[name]));

  const io = (...args) => {
    // Ours has no other.
    if (client === 'official') {
      const options = typeof args.at(-1) === 'object' ? args.pop() : {};
      args.push({ transports: ['websocket'], ...options });
    }
    const socket = window.io(...args);
    // Or it would try again for as long as the process lives.
    cleanups.push(() => socket.off().disconnect());
    return socket;
  };
  const timer = () => timers.shift();
  return { io: Object.assign(io, window.io), window, events, timer };
}

/** A `socket.io` server on a free port, or on `port`; `setUp` gets it before it listens. */
export async function serve(setUp = () => {}, { port = 0, ...options } = {}) {
  const server = http.createServer();
  const io = new Server(server, options);
  setUp(io);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => io.close();
  cleanups.push(stop);
  ({ port } = server.address());
  return { io, port, origin: `http://127.0.0.1:${port}`, stop };
}

/** A server that speaks only as the test makes it. */
export async function serveRaw(options) {
  const server = http.createServer();
  const wss = new WebSocketServer({ server, ...options });
  const peers = new Queue();
  wss.on('connection', (ws, request) => peers.push(new Peer(ws, request)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const ws of wss.clients) ws.terminate();
    server.close();
    await once(server, 'close');
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** The next connection. */
    accept: () => peers.shift(),
  };
}

/** One connection, on the server's side. */
class Peer {
  #received = new Queue();

  constructor(ws, request) {
    this.ws = ws;
    this.url = request.url;
    ws.on('message', (data, isBinary) => {
      this.#received.push(isBinary ? [...data] : data.toString());
    });
    this.closed = once(ws, 'close');
  }

  send(...messages) {
    for (const message of messages) this.ws.send(message);
  }

  /** The next message: text, or an array of bytes. */
  receive() {
    return this.#received.shift();
  }

  /** Opens Engine.IO; the server then waits for a CONNECT. */
  open(options) {
    const handshake = {
      sid: 'engine', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6,
      ...options,
    };
    this.send(`0${JSON.stringify(handshake)}`);
  }

  /** Opens Engine.IO and Socket.IO; returns the client's CONNECT. */
  async welcome(options) {
    this.open(options);
    const connect = await this.receive();
    this.send('40{"sid":"socket"}');
    return connect;
  }
}

/** Values that are awaited in the order in which they come. */
export class Queue {
  #values = [];
  #waiting = [];

  push(value) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  }

  shift() {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** The arguments of the next such event. */
export function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
}

/** Every event of these names, with what `describe` makes of its arguments, as it comes. */
export function record(emitter, names, log = []) {
  for (const name of names) {
    emitter.on(name, (...args) => log.push([name, ...args]));
  }
  return log;
}
