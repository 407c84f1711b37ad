// The twin of lesson 10: events and their arguments, on `socket.io`.
// Run it: node examples/10_events/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import {
  listen, onShutdown, pages, port,
} from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));
listen(server, port());
const io = new Server(server);

// How far the server counts.
const MOST = 5_000;

io.on('connection', (socket) => {
  // ANCHOR: event_name
  const three = [text, integer, person];
  on(socket, 'event_name', three, (arg1, arg2, arg3) => {
    socket.emit('event_back', arg1, arg2, arg3);
  });
  // ANCHOR_END: event_name

  // ANCHOR: echo
  on(socket, 'echo', null, (...args) => {
    socket.emit('echo', ...args);
  });
  // ANCHOR_END: echo

  // ANCHOR: echoed
  let echoed = 0;
  socket.on('echo', () => {
    echoed += 1;
    socket.emit('echoed', echoed);
  });
  // ANCHOR_END: echoed

  // ANCHOR: upload
  on(socket, 'upload', [file], ({ name, data }) => {
    const head = data.subarray(0, 4);
    socket.emit('uploaded', name, data.length, head);
  });
  // ANCHOR_END: upload

  // ANCHOR: count
  on(socket, 'count', [natural], (to) => {
    if (to > MOST) {
      throw new Error(`${to} is more than ${MOST}`);
    }
    for (let n = 0; n < to; n += 1) {
      socket.emit('number', n);
    }
    socket.emit('counted', to);
  });
  // ANCHOR_END: count
});

// ANCHOR: on
/** `socket.on`, with a check for each argument, or null for none. */
function on(socket, event, checks, handler) {
  socket.on(event, (...args) => {
    // A callback is not one of them. Acks are lesson 11's.
    if (typeof args.at(-1) === 'function') args.pop();
    try {
      if (checks) expect(args, checks);
      handler(...args);
    } catch ({ message }) {
      socket.emit('problem', { event, error: message });
    }
  });
}

function expect(args, checks) {
  const fits = args.length === checks.length
    && checks.every((check, n) => check(args[n]));
  const names = checks.map((check) => check.name).join(', ');
  if (!fits) throw new Error(`expected (${names})`);
}
// ANCHOR_END: on

// ANCHOR: checks
function text(value) {
  return typeof value === 'string';
}

function integer(value) {
  return Number.isSafeInteger(value);
}

function natural(value) {
  return integer(value) && value >= 0;
}

function person(value) {
  return hasOnly(value, ['name']) && text(value.name);
}

function file(value) {
  return hasOnly(value, ['name', 'data'])
    && text(value.name) && Buffer.isBuffer(value.data);
}

function hasOnly(value, keys) {
  return typeof value === 'object' && value !== null
    && !Array.isArray(value)
    && Object.keys(value).length === keys.length
    && keys.every((key) => Object.hasOwn(value, key));
}
// ANCHOR_END: checks

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
  server.closeAllConnections();
});
