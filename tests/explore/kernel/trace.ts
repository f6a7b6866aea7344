// A schedule in readable form: one line for each operation, with the process, the place in the
// code, the word and the result; and a line for each decision.

import type { Process } from "./process.ts";

const PLACE = 44;

/** Collects the lines of a run. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #sites: readonly string[];

  constructor(sites: readonly string[]) {
    this.#sites = sites;
  }

  get text(): string {
    return this.#lines.join("\n");
  }

  /** An operation, or a plain access. */
  operation(
    process: Process,
    site: number,
    kind: string,
    word: string,
    given: string,
    result: string,
  ): void {
    const place = (this.#sites[site] ?? "(in no file)").replace(/ \w+$/, "");
    const end = result === "" ? "" : ` = ${result}`;
    this.#line(process, `${place.padEnd(PLACE)} ${kind.padEnd(9)} ${word}${given}${end}`);
  }

  /** What happens to a process that it doesn't do itself. */
  note(process: Process | undefined, text: string): void {
    this.#line(process, `── ${text}`);
  }

  end(process: Process, error: Error | undefined): void {
    this.note(
      process,
      error === undefined ? "has finished" : `ends with ${error.name}: ${error.message}`,
    );
  }

  /** Where a process stands: before which operation, or asleep. */
  standing({ pending, blocked }: Process): string {
    if (pending !== undefined) return `before ${this.#sites[pending.site] ?? "a port"}`;
    if (blocked?.key !== undefined) return "while it sleeps";
    return blocked !== undefined ? "while it has nothing to do" : "";
  }

  #line(process: Process | undefined, text: string): void {
    this.#lines.push(`${process === undefined ? "  " : `P${process.id}`} ${text}`);
  }
}
