/**
 * What the benchmarks send, and how a receiver proves that it really got it.
 *
 * Every peer sends the same three payloads; `peers/queue_peer.py` builds them the same way.
 * Objects and strings are built before the clock starts and sent over and over, so a figure is
 * the cost of sending, not of building.
 */

/** The payloads, by the name they carry in the table and in the JSON. */
export const PAYLOADS = ["integers", "objects", "strings"] as const;
export type Payload = typeof PAYLOADS[number];

/** A small record of the kind a crawler would send. */
export interface Link {
  id: number;
  url: string;
  tags: string[];
}

export type Item = number | Link | string;

/** How many different objects or strings are built before they repeat. */
const DIFFERENT = 1024;
const STRING_LENGTH = 1024;

/** The function that gives a producer its `index`-th item. */
export function itemsOf(payload: Payload): (index: number) => Item {
  if (payload === "integers") return (index) => index;
  const build: (index: number) => Item = payload === "objects" ? link : text;
  const items = Array.from({ length: DIFFERENT }, (_, index) => build(index));
  return (index) => items[index % DIFFERENT];
}

function link(index: number): Link {
  return {
    id: index,
    url: `https://example.com/page/${index}`,
    tags: ["news", "sport", "today"],
  };
}

function text(index: number): string {
  return String(index).padStart(STRING_LENGTH, "abcdefgh");
}

/** One number per item; summed, it shows that a receiver was handed what was sent. */
export function weigh(item: Item): number {
  if (typeof item === "number") return item;
  return typeof item === "string" ? item.length : item.id;
}

/** What the items of `producers` producers weigh together when each sends `count`. */
export function weightOf(
  payload: Payload,
  count: number,
  producers: number,
): number {
  const item = itemsOf(payload);
  let weight = 0;
  for (let index = 0; index < count; index++) weight += weigh(item(index));
  return weight * producers;
}
