// The twin of lesson 13: the same messages on `socket.io`.
// Run it: node examples/13_messages/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));
const io = new Server(server);
listen(server, port());

io.on('connection', (socket) => {
  // ANCHOR: check
  // A client can send anything. Rust has types for that.
  socket.use(([event, ...args], next) => {
    if (fits(event, args)) return next();
    socket.emit('problem', { event, error: 'wrong arguments' });
  });
  // ANCHOR_END: check

  // ANCHOR: message
  // The server says who speaks. Nobody is asked.
  const message = (text) => ({ from: socket.id, text });
  // ANCHOR_END: message

  // ANCHOR: many
  socket.on('sendMessage', (text) => {
    socket.broadcast.emit('message', message(text));
  });

  socket.on('sendMessageToAll', (text) => {
    io.emit('message', message(text));
  });

  socket.on('sendMessageExcept', (ids, text) => {
    const receivers = socket.broadcast.except(ids);
    receivers.emit('message', message(text));
  });
  // ANCHOR_END: many

  // ANCHOR: one
  socket.on('sendMessageToSpecificClient', (id, text, ack) => {
    const isHere = io.sockets.sockets.has(id);
    io.to(id).emit('message', message(text));
    ack?.(isHere);
  });
  // ANCHOR_END: one

  // ANCHOR: who
  socket.on('who-is-here', (...args) => {
    const ack = args.at(-1);
    if (typeof ack !== 'function') return;
    ack([...io.sockets.sockets.keys()]);
  });
  // ANCHOR_END: who

  // The client knows it, as `socket.id`. The lesson's does not.
  socket.emit('you-are', socket.id);
});

const isText = (value) => typeof value === 'string';
const areTexts = (value) => Array.isArray(value) && value.every(isText);
const ARGUMENTS = {
  sendMessage: [isText],
  sendMessageToAll: [isText],
  sendMessageExcept: [areTexts, isText],
  sendMessageToSpecificClient: [isText, isText],
};

function fits(event, args) {
  if (!Object.hasOwn(ARGUMENTS, event)) return true;
  const checks = ARGUMENTS[event];
  const isAck = typeof args.at(-1) === 'function';
  const values = isAck ? args.slice(0, -1) : args;
  return values.length === checks.length
    && checks.every((check, n) => check(values[n]));
}

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
  server.closeAllConnections();
});
