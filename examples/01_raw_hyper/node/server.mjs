// The twin of lesson 01: the same server on Node's own `http`.
// Run it: node examples/01_raw_hyper/node/server.mjs
import http from 'node:http';

// ANCHOR: handler
function hello(req, res) {
  res.statusCode = 200;
  res.setHeader('Content-Type', 'text/plain');
  res.end('Hello World');
}
// ANCHOR_END: handler

// ANCHOR: listen
const text = process.env.PORT ?? '3000';
if (!/^\+?\d+$/.test(text) || Number(text) > 65535) {
  const expected = 'set a number from 0 to 65535';
  fail(`PORT=${text} is not a port: ${expected}`);
}
const port = Number(text);
// ANCHOR_END: listen

// ANCHOR: serve
const server = http.createServer(hello);

server.on('error', (error) => {
  fail(error.code === 'EADDRINUSE'
    ? `port ${port} is taken: stop what listens there, or set PORT to another`
    : `cannot listen on port ${port}: ${error.message}`);
});

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
// ANCHOR_END: serve

// ANCHOR: signal
// Without these two lines a signal ends Node too, but with an
// exit code that means "killed" (130, 143) and not "done" (0).
process.on('SIGINT', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
// ANCHOR_END: signal

function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(1);
}
