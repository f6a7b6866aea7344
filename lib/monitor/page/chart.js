// The chart of the longest queues, by uPlot.

import { byId, objectName } from "./dom.js";

/** Lines, and samples that are kept: those of half an hour. */
const LINES = 5, SAMPLES = 2000;
const HEIGHT = 200;

const times = [], lengths = new Map();
let plot, shown = "";
const scheme = matchMedia("(prefers-color-scheme: dark)");

/** Notes the lengths, and draws the lines of the queues that were longest. */
export function showChart({ queues, at }) {
  if (times.at(-1) === at / 1000) return;
  times.push(at / 1000);
  for (const { id, name, size } of queues.rows) {
    if (!lengths.has(id)) {
      lengths.set(id, {
        label: name === "" ? objectName("queue", id, "") : name,
        values: times.map(() => null),
      });
    }
    const line = lengths.get(id);
    line.values[times.length - 1] = size;
  }
  for (const { values } of lengths.values()) {
    while (values.length < times.length) values.push(null);
    if (times.length > SAMPLES) values.shift();
  }
  if (times.length > SAMPLES) times.shift();
  const lines = [...lengths].map(([id, { label, values }]) => {
    return {
      id,
      label,
      values,
      most: values.reduce((most, value) => Math.max(most, value ?? 0), 0),
    };
  });
  for (const { id, values } of lines) {
    if (values.every((value) => value === null)) lengths.delete(id);
  }
  const longest = lines.filter(({ most }) => most > 0).sort((a, b) => b.most - a.most).slice(
    0,
    LINES,
  )
    .sort((a, b) => a.id - b.id);
  byId("chart").hidden = longest.length === 0 || times.length < 2;
  if (byId("chart").hidden) return;
  const data = [times, ...longest.map(({ values }) => values)];
  const key = JSON.stringify([longest.map(({ id }) => id), scheme.matches]);
  if (plot === undefined || key !== shown) make(longest, data);
  else plot.setData(data);
  // While the pointer is elsewhere, the legend has the newest figures.
  if (!(plot.cursor.left >= 0)) plot.setLegend({ idx: times.length - 1 });
  shown = key;
}

/** The seconds that are shown. */
const span = () => Number(byId("window").value);

const clock = (at) => new Date(at * 1000).toLocaleTimeString("en", { hour12: false });

function make(lines, data) {
  plot?.destroy();
  const box = byId("plot"), style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `12px ${style.getPropertyValue("--font")}`,
  };
  const stroke = (i) => colour(`--series-${i + 1}`);
  plot = new globalThis.uPlot(
    {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { range: (_, low, high) => [Math.max(low, high - span()), high] },
        y: { range: (_, low, high) => [Math.min(low, 0), Math.max(high * 1.05, 1)] },
      },
      axes: [{
        ...axis,
        space: 90,
        size: 32,
        incrs: [1, 2, 5, 10, 30, 60, 300, 600],
        values: (_, at) => at.map(clock),
      }, {
        ...axis,
        size: 48,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6],
      }],
      series: [
        { label: "At", value: (_, at) => at === null ? "" : clock(at) },
        ...lines.map(({ label }, i) => ({
          label,
          stroke: stroke(i),
          width: 2,
          points: { show: false },
        })),
      ],
    },
    data,
    box,
  );
}

new ResizeObserver(() => {
  if (plot === undefined) return;
  const width = byId("plot").clientWidth;
  if (width > 0 && Math.abs(width - plot.width) > 1) plot.setSize({ width, height: HEIGHT });
}).observe(byId("plot"));
