// The twin of lesson 11: the same board on `socket.io`.
// Run it: node examples/11_acks/node/server.mjs
import http from 'node:http';
import { Server } from 'socket.io';
import {
  listen, milliseconds, onShutdown, pages, port,
} from '../../lesson-kit.mjs';

const PATIENCE = milliseconds('ANSWER_TIMEOUT', 10_000);

const server = http.createServer(pages(new URL('../', import.meta.url)));
const io = new Server(server);
listen(server, port());

const notes = new Map();

io.on('connection', (socket) => {
  // ANCHOR: check
  socket.use(([event, ...args], next) => {
    if (fits(event, args)) return next();
    const ack = args.at(-1);
    if (!ANSWERS.has(event)) {
      socket.emit('problem', { event, error: 'wrong arguments' });
    } else if (typeof ack === 'function') {
      ack({ error: 'wrong arguments' });
    }
  });
  // ANCHOR_END: check

  // ANCHOR: event_name
  socket.on('event_name', (text, number, { name }, ack) => {
    // Not `ack(…)`: a client need not pass a callback.
    ack?.(text, number, { name });
  });
  // ANCHOR_END: event_name

  // ANCHOR: load
  socket.on('load', (name, ack) => {
    ack?.(notes.has(name)
      ? { note: notes.get(name) }
      : { error: `no note ${name}` });
  });

  socket.on('remove', (name, ack) => {
    notes.delete(name);
    ack?.();
  });
  // ANCHOR_END: load

  // ANCHOR: save
  socket.on('save', async (name, note, ack) => {
    const answer = await write(socket, name, note);
    // Last: "saved" must be true when the client hears it.
    ack?.(answer);
  });
  // ANCHOR_END: save

  // ANCHOR: ask
  socket.on('ask', async (question, ack) => {
    const all = [...io.sockets.sockets.values()];
    const others = all.filter((other) => other !== socket);
    const replies = await Promise.allSettled(others.map(
      (other) => emitWithAck(other, 'question', question),
    ));
    const answers = {};
    const silent = [];
    others.forEach(({ id }, n) => {
      const answer = replies[n].value;
      if (isText(answer)) answers[id] = answer;
      else silent.push(id);
    });
    ack?.(answers, silent);
  });
  // ANCHOR_END: ask

  socket.emit('welcome', socket.id);
});

// ANCHOR: write
async function write(socket, name, note) {
  let agreed;
  for (;;) {
    const old = notes.get(name);
    // Somebody may have written while the client thought.
    // It agreed to lose what it saw.
    if (old === undefined || old === agreed) {
      notes.set(name, note);
      return { saved: name };
    }
    try {
      const overwrite = await emitWithAck(socket, 'overwrite', name, old);
      if (overwrite === false) return { error: 'you said no' };
      if (overwrite !== true) {
        return { error: 'you said neither yes nor no' };
      }
      agreed = old;
    } catch {
      return { error: 'you did not answer in time' };
    }
  }
}
// ANCHOR_END: write

// ANCHOR: emit_with_ack
/** `socket.timeout(PATIENCE).emitWithAck(…)`, but it does not
 *  wait for a client that has left. */
function emitWithAck(socket, ...args) {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the client has left'));
    if (!socket.connected) return left();
    socket.once('disconnect', left);
    socket.timeout(PATIENCE).emit(...args, (error, answer) => {
      socket.off('disconnect', left);
      if (error) reject(error);
      else resolve(answer);
    });
  });
}
// ANCHOR_END: emit_with_ack

// ANCHOR: fits
const isText = (value) => typeof value === 'string';
const isNote = (value) => isText(value) || Buffer.isBuffer(value);
const isPerson = (value) => isText(value?.name);

const ARGUMENTS = {
  event_name: [isText, Number.isSafeInteger, isPerson],
  save: [isText, isNote],
  load: [isText],
  remove: [isText],
  ask: [isText],
};
/** These have an error among their answers. */
const ANSWERS = new Set(['save', 'load']);

function fits(event, args) {
  if (!Object.hasOwn(ARGUMENTS, event)) return true;
  const checks = ARGUMENTS[event];
  const values = typeof args.at(-1) === 'function' ? args.slice(0, -1) : args;
  return values.length === checks.length
    && checks.every((check, n) => check(values[n]));
}
// ANCHOR_END: fits

onShutdown(() => {
  io.close();
  // Whoever does not answer is not waited for.
  setTimeout(() => process.exit(0), 1_000).unref();
  server.closeAllConnections();
});
