// How many items go to a worker at once. More of them share the price of a message; fewer keep all workers busy
// to the end, whatever the items take. So a chunk is to take some milliseconds, by what items have taken so far
// (guided self-scheduling: Polychronopoulos and Kuck, 1987).

import * as primordials from "../platform/primordials.ts";

const { Math } = primordials;

/** How long a chunk is to take, in ms. */
const TARGET_MS = 4;
/** A chunk is at most so many times as large as the one before it, and as this. */
const GROWTH = 8, MAX_CHUNK = 8192;
/** Of what is left each worker gets at most this part at once. */
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
      size = Math.max(1, Math.min(size, Math.ceil(left / (SHARE * workers))));
    }
    this.#given += size;
    return size;
  }

  /** The size of one now, for bounds. */
  get now(): number {
    return this.#fixed ?? this.#size;
  }

  /** A chunk of so many items took a worker so long, in ms. */
  measured(items: number, ms: number): void {
    if (this.#fixed !== undefined) return;
    const each = ms / items;
    this.#msPerItem = this.#msPerItem === undefined
      ? each
      : this.#msPerItem + (each - this.#msPerItem) / 4;
    const wanted = TARGET_MS / Math.max(this.#msPerItem, 1e-6);
    this.#size = Math.max(1, Math.floor(Math.min(wanted, this.#size * GROWTH, MAX_CHUNK)));
  }
}
