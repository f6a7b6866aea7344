// The priority queue of units that wait for a worker: larger priorities first, equal ones first in, first out.

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

/** A priority queue with one FIFO list for each priority. */
export class Backlog<T extends { readonly priority: number }> {
  /** A list and the index of its first item: taking the first item moves nothing. */
  readonly #lines = new SafeMap<number, { list: (T | undefined)[]; start: number }>();
  /** The priorities that have a list, the largest first. */
  #priorities: number[] = [];
  #size = 0;

  /** The number of items. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item behind all items of its priority. */
  push(item: T): void {
    ArrayPrototypePush(this.#line(item.priority).list, item);
    this.#size++;
  }

  /** Puts items back before all items of their priority, in this order. */
  pushFront(items: readonly T[]): void {
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      const line = this.#line(item.priority);
      if (line.start > 0) line.list[--line.start] = item;
      else ArrayPrototypeUnshift(line.list, item);
      this.#size++;
    }
  }

  /** The next item; undefined if there is none. */
  peek(): T | undefined {
    const line = this.#first();
    return line?.list[line.start];
  }

  /** Removes and returns the next item. */
  shift(): T | undefined {
    const line = this.#first();
    if (line === undefined) return undefined;
    const item = line.list[line.start];
    line.list[line.start++] = undefined;
    this.#size--;
    return item;
  }

  /** Removes and returns all items for which `isUnwanted` is true. */
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
        // The emptied front of the list is cut off now and then, which frees its memory.
        if (line.start > 1024 && line.start > line.list.length >> 1) {
          line.list = ArrayPrototypeSlice(line.list, line.start);
          line.start = 0;
        }
        return line;
      }
      line.list.length = line.start = 0;
      if (this.#priorities.length === 1) return undefined; // kept, as most backlogs have one priority
      this.#lines.delete(priority);
      ArrayPrototypeShift(this.#priorities);
    }
    return undefined;
  }
}
