// Targets of the tests of the contracts, by reference or by source: see queue_targets.ts.

import type { AsyncJoinableQueue, BlockingQueue, Queue } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** By whom it was put, and its number; null: no more will come. */
export type Item = [id: number, i: number] | null;

/** Async or blocking. */
export type Face = "async" | "sync";

/** Puts [id, 0], [id, 1] … [id, count - 1]. */
export async function give(queue: BlockingQueue<Item>, id: number, count: number, face: Face) {
  for (let i = 0; i < count; i++) {
    if (face === "async") await queue.put([id, i]);
    else queue.putSync([id, i]);
  }
}

/** Gets until there are no more, and returns what it got. */
export async function take(queue: BlockingQueue<Item>, face: Face): Promise<[number, number][]> {
  const got: [number, number][] = [];
  for (;;) {
    const item = face === "async" ? await queue.get() : queue.getSync();
    if (item === null) return got;
    got.push(item);
    // Else a server would give the item to another one as this process ends.
    if ("taskDone" in queue) await (queue as { taskDone(): unknown }).taskDone();
  }
}

/** Puts into one queue what it gets from the other, for ever. */
export async function echo(from: BlockingQueue<Item>, to: BlockingQueue<Item>) {
  for (;;) await to.put(await from.get());
}

/** Gets for ever, and says so each time. */
export async function say(queue: BlockingQueue<Item>, said: Queue<string>, face: Face) {
  for (;;) {
    if (face === "async") await queue.get();
    else queue.getSync();
    said.putSync("got");
  }
}

/** Gets and finishes until there are no more; returns how many there were. */
export async function finish(queue: AsyncJoinableQueue<Item>): Promise<number> {
  for (let count = 0;; count++) {
    const item = await queue.get();
    await queue.taskDone();
    if (item === null) return count;
  }
}
