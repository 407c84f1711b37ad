// The twin of lesson 07: the same broadcast with Express and `ws`.
// Run it: node examples/07_ws_broadcast/node/server.mjs
import http from 'node:http';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

// ANCHOR: main
const app = express();
app.get('/clients', (req, res) => {
  const open = [...wss.clients].filter(isOpen);
  res.json(open.map(({ id }) => id));
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
/** How many bytes may wait for a client. */
const MAX_BACKLOG = 1024 * 1024;

function broadcast(id, data) {
  // A template literal calls `toString()` on the Buffer.
  const message = Buffer.from(`${id}: ${data}`);
  for (const client of wss.clients) {
    if (!isOpen(client)) continue;
    if (client.bufferedAmount >= MAX_BACKLOG) {
      client.close(1008, 'too slow');
    } else {
      client.send(message, { binary: false });
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
wss.on('connection', (client, { socket }) => {
  client.id = ++lastId;
  client.on('message', (data) => {
    broadcast(client.id, data);
    // Until a client has read what waits for it, nothing
    // more is read from it.
    if (socket.writableNeedDrain) client.pause();
  });
  socket.on('drain', () => client.resume());
  // `ws` takes the client out of `wss.clients` by itself.
  client.on('error', () => {});
});
// ANCHOR_END: converse

onShutdown(() => process.exit(0));
