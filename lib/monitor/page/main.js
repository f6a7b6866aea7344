// Asks for a snapshot as often as the server says, while the page is seen, and shows it.

import { age, byId, element, list, setAttribute, setText } from "./dom.js";
import { showChart } from "./chart.js";
import { showGraph } from "./graph.js";
import { showPools } from "./pools.js";
import { noteProcesses, showProcesses } from "./processes.js";
import { showLocks, showQueues } from "./tables.js";

/** How long to wait after an answer that failed, in ms. */
const RETRY_MS = 2000;

let snapshot, timer, isPaused = false, isAsking = false, failedSince;

async function ask() {
  clearTimeout(timer);
  if (isAsking) return;
  isAsking = true;
  let wait = RETRY_MS;
  try {
    const query = new URLSearchParams({
      filter: byId("object-filter").value.trim(),
      order: byId("order").value,
    });
    const response = await fetch(`data?${query}`, { cache: "no-store" });
    if (!response.ok) throw new Error(`${response.status}`);
    snapshot = await response.json();
    failedSince = undefined;
    wait = snapshot.interval;
    noteProcesses(snapshot);
    if (!isPaused) show();
  } catch (error) {
    if (!(error instanceof TypeError) && !/^\d+$/.test(error.message)) console.error(error);
    failedSince ??= Date.now();
  }
  isAsking = false;
  showStatus();
  if (!document.hidden) timer = setTimeout(ask, wait);
}

function show() {
  if (snapshot === undefined) return;
  const alive = snapshot.processes.filter(({ state }) => state !== "ended");
  const waiting = alive.filter(({ state }) => state === "waiting" || state === "blocked");
  const main = snapshot.processes.find(({ parent }) => parent === null);
  setText(byId("title"), main === undefined ? "Processes" : `Program ${main.pid}`);
  const { deadlocks } = snapshot;
  const trouble = deadlocks.length === 0
    ? ""
    : deadlocks.length === 1
    ? ", 1 deadlock"
    : `, ${deadlocks.length} deadlocks`;
  const up = main === undefined ? "" : `up ${age(snapshot.at - main.startedAt)}`;
  setText(
    byId("summary"),
    `${
      plural(alive.length, "process", "processes")
    }, ${waiting.length} of them waiting${trouble} · ${up}`,
  );
  document.title = `${
    deadlocks.length > 0 ? "⚠ Deadlock – " : ""
  }${alive.length} processes – Monitor`;
  showTrouble();
  showProcesses(snapshot);
  showGraph(snapshot);
  showChart(snapshot);
  showQueues(snapshot);
  showLocks(snapshot);
  showPools(snapshot);
  const every = snapshot.interval < 10_000
    ? `${(snapshot.interval / 1000).toFixed(1)} s`
    : age(snapshot.interval);
  setText(
    byId("cost"),
    `A snapshot every ${every}, each in ${
      snapshot.cost.toFixed(1)
    } ms. The page only reads, and never shows what is in queues, arguments and results.`,
  );
}

function plural(n, one, many) {
  return `${n} ${n === 1 ? one : many}`;
}

/** Deadlocks, with who waits for what, and the sentences of inspect(). */
function showTrouble() {
  const names = new Map(snapshot.processes.map(({ pid, name }) => [pid, name]));
  const nameOf = (pid) => names.get(pid) ?? `process ${pid}`;
  const items = snapshot.deadlocks.map(({ certain, cycle }) => ({
    title: certain ? "Deadlock" : "Probably a deadlock",
    text: certain
      ? "Each waits for what the next one holds. Only the end of a process ends it."
      : "Each waits for what the next one holds, unless another task of one of them releases it.",
    steps: cycle.map(({ pid, waitsFor, heldBy, at }) => {
      const { kind, id, name } = waitsFor;
      const object = kind === "Process"
        ? "the end of"
        : `${kind} ${id}${name === undefined ? "" : ` “${name}”`}, held by`;
      return `${nameOf(pid)} waits for ${object} ${nameOf(heldBy)}${
        at === undefined || place(at) === "" ? "" : `, at ${place(at)}`
      }`;
    }),
  }));
  const { advice } = snapshot;
  if (advice.length === 1) items.push({ title: "", text: advice[0], steps: [] });
  else if (advice.length > 1) items.push({ title: "", text: "", steps: advice });
  byId("trouble").hidden = items.length === 0;
  list(
    byId("trouble-list"),
    items,
    (item) => JSON.stringify(item),
    ({ title, text, steps }) => {
      const box = element("div", { class: title === "" ? "advice" : "deadlock" });
      if (title !== "") box.append(element("h3", {}, title));
      if (text !== "") box.append(element("p", {}, text));
      if (steps.length > 0) {
        box.append(
          element(title === "" ? "ul" : "ol", {}, ...steps.map((step) => element("li", {}, step))),
        );
      }
      return box;
    },
    () => {},
  );
}

/** A place without the folders of its file; of a function that travels by source only its name is known. */
export function place(at, by) {
  return at.startsWith("data:") ? by ?? "" : at.replace(/^.*\/(?=[^/]*:\d+:\d+$)/, "");
}

function showStatus() {
  const status = byId("status");
  const [state, text] = failedSince !== undefined
    ? ["lost", `No answer since ${new Date(failedSince).toLocaleTimeString()}`]
    : isPaused
    ? ["paused", "Paused"]
    : ["live", "Live"];
  setAttribute(status, "data-is", state);
  setText(status, text);
  setAttribute(document.body, "data-is", state);
}

byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  setAttribute(byId("pause"), "aria-pressed", `${isPaused}`);
  setText(byId("pause"), isPaused ? "Go on" : "Pause");
  showStatus();
  if (!isPaused) show();
});
for (const id of ["object-filter", "order"]) byId(id).addEventListener("input", ask);
for (const id of ["process-filter", "window", "ended"]) {
  byId(id).addEventListener("input", () => snapshot && showProcesses(snapshot));
}
document.addEventListener("visibilitychange", () => document.hidden ? clearTimeout(timer) : ask());
ask();
