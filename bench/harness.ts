/**
 * Rounds, medians and the table.
 *
 * A measurement has sides (this library's faces and its peers) that take turns, round by round,
 * so that a machine that grows busy or slow meanwhile is busy or slow for all of them. Its figure
 * for a side is the median of that side's rounds, and a ratio divides two medians of one run.
 */

/** Items a second (more is better), the time of one step, or memory (less is better). */
export type Unit = "items/s" | "ns" | "µs" | "ms" | "MB";

/** The target of a side's ratio to its peer, or of its figure, in the measurement's unit. */
export type Target = { atLeast: number } | { atMost: number } | { below: number } | {
  above: number;
};

/** The side whose figure a side's figure is divided by, and the target of the ratio. */
export interface Comparison {
  /** The name of the other side, or those of several: the best of them counts. */
  against: string | readonly string[];
  target?: Target;
}

/** One of the sides of a measurement. */
export interface Side extends Partial<Comparison> {
  name: string;
  /** Runs one round and gives its figure, in the measurement's unit; gives up when aborted. */
  round(signal: AbortSignal): Promise<number>;
  /** A comparison with a second peer. */
  also?: Comparison;
}

export interface Measurement {
  /** The name that `--only` matches, such as "one-to-one/integers". */
  name: string;
  unit: Unit;
  sides: Side[];
}

/** The result of a comparison. */
export interface Verdict {
  against?: string;
  /** This side's median divided by that of `against`. */
  ratio?: number;
  target?: Target;
  met?: boolean;
}

/** The result of one side. */
export interface SideResult extends Verdict {
  name: string;
  rounds: number[];
  median: number;
  also?: Verdict;
}

export interface MeasurementResult {
  name: string;
  unit: Unit;
  sides: SideResult[];
}

/** The time after which a round counts as hung, in milliseconds. */
const ROUND_LIMIT = 60_000;

/** Runs every side once a round, `rounds` times. Rejects with the error of the first round that fails. */
export async function measure(
  measurement: Measurement,
  rounds: number,
): Promise<MeasurementResult> {
  const figures = new Map<string, number[]>(
    measurement.sides.map((side) => [side.name, []]),
  );
  for (let round = 0; round < rounds; round++) {
    for (const side of measurement.sides) {
      figures.get(side.name)?.push(await withinLimit(measurement, side));
    }
  }
  const medians = new Map(
    [...figures].map(([name, all]) => [name, median(all)]),
  );
  return {
    name: measurement.name,
    unit: measurement.unit,
    sides: measurement.sides.map((side) => judge(side, measurement.unit, figures, medians)),
  };
}

async function withinLimit(
  measurement: Measurement,
  side: Side,
): Promise<number> {
  const limit = new AbortController();
  // A side that ignores the signal is left behind, still running.
  const { promise: never, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(
      `${measurement.name}, ${side.name}: no end after ${ROUND_LIMIT} ms.`,
    );
    limit.abort(error);
    reject(error);
  }, ROUND_LIMIT);
  try {
    return await Promise.race([side.round(limit.signal), never]);
  } finally {
    clearTimeout(timer);
  }
}

function judge(
  { name, against, target, also }: Side,
  unit: Unit,
  figures: Map<string, number[]>,
  medians: Map<string, number>,
): SideResult {
  const median = medians.get(name) ?? NaN;
  return {
    name,
    rounds: figures.get(name) ?? [],
    median,
    ...compare(median, unit, { against, target }, medians),
    also: also && compare(median, unit, also, medians),
  };
}

/** Compares a side with a peer; empty if this machine doesn't have the peer. */
function compare(
  own: number,
  unit: Unit,
  { against: sides = [], target }: Partial<Comparison>,
  medians: Map<string, number>,
): Verdict | undefined {
  if (target !== undefined && "below" in target) return { target, met: own < target.below };
  if (target !== undefined && "above" in target) return { target, met: own > target.above };
  const others = [sides].flat().filter((side) => medians.has(side));
  if (others.length === 0) return undefined;
  const byFigure = (a: string, b: string) => medians.get(a)! - medians.get(b)!;
  const sorted = others.toSorted(byFigure);
  const against = unit === "items/s" ? sorted[sorted.length - 1] : sorted[0];
  const ratio = own / medians.get(against)!;
  return { against, ratio, target, met: target && meets(ratio, target) };
}

function meets(
  ratio: number,
  target: Exclude<Target, { below: number } | { above: number }>,
): boolean {
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const HEADINGS = [
  "measurement",
  "side",
  "median",
  "slowest – fastest",
  "ratio",
  "target",
  "",
];
/** The columns of figures, which are aligned to the right. */
const FIGURES = new Set([2, 3, 4, 5]);

/** The results as an aligned table, a line a comparison. */
export function table(results: MeasurementResult[]): string {
  const rows = results.flatMap((result) =>
    result.sides.flatMap((side, index) => {
      const row = [
        index === 0 ? result.name : "",
        side.name,
        `${figure(side.median, result.unit)} ${result.unit}`,
        range(side.rounds, result.unit),
        ...verdict(side, result.unit),
      ];
      return side.also === undefined
        ? [row]
        : [row, ["", "", "", "", ...verdict(side.also, result.unit)]];
    })
  );
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: string[]) =>
    cells.map((cell, column) =>
      FIGURES.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])
    ).join("  ").trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(HEADINGS), rule, ...rows.map(line)].join("\n");
}

function range(rounds: readonly number[], unit: Unit): string {
  const ends = [Math.min(...rounds), Math.max(...rounds)];
  const [slowest, fastest] = unit === "items/s" ? ends : ends.reverse();
  return `${figure(slowest, unit)} – ${figure(fastest, unit)}`;
}

function figure(value: number, unit: Unit): string {
  const digits = unit === "items/s" ? 0 : 1;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function verdict({ against, ratio, target, met }: Verdict, unit: Unit): string[] {
  return [
    ratio === undefined ? "" : `${ratioText(ratio)}x ${against}`,
    target === undefined ? "" : targetText(target, unit),
    met === undefined ? "" : met ? "met" : "missed",
  ];
}

function ratioText(ratio: number): string {
  return ratio < 0.01 ? ratio.toPrecision(1) : ratio.toFixed(2);
}

function targetText(target: Target, unit: Unit): string {
  if ("below" in target) return `< ${target.below} ${unit}`;
  if ("above" in target) return `> ${figure(target.above, unit)} ${unit}`;
  return "atLeast" in target ? `>= ${target.atLeast}x` : `<= ${target.atMost}x`;
}
