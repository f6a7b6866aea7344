// What waits for a worker: larger priorities first, and equal ones in the order in which they came.

import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePush,
  ArrayPrototypeShift,
  ArrayPrototypeSlice,
  ArrayPrototypeSort,
  ArrayPrototypeUnshift,
  listOf,
  SafeMap,
} = primordials;

/** A queue of some priorities. */
export class Backlog<T extends { readonly priority: number }> {
  /** Each line is a list with a start, so that taking the first costs nothing. */
  readonly #lines = new SafeMap<number, { list: (T | undefined)[]; start: number }>();
  /** The priorities that have a line, the largest first. */
  #priorities: number[] = [];
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds one behind its equals. */
  push(item: T): void {
    ArrayPrototypePush(this.#line(item.priority).list, item);
    this.#size++;
  }

  /** Adds some before their equals, in this order: they were there before. */
  pushFront(items: readonly T[]): void {
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      const line = this.#line(item.priority);
      if (line.start > 0) line.list[--line.start] = item;
      else ArrayPrototypeUnshift(line.list, item);
      this.#size++;
    }
  }

  /** The next one; undefined if none waits. */
  peek(): T | undefined {
    const line = this.#first();
    return line?.list[line.start];
  }

  /** Takes the next one. */
  shift(): T | undefined {
    const line = this.#first();
    if (line === undefined) return undefined;
    const item = line.list[line.start];
    line.list[line.start++] = undefined;
    this.#size--;
    return item;
  }

  /** Takes out all of which `isUnwanted` is true. */
  remove(isUnwanted: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (const line of this.#lines.values()) {
      const rest: T[] = [];
      for (let i = line.start; i < line.list.length; i++) {
        const item = line.list[i]!;
        ArrayPrototypePush(isUnwanted(item) ? removed : rest, item);
      }
      line.list = rest;
      line.start = 0;
    }
    this.#size -= removed.length;
    return removed;
  }

  #line(priority: number): { list: (T | undefined)[]; start: number } {
    let line = this.#lines.get(priority);
    if (line === undefined) {
      line = { list: [], start: 0 };
      this.#lines.set(priority, line);
      this.#priorities = ArrayPrototypeSort(listOf(this.#lines.keys()), (a, b) => b - a);
    }
    return line;
  }

  #first(): { list: (T | undefined)[]; start: number } | undefined {
    while (this.#priorities.length > 0) {
      const priority = this.#priorities[0], line = this.#lines.get(priority)!;
      if (line.start < line.list.length) {
        // What was taken is let go of now and then.
        if (line.start > 1024 && line.start > line.list.length >> 1) {
          line.list = ArrayPrototypeSlice(line.list, line.start);
          line.start = 0;
        }
        return line;
      }
      this.#lines.delete(priority);
      ArrayPrototypeShift(this.#priorities);
    }
    return undefined;
  }
}
