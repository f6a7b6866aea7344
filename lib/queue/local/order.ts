// The order of items where the user gives none: Python's. Numbers, bigints and booleans are numbers; strings,
// dates and arrays have an order among themselves. Arrays are compared as Python's tuples, by the first
// elements that aren't the same, or by their lengths. Any other value is the same only as itself, and comes
// neither before nor after another.

import * as primordials from "../../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeFindIndex,
  Date,
  DatePrototypeGetTime,
  Math,
  Number,
  Object,
  TypeError,
} = primordials;

/** The order of two items. Throws a TypeError if there is none; `item` is the item being put. */
export function naturalOrder(item: unknown, other: unknown): number {
  const order = compare(item, other);
  if (Number.isNaN(order)) throw new TypeError(explain(item, other, "item"));
  return order;
}

/** Throws a TypeError if an item has no order, whatever it is compared with. */
export function checkHasOrder(item: unknown): void {
  if (typeof item === "string" || Array.isArray(item) || !Number.isNaN(Number(amount(item)))) {
    return;
  }
  throw new TypeError(
    `item is ${name(item)}, which is neither larger nor smaller than anything. ${wayOut("item")}`,
  );
}

/** Negative, 0 or positive; NaN if the two have no order. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (Object.is(a, b)) return 0;
  if (Array.isArray(a)) return Array.isArray(b) ? compareAll(a, b) : NaN;
  if (a instanceof Date !== b instanceof Date) return NaN;
  const one = amount(a), two = amount(b);
  if (one === undefined || two === undefined) return NaN;
  // Not by their difference: the difference of two infinities is NaN, and one with a bigint throws.
  return one < two ? -1 : one > two ? 1 : one == two ? 0 : NaN;
}

function compareAll(a: unknown[], b: unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The number that stands for a value: of a date, its time; undefined if there is none. */
function amount(value: unknown): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return Number(value);
  return value instanceof Date ? DatePrototypeGetTime(value) : undefined;
}

/** Says where two items have no order, and what to do. */
function explain(item: unknown, other: unknown, place: string): string {
  if (Array.isArray(item) && Array.isArray(other)) {
    const i = ArrayPrototypeFindIndex(item, (part, i) => compare(part, other[i]) !== 0);
    return explain(item[i], other[i], `${place}[${i}]`);
  }
  const where = place === "item" ? "which is in the queue" : "which an item in the queue has there";
  return `${place} is ${name(item)}, neither larger nor smaller than ${name(other)}, ${where}. ` +
    wayOut(place);
}

function wayOut(place: string): string {
  return place === "item"
    ? "Put [priority, item], or say what comes first, as in " +
      "new PriorityQueue({ compare: (a, b) => a.priority - b.priority })."
    : "Say what comes first, as in new PriorityQueue({ compare: (a, b) => a[0] - b[0] }).";
}

function name(value: unknown): string {
  if (value === null || value === undefined || Number.isNaN(value)) return `${value}`;
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) {
    return Number.isNaN(DatePrototypeGetTime(value)) ? "an invalid Date" : "a Date";
  }
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
