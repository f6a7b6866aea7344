// The containers of a queue's items, which make the order in which the items come out.

import * as primordials from "../../platform/primordials.ts";

const { ArrayPrototypePop, ArrayPrototypeReverse } = primordials;

/** Items in the order in which they are to be taken. */
export interface Items<T> {
  readonly size: number;
  /** Throws if the item could never be added. */
  check?(item: T): void;
  /** Adds an item, or throws and changes nothing. */
  add(item: T): void;
  /** Takes the next one; `size` is not 0. */
  take(): T;
  clear(): void;
}

/**
 * The oldest first: a queue made of two stacks (Burton, 1982). New items are pushed on one array; when the
 * other array, from which items are taken, is used up, the first one is reversed and takes its place. Each
 * item is moved once, and both arrays shrink as they empty.
 */
export class OldestFirst<T> implements Items<T> {
  #coming: T[] = [];
  #going: T[] = [];

  get size(): number {
    return this.#coming.length + this.#going.length;
  }

  // V8 calls push and pop as fast as methods only of an array that it has just been shown (Deno 2.9.6).
  add(item: T): void {
    const coming = this.#coming;
    coming[coming.length] = item;
  }

  take(): T {
    const going = this.#going;
    if (going.length > 0) return ArrayPrototypePop(going) as T;
    const pile = this.#coming;
    if (pile.length === 1) return ArrayPrototypePop(pile) as T;
    this.#coming = going;
    this.#going = ArrayPrototypeReverse(pile);
    return ArrayPrototypePop(pile) as T;
  }

  clear(): void {
    this.#coming = [];
    this.#going = [];
  }
}

/** The newest first. */
export class NewestFirst<T> implements Items<T> {
  readonly #pile: T[] = [];

  get size(): number {
    return this.#pile.length;
  }

  add(item: T): void {
    const pile = this.#pile;
    pile[pile.length] = item;
  }

  take(): T {
    return ArrayPrototypePop(this.#pile) as T;
  }

  clear(): void {
    this.#pile.length = 0;
  }
}
