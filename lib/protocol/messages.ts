// What starter, host and child say to one another over ports: the whole wire protocol, together with
// the request by which a process is started (spawn_request.ts). A started process has two ports. Over
// the first, its starter sends the arguments before there is a process to read them, and gets the
// Outcome back. Over the second the process asks its host, the isolate that runs its worker, for what
// only a host can do. Everything else is words of the control block (lib/liveness/control_block.ts),
// which need no event loop.

import type { Cargo } from "../transfer/message.ts";
import type { Failure } from "../transfer/remote_error.ts";
import type { SpawnRequest } from "./spawn_request.ts";

/** The first and only message to the starter, of a process that has its permissions. */
export type Outcome = { type: "returned"; cargo: Cargo } | { type: "threw"; failure: Failure };

/** A process that runs in the worker of another, where its host is busy with something else. */
export interface Nested {
  pid: number;
  /** The words of its control block. */
  control: Int32Array;
}

/** What a process asks of its host, or tells it: Deno ends what runs in a worker with it. */
export type Request =
  | { type: "spawn"; request: SpawnRequest }
  | { type: "stop"; pid: number; signal: number }
  | { type: "nested"; nested: Nested };
