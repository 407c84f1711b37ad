'use strict';

// Only in pages served by `cargo book`: reloads the page when there is a newer build of
// it, and says what is wrong while there is none.

(() => {
  const RETRY = 500; // ms

  // The build that this page belongs to. The server says so in a header, which cannot be
  // older or newer than the page itself.
  const [navigation] = performance.getEntriesByType('navigation');
  const timing = navigation?.serverTiming?.find((entry) => entry.name === 'build');
  let shown = timing?.description;

  function banner(problems) {
    document.getElementById('live-problems')?.remove();
    if (problems.length === 0) return;
    const box = document.createElement('div');
    box.id = 'live-problems';
    box.setAttribute('role', 'alert');
    const title = document.createElement('strong');
    title.textContent = 'The book does not build. This is the last good page.';
    const list = document.createElement('ul');
    for (const problem of problems) {
      const item = document.createElement('li');
      item.textContent = problem;
      list.append(item);
    }
    box.append(title, list);
    box.style.cssText = 'position:fixed;inset:auto 0 0;z-index:2000;max-height:40vh;'
      + 'overflow:auto;padding:12px 20px;background:#8a1020;color:#fff;'
      + 'font:14px/1.5 monospace;overflow-wrap:anywhere;';
    list.style.cssText = 'margin:4px 0 0;padding-left:20px;';
    document.body.append(box);
  }

  function connect() {
    const socket = new WebSocket(`ws://${location.host}/__live`);
    socket.onmessage = ({ data }) => {
      const { build, problems } = JSON.parse(data);
      shown ??= build;
      // The browser keeps the place on the page.
      if (build !== shown) location.reload();
      else if (build !== 'none') banner(problems);
    };
    // `cargo book` has ended, and may be started again.
    socket.onclose = () => setTimeout(connect, RETRY);
  }

  connect();
})();
