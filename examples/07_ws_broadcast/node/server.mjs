// The twin of lesson 07: the same broadcast with Express and `ws`.
// Run it: node examples/07_ws_broadcast/node/server.mjs
import http from 'node:http';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

// ANCHOR: main
const app = express();
app.get('/clients', (req, res) => {
  res.json([...wss.clients].filter(isOpen).map(({ id }) => id));
});
app.use(pages(new URL('../', import.meta.url)));

const server = http.createServer(app);
listen(server, port());

const wss = new WebSocketServer({
  server,
  path: '/',
  maxPayload: 64 * 1024,
});
// ANCHOR_END: main

// ANCHOR: broadcast
/** How many bytes may wait for a client before it has to leave. */
const BEHIND = 1024 * 1024;

function broadcast(id, data) {
  // A template literal calls `toString()` on the Buffer.
  const message = `${id}: ${data}`;
  for (const client of wss.clients) {
    if (!isOpen(client)) continue;
    if (client.bufferedAmount >= BEHIND) {
      client.close(1008, 'too slow');
    } else {
      client.send(message);
    }
  }
}

/** `wss.clients` also holds those that are closing. */
function isOpen(client) {
  return client.readyState === WebSocket.OPEN;
}
// ANCHOR_END: broadcast

// ANCHOR: converse
let lastId = 0;
wss.on('connection', (socket) => {
  socket.id = ++lastId;
  socket.on('message', (data) => broadcast(socket.id, data));
  // `ws` takes the socket out of `wss.clients` by itself.
  socket.on('error', () => {});
});
// ANCHOR_END: converse

onShutdown(() => process.exit(0));
