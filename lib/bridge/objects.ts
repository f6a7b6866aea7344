// Makes the stand-ins for the objects that a process of the operating system was given.

import * as primordials from "../platform/primordials.ts";
import type { BridgeClient } from "./client.ts";
import { ConnectionStandIn } from "./stand_in_connection.ts";
import { JoinableQueueStandIn, QueueStandIn, SimpleQueueStandIn } from "./stand_in_queue.ts";

const { ArrayPrototypeMap } = primordials;

const CLASSES: Readonly<Record<string, new (client: BridgeClient, at: number) => object>> = {
  SimpleQueue: SimpleQueueStandIn,
  Queue: QueueStandIn,
  JoinableQueue: JoinableQueueStandIn,
  Connection: ConnectionStandIn,
};

/** The stand-ins for objects of these classes, in their order. */
export function standInsFor(kinds: readonly string[], client: BridgeClient): object[] {
  return ArrayPrototypeMap(kinds, (kind, at) => new CLASSES[kind](client, at));
}
