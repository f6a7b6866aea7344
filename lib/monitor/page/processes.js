// The table of processes: what each does now, what it waits for, and a timeline of what it did while the page was
// open. The timeline is made of samples: what a process did between two of them isn't known.

import {
  age,
  byId,
  bytes,
  count,
  drawing,
  element,
  list,
  objectName,
  setAttribute,
  setText,
} from "./dom.js";
import { place } from "./main.js";

/** Rows that are shown, and how long the page remembers, in ms. */
const MOST_ROWS = 100, MEMORY_MS = 30 * 60_000;
/** A gap between two samples that is longer than this wasn't watched, in ms. */
const GAP_MS = 15_000;

const WORDS = { Connection: "pipe", RLock: "RLock" };

/** By pid and start: what the process did, as spans { from, to, state }. */
const histories = new Map();

/** Remembers what each process does. */
export function noteProcesses({ processes, at }) {
  for (const process of processes) {
    const key = keyOf(process), before = histories.get(key);
    const history = before ?? { spans: [], endedAt: undefined, failed: false };
    if (before === undefined) histories.set(key, history);
    const { spans } = history, last = spans.at(-1);
    history.seenAt = at;
    if (process.state === "ended") {
      // One that had ended before is shown as far as it is known.
      history.endedAt ??= before === undefined ? process.startedAt : last?.to ?? at;
      history.failed = process.exitCode !== 0 && process.exitCode !== null;
      continue;
    }
    const since = process.state === "running" ? at : Math.min(process.since, at);
    if (last === undefined) {
      spans.push({ from: process.startedAt, to: since, state: "unseen" });
      spans.push({ from: since, to: at, state: process.state });
    } else if (last.state === process.state && at - last.to < GAP_MS) {
      last.to = at;
    } else {
      const from = at - last.to > GAP_MS ? Math.max(last.to, since) : last.to;
      if (from > last.to) spans.push({ from: last.to, to: from, state: "unseen" });
      spans.push({ from, to: at, state: process.state });
    }
    while (spans.length > 1 && spans[0].to < at - MEMORY_MS) spans.shift();
  }
  for (const [key, { seenAt }] of histories) if (seenAt < at - MEMORY_MS) histories.delete(key);
}

const keyOf = ({ pid, startedAt }) => `${pid} ${startedAt}`;

/** Shows the processes that the filter lets through: those that live first, as they were started. */
export function showProcesses({ processes, deadlocks, queues, at }) {
  const filter = byId("process-filter").value.trim().toLowerCase();
  const isEndedWanted = byId("ended").checked, seconds = Number(byId("window").value);
  const stuck = new Set(deadlocks.flatMap(({ cycle }) => cycle.map(({ pid }) => pid)));
  const matching = processes.filter((process) => {
    if (process.state === "ended" && !isEndedWanted) return false;
    return filter === "" || textOf(process).includes(filter);
  });
  const alive = matching.filter(({ state }) => state !== "ended");
  const ended = matching.filter(({ state }) => state === "ended").reverse();
  const rows = [...alive, ...ended].slice(0, MOST_ROWS);
  const names = new Map(processes.map(({ pid, name }) => [pid, name]));
  // A wait has the name of its object only after a while.
  const queueNames = new Map(queues.rows.map(({ id, name }) => [id, name]));
  list(byId("process-rows"), rows, keyOf, makeRow, (row, process) => {
    update(row, process, { at, seconds, names, queueNames, isStuck: stuck.has(process.pid) });
  });
  const living = processes.filter(({ state }) => state !== "ended").length;
  setText(byId("process-count"), `${count(living)} alive`);
  setText(byId("axis-from"), `${seconds / 60} min ago`);
  const note = byId("process-note");
  note.hidden = matching.length === rows.length && rows.length > 0;
  setText(
    note,
    rows.length === 0
      ? "No process matches the filter."
      : `${count(matching.length - rows.length)} more: narrow the filter to see them.`,
  );
}

function textOf({ name, pid, state, waits }) {
  const objects = waits.map(({ call, on }) => `${call} ${on.name ?? ""}`).join(" ");
  return `${name} ${pid} ${state} ${objects}`.toLowerCase();
}

function makeRow({ name, pid, daemon, sandboxed }) {
  const tags = [daemon && "daemon", sandboxed && "sandboxed"].filter(Boolean);
  const process = element(
    "th",
    { scope: "row", class: "process" },
    element("span", { class: "name" }, name),
    element("span", { class: "sub" }, [`pid ${pid}`, ...tags].join(", ")),
  );
  const state = element("td", { class: "state" }, element("span", { class: "pill" }));
  const strip = drawing("svg", {
    class: "strip",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  return element(
    "tr",
    {},
    process,
    state,
    element("td", { class: "strip-cell" }, strip),
    element("td", { class: "waits" }),
    element("td", { class: "number cpu" }),
    element("td", { class: "number heap" }),
  );
}

function update(row, process, { at, seconds, names, queueNames, isStuck }) {
  const [, state, strip, waits, cpu, heap] = row.children;
  setAttribute(row, "data-state", isStuck ? "stuck" : stateOf(process));
  setText(state.firstChild, isStuck ? "deadlocked" : stateText(process));
  drawStrip(strip.firstChild, histories.get(keyOf(process)), at, seconds * 1000);
  const shown = process.waits.filter(({ call }) => call !== "");
  const lines = shown.slice(0, 3);
  list(waits, lines, (wait) => `${wait.call} ${wait.on.id} ${wait.since}`, () => {
    return element("div", { class: "wait" }, element("span"), element("span", { class: "sub" }));
  }, (line, wait) => {
    const { call, on, since, heldBy, until } = wait;
    const object = on.kind === "Process" ? `“${on.name ?? ""}”` : objectName(
      WORDS[on.kind] ?? on.kind.toLowerCase(),
      on.id,
      on.name ?? (on.kind === "Queue" ? queueNames.get(on.id) : undefined),
    );
    setText(line.firstChild, `${call} of ${object}`);
    const held = heldBy === undefined || on.kind === "Process"
      ? []
      : [`held by ${names.get(heldBy) ?? heldBy}`];
    const left = until === null ? [] : [`${age(until - at)} left`];
    const where = wait.at === undefined ? [] : [place(wait.at, wait.by)];
    setText(
      line.lastChild,
      [age(at - since), on.detail, ...held, ...left, ...where].filter(Boolean).join(" · "),
    );
    if (wait.at !== undefined) setAttribute(line, "title", wait.at);
  });
  const more = shown.length - lines.length + process.moreWaits;
  if (more > 0) waits.dataset.more = `and ${count(more)} more`;
  else delete waits.dataset.more;
  setText(cpu, process.cpu === undefined ? "" : age(process.cpu));
  setText(heap, process.heap === undefined ? "" : bytes(process.heap));
}

function stateOf({ state, exitCode }) {
  return state === "ended" && exitCode !== 0 && exitCode !== null ? "killed" : state;
}

function stateText({ state, exitCode }) {
  if (state !== "ended") return { running: "runs", waiting: "waits" }[state] ?? state;
  if (exitCode === null) return "ended";
  if (exitCode === -15) return "terminated";
  return exitCode === -9 ? "killed" : `exit code ${exitCode}`;
}

/** Running is high, waiting is a line: the strip can be read without its colours. */
const HEIGHTS = { running: 20, blocked: 12, waiting: 4, unseen: 2, starting: 12, ending: 12 };

function drawStrip(svg, history, at, span) {
  const begin = at - span;
  setAttribute(svg, "viewBox", `0 0 1000 24`);
  const x = (time) => Math.max(0, Math.min(1000, (time - begin) / span * 1000));
  const shapes = [];
  for (const [i, { from, to, state }] of (history?.spans ?? []).entries()) {
    if (to < begin) continue;
    const left = x(from), right = Math.max(x(to), left + 1), height = HEIGHTS[state] ?? 4;
    shapes.push({ key: `${i} ${from} ${state}`, state, left, width: right - left, height });
  }
  if (history?.endedAt > begin) {
    const left = Math.min(x(history.endedAt), 996);
    shapes.push({
      key: "end",
      state: history.failed ? "killed" : "ended",
      left,
      width: 4,
      height: 24,
    });
  }
  list(
    svg,
    shapes,
    ({ key }) => key,
    ({ state }) => drawing("rect", { class: `bar ${state}` }),
    (bar, shape) => {
      setAttribute(bar, "x", shape.left.toFixed(1));
      setAttribute(bar, "width", shape.width.toFixed(1));
      setAttribute(bar, "y", `${12 - shape.height / 2}`);
      setAttribute(bar, "height", `${shape.height}`);
    },
  );
}
