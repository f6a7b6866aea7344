// Everything that processes say to each other to be started, to answer and to be ended: the whole
// wire protocol. A started process has two ports. Over the first, its starter sends Init before
// there is a process to read it, and gets Outcome back. Over the second it asks its host, the
// isolate that runs its worker, for what only a host can do. All else is words of the control
// block (lib/liveness/control_block.ts), which need nobody's event loop.

import type { MessagePort } from "node:worker_threads";
import type { Cargo } from "../transfer/message.ts";
import type { Ref } from "../liveness/process_table.ts";
import type { Failure } from "../transfer/remote_error.ts";
import type { Grants, Name } from "../process/permissions.ts";
import type { Reference } from "../target/reference.ts";

/** Who a process is. */
export interface Identity {
  name: string;
  /** Unique in the program. */
  pid: number;
  /** Its place in the tree of processes: [1, 2] is the second child of the first child. */
  lineage: number[];
  daemon: boolean;
}

/** What a sealed realm has beside what every sealed one has. */
export interface Sealed {
  /** Names of globals. */
  keep: readonly string[];
}

/** How a target finds its way into the child. */
export type Travel =
  /** The child imports the module and looks for the function there. */
  | { by: "reference"; reference: Reference; name: string; isClass: boolean }
  /** The text stands in the child's main module, which passes it to boot(). */
  | {
    by: "source";
    name: string;
    isClass: boolean;
    scope: Scope;
    /** Why it doesn't travel by reference; undefined where that was not wanted. */
    notByReference: string | undefined;
  };

/** What names in a function by source stand for: see target/source.ts. */
export interface Scope {
  /** Those that this package exports, by the name they have in the function; "*" is all of them. */
  readonly names: Readonly<Record<string, string>>;
  /** Those that mean something the child doesn't have, though it has something of that name. */
  readonly dead: readonly string[];
  /** Whether that was told by the text of the function's module. */
  readonly isKnown: boolean;
}

/** The first and only message from the starter. */
export interface Init {
  identity: Identity;
  travel: Travel;
  /** The arguments; of a subclass of Process, the object's own properties. */
  cargo: Cargo;
  /** The roster of the program, and who in it the process is, and who its starter. */
  roster: SharedArrayBuffer | undefined;
  /** Over which it asks its host for that, if it has permissions of its own: see lib/liveness/brokered_table.ts. */
  desk: SharedArrayBuffer | undefined;
  self: Ref;
  starter: Ref;
  parent: Identity;
  /** Where the modules of this package are, for processes the child starts by reference. */
  library: string;
  /** Its permissions, if it or one it inherits them from was started with explicit ones. */
  grants: Grants | undefined;
  /** How its realm is sealed, if it is; what it starts is sealed as well. */
  sealed: Sealed | undefined;
  /** Its memory limit, in MB, which those it starts don't exceed either. */
  memoryLimitMb: number | undefined;
  /** Where it writes what became of its target, if it has permissions of its own: see outcome.ts. */
  letter: SharedArrayBuffer | undefined;
  /** The key (lib/transfer/signature.ts) that it shares with its permissions; only if it inherits them. */
  key: Uint8Array | undefined;
}

/** The first and only message to the starter, of a process that has its permissions. */
export type Outcome = { type: "returned"; cargo: Cargo } | { type: "threw"; failure: Failure };

/** What a worker is started from. */
export interface Launch {
  identity: Identity;
  /** Its entry in the roster. */
  ref: Ref;
  /** The pid of the starter. */
  owner: number;
  control: Int32Array;
  /** Where its end is written down; the control block itself, or what the process doesn't see. */
  fate: Int32Array;
  /** The data: URL of the main module. */
  main: string;
  /** The desk of the process, if it has one. */
  desk: SharedArrayBuffer | undefined;
  /** The child's end of the starter's port. */
  port: MessagePort;
  /** The permissions of the worker, if it doesn't inherit them. */
  grants: Grants | undefined;
  /** Those it gives up before it runs any code of the user's. */
  giveUp: readonly Name[];
  /** In MB of the heap. */
  memoryLimitMb: number | undefined;
  /** In ms, from when its modules are loaded. */
  timeLimit: number | undefined;
}

/** A process that runs in the worker of another, where its host is busy with something else. */
export interface Nested {
  pid: number;
  control: Int32Array;
}

/** What a process asks of its host, or tells it: Deno ends what runs in a worker with it. */
export type Request =
  | { type: "start"; launch: Launch }
  | { type: "stop"; pid: number; signal: number }
  | { type: "nested"; nested: Nested };

/** What a worker is given at its birth. */
export interface Birth {
  control: Int32Array;
  port: MessagePort;
  host: MessagePort;
  /** Where it leaves the error it ends with, in words: see outcome.ts. */
  lastWords: SharedArrayBuffer | undefined;
  giveUp: readonly Name[];
  isMemoryLimited: boolean;
  /** Whether it has a limit of any kind. */
  isLimited: boolean;
  /** Whether it can end in the middle of a critical section. */
  mayEndAnywhere: boolean;
}
