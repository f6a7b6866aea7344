// The messages that starter, host and child exchange over ports: the whole wire protocol, together with the
// request by which a process is started (spawn_request.ts). A started process has two ports. Over the first,
// its starter sends the arguments before the process exists, and gets the Outcome back. Over the second, the
// process asks its host, the isolate that runs its worker, for things that only a host can do. Everything else
// is words of the control block (lib/liveness/control_block.ts), which need no event loop.

import type { Message } from "../transfer/message.ts";
import type { Failure } from "../transfer/remote_error.ts";
import type { SpawnRequest } from "./spawn_request.ts";

/** The first and only message to the starter, from a process that has the same permissions. */
export type Outcome = { type: "returned"; message: Message } | { type: "threw"; failure: Failure };

/** A process that runs in the worker of another process, whose thread may be busy with something else. */
export interface Nested {
  pid: number;
  /** The words of its control block. */
  control: Int32Array;
}

/**
 * A request of a process to its host. "nested" tells the host of a process inside the worker, because Deno ends
 * all workers of a worker together with it.
 */
export type Request =
  | { type: "spawn"; request: SpawnRequest }
  | { type: "stop"; pid: number; signal: number }
  | { type: "nested"; nested: Nested };
