// The arrows of a trace: which get took what which put has put. An item is told by its queue and its position there,
// both of which put and get know, so a pair is never guessed. An arrow is shown when both of its ends are known.

import { GET, PUT, RECV, SEND } from "../liveness/event_rings.ts";
import type { Collected } from "./collector.ts";
import type { TraceEvent } from "./read_ring.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, each, Math, SafeMap } = primordials;

/** The most ends that wait for the other one. */
const MOST_WAITING = 200_000;
/** The most times that times are put in order; each moves what follows from the last. */
const MOST_ROUNDS = 10;
/** The most items of one event. */
export const MOST_ITEMS = 2048;
/** A get is shown so many ms after its put, and an event so many after the one before, at least. */
const LEAST_MS = 0.00002;

/** One end of an arrow. */
export interface ArrowEnd {
  pid: number;
  ts: number;
}

/** The ends of arrows whose other ends are not known yet. */
export class Arrows {
  readonly #puts = new SafeMap<string, ArrowEnd>();

  /**
   * Where the arrow that ends here began; undefined for a beginning, and where that isn't known. An end that may be
   * made up never takes the place of another.
   */
  arrow(id: string, isEnd: boolean, at: ArrowEnd, isConfined: boolean): ArrowEnd | undefined {
    const begin = this.#puts.get(id);
    if (!isEnd) {
      const isWanted = begin === undefined ? this.#puts.size < MOST_WAITING : !isConfined;
      if (isWanted) this.#puts.set(id, at);
      return undefined;
    }
    if (begin === undefined || begin.ts > at.ts) return undefined;
    if (!isConfined) this.#puts.delete(id);
    return begin;
  }

  /**
   * Sees to it that no item is got before it was put. The clocks of two processes agree within microseconds, and a get
   * may take place within one: then the get, and what its process did after that, is shown a little later.
   */
  putInOrder(collected: Collected["events"]): void {
    const putAt = new SafeMap<string, number>(), byPid = new SafeMap<number, TraceEvent[]>();
    for (const { event } of each(collected)) {
      let own = byPid.get(event.pid);
      if (own === undefined) byPid.set(event.pid, own = []);
      ArrayPrototypePush(own, event);
    }
    for (let round = 0, hasMoved = true; hasMoved && round < MOST_ROUNDS; round++) {
      hasMoved = false;
      for (const { event } of each(collected)) {
        if (event.type !== PUT && event.type !== SEND) continue;
        for (let i = 0; i < event.d && i < MOST_ITEMS; i++) putAt.set(keyOf(event, i), event.time);
      }
      for (const events of byPid.values()) {
        let last = -Infinity;
        for (let i = 0; i < events.length; i++) {
          const event = events[i];
          let since = -Infinity;
          if (event.type === GET || event.type === RECV) {
            for (let i = 0; i < event.d && i < MOST_ITEMS; i++) {
              since = Math.max(since, putAt.get(keyOf(event, i)) ?? -Infinity);
            }
          }
          const least = Math.max(last, since + LEAST_MS);
          if (event.time < least) {
            event.time = least;
            hasMoved = true;
          }
          last = event.time + LEAST_MS;
        }
      }
    }
  }
}

/** An item of an event, by its kind of object, the object's number, and its position there. */
function keyOf({ a, b, c }: TraceEvent, i: number): string {
  return `${a}.${b}.${(c + i) >>> 0}`;
}
