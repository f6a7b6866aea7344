// The number of items that go to a worker at once. In a large chunk more items share the cost of a message; small
// chunks keep all workers busy to the end, however long the items take. So a chunk should take some milliseconds,
// by the time that items have taken so far, and the chunks shrink towards the end (guided self-scheduling:
// Polychronopoulos and Kuck, 1987).

import * as primordials from "../platform/primordials.ts";

const { Math } = primordials;

/** The time that a chunk should take, in ms. */
const TARGET_MS = 4;
/** A chunk has at most GROWTH times as many items as the one before it, and at most MAX_CHUNK. */
const GROWTH = 8, MAX_CHUNK = 8192;
/** Towards the end, chunks don't become shorter than this, in ms; and an item that takes less than TINY_MS is tiny. */
const LEAST_MS = 0.25, TINY_MS = 0.02;
/** A chunk has at most 1 / SHARE of a worker's part of the items that are left. */
const SHARE = 3;

/** Chooses sizes of chunks. */
export class ChunkSize {
  readonly #fixed: number | undefined;
  readonly #total: number | undefined;
  #given = 0;
  #size = 1;
  #msPerItem: number | undefined;

  constructor(chunkSize: number | "auto", total: number | undefined) {
    this.#fixed = chunkSize === "auto" ? undefined : chunkSize;
    this.#total = total;
  }

  /** The size of the next chunk. */
  next(workers: number): number {
    let size = this.#fixed ?? this.#size;
    if (this.#fixed === undefined && this.#total !== undefined) {
      const left = this.#total - this.#given;
      const least = Math.min(size, LEAST_MS / (this.#msPerItem ?? Infinity));
      size = Math.max(1, Math.floor(least), Math.min(size, Math.ceil(left / (SHARE * workers))));
    }
    this.#given += size;
    return size;
  }

  /** The current size of a chunk, for bounds. */
  get now(): number {
    return this.#fixed ?? this.#size;
  }

  /** Records that a worker took `ms` for a chunk of so many items. */
  measured(items: number, ms: number): void {
    if (this.#fixed !== undefined) return;
    const each = ms / items;
    // The average of items that differ; but the first chunks of tiny items show how long a message takes.
    this.#msPerItem = this.#msPerItem === undefined || items > 1 && each < TINY_MS
      ? each
      : this.#msPerItem + (each - this.#msPerItem) / 4;
    const wanted = TARGET_MS / Math.max(this.#msPerItem, 1e-6);
    this.#size = Math.max(1, Math.floor(Math.min(wanted, this.#size * GROWTH, MAX_CHUNK)));
  }
}
