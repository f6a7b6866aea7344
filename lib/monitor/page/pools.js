// Pools: figures, histograms, workers, and the items that took longest.

import {
  age,
  byId,
  count,
  drawing,
  duration,
  element,
  list,
  setAttribute,
  setText,
} from "./dom.js";

/** Workers of a pool that are shown. */
const MOST_WORKERS = 32;
/** When the main process told this long ago, the page says so, in ms. */
const OLD_MS = 3000;

/** Shows the pools as the main process told of them last. */
export function showPools({ pools, toldAt, at }) {
  byId("pools").hidden = pools.length === 0;
  byId("pools-link").hidden = pools.length === 0;
  const isOld = pools.length > 0 && toldAt !== null && at - toldAt > OLD_MS;
  byId("pool-age").hidden = !isOld;
  if (isOld) {
    setText(
      byId("pool-age"),
      `The main process is busy, or blocked: its pools are as they were ${age(at - toldAt)} ago.`,
    );
  }
  const keyed = pools.map((pool, i) => ({ key: `${i} ${pool.name}`, pool }));
  list(
    byId("pool-list"),
    keyed,
    ({ key }) => key,
    ({ pool }) => makePool(pool),
    (card, { pool }) => updatePool(card, pool),
  );
}

function makePool({ name }) {
  const figures = element("dl", { class: "figures" });
  const card = element(
    "article",
    { class: "pool", "aria-label": `Pool ${name}` },
    element("h3", {}, name, element("span", { class: "sub" })),
    figures,
    element(
      "div",
      { class: "histograms" },
      histogram("Running time"),
      histogram("Time before a worker takes it"),
    ),
    element(
      "div",
      { class: "columns" },
      element("div", {}, element("h4", {}, "Workers"), table("Worker", "State", "Done", "Now")),
      element("div", {}, element("h4", {}, "Slowest items"), table("Task", "Item", "Took")),
    ),
  );
  return card;
}

function table(...heads) {
  const row = element(
    "tr",
    {},
    ...heads.map((head) => {
      const isNumber = head === "Done" || head === "Item" || head === "Took";
      return element("th", { scope: "col", class: isNumber ? "number" : "" }, head);
    }),
  );
  return element("table", { class: "small" }, element("thead", {}, row), element("tbody"));
}

function updatePool(card, pool) {
  const [title, figures, histograms, columns] = card.children;
  setText(title.lastChild, pool.closed ? " closed" : "");
  const shown = [
    ["Completed", count(pool.completed)],
    ["Failed", count(pool.failed)],
    ["Waiting", count(pool.waiting)],
    ["Restarts", count(pool.restarts)],
    ["In use", `${Math.round(pool.utilization * 100)} %`],
    ["Up", age(pool.uptimeMs)],
  ];
  list(figures, shown, ([label]) => label, ([label]) => {
    return element("div", {}, element("dt", {}, label), element("dd"));
  }, (box, [label, text]) => {
    setText(box.lastChild, text);
    if (label === "Failed") setAttribute(box, "class", pool.failed > 0 ? "bad" : "");
  });
  drawHistogram(histograms.firstChild, pool.histograms.running, pool.runningMs);
  drawHistogram(histograms.lastChild, pool.histograms.waiting, pool.waitingMs);
  const [workers, slowest] = columns.children;
  list(
    workers.querySelector("tbody"),
    pool.workers.slice(0, MOST_WORKERS),
    ({ name }) => name,
    ({ name }) => {
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td"),
        element("td", { class: "number" }),
        element("td"),
      );
    },
    (row, { state, done, running }) => {
      const [, what, number, now] = row.children;
      setText(what, state);
      setText(number, count(done));
      setText(
        now,
        running.map(({ task, index, ms }) =>
          `${task}${index > 0 ? ` #${index}` : ""}, ${duration(ms)}`
        ).join("; "),
      );
    },
  );
  const isMap = pool.slowest.some(({ index }) => index > 0);
  const ranked = pool.slowest.map((item, i) => ({ ...item, i }));
  list(slowest.querySelector("tbody"), ranked, ({ i }) => i, () => {
    return element(
      "tr",
      {},
      element("th", { scope: "row" }),
      element("td", { class: "number" }),
      element("td", { class: "number" }),
    );
  }, (row, { task, index, ms }) => {
    const [what, item, took] = row.children;
    setText(what, task);
    setText(item, isMap ? `#${index}` : "");
    setText(took, duration(ms));
  });
}

function histogram(title) {
  return element(
    "figure",
    { class: "histogram" },
    element("figcaption", {}, title, element("span", { class: "sub" })),
    drawing(
      "svg",
      { viewBox: "0 0 200 48", preserveAspectRatio: "none", role: "img" },
      drawing("title"),
    ),
    element("div", { class: "axis" }, element("span"), element("span")),
  );
}

/** Bars of a width that grows by a factor; two bars for a doubling. */
function drawHistogram(figure, buckets, { count: total, p50, p90, p99, max }) {
  const [caption, svg, axis] = figure.children;
  const bars = new Map();
  for (const [ms, n] of buckets) {
    const at = Math.floor(Math.log2(ms) * 2 + 1e-6);
    bars.set(at, (bars.get(at) ?? 0) + n);
  }
  figure.hidden = total === 0;
  if (total === 0) return;
  const first = Math.min(...bars.keys()) - 1, last = Math.max(...bars.keys(), first + 8) + 1;
  const highest = Math.max(...bars.values()), width = 200 / (last - first + 1);
  const text = `median ${duration(p50)}, 90 % within ${duration(p90)}, 99 % within ${
    duration(p99)
  }, longest ${duration(max)}`;
  setText(caption.lastChild, text);
  setText(svg.firstChild, text);
  const shapes = [...bars].map(([at, n]) => ({ at, height: Math.max(n / highest * 44, 1.5) }));
  svg.bars ??= svg.appendChild(drawing("g"));
  list(
    svg.bars,
    shapes,
    ({ at }) => at,
    () => drawing("rect", { class: "column" }),
    (bar, { at, height }) => {
      setAttribute(bar, "x", ((at - first) * width + 0.4).toFixed(2));
      setAttribute(bar, "width", (width - 0.8).toFixed(2));
      setAttribute(bar, "y", (48 - height).toFixed(2));
      setAttribute(bar, "height", height.toFixed(2));
    },
  );
  setText(axis.firstChild, duration(2 ** (first / 2)));
  setText(axis.lastChild, duration(2 ** ((last + 1) / 2)));
}
