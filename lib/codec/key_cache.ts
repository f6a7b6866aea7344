// A cache of the keys of objects, because keys repeat from message to message: reading a known key costs the
// comparison of its characters and no allocation.

import { shortString, UNROLLED } from "./strings.ts";
import * as primordials from "../platform/primordials.ts";

const { Math, StringPrototypeCharCodeAt } = primordials;

/** A key, and the slot of the key that came after it when it was last read. */
interface Known {
  readonly key: string;
  next: number;
}

// A key replaces another key in the same slot, so at most SLOTS keys are kept. For the same reason
// `next` is a slot: references would keep all keys alive that were ever read.
const SLOTS = 1024;
const table: Known[] = [];
/** In all slots at first, because a thousand objects take time to make. */
const NONE: Known = { key: "", next: 0 };
for (let i = 0; i < SLOTS; i++) table[i] = NONE;
let last = NONE;

/** The key given by `length` bytes from `at` on, each a character U+0000 to U+00FF. */
export function keyOf(bytes: Uint8Array, at: number, length: number): string {
  // Objects of one shape have the same keys in the same order.
  let known = table[last.next];
  if (!isAt(bytes, at, length, known.key)) {
    const slot = slotOf(bytes, at, length);
    known = table[slot];
    if (!isAt(bytes, at, length, known.key)) {
      known = { key: stringAt(bytes, at, length), next: 0 };
      table[slot] = known;
    }
    last.next = slot;
  }
  last = known;
  return known.key;
}

function slotOf(bytes: Uint8Array, at: number, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[at + i]) | 0;
  return (hash ^ hash >>> 15) & (SLOTS - 1);
}

function isAt(bytes: Uint8Array, at: number, length: number, key: string): boolean {
  if (key.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (StringPrototypeCharCodeAt(key, i) !== bytes[at + i]) return false;
  }
  return true;
}

function stringAt(bytes: Uint8Array, at: number, length: number): string {
  if (length <= UNROLLED) return shortString(bytes, at, length);
  return shortString(bytes, at, UNROLLED) +
    stringAt(bytes, at + UNROLLED, length - UNROLLED);
}
