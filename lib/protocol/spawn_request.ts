// The request by which a process is started. The starter makes one SpawnRequest, and keeps its own ends of the
// ports and buffers in it. The host, which is the starter or another isolate, makes a worker from it and gives
// the worker the child's part. Each fact is stored once: facts that host and child both need are in the child's
// part.

import type { MessagePort } from "node:worker_threads";
import type { Ref } from "../liveness/process_table.ts";
import type { SlotContent } from "../liveness/wait_board.ts";
import type { BundleParts } from "./bundle_parts.ts";
import type { Travel } from "./travel.ts";
import type { Grants, Name, Sealed } from "./grants.ts";
import type { Identity } from "./identity.ts";

/**
 * Everything from which a host starts a process. A request crosses to another isolate by a port, which
 * transfers `port`.
 */
export interface SpawnRequest {
  /** The child's part of the request. */
  child: ChildPart;
  /** The child's end of the port to its starter, in which the arguments wait. */
  port: MessagePort;
  /** The pid of the starter. */
  owner: number;
  /** The words of the exit record: those of the control block, or words that the process doesn't see. */
  exit: Int32Array;
  /** The memory where the host writes why a worker couldn't run: see crash_report.ts. */
  crashReport: SharedArrayBuffer;
  /** The data: URL of the worker's main module. */
  main: string;
  /** The permissions with which the worker is made, if it doesn't inherit them. */
  grants: Grants | undefined;
  /**
   * The URL of this package's text that the main module imports, where that module can run in a spare
   * (lib/host/workers/spare.ts).
   */
  runtime?: string;
}

/** The child's part: everything that a process is told before it runs any code. */
export interface ChildPart {
  identity: Identity;
  parent: Identity;
  /** The entries of the process and of its starter in the process table. */
  self: Ref;
  starter: Ref;
  /** The shared memory of the process table; undefined where the process has a broker channel. */
  table: SharedArrayBuffer | undefined;
  /** Through it a process with permissions of its own uses the process table: see brokered_table.ts. */
  brokerChannel: SharedArrayBuffer | undefined;
  /** Where the process writes what it waits for; undefined where its starter has no place for that. */
  slot: SlotContent | undefined;
  /** The traceparent of its span (lib/telemetry/spans.ts); undefined where it has none. */
  traceparent: string | undefined;
  /** Whether the name of the process stands before each line that it prints. */
  isPrefixed: boolean;
  /** The words of the process's control block. */
  control: Int32Array;
  travel: Travel;
  /** The URL of this package's first module in a child, for processes that the child starts by reference. */
  library: string;
  /** The URLs of this package's text, for processes that the child starts. */
  parts: BundleParts;
  /** The permissions, if the process, or a process it inherits them from, was started with explicit ones. */
  grants: Grants | undefined;
  /** The permissions that the process gives up before it runs any code of the user's. */
  giveUp: readonly Name[];
  /** How the realm is sealed, if it is. Processes that a sealed process starts are sealed as well. */
  sealed: Sealed | undefined;
  /** The key (lib/transfer/signature.ts) that goes with the permissions; only for a process that inherits them. */
  key: Uint8Array | undefined;
  /** In MB of the heap. Processes that this one starts get no more. */
  memoryLimitMb: number | undefined;
  /** In ms, from when the modules are loaded. */
  timeLimit: number | undefined;
  /** The memory where a process with permissions of its own writes the outcome of its target: see outcome.ts. */
  result: SharedArrayBuffer | undefined;
  /**
   * The memory where the process leaves the error it ends with, as text; undefined where the host reads nothing
   * of it.
   */
  crashReport: SharedArrayBuffer | undefined;
}

/** The data that a worker is given: the child's part, and what its host adds. */
export interface WorkerData {
  child: ChildPart;
  /** The child's ends of the ports to the starter and to the host. */
  port: MessagePort;
  host: MessagePort;
  /** Whether the process can end in the middle of a critical section. */
  mayEndAnywhere: boolean;
}
