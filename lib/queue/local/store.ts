// The state of a queue of one process: its items, the number of unfinished items, and three wait queues of
// tasks (for an item, for room, for all to be done). Each operation is a step that is taken when its wait
// queue is ready, and the change it makes lets the tasks go on that waited for it. So, between any two
// operations:
//
//   a task waits for an item  only if there is none
//   a task waits for room     only if there is none
//   no task waits for either  once the queue was shut down

import { QueueEmpty, QueueFull, QueueShutDown } from "../../errors.ts";
import type { WaitOptions } from "../../wait/options.ts";
import type { Source } from "../../wait/streams.ts";
import { isEnd } from "../faces.ts";
import type { Items } from "./items.ts";
import { type Step, WaitQueue } from "./wait_queue.ts";
import * as primordials from "../../platform/primordials.ts";

const { each, Math, RangeError } = primordials;

/** The state of a queue. */
export class Store<T> {
  readonly #items: Items<T>;
  readonly getters: WaitQueue;
  readonly putters: WaitQueue;
  readonly joiners: WaitQueue;
  #put = 0;
  #got = 0;
  #unfinished = 0;
  #shutDown = false;
  #maxSize: number;

  constructor(items: Items<T>, maxSize: number) {
    this.#items = items;
    this.#maxSize = maxSize;
    this.getters = new WaitQueue(() => items.size > 0 || this.#shutDown);
    this.putters = new WaitQueue(() => !this.isFull || this.#shutDown);
    this.joiners = new WaitQueue(() => this.#unfinished === 0);
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Tasks that wait for room go on as far as there is some now. */
  set maxSize(maxSize: number) {
    this.#maxSize = maxSize;
    this.putters.pump();
  }

  get size(): number {
    return this.#items.size;
  }

  get isFull(): boolean {
    return this.#maxSize > 0 && this.size >= this.#maxSize;
  }

  get putCount(): number {
    return this.#put;
  }

  get gotCount(): number {
    return this.#got;
  }

  get unfinished(): number {
    return this.#unfinished;
  }

  get isShutDown(): boolean {
    return this.#shutDown;
  }

  /** The state as it is printed; a property that rarely applies is left out where it doesn't. */
  get state(): Record<string, unknown> {
    return {
      size: this.size,
      maxSize: this.#maxSize,
      unfinished: this.#unfinished,
      ...this.#shutDown && { shutDown: true },
    };
  }

  /** Puts an item when there is room. */
  put(item: T): Step<void> {
    return {
      check: () => this.#items.check?.(item),
      run: () => {
        if (this.#shutDown) throw shutDownError("takes no more items");
        this.#items.add(item);
        this.#put++;
        this.#unfinished++;
        this.getters.pump();
      },
      onTimeout: () => {
        throw new QueueFull(
          `The queue is full: its maxSize is ${this.maxSize}. Wait longer, or get items out of it.`,
        );
      },
    };
  }

  /** Gets an item when there is one, and in the same step gives it to `use`. */
  get<R>(use: (item: T) => R): Step<R> {
    return {
      run: () => {
        if (this.size === 0) throw shutDownError("is empty");
        const item = this.#items.take();
        this.#got++;
        const result = use(item);
        this.putters.pump();
        return result;
      },
      onTimeout: () => {
        throw new QueueEmpty("The queue is empty. Wait longer, or put an item.");
      },
    };
  }

  /** The items as they are got, until the queue was shut down and is empty. */
  get source(): Source<T> {
    return {
      take: (signal) => this.getters.eventually(this.get((item) => item), { signal }),
      takeFor: (use, signal) => this.getters.eventually(this.get(use), { signal }),
      isEnd,
    };
  }

  /** Waits until nothing is unfinished. */
  join(options?: WaitOptions): Promise<boolean> {
    return this.joiners.eventually({ run: () => true, onTimeout: () => false }, options);
  }

  /** Counts one item as finished. */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new RangeError(
        "taskDone() was called more often than there were items. Call it once for each item got.",
      );
    }
    this.#unfinished--;
    this.joiners.pump();
  }

  shutdown(immediate: boolean): void {
    if (immediate) {
      const dropped = this.size;
      this.#items.clear();
      // Items that were reported done before they were got can't be reported once more.
      this.#unfinished = Math.max(0, this.#unfinished - dropped);
    }
    this.#shutDown = true;
    for (const queue of each([this.getters, this.putters, this.joiners])) queue.pump();
  }
}

function shutDownError(state: string): QueueShutDown {
  return new QueueShutDown(`The queue was shut down and ${state}. Make a new queue.`);
}
