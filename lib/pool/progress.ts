// Progress reports of a call over many items, at most ten times a second and at the end.

import { callBack } from "./callbacks.ts";
import type { Progress } from "./options.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  clearTimeout,
  Deno,
  encodeText,
  Math,
  NumberPrototypeToFixed,
  performance,
  setTimeout,
  StringPrototypeRepeat,
} = primordials;

/** Milliseconds between two reports, and the milliseconds over which the rate is measured. */
const INTERVAL_MS = 100, RATE_OVER_MS = 3000;
/** The width of a bar on a terminal, in characters. */
const BAR = 24;

/** Reports the progress of one call. */
export class ProgressReport {
  readonly #tell: (progress: Progress) => void;
  readonly #total: number | undefined;
  readonly #started = performance.now();
  /** Counts of finished items at moments of the last seconds. */
  #marks: { at: number; done: number }[] = [{ at: this.#started, done: 0 }];
  #told = this.#started;
  #done = 0;
  #failed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param tell the callback; true draws a line on a terminal, and does nothing without one */
  constructor(tell: ((progress: Progress) => void) | true, total: number | undefined) {
    this.#tell = tell === true ? lineOf() : tell;
    this.#total = total;
  }

  /** Counts items that have an outcome. */
  count(items: number, hasFailed: boolean): void {
    this.#done += items;
    if (hasFailed) this.#failed += items;
    if (this.#timer !== undefined) return;
    const left = this.#told + INTERVAL_MS - performance.now();
    if (left <= 0) return this.#report();
    this.#timer = setTimeout(() => this.#report(), left);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Makes the last report. */
  end(): void {
    this.#report();
  }

  #report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#told = performance.now(), done = this.#done, total = this.#total;
    const last = this.#marks.length - 1;
    this.#marks = ArrayPrototypeFilter(this.#marks, ({ at }, i) => {
      return i === last || now - at < RATE_OVER_MS;
    });
    const { at, done: before } = this.#marks[0];
    ArrayPrototypePush(this.#marks, { at: now, done });
    const rate = now > at ? (done - before) / (now - at) * 1000 : 0;
    const left = total === undefined ? undefined : total - done;
    const eta = left === undefined
      ? undefined
      : left === 0
      ? 0
      : rate > 0
      ? left / rate * 1000
      : undefined;
    callBack("onProgress", this.#tell, { done, failed: this.#failed, total, rate, eta });
  }
}

/** Draws one line on standard error, if that is a terminal. */
function lineOf(): (progress: Progress) => void {
  if (!Deno.stderr.isTerminal()) return () => {};
  return ({ done, failed, total, rate, eta }) => {
    const isOver = total !== undefined && done >= total;
    const share = total === undefined || total === 0 ? 0 : done / total;
    const filled = Math.round(share * BAR);
    const bar = total === undefined
      ? ""
      : `${StringPrototypeRepeat("█", filled)}${StringPrototypeRepeat("░", BAR - filled)} `;
    const of = total === undefined ? `${done}` : `${done}/${total}`;
    const left = eta === undefined || isOver
      ? ""
      : `, ${NumberPrototypeToFixed(eta / 1000, 0)} s left`;
    const bad = failed === 0 ? "" : `, ${failed} failed`;
    const text = `\r\x1b[K${bar}${of}, ${
      NumberPrototypeToFixed(rate, rate < 10 ? 1 : 0)
    }/s${left}${bad}${isOver ? "\n" : ""}`;
    Deno.stderr.writeSync(encodeText(text));
  };
}
