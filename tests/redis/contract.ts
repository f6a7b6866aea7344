// The queues in a server pass the contract of queues.

import { connectLater, openJoinableQueue, openQueue } from "../../lib/redis/hub.ts";
import type { Hub } from "../../redis.ts";
import { type Implementation, queueContract } from "../queue/contract.ts";
import * as targets from "../support/targets/redis_targets.ts";
import { Server } from "./support/server.ts";

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

let hub: Hub | undefined, made = 0;

const remote: Omit<Implementation, "name" | "className" | "make"> = {
  order: "oldest",
  module: targets.here,
  after: async () => {
    await hub?.close();
    hub = undefined;
  },
  can: {
    asyncQueue: true,
    batches: true,
    blocking: true,
    joinable: false,
    // It is the hub that is closed.
    closable: false,
    // All clients would have to agree on it.
    resizable: false,
    synchronous: false,
    copies: true,
    processes: true,
    leases: false,
    // wait() looks at shared memory.
    waitable: false,
  },
};

// A lease is longer than the start of the thread that beats while this one blocks, on a busy machine, too.
/** Every test has a hub of its own, and every queue a name of its own. */
function place(): [Hub, string] {
  return [hub ??= connectLater(server.url, { leaseTime: 6000 }), `queue ${++made}`];
}

queueContract({
  ...remote,
  name: "RemoteQueue",
  className: "RemoteQueue",
  make: (options = {}) => openQueue(...place(), { maxSize: options.maxSize }),
});

queueContract({
  ...remote,
  name: "RemoteJoinableQueue",
  className: "RemoteJoinableQueue",
  can: { ...remote.can, joinable: true, leases: true },
  make: (options = {}) => openJoinableQueue(...place(), { maxSize: options.maxSize }),
});
