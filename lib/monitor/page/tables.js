// The tables of queues and of locks.

import { byId, count, element, list, objectName, rate, setAttribute, setText } from "./dom.js";

/** Shows the queues that the server has chosen. */
export function showQueues({ queues, processes, toldAt, untold }) {
  const names = namesOf(processes);
  setText(byId("queue-count"), count(queues.total));
  byId("queue-table").hidden = queues.rows.length === 0;
  list(byId("queue-rows"), queues.rows, ({ id }) => id, makeQueue, (row, queue) => {
    const [title, items, fill, put, got, waiting] = row.children;
    const { id, name, size, maxSize, putRate, gotRate, shutDown } = queue;
    setTitle(title, objectName("queue", id, ""), name, shutDown ? "shut down" : "");
    setText(
      items,
      size === null ? "?" : maxSize > 0 ? `${count(size)} of ${count(maxSize)}` : count(size),
    );
    fill.firstChild.hidden = maxSize === 0;
    fill.firstChild.firstChild.style.width = `${
      maxSize > 0 ? Math.min(100, (size ?? 0) / maxSize * 100) : 0
    }%`;
    setText(put, rate(putRate));
    setText(got, rate(gotRate));
    setText(waiting, waitersText(queue, names));
  });
  showNote(byId("queue-note"), queues, toldAt, "No queue is known.", untold);
}

function makeQueue() {
  return element(
    "tr",
    {},
    titleCell(),
    element("td", { class: "number", "data-label": "items" }),
    element("td", { class: "fill" }, element("div", { class: "gauge" }, element("div"))),
    element("td", { class: "number", "data-label": "put a second" }),
    element("td", { class: "number", "data-label": "got a second" }),
    element("td", { class: "waiting" }),
  );
}

/** Shows the locks, those that somebody waits for first. */
export function showLocks({ locks, processes, toldAt }) {
  const names = namesOf(processes);
  setText(byId("lock-count"), count(locks.total));
  byId("lock-table").hidden = locks.rows.length === 0;
  list(byId("lock-rows"), locks.rows, ({ kind, id }) => `${kind} ${id}`, makeLock, (row, lock) => {
    const [title, holder, waiting] = row.children, { kind, id, name, heldBy, detail } = lock;
    setTitle(title, objectName(kind, id, ""), name, "");
    setText(holder, heldBy === null ? detail || "free" : names.get(heldBy) ?? `process ${heldBy}`);
    setAttribute(holder, "class", heldBy === null ? "free" : "holder");
    setText(waiting, waitersText(lock, names));
  });
  showNote(byId("lock-note"), locks, toldAt, "No lock is known.", 0);
}

function makeLock() {
  return element("tr", {}, titleCell(), element("td"), element("td", { class: "waiting" }));
}

function titleCell() {
  return element(
    "th",
    { scope: "row" },
    element("span", { class: "name" }),
    element("span", { class: "sub" }),
  );
}

/** The name if it has one, and the number; else the number alone. */
function setTitle(cell, number, name, extra) {
  setText(cell.firstChild, name === "" ? number : name);
  setText(cell.lastChild, [name === "" ? "" : number, extra].filter(Boolean).join(", "));
}

function namesOf(processes) {
  return new Map(processes.map(({ pid, name }) => [pid, name]));
}

/** "get: consumer-1, consumer-2" by call. */
function waitersText({ waiters, waiterCount }, names) {
  const calls = new Map();
  for (const { pid, call } of waiters) {
    const method = call.replace(/^.*\./, "");
    if (!calls.has(method)) calls.set(method, new Map());
    const by = calls.get(method), name = names.get(pid) ?? `${pid}`;
    by.set(name, (by.get(name) ?? 0) + 1);
  }
  const texts = [...calls].map(([method, by]) => {
    return `${method}: ${[...by].map(([name, n]) => n === 1 ? name : `${name} ×${n}`).join(", ")}`;
  });
  const more = waiterCount - waiters.length;
  if (more > 0) texts.push(`and ${count(more)} more`);
  return texts.join("; ");
}

function showNote(note, { rows, matching, total }, toldAt, none, untold) {
  const texts = [];
  if (total === 0) texts.push(none);
  else if (matching === 0) texts.push("Nothing matches the filter.");
  else if (matching > rows.length) {
    texts.push(
      `${
        count(matching - rows.length)
      } more: narrow the filter, or choose another order, to see them.`,
    );
  }
  if (untold > 0) texts.push(`${count(untold)} further objects of the program aren't watched.`);
  if (toldAt === null) texts.push("The main process has not told of its objects yet.");
  note.hidden = texts.length === 0;
  setText(note, texts.join(" "));
}
