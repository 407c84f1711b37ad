// The twin of lesson 08: the same server on `socket.io`.
// Run it: node examples/08_socketio_by_hand/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import {
  fail, listen, onShutdown, pages, port,
} from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));
listen(server, port());

// ANCHOR: server
const io = new Server(server, {
  // Not 'polling' as well, which is the default.
  transports: ['websocket'],
  // No /socket.io/socket.io.js: that is lesson 09's.
  serveClient: false,
  pingInterval: milliseconds('PING_INTERVAL', 25_000),
  pingTimeout: milliseconds('PING_TIMEOUT', 20_000),
  connectTimeout: milliseconds('CONNECT_TIMEOUT', 45_000),
});
// ANCHOR_END: server

// ANCHOR: events
for (const name of ['/', '/custom']) {
  io.of(name).on('connection', (socket) => {
    const emit = (...args) => {
      guard(socket, () => socket.emit(...args));
    };
    emit('auth', socket.handshake.auth);

    socket.on('message', (...args) => {
      emit('message-back', ...args);
    });

    socket.on('message-with-ack', (...args) => {
      const ack = args.pop();
      // A client need not ask for an ack.
      if (typeof ack !== 'function') return;
      guard(socket, () => ack(...args));
    });

    socket.on('ask-me', (...args) => {
      emit('question', ...args, (...answer) => {
        emit('answered', ...answer);
      });
    });
  });
}
// ANCHOR_END: events

// Lists in lists, 5000 deep: JSON.parse reads them, JSON.stringify
// throws, and an exception that nobody catches ends the program.
function guard(socket, action) {
  try {
    action();
  } catch {
    socket.disconnect(true);
  }
}

function milliseconds(name, otherwise) {
  const text = process.env[name] ?? String(otherwise);
  // More than 31 bits would overflow Node's timers.
  if (!/^\+?\d+$/.test(text) || Number(text) >= 2 ** 31) {
    fail(`${name}=${text} is not a number of milliseconds`);
  }
  return Number(text);
}

onShutdown(() => process.exit(0));
