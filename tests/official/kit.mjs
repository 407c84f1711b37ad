// What the scripts share that drive the official `socket.io-client` against a lesson.
// A contract starts them (see `official_client` in crates/contract) and says in ORIGIN
// where the lesson, or its twin, listens, and in TRANSPORTS how to reach it.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { after, afterEach } from 'node:test';

// The client is one of the twins' packages, which are not installed here.
const require = createRequire(new URL('../../examples/package.json', import.meta.url));
const client = require('socket.io-client');

export const { ORIGIN } = process.env;
export const TRANSPORTS = process.env.TRANSPORTS.split(',');

const open = new Set();

/** `io(namespace, options)` on a connection of its own, closed when the test ends. */
export function io(namespace = '/', { origin = ORIGIN, ...options } = {}) {
  const socket = client.io(origin + namespace, {
    transports: TRANSPORTS,
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    ...options,
  });
  open.add(socket.io);
  return socket;
}

/** The arguments of the next `event` from a socket or a manager. */
export function next(emitter, event) {
  return new Promise((resolve) => {
    emitter.once(event, (...args) => resolve(args));
  });
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has the server ended and started again, on the same port. */
export async function restartServer() {
  console.log('restart the server');
  await lines.next();
}

afterEach(() => {
  for (const manager of open) manager._close();
  open.clear();
});

// As long as it is open, this program runs.
after(() => process.stdin.destroy());
