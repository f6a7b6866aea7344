// Who waits for whom: a figure for each group of processes that hang together. Waiters stand above those they wait
// for. A process that only joins others is left out, because that is no sign of trouble.

import { byId, count, drawing, element, list } from "./dom.js";

const WIDTH = 168, NODE_HEIGHT = 40, GAP = 24, ROW = 104;
/** The most figures, and nodes in a figure, and nodes beside each other. */
const MOST_FIGURES = 6, MOST_NODES = 24, MOST_BESIDE = 4;

/** Draws the figures anew where something has changed. */
export function showGraph({ waitsFor, processes, deadlocks }) {
  const names = new Map(processes.map(({ pid, name }) => [pid, name]));
  const stuck = new Set(deadlocks.flatMap(({ cycle }) => cycle.map(({ pid }) => pid)));
  const groups = groupsOf(waitsFor).filter((edges) =>
    edges.some(({ object, from }) => object !== "" || stuck.has(from))
  );
  byId("graph").hidden = groups.length === 0;
  const figures = groups.slice(0, MOST_FIGURES).map((edges) => {
    return { edges, text: sentence(edges, names), key: JSON.stringify([edges, [...stuck]]) };
  });
  if (groups.length > MOST_FIGURES) {
    figures.push({
      edges: [],
      text: `and ${count(groups.length - MOST_FIGURES)} more groups`,
      key: "more",
    });
  }
  list(byId("graph-figures"), figures, ({ key }) => key, ({ edges, text }) => {
    if (edges.length === 0) return element("p", { class: "note" }, text);
    const figure = element("figure", { class: "graph" }, draw(edges, names, stuck, text));
    return figure;
  }, () => {});
}

/** The edges in groups that hang together; the same two processes once. */
function groupsOf(edges) {
  const root = new Map();
  const find = (pid) => {
    let at = pid;
    while ((root.get(at) ?? at) !== at) at = root.get(at);
    return at;
  };
  const once = new Map();
  for (const { from, to, object } of edges) {
    once.set(`${from} ${to} ${object}`, { from, to, object });
    root.set(find(from), find(to));
  }
  const groups = new Map();
  for (const edge of once.values()) {
    const key = find(edge.from);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(edge);
  }
  return [...groups.values()];
}

function sentence(edges, names) {
  return edges.map(({ from, to, object }) => {
    const name = (pid) => names.get(pid) ?? `process ${pid}`;
    return object === ""
      ? `${name(from)} waits for the end of ${name(to)}`
      : `${name(from)} waits for ${object}, held by ${name(to)}`;
  }).join("; ");
}

/** The row of each process: one below those that wait for it. An edge that closes a circle doesn't count. */
function rowsOf(edges) {
  const next = new Map(), depth = new Map(), path = new Set();
  for (const { from, to } of edges) next.set(from, [...next.get(from) ?? [], to]);
  const visit = (pid, at) => {
    if (path.has(pid) || (depth.get(pid) ?? -1) >= at || depth.size > MOST_NODES) return;
    depth.set(pid, at);
    path.add(pid);
    for (const to of next.get(pid) ?? []) visit(to, at + 1);
    path.delete(pid);
  };
  const waitedFor = new Set(edges.map(({ to }) => to));
  for (const pid of next.keys()) if (!waitedFor.has(pid)) visit(pid, 0);
  for (const pid of next.keys()) if (!depth.has(pid)) visit(pid, 0);
  const rows = [];
  for (const [pid, at] of depth) (rows[at] ??= []).push(pid);
  return rows.filter((row) => row !== undefined)
    .flatMap((row) =>
      Array.from(
        { length: Math.ceil(row.length / MOST_BESIDE) },
        (_, i) => row.slice(i * MOST_BESIDE, (i + 1) * MOST_BESIDE),
      )
    );
}

function draw(edges, names, stuck, text) {
  const rows = rowsOf(edges), widest = Math.max(...rows.map((row) => row.length));
  const width = widest * (WIDTH + GAP) - GAP + 2 * 76,
    height = rows.length * ROW - (ROW - NODE_HEIGHT) + 8;
  const places = new Map();
  for (const [i, row] of rows.entries()) {
    const left = (width - (row.length * (WIDTH + GAP) - GAP)) / 2;
    for (const [j, pid] of row.entries()) {
      places.set(pid, {
        x: left + j * (WIDTH + GAP) + WIDTH / 2,
        y: 4 + i * ROW + NODE_HEIGHT / 2,
      });
    }
  }
  const svg = drawing("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    width: `${width}`,
    height: `${height}`,
  });
  svg.append(drawing("title", {}, text), arrowhead());
  for (const edge of edges) {
    const from = places.get(edge.from), to = places.get(edge.to);
    if (from === undefined || to === undefined) continue;
    svg.append(arrow(from, to, edge, stuck.has(edge.from) && stuck.has(edge.to)));
  }
  for (const [pid, { x, y }] of places) {
    svg.append(node(x, y, names.get(pid) ?? `process ${pid}`, stuck.has(pid)));
  }
  return svg;
}

function arrowhead() {
  const path = drawing("path", { d: "M0 0 8 4 0 8z", class: "tip" });
  const attributes = {
    id: "head",
    viewBox: "0 0 8 8",
    refX: "7",
    refY: "4",
    markerUnits: "userSpaceOnUse",
    markerWidth: "11",
    markerHeight: "11",
    orient: "auto",
  };
  return drawing("defs", {}, drawing("marker", attributes, path));
}

function node(x, y, name, isStuck) {
  const box = drawing("rect", {
    x: `${x - WIDTH / 2}`,
    y: `${y - NODE_HEIGHT / 2}`,
    width: `${WIDTH}`,
    height: `${NODE_HEIGHT}`,
    rx: "8",
  });
  const label = drawing(
    "text",
    { x: `${x}`, y: `${y + 5}` },
    name.length > 22 ? `${name.slice(0, 21)}…` : name,
  );
  return drawing("g", { class: isStuck ? "node stuck" : "node" }, box, label);
}

/** Down: a line. Up, or to itself: around the side. */
function arrow(from, to, { object }, isStuck) {
  const half = NODE_HEIGHT / 2;
  let path, x, y;
  if (to.y > from.y) {
    const begin = from.y + half, end = to.y - half - 2;
    path = `M${from.x} ${begin}C${from.x} ${(begin + end) / 2} ${to.x} ${
      (begin + end) / 2
    } ${to.x} ${end}`;
    x = (from.x + to.x) / 2;
    y = (begin + end) / 2 + 4;
  } else {
    const side = Math.max(from.x, to.x) + WIDTH / 2 + 44;
    path = `M${from.x + WIDTH / 2} ${from.y}C${side} ${from.y} ${side} ${to.y + 6} ${
      to.x + WIDTH / 2 + 2
    } ${to.y + 6}`;
    x = side - 10;
    y = (from.y + to.y) / 2 + 4;
  }
  const line = drawing("path", { d: path, "marker-end": "url(#head)" });
  const label = drawing(
    "text",
    { x: `${x}`, y: `${y}` },
    object === "" ? "its end" : object.length > 26 ? `${object.slice(0, 25)}…` : object,
  );
  return drawing("g", { class: isStuck ? "edge stuck" : "edge" }, line, label);
}
