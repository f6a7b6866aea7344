// What it takes to start a process. The starter makes one SpawnRequest, and keeps its own ends of what is
// in it. The host, which is the starter or another isolate, makes a worker of it, and gives that the
// child's part. Each fact stands in one place: what both need to know stands in the child's part.

import type { MessagePort } from "node:worker_threads";
import type { Ref } from "../liveness/process_table.ts";
import type { BundleParts } from "./bundle_parts.ts";
import type { Travel } from "./travel.ts";
import type { Grants, Name, Sealed } from "./grants.ts";
import type { Identity } from "./identity.ts";

/** What a host starts a process from. It crosses to another isolate by a port, which transfers `port`. */
export interface SpawnRequest {
  /** What the process itself is told. */
  child: ChildPart;
  /** The child's end of the port to its starter, in which the arguments wait. */
  port: MessagePort;
  /** The pid of the starter. */
  owner: number;
  /** The words of the exit record: those of the control block, or words that the process doesn't see. */
  exit: Int32Array;
  /** Where the host writes why a worker couldn't run: see crash_report.ts. */
  crashReport: SharedArrayBuffer;
  /** The data: URL of the worker's main module. */
  main: string;
  /** The permissions with which the worker is made, if it doesn't inherit them. */
  grants: Grants | undefined;
}

/** What a process is told before it runs anything. */
export interface ChildPart {
  identity: Identity;
  parent: Identity;
  /** The entries of the process and of its starter in the process table. */
  self: Ref;
  starter: Ref;
  /** The shared memory of the process table; undefined where the process has a desk. */
  table: SharedArrayBuffer | undefined;
  /** The desk by which a process with permissions of its own uses that table: see brokered_table.ts. */
  desk: SharedArrayBuffer | undefined;
  /** The words of its control block. */
  control: Int32Array;
  travel: Travel;
  /** Where the modules of this package are, for processes that the child starts by reference. */
  library: string;
  /** Where the text of this package is, for processes that the child starts. */
  parts: BundleParts;
  /** Its permissions, if it or a process it inherits them from was started with explicit ones. */
  grants: Grants | undefined;
  /** The permissions that it gives up before it runs any code of the user's. */
  giveUp: readonly Name[];
  /** How its realm is sealed, if it is; what it starts is sealed as well. */
  sealed: Sealed | undefined;
  /** The key (lib/transfer/signature.ts) that goes with its permissions; only if it inherits them. */
  key: Uint8Array | undefined;
  /** In MB of the heap; what it starts gets no more. */
  memoryLimitMb: number | undefined;
  /** In ms, from when its modules are loaded. */
  timeLimit: number | undefined;
  /** Where it writes what became of its target, if it has permissions of its own: see outcome.ts. */
  result: SharedArrayBuffer | undefined;
  /** Where it leaves the error it ends with, in words; undefined where its host reads nothing of it. */
  crashReport: SharedArrayBuffer | undefined;
}

/** What a worker is given: the child's part, and what its host adds. */
export interface WorkerData {
  child: ChildPart;
  /** To the starter, and to the host. */
  port: MessagePort;
  host: MessagePort;
  /** Whether the process can end in the middle of a critical section. */
  mayEndAnywhere: boolean;
}
