// The browser for the tests: the system's own, since closed networks do not let a
// package download one.

import { accessSync, constants } from 'node:fs';
import { chromium } from 'playwright-core';

const PATH = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts Chromium, or ends the process with one line that says how to get it. */
export async function launch() {
  try {
    accessSync(PATH, constants.X_OK);
  } catch {
    console.error(
      `no Chromium at ${PATH}: install it (Debian: apt-get install chromium) or set CHROMIUM to its path`,
    );
    process.exit(1);
  }
  return chromium.launch({
    executablePath: PATH,
    args: [
      // Root in a container cannot start the sandbox; the pages are our own.
      '--no-sandbox',
      '--disable-gpu',
      // No requests by the browser itself: every one that is seen comes from a page.
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
