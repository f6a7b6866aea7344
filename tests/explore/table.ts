// The table of results: a line for each scenario, as text and as Markdown.

import type { Entry } from "./catalogue.ts";
import type { Job, Report } from "./job.ts";
import type { Bounds } from "./kernel/scenario.ts";

const WIDTHS = [28, 26, 10, 10, 9, 8];
const HEAD = ["scenario", "bounds", "schedules", "states", "result", "seconds"];

export class Table {
  readonly #entries: readonly Entry[];
  readonly #jobs: readonly Job[];
  readonly #reports: (Report | undefined)[] = [];

  constructor(entries: readonly Entry[], jobs: readonly Job[]) {
    this.#entries = entries;
    this.#jobs = jobs;
  }

  get head(): string {
    return line(HEAD);
  }

  /** Adds a report; its line. */
  add(report: Report, index: number): string {
    this.#reports[index] = report;
    return line(this.#cells(index));
  }

  #cells(index: number): string[] {
    const report = this.#reports[index];
    const { name, bounds } = this.#jobs[index];
    if (report === undefined) return [name, describe(bounds), "", "", "not run", ""];
    const { schedules, states, seconds } = report;
    return [
      ...[name, describe(bounds), String(schedules), states === 0 ? "" : String(states)],
      ...[resultOf(report), seconds.toFixed(1)],
    ];
  }

  get failed(): number {
    return this.#reports.filter((report) => report?.counterexample !== undefined).length;
  }

  get summary(): string {
    const complete = this.#reports.filter((report) => report?.isComplete).length;
    const cut = this.#reports.length - complete - this.failed;
    const schedules = this.#reports.reduce((sum, report) => sum + (report?.schedules ?? 0), 0);
    return `${this.#reports.length} scenarios: ${complete} complete, ${cut} cut, ${this.failed} failed; ` +
      `${schedules} schedules`;
  }

  get markdown(): string {
    const rows = this.#jobs.map((_, index) => {
      const [name, ...rest] = this.#cells(index);
      return [name, this.#entries[index].about, ...rest];
    });
    const head = [HEAD[0], "what it does", ...HEAD.slice(1)];
    const all = [head, head.map(() => "---"), ...rows];
    return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n") + "\n";
  }
}

function resultOf({ counterexample, isComplete }: Report): string {
  return counterexample !== undefined ? "FAILED" : isComplete ? "complete" : "cut";
}

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => i < 2 ? cell.padEnd(WIDTHS[i]) : cell.padStart(WIDTHS[i])).join(
    " ",
  );
}

/** The bounds in short: preemptions, kills, timeouts, jumps. */
function describe({ preemptions, kills, cut, timeouts, jumps }: Bounds): string {
  const parts = [`p=${preemptions === Infinity ? "∞" : preemptions}`];
  if (kills > 0) parts.push(`k=${kills}${cut === "outside" ? "" : ` ${cut}`}`);
  if (timeouts > 0) parts.push(`t=${timeouts}`);
  if (jumps > 0) parts.push(`j=${jumps}`);
  return parts.join(" ");
}
