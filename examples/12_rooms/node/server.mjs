// The twin of lesson 12: the same rooms on `socket.io`.
// Run it: node examples/12_rooms/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import { listen, onShutdown, pages, port } from '../../lesson-kit.mjs';

const server = http.createServer(pages(new URL('../', import.meta.url)));
const io = new Server(server);
listen(server, port());

/** The longest name of a room, in characters. */
const LONGEST = 50;

/** How many rooms a client may be in. */
const MOST = 20;

io.on('connection', (socket) => {
  const on = (event, action) => socket.on(event, reply(action));

  // ANCHOR: join
  on('join', (name) => {
    const room = key(name);
    if (socket.rooms.has(room)) return;
    // One more is the client's own.
    if (socket.rooms.size > MOST) {
      throw new Error(`you are in ${MOST} rooms already`);
    }
    socket.join(room);
    socket.to(room).emit('joined', name, socket.id);
  });

  on('leave', (name) => {
    const room = key(name);
    if (!socket.rooms.has(room)) return;
    socket.leave(room);
    socket.to(room).emit('left', name, socket.id);
  });
  // ANCHOR_END: join

  // ANCHOR: say
  on('say', (name, text) => {
    const room = key(name);
    check(isText(text));
    if (!socket.rooms.has(room)) {
      throw new Error('you are not in this room');
    }
    io.to(room).emit('said', name, socket.id, text);
  });
  // ANCHOR_END: say

  // ANCHOR: invite
  on('invite', (name, ids) => {
    const room = key(name);
    check(Array.isArray(ids) && ids.every(isText));
    if (!socket.rooms.has(room)) {
      throw new Error('you are not in this room');
    }
    // `io.in([])` would be everybody.
    if (ids.length === 0) throw new Error('nobody is invited');
    // A client has sent this. It could name any room.
    const { sockets } = io.of('/');
    if (!ids.every((id) => sockets.has(id))) {
      throw new Error('not everybody is here');
    }
    const guests = io.in(ids).except(room);
    guests.emit('invited', name, socket.id);
  });
  // ANCHOR_END: invite

  // ANCHOR: who
  on('who', async (name) => {
    const members = await io.in(key(name)).fetchSockets();
    return members.map(({ id }) => id);
  });

  on('rooms', () => {
    const all = [...io.of('/').adapter.rooms];
    return Object.fromEntries(all
      .filter(([room]) => room.startsWith('room:'))
      .map(([room, ids]) => [room.slice('room:'.length), [...ids]]));
  });
  // ANCHOR_END: who

  // ANCHOR: gone
  socket.on('disconnecting', () => {
    // Each of the others once, however many rooms they share.
    socket.to([...socket.rooms]).emit('gone', socket.id);
  });
  // ANCHOR_END: gone

  socket.emit('welcome', socket.id);
});

// ANCHOR: room
/** What Socket.IO calls the room. Each client is alone in a
 *  room that has its id for a name, and with the prefix
 *  nobody else can get in there. */
function key(name) {
  check(isText(name));
  const { length } = [...name];
  if (length < 1 || length > LONGEST) {
    throw new Error(`a room's name has 1 to ${LONGEST} characters`);
  }
  return `room:${name}`;
}

const isText = (value) => typeof value === 'string';

function check(fits) {
  if (!fits) throw new Error('wrong arguments');
}
// ANCHOR_END: room

// ANCHOR: on
/** Answers an event with what `action` returns or throws. */
function reply(action) {
  return async (...data) => {
    const ack = typeof data.at(-1) === 'function'
      ? data.pop()
      : () => {};
    let answer;
    try {
      check(data.length === action.length);
      answer = { result: await action(...data) ?? null };
    } catch ({ message }) {
      answer = { error: message };
    }
    ack(answer);
  };
}
// ANCHOR_END: on

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
  server.closeAllConnections();
});
