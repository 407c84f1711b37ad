// The twin of lesson 14: the same namespaces on `socket.io`.
// Run it: node examples/14_namespaces_auth/node/server.mjs
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import { Server } from 'socket.io';
import { fail, listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

const PATIENCE = 3_000; // ms

const token = adminToken();
const server = http.createServer(pages(new URL('../', import.meta.url)));
listen(server, port());

// ANCHOR: main
const io = new Server(server);

// `use` wants a callback, and ends the process if the
// middleware throws. So an error goes to `next`.
const guard = (check) => (socket, next) => {
  check(socket).then(() => next(), next);
};

io.on('connection', visitor);
io.of('/admin').use(guard(check)).on('connection', admin);
io.of(/^\/room-[1-9]\d?$/)
  .use(guard(knock))
  .on('connection', guest);

async function check(socket) {
  const { token: given } = socket.handshake.auth;
  if (typeof given !== 'string') {
    throw new Error('auth has no token that is a string');
  }
  if (!isSame(given, token)) throw new Error('wrong token');
}
// ANCHOR_END: main

// ANCHOR: handlers
function visitor(socket) {
  on(socket, 'alert', (text, ack) => {
    io.of('/admin').emit('alert', socket.id, text);
    if (typeof ack === 'function') ack('they know');
  });
  talk(socket, 'the lobby');
}

function admin(socket) {
  talk(socket, 'the office');
}

function guest(socket) {
  talk(socket, `room ${numberOf(socket)}`);
}
// ANCHOR_END: handlers

// ANCHOR: talk
function talk(socket, place) {
  const { nsp } = socket;
  socket.join('here');
  on(socket, 'say', (text) => {
    nsp.to('here').emit('said', socket.id, text);
  });
  const here = nsp.adapter.rooms.get('here').size;
  socket.emit('welcome', socket.id, place, here);
}

// A client can send anything. Rust has types for that.
function on(socket, event, handler) {
  socket.on(event, (text, ...rest) => {
    if (typeof text === 'string') handler(text, ...rest);
    else socket.emit('problem', { event, error: 'no text' });
  });
}
// ANCHOR_END: talk

// ANCHOR: knock
function knock(socket) {
  return new Promise((resolve, reject) => {
    io.of('/admin').timeout(PATIENCE)
      // The error says that not all have answered.
      .emit('knock', numberOf(socket), (_error, answers) => {
        if (answers.includes(true)) resolve();
        else reject(new Error('nobody lets you in'));
      });
  });
}

function numberOf(socket) {
  return Number(socket.nsp.name.slice('/room-'.length));
}
// ANCHOR_END: knock

// ANCHOR: token
// timingSafeEqual wants two of the same length, which
// digests have. The key is nobody's.
function isSame(a, b) {
  const key = randomBytes(32);
  const [one, two] = [a, b].map((text) => (
    createHmac('sha256', key).update(text).digest()
  ));
  return timingSafeEqual(one, two);
}
// ANCHOR_END: token

function adminToken() {
  const given = process.env.ADMIN_TOKEN ?? 'let-me-in';
  if (Buffer.byteLength(given) >= 8) return given;
  return fail('ADMIN_TOKEN is too short: '
    + 'set at least 8 characters of text, or leave it out');
}

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
  server.closeAllConnections();
});
