// Servers under test: started on a port, waited for, and stopped.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const EXE = process.platform === 'win32' ? '.exe' : '';

/** The program `book`. Set BOOK_PROGRAM if Cargo's target folder is elsewhere. */
export const BOOK = process.env.BOOK_PROGRAM ?? join(ROOT, `target/debug/book${EXE}`);

/** The program of a lesson: Cargo puts examples beside its other programs. */
export const lesson = (name) => join(dirname(BOOK), 'examples', name + EXE);

/** Starts a server, and waits until it says that it is listening. */
export async function start(program, args, port = 0) {
  const child = spawn(program, args, {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`cannot start ${program} (is it built?): ${error.message}`);
  });
  return Promise.race([failed, listening(child, program)]);
}

async function listening(child, program) {
  for await (const line of createInterface({ input: child.stdout })) {
    const [, origin] = /^listening on (http:.*)$/.exec(line) ?? [];
    if (origin) {
      // Nobody reads the rest, and the program must not wait for a reader.
      child.stdout.resume();
      return { child, origin };
    }
  }
  throw new Error(`${program} ended before it listened`);
}

/** Stops a server; returns its exit code and the signal that killed it, if one did. */
export async function stop({ child }) {
  // A server that has already ended would not emit 'exit' again.
  if (child.exitCode !== null || child.signalCode) return [child.exitCode, child.signalCode];
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  return ended;
}
