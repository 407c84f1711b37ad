// The twin of lesson 06: the same calculator on `ws`.
// Run it: node examples/06_ws_json/node/server.mjs
import http from 'node:http';
import { WebSocketServer } from 'ws';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));
listen(server, port());

const wss = new WebSocketServer({ server, path: '/', maxPayload: 1024 * 1024 });

// ANCHOR: reply
const isInteger = Number.isSafeInteger;

const ops = {
  add: { count: 2, compute: ([a, b]) => a + b },
  sub: { count: 2, compute: ([a, b]) => a - b },
  mul: { count: 2, compute: ([a, b]) => a * b },
  div: { count: 2, compute: ([a, b]) => Math.trunc(a / b) },
  sum: {
    compute: (all) =>
      all.reduce((a, b) => exact(a + b), 0),
  },
};

function reply(text) {
  const { op, args, ...rest } = JSON.parse(text);
  // Not `ops[op]`: every object has a `constructor`. And a
  // key becomes a string, so ['add'] would pass for 'add'.
  if (typeof op !== 'string' || !Object.hasOwn(ops, op)) {
    throw new Error(`unknown op ${op}`);
  }
  const { count, compute } = ops[op];
  if (!Array.isArray(args) || !args.every(isInteger)) {
    throw new Error('args is a list of integers');
  }
  if (count && args.length !== count) {
    throw new Error(`${op} takes ${count} numbers`);
  }
  if (Object.keys(rest).length > 0) {
    throw new Error('there is only op and args');
  }
  return exact(compute(args));
}

// A double is exact up to 2^53; beyond that it is a guess.
function exact(number) {
  if (isInteger(number)) return number;
  throw new Error('no result');
}
// ANCHOR_END: reply

// ANCHOR: converse
wss.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    try {
      if (isBinary) throw new Error('send text');
      const result = reply(data.toString());
      socket.send(JSON.stringify({ result }));
    } catch (error) {
      socket.send(JSON.stringify({ error: error.message }));
    }
  });
  socket.on('error', () => {});
});
// ANCHOR_END: converse

onShutdown(() => process.exit(0));
