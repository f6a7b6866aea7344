// The tasks that have no outcome yet. Each knows its place in a list, so that one that ends leaves nothing behind: a Map
// whose entries come and go all the time leaves dead tables that keep dead tasks in memory until the next full collection.

import type { Task, TaskClient } from "./task.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeMap, ArrayPrototypePop, ArrayPrototypePush, ArrayPrototypeSort } =
  primordials;

/** A set of tasks. */
export class LiveTasks {
  readonly #clients: TaskClient[] = [];

  add(client: TaskClient): void {
    client.place = ArrayPrototypePush(this.#clients, client) - 1;
  }

  remove({ place }: TaskClient): void {
    const last = ArrayPrototypePop(this.#clients)!;
    if (place === this.#clients.length) return;
    this.#clients[place] = last;
    last.place = place;
  }

  /** The tasks, in the order of their numbers. */
  get list(): Task<unknown>[] {
    const tasks = ArrayPrototypeMap(this.#clients, ({ task }) => task);
    return ArrayPrototypeSort(tasks, (a, b) => a.id - b.id);
  }
}
