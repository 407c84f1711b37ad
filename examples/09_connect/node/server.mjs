// The twin of lesson 09: the life of a socket on `socket.io`.
// Run it: node examples/09_connect/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import {
  listen, milliseconds, onShutdown, pages, port,
} from '../../lesson-kit.mjs';

// ANCHOR: serve
const page = pages(new URL('../', import.meta.url));
const server = http.createServer(page);
const io = new Server(server, {
  pingInterval: milliseconds('PING_INTERVAL', 25_000),
  pingTimeout: milliseconds('PING_TIMEOUT', 20_000),
});
listen(server, port());

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
});
// ANCHOR_END: serve

// ANCHOR: connected
io.on('connection', (socket) => {
  socket.on('hello', (text) => {
    socket.emit('hello', text);
  });

  socket.on('bye', () => {
    socket.disconnect();
  });

  // ANCHOR: left
  socket.on('disconnecting', (reason) => {
    const rooms = [...socket.rooms]
      .filter((room) => room !== socket.id);
    socket.broadcast.emit('left', socket.id, reason, rooms);
  });
  // ANCHOR_END: left

  socket.join('lobby');
  // In Node, others may know a socket's id.
  socket.emit('welcome', socket.id, socket.id);
  const here = io.of('/').adapter.rooms.get('lobby').size;
  io.to('lobby').emit('joined', socket.id, here);
});
// ANCHOR_END: connected
