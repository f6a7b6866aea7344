// Draws docs/speed.svg and docs/speed-dark.svg from bench/results.json: for each measurement, how many times as fast
// as Python's multiprocessing it is, in one run. With --check it writes nothing, and fails if the files differ from
// the drawing.
//
// ECharts (Apache) draws, because it writes SVG text without a browser, and the same text for the same figures. Only
// this tool imports it.

// Imported here and not in deno.json, where running an example would have to resolve it.
// deno-lint-ignore no-import-prefix
import * as echarts from "npm:echarts@6.1.0";
import type { Report } from "../bench/main.ts";
import { type Colours, DARK, FONT, LIGHT } from "./chart_style.ts";

const root = new URL("../", import.meta.url);

/** A line of the chart: a measurement, and the sides of it to show. */
interface Row {
  label: string;
  measurement: string;
  /** The names of the side that awaits and of the side that blocks the thread. */
  awaiting?: string;
  blocking?: string;
  /** The name of the side of another peer. */
  peer?: string;
}

const queue = { awaiting: "Queue, async", blocking: "Queue, sync" };
const pipe = { awaiting: "Pipe, async", blocking: "Pipe, sync" };
const lock = { awaiting: "Lock, await acquire", blocking: "Lock, acquireSync" };
const pool = { awaiting: "Pool, await", peer: "piscina" };
const event = { awaiting: "Event, wait", blocking: "Event, waitSync" };

/** The rows of pools, whose peers are Python's Pool and the fastest of npm. */
const POOL: Row[] = [
  { label: "empty tasks, 64 in flight", measurement: "pool-empty-tasks/64-in-flight", ...pool },
  { label: "objects of 1 KiB and back", measurement: "pool-objects/1-KiB", ...pool },
  { label: "1 MiB of bytes and back", measurement: "pool-bytes/1-MiB-copied", ...pool },
  {
    label: "map, 100,000 tiny items",
    measurement: "pool-map/100,000-tiny-items",
    ...pool,
    blocking: "Pool, blocking",
  },
  {
    label: "one task after the other",
    measurement: "pool-latency/one-task",
    ...pool,
    blocking: "Pool, blocking",
  },
  { label: "made to first result", measurement: "pool-start/made-to-first-result", ...pool },
];

/** The rows of starts: cold beside Python's spawn, warm beside its forkserver. */
const STARTS: Row[] = [
  ...["by reference", "by source"].map((by): Row => ({
    label: `the next one, ${by}`,
    measurement: "starts/warm",
    awaiting: `thread, ${by}, in a spare`,
  })),
  ...["restricted", "sealed", "sealed, with limits", 'isolation: "os"'].map((kind): Row => ({
    label: `${kind}, cold`,
    measurement: "starts/cold",
    awaiting: `${kind}, cold`,
  })),
];

const GROUPS: Record<string, Row[]> = {
  "Queue": [
    { label: "1 to 1, integers", measurement: "one-to-one/integers", ...queue },
    { label: "1 to 1, small objects", measurement: "one-to-one/objects", ...queue },
    { label: "1 to 1, strings of 1 KiB", measurement: "one-to-one/strings", ...queue },
    { label: "4 to 4, integers", measurement: "four-to-four/integers", ...queue },
    { label: "there and back, integers", measurement: "there-and-back/integers", ...queue },
    { label: "there and back, objects", measurement: "there-and-back/objects", ...queue },
  ],
  "Pipe": [
    { label: "one way, integers", measurement: "pipe-one-way/integers", ...pipe },
    { label: "one way, small objects", measurement: "pipe-one-way/objects", ...pipe },
    { label: "one way, strings of 1 KiB", measurement: "pipe-one-way/strings", ...pipe },
    { label: "one way, 64 KiB of bytes", measurement: "pipe-bytes/64-KiB", ...pipe },
    { label: "one way, 1 MiB of bytes", measurement: "pipe-bytes/1-MiB", ...pipe },
    { label: "there and back, integers", measurement: "pipe-there-and-back/integers", ...pipe },
    { label: "there and back, objects", measurement: "pipe-there-and-back/objects", ...pipe },
  ],
  "Lock, Event": [
    { label: "a free lock", measurement: "lock/uncontended", ...lock },
    { label: "a lock 4 processes want", measurement: "lock/contended-by-4", ...lock },
    { label: "an event wakes a sleeper", measurement: "event/waiter-asleep", ...event },
    { label: "an event, waiter awake", measurement: "event/waiter-awake", ...event },
  ],
  "Value": [
    { label: "update(n => n + 1)", measurement: "value/add-one", blocking: "Value, update" },
    { label: "add(1)", measurement: "value/add-one", blocking: "Value, add" },
  ],
  "Process, start and join": [
    {
      label: "target by reference",
      measurement: "start-and-join",
      awaiting: "Process, by reference",
    },
    { label: "target by source", measurement: "start-and-join", awaiting: "Process, by source" },
  ],
};

const WIDTH = 860, ROW_HEIGHT = 29, TOP = 112, BOTTOM = 36, LEFT = 205, RIGHT = 40;
/** The width of a bar's label, in doublings. */
const LABEL = 0.6;

/** How many times as fast as Python's side a side is. */
function timesAsFast(report: Report, name: string, sideName: string | undefined): number | null {
  if (sideName === undefined) return null;
  const measurement = report.measurements.find((one) => one.name === name);
  const side = measurement?.sides.find((one) => one.name === sideName);
  if (measurement === undefined || side?.ratio === undefined) {
    throw new Error(
      `bench/results.json has no ratio of "${sideName}" in "${name}". Run \`deno task bench\`, ` +
        "whole and with python3.",
    );
  }
  return measurement.unit === "items/s" ? side.ratio : 1 / side.ratio;
}

function factor(ratio: number): string {
  return `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(ratio < 0.995 ? 2 : 1)}×`;
}

/** A tick of the axis, on which each step is a doubling. */
function tick(doublings: number): string {
  return doublings < 0 ? `1/${2 ** -doublings}` : `${2 ** doublings}×`;
}

function draw(report: Report, colours: Colours): string {
  const has = (prefix: string) => report.measurements.some(({ name }) => name.startsWith(prefix));
  const hasPools = has("pool-");
  const groups = Object.entries({
    ...GROUPS,
    ...has("starts/") ? { "Process, other starts": STARTS } : {},
    ...hasPools ? { "Pool": POOL } : {},
  });
  const lines = groups.flatMap(([group, rows]) => [
    { label: `{group|${group}}`, awaiting: null, blocking: null, peer: null },
    ...rows.map((row) => ({
      label: row.label,
      awaiting: timesAsFast(report, row.measurement, row.awaiting),
      blocking: timesAsFast(report, row.measurement, row.blocking),
      peer: timesAsFast(report, row.measurement, row.peer),
    })),
  ]);
  const ratios = lines.flatMap(({ awaiting, blocking, peer }) => [awaiting, blocking, peer])
    .filter((ratio) => ratio !== null);
  const height = TOP + BOTTOM + ROW_HEIGHT * lines.length;
  const least = Math.floor(Math.log2(Math.min(...ratios)) - LABEL);
  const most = Math.ceil(Math.log2(Math.max(...ratios)) + LABEL);
  const one = LEFT + (WIDTH - LEFT - RIGHT) * -least / (most - least);

  const text = { fontFamily: FONT, fill: colours.quiet, fontSize: 12 };
  const side = (x: number, words: string, align: "left" | "right") => ({
    type: "text" as const,
    silent: true,
    style: { ...text, text: words, x, y: TOP - 24, align },
  });
  const bars = (name: string, color: string, key: "awaiting" | "blocking" | "peer") => ({
    type: "bar" as const,
    name,
    silent: true,
    barWidth: 8,
    barGap: "40%",
    itemStyle: { color, borderRadius: 2 },
    data: lines.map((line) => {
      const ratio = line[key];
      if (ratio === null) return { value: "-" };
      const position = ratio < 1 ? "left" as const : "right" as const;
      return {
        value: Math.log2(ratio),
        label: {
          show: true,
          position,
          distance: 4,
          formatter: factor(ratio),
          color: colours.text,
          fontSize: 10,
          fontFamily: FONT,
        },
      };
    }),
  });

  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: colours.background,
    textStyle: { fontFamily: FONT },
    title: {
      text: "How many times as fast as Python's multiprocessing",
      subtext: `Medians of ${report.rounds} rounds, in turns on the same machine: ` +
        `Deno ${report.deno}, ${report.python}, ${report.cpu.cores} cores, ` +
        `${report.date.slice(0, 10)}`,
      left: 14,
      top: 12,
      itemGap: 7,
      textStyle: { color: colours.text, fontSize: 18, fontFamily: FONT },
      subtextStyle: { color: colours.quiet, fontSize: 12, fontFamily: FONT },
    },
    legend: {
      top: 58,
      left: 9,
      itemWidth: 14,
      itemHeight: 8,
      itemGap: 18,
      textStyle: { color: colours.text, fontSize: 12, fontFamily: FONT },
      data: ["await", "blocking the thread", ...hasPools ? ["piscina, of npm"] : []],
    },
    grid: { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM },
    xAxis: {
      type: "value",
      min: least,
      max: most,
      interval: 1,
      axisLabel: { color: colours.quiet, fontSize: 11, fontFamily: FONT, formatter: tick },
      splitLine: { lineStyle: { color: colours.line } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: lines.map(({ label }) => label),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: {
        interval: 0,
        color: colours.text,
        fontSize: 12,
        fontFamily: FONT,
        margin: LEFT - 16,
        align: "left",
        rich: {
          group: { color: colours.text, fontSize: 13, fontWeight: "bold", fontFamily: FONT },
        },
      },
    },
    series: [
      bars("await", colours.awaiting, "awaiting"),
      bars("blocking the thread", colours.blocking, "blocking"),
      ...hasPools ? [bars("piscina, of npm", colours.peer, "peer")] : [],
    ],
    graphic: [
      {
        type: "line",
        silent: true,
        z: 10,
        shape: { x1: one, x2: one, y1: TOP - 8, y2: height - BOTTOM },
        style: { stroke: colours.quiet, lineWidth: 1.5 },
      },
      side(one - 10, "← slower than Python", "right"),
      side(one + 10, "faster than Python →", "left"),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const report: Report = JSON.parse(await Deno.readTextFile(new URL("bench/results.json", root)));
if (report.quick) {
  throw new Error("bench/results.json comes from a quick run, no figures to show. Run it whole.");
}
const drawings = { "docs/speed.svg": LIGHT, "docs/speed-dark.svg": DARK };
let isCurrent = true;
for (const [path, colours] of Object.entries(drawings)) {
  const file = new URL(path, root);
  const svg = draw(report, colours);
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, svg);
  else if (await Deno.readTextFile(file) !== svg) isCurrent = false;
}
if (!isCurrent) {
  console.error("docs/speed.svg doesn't show bench/results.json. Run `deno task chart`.");
  Deno.exit(1);
}
