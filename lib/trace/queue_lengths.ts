// The lengths of queues over time, from the positions of the items that were put and got: no process reads a length
// for a trace.

import * as primordials from "../platform/primordials.ts";

const { Math, SafeMap } = primordials;

/** A length is shown only so often, in ms, unless nothing follows. */
const EVERY_MS = 0.02;
/** The most items that one event puts. */
const MOST_AHEAD = 2048;

interface Counts {
  put: number;
  got: number;
  shownAt: number;
  isShown: boolean;
}

/** The lengths of all queues. */
export class QueueLengths {
  readonly #counts = new SafeMap<number, Counts>();

  /** At some time, so many items had been got from a queue. */
  know(number: number, got: number): void {
    const counts = this.#counts.get(number);
    if (counts === undefined) {
      this.#counts.set(number, { put: got, got, shownAt: -Infinity, isShown: true });
    } else if (((got - counts.got) | 0) < 0) counts.got = got;
  }

  /**
   * Items were put, or got, up to a position. Returns the length, where it is to be shown.
   *
   * @param ms the time
   */
  change(number: number, isGet: boolean, upTo: number, ms: number): number | undefined {
    let counts = this.#counts.get(number);
    if (counts === undefined) {
      counts = { put: upTo, got: upTo, shownAt: -Infinity, isShown: true };
      this.#counts.set(number, counts);
    }
    if (((upTo - counts.put) | 0) > 0) counts.put = upTo;
    if (isGet && ((upTo - counts.got) | 0) > 0) counts.got = upTo;
    counts.isShown = ms - counts.shownAt >= EVERY_MS;
    if (!counts.isShown) return undefined;
    counts.shownAt = ms;
    return lengthOf(counts);
  }

  /** Whether what a process says that may be hostile can be: it gets what was put, and puts after what was put. */
  isLikely(number: number, isGet: boolean, upTo: number): boolean {
    const counts = this.#counts.get(number);
    if (counts === undefined) return false;
    const ahead = (upTo - counts.put) | 0;
    return isGet ? ahead <= 0 : ahead <= MOST_AHEAD;
  }

  /** All items of a queue were dropped. */
  clear(number: number): void {
    const counts = this.#counts.get(number);
    if (counts !== undefined) counts.got = counts.put;
  }

  /** The numbers of the queues whose last length was not shown, and that length. */
  last(): [number: number, length: number][] {
    const all: [number, number][] = [];
    for (const { 0: number, 1: counts } of this.#counts) {
      if (!counts.isShown) primordials.ArrayPrototypePush(all, [number, lengthOf(counts)]);
    }
    return all;
  }
}

function lengthOf({ put, got }: Counts): number {
  return Math.max((put - got) | 0, 0);
}
