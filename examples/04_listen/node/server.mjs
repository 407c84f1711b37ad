// The twin of lesson 04: `app.listen` rewritten, and a server that shuts down well.
// Run it: node examples/04_listen/node/server.mjs
import http from 'node:http';
import { app } from '../../02_axum_app/node/app.mjs';
import { listen, onShutdown, port } from '../../lesson-kit.mjs';

// ANCHOR: listen
// What Express does in its own few lines. `this` is the app.
app.listen = function (port) {
  const server = http.createServer(this);
  return listen(server, port);
};

const server = app.listen(port());
// ANCHOR_END: listen

// ANCHOR: drain
// How long requests in flight may take to finish once the server has to stop.
const GRACE = 5_000;

// Each connection, with the response in progress, if any.
const connections = new Map();
server.on('connection', (socket) => {
  connections.set(socket, undefined);
  socket.on('close', () => connections.delete(socket));
});
server.on('request', (req, res) => {
  connections.set(req.socket, res);
  res.on('finish', () => {
    // A second request may have come before this one was answered.
    if (connections.get(req.socket) === res) connections.set(req.socket, undefined);
  });
});

onShutdown(() => {
  // Accepts no new connections, and waits until the last closes.
  server.close(() => process.exit(0));
  // Node does not close a connection that has sent no request
  // yet, and keeps alive those that it has answered.
  for (const [socket, res] of connections) {
    if (!res) socket.destroy();
    else if (!res.headersSent) res.setHeader('Connection', 'close');
  }
  setTimeout(() => {
    console.error(`stopped, ${connections.size} connections unfinished`);
    process.exit(0);
  }, GRACE);
});
// ANCHOR_END: drain
