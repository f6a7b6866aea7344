// Queues that are handed over to a process: their names, the URL of the server and the options travel, and the
// process connects by itself, with one hub for all that have the same.

import type { Checked, Properties } from "./options.ts";
import { Store } from "./store.ts";
import { Wires } from "./wires.ts";

/** A queue in the form in which it crosses. */
export interface QueueContent {
  url: string;
  options: Checked;
  name: string;
  base: string;
  wanted: Properties;
  id: string;
}

const hubs = new Map<string, Wires>();

/** The connections of this process for what arrives. */
export function wiresFor(url: string, options: Checked): Wires {
  const key = JSON.stringify([url, options]);
  let wires = hubs.get(key);
  if (wires === undefined || wires.isClosed) {
    wires = new Wires(url, options);
    wires.connectLater();
    hubs.set(key, wires);
  }
  return wires;
}

/** The queue that arrived. */
export function storeOf({ url, options, name, base, wanted, id }: QueueContent): Store {
  return new Store(wiresFor(url, options), name, base, wanted, id);
}

/** A queue in the form in which it crosses. */
export function contentOf(store: Store): QueueContent {
  store.check();
  const { wires: { url, options }, name, base, id, isCounted, maxSize, attempts } = store;
  const wanted = { counted: isCounted, maxSize, attempts, expireAfter: undefined };
  return { url, options, name, base, wanted, id };
}
