// Draws docs/scale.svg and docs/scale-dark.svg from bench/scale.json: how the figures grow with the number of
// processes, of waiting items, of queues, and with the size of an item. With --check it writes nothing, and fails if
// the files differ from the drawing.

// deno-lint-ignore no-import-prefix
import * as echarts from "npm:echarts@6.1.0";
import type { Curve, ScaleReport } from "../bench/scale_bench.ts";
import { type Colours, DARK, FONT, LIGHT } from "./chart_style.ts";

const root = new URL("../", import.meta.url);

/** A small chart: its title, and the names of its curves, each with a word for the legend beside its line. */
interface Panel {
  title: string;
  curves: Record<string, string>;
}

const PANELS: Panel[] = [
  {
    title: "Processes on one queue",
    curves: { "processes/async": "await", "processes/sync": "blocking" },
  },
  { title: "Put and get beside items that wait", curves: { "waiting/time": "" } },
  { title: "Put and get, on many queues in turn", curves: { "queues/time": "" } },
  {
    title: "A large item, to another process",
    curves: { "bytes/time": "a queue", "bytes/copy": "one copy" },
  },
  { title: "Memory of a waiting integer", curves: { "waiting/memory": "" } },
  { title: "Memory of a process that waits", curves: { "processes/memory": "" } },
];

const WIDTH = 860, TOP = 96, COLUMNS = 2, GAP = 84, HEIGHT = 150, LEFT = 70, RIGHT = 24;
const PANEL_WIDTH = (WIDTH - LEFT * COLUMNS - RIGHT * COLUMNS) / COLUMNS;

/** A number with a prefix of the SI, as on an axis. */
function short(value: number): string {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${letter}`;
  }
  return `${Number(value.toPrecision(3))}`;
}

function curveOf(report: ScaleReport, name: string): Curve {
  const curve = report.curves.find((one) => one.name === name);
  if (curve === undefined) {
    throw new Error(
      `bench/scale.json has no curve "${name}". Run \`deno task bench:scale\`, whole.`,
    );
  }
  return curve;
}

function draw(report: ScaleReport, colours: Colours): string {
  const rows = Math.ceil(PANELS.length / COLUMNS), height = TOP + rows * (HEIGHT + GAP) - 30;
  const text = { color: colours.quiet, fontSize: 11, fontFamily: FONT };
  const lines = [colours.awaiting, colours.blocking];
  const grid = PANELS.map((_, index) => ({
    left: LEFT + (index % COLUMNS) * (PANEL_WIDTH + LEFT + RIGHT),
    top: TOP + Math.floor(index / COLUMNS) * (HEIGHT + GAP),
    width: PANEL_WIDTH,
    height: HEIGHT,
  }));
  const first = PANELS.map(({ curves }) => curveOf(report, Object.keys(curves)[0]));
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: colours.background,
    textStyle: { fontFamily: FONT },
    title: [
      {
        text: "How it grows",
        subtext: `Medians of ${report.rounds} rounds: Deno ${report.deno}, two cores, ` +
          `${report.date.slice(0, 10)}. Both axes are logarithmic.`,
        ...{ left: 14, top: 12, itemGap: 7 },
        textStyle: { color: colours.text, fontSize: 18, fontFamily: FONT },
        subtextStyle: { color: colours.quiet, fontSize: 12, fontFamily: FONT },
      },
      ...PANELS.map(({ title }, index) => ({
        text: `${title}, ${first[index].unit}`,
        ...{ left: grid[index].left - 6, top: grid[index].top - 28 },
        textStyle: { color: colours.text, fontSize: 13, fontFamily: FONT },
      })),
    ],
    grid,
    xAxis: PANELS.map((_, gridIndex) => ({
      ...{ type: "log" as const, gridIndex, name: first[gridIndex].x },
      ...{ nameLocation: "middle" as const, nameGap: 26, nameTextStyle: text },
      axisLabel: { ...text, formatter: short, hideOverlap: true },
      axisLine: { lineStyle: { color: colours.line } },
      splitLine: { show: false },
    })),
    yAxis: PANELS.map((_, gridIndex) => ({
      ...{ type: "log" as const, gridIndex },
      axisLabel: { ...text, formatter: short, hideOverlap: true },
      splitLine: { lineStyle: { color: colours.line } },
    })),
    series: PANELS.flatMap(({ curves }, index) =>
      Object.entries(curves).map(([name, label], line) => ({
        ...{ type: "line" as const, xAxisIndex: index, yAxisIndex: index, silent: true },
        ...{ symbolSize: 5, data: curveOf(report, name).points },
        lineStyle: { color: lines[line], width: 2 },
        itemStyle: { color: lines[line] },
        endLabel: { show: false },
        markPoint: {
          ...{ silent: true, symbolSize: 0 },
          data: label === "" ? [] : [{
            coord: curveOf(report, name).points.at(line === 0 ? 1 : -3),
            value: label,
            label: {
              ...{ formatter: label, color: lines[line], fontSize: 11, fontFamily: FONT },
              ...{ position: "top" as const, offset: [0, line === 0 ? -2 : 30] },
            },
          }],
        },
      }))
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const report: ScaleReport = JSON.parse(
  await Deno.readTextFile(new URL("bench/scale.json", root)),
);
if (report.quick) {
  throw new Error("bench/scale.json comes from a quick run, no figures to show. Run it whole.");
}
let isCurrent = true;
for (
  const [path, colours] of Object.entries({ "docs/scale.svg": LIGHT, "docs/scale-dark.svg": DARK })
) {
  const file = new URL(path, root);
  const svg = draw(report, colours);
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, svg);
  else if (await Deno.readTextFile(file) !== svg) isCurrent = false;
}
if (!isCurrent) {
  console.error("docs/scale.svg doesn't show bench/scale.json. Run `deno task chart:scale`.");
  Deno.exit(1);
}
