// The twin of lesson 04: `app.listen`, written again, and a server that ends gracefully.
// Run it: node examples/04_listen/node/server.mjs
import http from 'node:http';
import { app } from '../../02_axum_app/node/app.mjs';
import { listen, onShutdown, port } from '../../lesson-kit.mjs';

// ANCHOR: listen
// What Express does, in its own few lines: `this` is the app.
app.listen = function (port) {
  const server = http.createServer(this);
  return listen(server, port);
};

const server = app.listen(port());
// ANCHOR_END: listen

// ANCHOR: drain
// How long requests in flight may take to finish once the server has to stop.
const GRACE = 5_000;

const inFlight = new Set();
server.on('request', (req, res) => {
  inFlight.add(res);
  res.on('close', () => inFlight.delete(res));
});

onShutdown(() => {
  // Takes no new connection, closes the idle ones, waits for the rest.
  server.close(() => process.exit(0));
  // What Node leaves out: a kept-alive connection would be waited for as well.
  for (const res of inFlight) {
    if (!res.headersSent) res.setHeader('Connection', 'close');
  }
  setTimeout(() => {
    console.error(`stopped, ${inFlight.size} connections unfinished`);
    process.exit(0);
  }, GRACE);
});
// ANCHOR_END: drain
