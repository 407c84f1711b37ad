// What lesson 05's page shows, for the pages of the lessons after it.

const log = document.querySelector('[role="log"]');
const status = document.querySelector('[role="status"]');

/** Adds a line to the log: of texts, which are never markup, and of elements. */
export function add(kind, ...parts) {
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 1;
  const line = document.createElement('p');
  line.className = kind;
  line.append(...parts);
  log.append(line);
  if (log.childElementCount > 500) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Says how the connection is: `state` is `open` or `closed`. */
export function show(state, text) {
  document.body.dataset.state = state;
  status.textContent = text;
}
