/**
 * Rounds, medians and the table.
 *
 * A measurement has sides (this library's faces and its peers) that take turns, round by round,
 * so that a machine that grows busy or slow meanwhile is busy or slow for all of them. Its figure
 * for a side is the median of that side's rounds, and a ratio divides two medians of one run.
 */

/** Items a second (more is better), or the time of one step (less is better). */
export type Unit = "items/s" | "µs" | "ms";

/** What a side's ratio to its peer has to be. */
export type Target = { atLeast: number } | { atMost: number };

/** One of those that are measured side by side. */
export interface Side {
  name: string;
  /** Runs one round and gives its figure, in the measurement's unit; gives up when aborted. */
  round(signal: AbortSignal): Promise<number>;
  /** The name of the side that this one's figure is divided by. */
  against?: string;
  target?: Target;
}

export interface Measurement {
  /** What `--only` looks for, such as "one-to-one/integers". */
  name: string;
  unit: Unit;
  sides: Side[];
}

/** What one side achieved. */
export interface SideResult {
  name: string;
  rounds: number[];
  median: number;
  against?: string;
  /** This side's median divided by that of `against`. */
  ratio?: number;
  target?: Target;
  met?: boolean;
}

export interface MeasurementResult {
  name: string;
  unit: Unit;
  sides: SideResult[];
}

/** How long one round may take before it counts as hung, in milliseconds. */
const ROUND_LIMIT = 60_000;

/** Runs every side once a round, `rounds` times. Rejects with what the first failing round threw. */
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
    sides: measurement.sides.map((side) => judge(side, figures, medians)),
  };
}

async function withinLimit(
  measurement: Measurement,
  side: Side,
): Promise<number> {
  const limit = new AbortController();
  // A side that doesn't hear the signal is left behind, still running.
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
  { name, against, target }: Side,
  figures: Map<string, number[]>,
  medians: Map<string, number>,
): SideResult {
  const own = medians.get(name) ?? NaN;
  const result: SideResult = {
    name,
    rounds: figures.get(name) ?? [],
    median: own,
  };
  // A peer that this machine hasn't got leaves the figure without a ratio.
  const other = against === undefined ? undefined : medians.get(against);
  if (other === undefined) return result;
  const ratio = own / other;
  return {
    ...result,
    against,
    ratio,
    target,
    met: target && meets(ratio, target),
  };
}

function meets(ratio: number, target: Target): boolean {
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
/** Columns of figures, which line up on the right. */
const FIGURES = new Set([2, 3, 4, 5]);

/** The results as an aligned table, a line a side. */
export function table(results: MeasurementResult[]): string {
  const rows = results.flatMap((result) =>
    result.sides.map((side, index) => [
      index === 0 ? result.name : "",
      side.name,
      `${figure(side.median, result.unit)} ${result.unit}`,
      range(side.rounds, result.unit),
      side.ratio === undefined ? "" : `${side.ratio.toFixed(2)}x ${side.against}`,
      side.target === undefined ? "" : targetText(side.target),
      side.met === undefined ? "" : side.met ? "met" : "missed",
    ])
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

function targetText(target: Target): string {
  return "atLeast" in target ? `>= ${target.atLeast}x` : `<= ${target.atMost}x`;
}
