// A histogram of durations in some hundred numbers: the widths of the buckets grow by a factor, as in
// HdrHistogram, so that a percentile is within 10 % of the truth for durations of any length.

import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, Math, Uint32Array } = primordials;

/**
 * The percentiles of a histogram, in ms.
 *
 * @example
 * ```ts
 * import { type Percentiles, Pool } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * await pool.map((n: number) => n * n, [1, 2, 3]);
 * const running: Percentiles = pool.statistics().runningMs;
 * console.log(running.count, running.p50 <= running.max); // 3 true
 * ```
 */
export interface Percentiles {
  /** The number of measured durations. */
  count: number;
  /** Half of the durations are at most this long. */
  p50: number;
  /** 90 % of them. */
  p90: number;
  /** 99 % of them. */
  p99: number;
  /** The longest duration. */
  max: number;
}

/** The number of buckets for each doubling, and the upper bound of the first bucket, in ms. */
const STEPS = 8, SHORTEST = 2 ** -10;
const BUCKETS = 40 * STEPS;

/** Counts of durations. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;

  /** Counts a duration, in ms, so many times. */
  add(ms: number, count = 1): void {
    const at = ms <= SHORTEST ? 0 : Math.ceil(Math.log2(ms / SHORTEST) * STEPS);
    this.#counts[Math.min(at, BUCKETS - 1)] += count;
    this.#count += count;
    if (ms > this.#max) this.#max = ms;
  }

  /** The buckets that hold something: the upper bound of each, in ms, and how many durations it holds. */
  get buckets(): [ms: number, count: number][] {
    const held: [number, number][] = [];
    for (let i = 0; i < BUCKETS; i++) {
      const count = this.#counts[i];
      if (count > 0) ArrayPrototypePush(held, [SHORTEST * 2 ** (i / STEPS), count]);
    }
    return held;
  }

  /** The percentiles of all durations so far. */
  get percentiles(): Percentiles {
    return {
      count: this.#count,
      p50: this.#percentile(0.5),
      p90: this.#percentile(0.9),
      p99: this.#percentile(0.99),
      max: this.#max,
    };
  }

  #percentile(share: number): number {
    let left = Math.ceil(share * this.#count);
    if (left === 0) return 0;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#counts[i];
      if (left <= 0) return Math.min(SHORTEST * 2 ** (i / STEPS), this.#max);
    }
    return this.#max;
  }
}
