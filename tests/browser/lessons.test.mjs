// The pages of the lessons, with the lesson itself behind them and with its Node twin.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { ROOT, lesson, start, stop } from './program.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PEERS = {
  rust: (name) => [lesson(name), []],
  node: (name) => ['node', [join(ROOT, 'examples', name, 'node/server.mjs')]],
};

// Without npm, a lesson serves the course's own client. Its pages must not notice.
const OWN_CLIENT = join(ROOT, 'crates/parity/src/client.js');

let browser;
let ownClient = false;
const running = new Set();

before(async () => {
  browser = await launch();
  const newPage = browser.newPage.bind(browser);
  browser.newPage = async (options) => {
    const page = await newPage(options);
    if (ownClient) await page.route('**/socket.io/socket.io.js', (route) => route.fulfill({ path: OWN_CLIENT }));
    return page;
  };
});

after(async () => {
  await browser?.close();
  await Promise.all([...running].map(stop));
});

/** Starts a lesson, which is stopped at the end if a test fails. */
async function open(peer, name, port) {
  const [program, args] = PEERS[peer](name);
  const server = await start(program, args, port);
  running.add(server);
  return server;
}

/** Waits until something shows this text. */
const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

/** Types into the field labelled Message, and presses Enter. */
async function send(page, text) {
  await page.getByLabel('Message').fill(text);
  await page.getByLabel('Message').press('Enter');
}

// Without quotation marks, which JSON would escape.
const MARKUP = '<img src=x onerror=document.title=1><b>bold</b>';

// What each lesson's page shows. What holds for all of them is tested below.
const LESSONS = {
  '05_ws_echo': async (t, page, { status, log }) => {
    await t.test('text and bytes come back as what they were', async () => {
      await send(page, 'héllo');
      await says(log.locator('.received'), '← text   héllo');
      await page.getByRole('button', { name: 'Send as bytes' }).click();
      await says(log.locator('.received'), '← binary 68 c3 a9 6c 6c 6f');
    });

    await t.test('a close is shown with its code, and the page connects again', async () => {
      await page.getByLabel('Close code').fill('1002');
      await page.getByRole('button', { name: 'Close' }).click();
      await says(log.locator('.note'), /1002|close code/i);
      await page.getByLabel('Close code').fill('3001');
      await page.getByRole('button', { name: 'Close' }).click();
      await says(log.locator('.note'), 'closed: 3001 done');
      await says(status, /^connected$/);
    });
  },

  '06_ws_json': async (t, page, { log }) => {
    await t.test('a call is answered with its result or an error', async () => {
      await page.getByRole('button', { name: 'Send' }).click();
      await says(log.locator('.received'), '← {"result":3}');
      await send(page, '{"op":"pow","args":[2,3]}');
      await says(log.locator('.received'), /^← \{"error":".*pow.*"\}$/);
    });
  },

  '07_ws_broadcast': async (t, page, { log }) => {
    await t.test('two tabs talk, in text and in bytes', async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      const heard = other.getByRole('log').locator('.received');
      await send(page, 'hello, tab');
      await says(heard, /^← 1: hello, tab$/);
      await send(other, 'and back');
      await says(log.locator('.received'), /^← 2: and back$/);
      await page.getByLabel('Message').fill('in bytes');
      await page.getByRole('button', { name: 'Send as bytes' }).click();
      await says(heard, /^← 1: in bytes$/);
      await send(other, MARKUP);
      await says(log.locator('.received'), `← 2: ${MARKUP}`);
      await other.close();
    });
  },

  '08_socketio_by_hand': async (t, page, { status, log }) => {
    const click = (name) => page.getByRole('button', { name, exact: true }).click();
    const sent = (text) => says(log.locator('.sent'), text);
    const received = (text) => says(log.locator('.received'), text);
    const last = () => log.locator('p').last();

    await t.test('each packet is shown as it is, and in words', async () => {
      await received(/^← 0\{.*"pingInterval":25000.*\} +open$/);
      await sent('→ 40{"page":8}  connect in /');
      await received(/^← 40\{"sid":"[\w-]+"\} +connect in \/$/);
      await received('← 42["auth",{"page":8}]  event in /');
      await send(page, 'héllo');
      await sent('→ 42["message","héllo"]  event in /');
      await received('← 42["message-back","héllo"]  event in /');
    });

    await t.test('acks go both ways', async () => {
      await click('Send, with ack');
      await sent('→ 421["message-with-ack","héllo"]  event in /, id 1');
      await received('← 431["héllo"]  ack in /, id 1');
      await click('Ask me');
      await received('← 420["question","héllo"]  event in /, id 0');
      await sent('→ 430["it is page 8"]  ack in /, id 0');
      await received('← 42["answered","it is page 8"]  event in /');
    });

    await t.test('bytes are an attachment', async () => {
      await click('Send as bytes');
      await received('← 451-["message-back",{"_placeholder":true,"num":0}]');
      await received('← 68 c3 a9 6c 6c 6f  attachment, 6 bytes');
    });

    await t.test('another namespace is connected to, used, and left', async () => {
      await page.getByLabel('Namespace').fill('/custom');
      await click('Connect');
      await received(/^← 40\/custom,\{"sid":.*connect in \/custom$/);
      await send(page, 'here');
      await received('← 42/custom,["message-back","here"]  event in /custom');
      await click('Disconnect');
      await sent('→ 41/custom,  disconnect in /custom');
      await page.getByLabel('Namespace').fill('/nope');
      await click('Connect');
      await received('← 44/nope,{"message":"Invalid namespace"}  connect error in /nope');
    });

    await t.test('a packet at the wrong time ends the connection, and it begins anew', async () => {
      await send(page, 'to nobody');
      await says(log.locator('.note'), 'closed: 1005');
      await page.getByLabel('Namespace').fill('/');
      await says(last(), '← 42["auth",{"page":8}]');
      await says(status, /^connected$/);
    });

    await t.test('after silence, the page ends the connection', async () => {
      const other = await browser.newPage();
      await other.clock.install();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      // Only for the page: the server's first ping is far away.
      await other.clock.fastForward(45_000);
      const notes = other.getByRole('log').locator('.note');
      await says(notes, 'nothing came for 45 s');
      await says(notes, 'closed: 1005');
      await other.close();
    });

    await t.test('a second tab is a client of its own', async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      const its = other.getByRole('log').locator('.received');
      await says(other.getByRole('status'), /^connected$/);
      await send(other, 'from the other tab');
      await says(its, '← 42["message-back","from the other tab"]');
      await other.close();
      // The answer to this comes after whatever else there was to come.
      await send(page, 'and here?');
      await received('← 42["message-back","and here?"]');
      assert.equal(await log.getByText('from the other tab').count(), 0);
    });
  },

  '09_connect': async (t, page, { status, log }) => {
    const click = (on, name) => on.getByRole('button', { name, exact: true }).click();
    const received = (text) => says(log.locator('.received'), text);
    const noted = (text) => says(log.locator('.note'), text);
    const other = await browser.newPage();
    await other.goto(page.url());
    const its = {
      status: other.getByRole('status'),
      notes: other.getByRole('log').locator('.note'),
      received: other.getByRole('log').locator('.received'),
    };

    await t.test('both sides know the same socket.id', async () => {
      await noted(/^connect: socket\.id is [\w-]{16,}$/);
      await received(/^← welcome: the server has the same socket\.id;/);
      await received(/^← joined: [\w-]{16,}; 2 in the lobby now$/);
    });

    await t.test('what is sent comes back', async () => {
      await send(page, 'héllo');
      await says(log.locator('.sent'), /^→ hello héllo$/);
      await received(/^← hello héllo$/);
    });

    await t.test('who disconnects stays away until told to connect', async () => {
      await click(other, 'Disconnect');
      await says(its.notes, /^disconnect: io client disconnect$/);
      await says(its.status, /^not connected; press Connect$/);
      await received(/^← left: .* "client namespace disconnect"; was in lobby$/);
      await send(other, 'to nobody');
      await says(its.notes, /^not connected: not sent$/);
      await click(other, 'Connect');
      await says(its.status, /^connected$/);
    });

    await t.test('who says bye is disconnected by the server', async () => {
      await click(other, 'Send bye');
      await says(its.notes, /^disconnect: io server disconnect$/);
      await says(its.status, /^not connected; press Connect$/);
      await received(/^← left: .* "server namespace disconnect"; was in lobby$/);
      await click(other, 'Connect');
      await says(its.status, /^connected$/);
    });

    await t.test('a namespace that is not there is an error, as often as one tries', async () => {
      for (let n = 1; n <= 2; n += 1) {
        await click(page, 'Try a namespace that is not there');
        const errors = log.locator('.note').filter({ hasText: '/nowhere: connect_error: Invalid namespace' });
        await errors.nth(n - 1).waitFor();
      }
      await says(status, /^connected$/);
    });

    await t.test('a tab that is closed has left', async () => {
      await other.close();
      await received(/^← left: .* "transport close"; was in lobby$/);
    });
  },

  '10_events': async (t, page, { log }) => {
    const click = (name) => page.getByRole('button', { name, exact: true }).click();
    const sent = (text) => says(log.locator('.sent'), text);
    const received = (text) => says(log.locator('.received'), text);

    await t.test('three arguments come back, each as what it was', async () => {
      await click('Send');
      await sent('→ event_name "hello" 10 {"name":"allie"}');
      await received('← event_back "hello" 10 {"name":"allie"}');
      await click('Echo');
      await received('← echo "hello" 10 {"name":"allie"}');
      await says(log.locator('.note'), '← echoed 1');
    });

    await t.test('what does not fit is a problem', async () => {
      await page.getByLabel('Number').fill('ten');
      await click('Send');
      await sent('→ event_name "hello" "ten" {"name":"allie"}');
      await received(/^← problem \{"event":"event_name","error":".+"\}$/);
      await page.getByLabel('Number').fill('7');
    });

    await t.test('bytes go and come', async () => {
      await click('Upload as a file');
      await sent('→ upload {"name":"allie","data":"bytes: 68 65 6c 6c 6f"}');
      await received('← uploaded "allie" 5 "bytes: 68 65 6c 6c"');
    });

    await t.test('5,000 events in a row all arrive', async () => {
      await click('Count to 5000');
      await received('← 5000 times number, in order; counted 5000');
    });

    await t.test('a second tab is a client of its own', async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      await other.getByRole('button', { name: 'Echo' }).click();
      await says(other.getByRole('log').locator('.note'), '← echoed 1');
      await other.close();
    });
  },

  '11_acks': async (t, page, { log }) => {
    const click = (name) => page.getByRole('button', { name, exact: true }).click();
    const received = (text) => says(log.locator('.received'), text);

    await t.test('an ack has three arguments, one, or none', async () => {
      await send(page, 'héllo');
      await says(log.locator('.sent'), '→ event_name "héllo", 10, {"name":"allie"}');
      await received('← event_name was answered: "héllo", 10, {"name":"allie"}');
      await click('Save');
      await received('← save was answered: {"saved":"todo"}');
      await click('Load');
      await received('← load was answered: {"note":"héllo"}');
      await click('Remove');
      await received('← remove was answered: nothing');
      await click('Load');
      await received('← load was answered: {"error":"no note todo"}');
    });

    await t.test('the server asks before it overwrites, and bytes are bytes', async () => {
      await click('Save as bytes');
      await received('← save was answered: {"saved":"todo"}');
      await click('Load');
      await received('← load was answered: {"note":"68 c3 a9 6c 6c 6f"}');
      await page.getByLabel('Message').fill('changed');
      await click('Save');
      await says(page.locator('.question'), 'Overwrite todo, "68 c3 a9 6c 6c 6f"?');
      await click('No');
      await received('← save was answered: {"error":"you said no"}');
      await click('Save');
      await click('Yes');
      await click('Load');
      await received('← load was answered: {"note":"changed"}');
    });

    await t.test('a client that has waited long enough gives up', async () => {
      await page.getByLabel('Wait at most').fill('50');
      await click('Save');
      await says(log.locator('.note'), 'save: no answer');
      await click('No');
      await page.getByLabel('Wait at most').fill('20000');
    });

    await t.test('another tab is asked, and its answer arrives', async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      await page.getByLabel('Message').fill(MARKUP);
      await click('Ask the others');
      await other.getByLabel(MARKUP).fill('<i>no</i>');
      await other.getByLabel(MARKUP).press('Enter');
      await received(/^← ask was answered: \{".+":"<i>no<\/i>"\}, \[\]$/);
      assert.equal(await other.locator('img, b, i').count(), 0);

      // And if it is closed instead, it is named as silent, at once.
      await click('Ask the others');
      await says(other.getByRole('log').locator('.received').nth(1), MARKUP);
      await other.close();
      await received(/^← ask was answered: \{\}, \[".+"\]$/);
    });
  },

  '12_rooms': async (t, page, { log }) => {
    const tab = async () => {
      const other = await browser.newPage();
      await other.goto(page.url());
      await says(other.getByRole('status'), /^connected$/);
      await says(other.getByRole('log').locator('.note'), 'you are in lobby');
      return other;
    };
    const click = (tab, name) => tab.getByRole('button', { name, exact: true }).click();
    const enter = async (tab, room) => {
      await tab.getByLabel('Room', { exact: true }).fill(room);
      await click(tab, 'Join');
      await says(tab.getByRole('log').locator('.note'), `you are in ${room}`);
    };
    const said = (tab, text) => says(tab.getByRole('log').locator('.received'), text);
    const name = (tab) => tab.locator('#me').textContent();

    await says(log.locator('.note'), 'you are in lobby');
    const [bob, cy] = [await tab(), await tab()];

    await t.test('what is said in a room is heard there alone', async () => {
      await enter(page, 'red');
      await enter(bob, 'red');
      await send(bob, 'hello, red');
      await said(page, `← red, ${await name(bob)}: hello, red`);
      await said(bob, '← red, you: hello, red');
      await send(cy, 'hello, lobby');
      for (const each of [page, bob, cy]) await said(each, /^← lobby, .*: hello, lobby$/);
      assert.equal(await cy.getByRole('log').getByText('hello, red').count(), 0);
    });

    await t.test('whoever is not in a room cannot talk there', async () => {
      await cy.getByLabel('Room', { exact: true }).fill('red');
      await send(cy, 'psst');
      await says(cy.getByRole('log').locator('.note'), 'refused: you are not in this room');
      await click(cy, 'Who is there?');
      await said(cy, /^← in red: \S{16,}, \S{16,}$/);
    });

    await t.test('a click on an id is an invitation', async () => {
      await page.getByRole('button', { name: await name(cy) }).click();
      await said(cy, `← ${await name(page)} invites you to red`);
      await click(cy, 'Join');
      await says(log.locator('.note'), `${await name(cy)} has joined red`);
    });

    await t.test('the list of rooms shows who is where', async () => {
      const rooms = page.locator('#rooms');
      await says(rooms.locator('div'), new RegExp(`^red: .*${await name(cy)}`));
      await click(bob, 'Leave');
      await says(log.locator('.note'), `${await name(bob)} has left red`);
      // Of rooms that it is not in, the page learns when it looks again.
      await enter(bob, 'blue');
      await click(page, 'Look again');
      await says(rooms.locator('div'), `blue: ${await name(bob)}`);
      await Promise.all([bob.close(), cy.close()]);
      await says(rooms, /^lobby: you red: you $/);
      await page.getByLabel('Room', { exact: true }).fill('lobby');
    });
  },

  '13_messages': async (t, page, { log }) => {
    const tabs = [page, await browser.newPage(), await browser.newPage()];
    const ids = [];
    for (const tab of tabs) {
      if (tab !== page) await tab.goto(page.url());
      await says(tab.getByRole('status'), /^connected$/);
      await says(tab.locator('#me'), /^[\w-]{16,}$/);
      ids.push(await tab.locator('#me').textContent());
    }
    const [ada, bob, cy] = ids;
    const choose = (label) => page.getByLabel('To').selectOption({ label });
    /** Sends from the first tab, and looks at who has heard it. */
    const expectHeard = async (text, receivers) => {
      await send(page, text);
      for (const [n, tab] of tabs.entries()) {
        const received = tab.getByRole('log').locator('.received');
        if (receivers.includes(ids[n])) {
          await says(received, `← ${n === 0 ? 'you' : ada}: ${text}`);
        } else {
          // The answer comes after whatever else there was to come.
          const answers = tab.getByRole('log').locator('.note');
          const before = await answers.count();
          await tab.getByRole('button', { name: 'Who is here?' }).click();
          await answers.nth(before).waitFor();
          assert.equal(await received.filter({ hasText: text }).count(), 0);
        }
      }
    };

    await t.test('everyone who is here is offered', async () => {
      await page.getByRole('button', { name: 'Who is here?' }).click();
      await says(log.locator('.note'), cy);
      const offered = await page.getByLabel('To').getByRole('option').allTextContents();
      const expected = [
        'everyone',
        'everyone else',
        ...[bob, cy].flatMap((id) => [`${id} alone`, `everyone else but ${id}`]),
      ];
      assert.deepEqual(offered.sort(), expected.sort());
    });

    await t.test('a message is heard by whom it is for, and by nobody else', async () => {
      await expectHeard('to everyone', [ada, bob, cy]);
      await choose('everyone else');
      await expectHeard('to the others', [bob, cy]);
      await choose(`everyone else but ${cy}`);
      await expectHeard('hush', [bob]);
      await choose(`${cy} alone`);
      await expectHeard('psst', [cy]);
    });

    await t.test('who has left cannot be written to', async () => {
      await tabs[2].close();
      const refused = log.locator('.note', { hasText: `there is no client ${cy}` });
      while (await refused.count() === 0) await send(page, 'still there?');
      // The page asks anew who is here; with the answer the choice falls back.
      await page.waitForFunction(() => document.forms[0].to.value === 'sendMessageToAll');
      await tabs[1].close();
    });
  },

  '14_namespaces_auth': async (t, page, { log }) => {
    const click = (tab, name) => tab.getByRole('button', { name, exact: true }).click();
    const fill = (tab, label, text) => tab.getByLabel(label, { exact: true }).fill(text);
    const note = (text) => says(log.locator('.note'), text);
    const received = (text) => says(log.locator('.received'), text);
    const admin = await browser.newPage();
    await admin.goto(page.url());
    await says(admin.getByRole('status'), /^connected$/);
    const office = (kind, text) => says(admin.getByRole('log').locator(kind), text);

    await t.test('the lobby welcomes, and hears what is said', async () => {
      await note(/^\/ welcome to the lobby: [\w-]{16,}, one of [12]$/);
      await send(page, 'héllo');
      await says(log.locator('.sent'), '→ / say: héllo');
      await received(/^← \/ [\w-]{16,}: héllo$/);
      assert.ok(await page.getByRole('button', { name: 'Leave' }).isDisabled());
    });

    await t.test('a room is closed as long as there is no admin', async () => {
      await click(page, 'Knock');
      await note('/room-7 refused: nobody lets you in');
    });

    await t.test('a wrong token is refused with the reason, the right one opens', async () => {
      await click(admin, 'Enter /admin');
      await office('.note', '/admin refused: wrong token');
      await fill(admin, 'Token', 'let-me-in');
      await click(admin, 'Enter /admin');
      await office('.note', /^\/admin welcome to the office: .*, one of 1$/);
    });

    await t.test('an alert reaches the admin, and nobody else', async () => {
      await fill(page, 'Message', 'fire!');
      await click(page, 'Alert');
      await note('/ acked: they know');
      await office('.received', /^← \/admin ALERT from [\w-]{16,}: fire!$/);
      assert.equal(await log.getByText(/ALERT from/).count(), 0);
    });

    await t.test('the admin decides who gets into a room', async () => {
      await admin.getByLabel('Whoever knocks here').selectOption('is not let in');
      await click(page, 'Knock');
      await office('.received', '← /admin knock at room 7: no');
      await log.getByText('nobody lets you in').nth(1).waitFor();
      await admin.getByLabel('Whoever knocks here').selectOption('is let in');
      await click(page, 'Knock');
      await note(/^\/room-7 welcome to room 7: .*, one of 1$/);
      await fill(page, 'Room', '700');
      await click(page, 'Knock');
      await note('/room-700 refused: Invalid namespace');
    });

    await t.test('a room is heard by nobody outside, and can be left', async () => {
      await page.getByLabel('Speak in').selectOption('/room-7');
      await send(page, 'among us');
      await received(/^← \/room-7 [\w-]{16,}: among us$/);
      await click(page, 'Leave');
      await note('/room-7 disconnected: io client disconnect');
      await send(page, 'to all');
      await office('.received', /^← \/ [\w-]{16,}: to all$/);
      assert.equal(await admin.getByText('among us').count(), 0);
    });
    await admin.close();
  },
};

for (const [name, steps] of Object.entries(LESSONS)) {
  const variants = Object.keys(PEERS).map((peer) => ({ peer }));
  if (name >= '09') variants.push({ peer: 'rust', own: true });
  for (const { peer, own = false } of variants) {
    const client = own ? ', with the own client' : '';
    test(`${name}, ${peer}${client}: the page talks to its server`, async (t) => {
      ownClient = own;
      let server = await open(peer, name);
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      page.setDefaultTimeout(15_000);
      const faults = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      // With a fragment, which no WebSocket URL may have.
      await page.goto(`${server.origin}/#log-title`);
      const title = await page.title();
      const status = page.getByRole('status');
      const log = page.getByRole('log');
      await says(status, /^connected$/);

      await steps(t, page, { status, log });

      await t.test('markup in a message stays text', async () => {
        const before = await log.locator('.received').count();
        await send(page, MARKUP);
        await says(log.locator('.sent'), MARKUP);
        await log.locator('.received').nth(before).waitFor();
        assert.equal(await log.locator('img, b').count(), 0);
        assert.equal(await page.title(), title);
      });

      await t.test('a server that goes away is shown, and found again', async () => {
        await stop(server);
        await says(status, /^not connected; the next attempt/);
        server = await open(peer, name, new URL(server.origin).port);
        await says(status, /^connected$/);
      });

      await t.test('axe finds nothing, in light and dark, and nothing sticks out', async () => {
        await page.addScriptTag({ path: AXE });
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate(() => window.axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
        }
        const sideways = () => document.documentElement.scrollWidth > innerWidth;
        assert.ok(!await page.evaluate(sideways));
        assert.deepEqual(faults, []);
      });

      await t.test('the log keeps 500 lines, and stays where its reader is', async () => {
        const lines = log.locator('p');
        await page.getByLabel('Message').evaluate(({ form }) => {
          for (let n = 0; n < 300; n += 1) form.requestSubmit();
        });
        await lines.nth(499).waitFor();
        const below = (it) => it.scrollHeight - it.clientHeight - it.scrollTop;
        assert.ok(await log.evaluate(below) <= 1);

        const line = await lines.nth(400).elementHandle();
        await line.scrollIntoViewIfNeeded();
        const inView = (it) => it.getBoundingClientRect().top - it.parentElement.getBoundingClientRect().top;
        const before = await line.evaluate(inView);
        await send(page, 'one more');
        await says(log.locator('.sent'), 'one more');
        // A browser scrolls by whole pixels.
        assert.ok(Math.abs(await line.evaluate(inView) - before) <= 1);
        assert.equal(await lines.count(), 500);
      });

      await page.close();
      await stop(server);
    });
  }
}
