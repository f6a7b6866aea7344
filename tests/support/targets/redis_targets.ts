// The targets of the contract of queues, for processes that are given queues in a server.

import type { RemoteQueue } from "../../../redis.ts";
import "../../../redis.ts";
export * from "./contract_targets.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** Puts four numbers by two handles in turn. */
export async function putToBoth(one: RemoteQueue<number>, two: RemoteQueue<number>): Promise<void> {
  for (const n of [1, 3]) {
    await one.put(n);
    await two.put(n + 1);
  }
}
