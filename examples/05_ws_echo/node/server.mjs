// The twin of lesson 05: the same echo on `ws`.
// Run it: node examples/05_ws_echo/node/server.mjs
import http from 'node:http';
import { WebSocketServer } from 'ws';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));

// Before `ws` is attached: it passes on the server's errors as
// its own, and nobody would be there to handle them.
listen(server, port());

// ANCHOR: open
const wss = new WebSocketServer({
  server,
  path: '/',
  // The longest message, in bytes. The default is 100 MiB.
  maxPayload: 1024 * 1024,
});
// ANCHOR_END: open

// ANCHOR: echo
wss.on('connection', (socket) => {
  // For text and binary alike, `data` is a Buffer.
  socket.on('message', (data, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
  // A message that is too long, or breaks the rules. `ws`
  // has closed the socket by now, with the right code; but
  // an 'error' that nobody listens for ends the program.
  socket.on('error', () => {});
});
// ANCHOR_END: echo

onShutdown(() => process.exit(0));
