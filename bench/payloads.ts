/**
 * The payloads of the benchmarks, and the checksum by which a receiver proves that it got them.
 *
 * Every peer sends the same payloads; `peers/queue_peer.py` builds them the same way.
 * Objects and strings are built before the clock starts and sent over and over, so a figure is
 * the cost of sending, not of building.
 */

/** The payloads, by their names in the table and in the JSON. */
export const PAYLOADS = ["integers", "objects", "strings"] as const;
export type Payload = typeof PAYLOADS[number];

/** Messages of bytes, by their length, for sides with calls of their own for bytes. */
export const CHUNKS = ["64 KiB", "1 MiB"] as const;
export type Chunk = typeof CHUNKS[number];

/** A large item, an array of so many bytes. */
export const LARGE = "10 MB";
export type Large = typeof LARGE;

/** A small record of the kind a crawler would send. */
export interface Link {
  id: number;
  url: string;
  tags: string[];
}

export type Item = number | Link | string | Uint8Array<ArrayBuffer>;

/** The number of different objects or strings before they repeat. */
const DIFFERENT = 1024;
const STRING_LENGTH = 1024;
/** The same for chunks: fewer, because of the memory. */
const DIFFERENT_CHUNKS = 8;
const CHUNK_LENGTHS: Record<Chunk | Large, number> = {
  "64 KiB": 1 << 16,
  "1 MiB": 1 << 20,
  [LARGE]: 10_000_000,
};

/** The function that gives a producer its `index`-th item. */
export function itemsOf(payload: Payload | Chunk | Large): (index: number) => Item {
  if (payload === "integers") return (index) => index;
  if (payload in CHUNK_LENGTHS) return chunksOf(payload as Chunk | Large);
  const build: (index: number) => Item = payload === "objects" ? link : text;
  const items = Array.from({ length: DIFFERENT }, (_, index) => build(index));
  return (index) => items[index % DIFFERENT];
}

/** As itemsOf(), for calls that accept only bytes. */
export function chunksOf(chunk: Chunk | Large): (index: number) => Uint8Array<ArrayBuffer> {
  const chunks = Array.from(
    { length: DIFFERENT_CHUNKS },
    (_, index) => new Uint8Array(CHUNK_LENGTHS[chunk]).fill(index),
  );
  return (index) => chunks[index % DIFFERENT_CHUNKS];
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

/** One number per item; the sum shows that a receiver got all items that were sent. */
export function weigh(item: Item): number {
  if (typeof item === "number") return item;
  if (typeof item === "string") return item.length;
  return item instanceof Uint8Array ? item.length + item[item.length - 1] : item.id;
}

/** The total weight of the items of `producers` producers when each sends `count`. */
export function weightOf(
  payload: Payload | Chunk,
  count: number,
  producers: number,
): number {
  const item = itemsOf(payload);
  let weight = 0;
  for (let index = 0; index < count; index++) weight += weigh(item(index));
  return weight * producers;
}
