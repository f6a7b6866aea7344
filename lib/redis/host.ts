// A queue in the server, as its parts see it: those that get, put and join, and those that block.

import type { Arg } from "./driver.ts";
import type { ScriptName } from "./scripts.ts";
import type { Wires } from "./wires.ts";

/** The most entries of one call, the most bytes, and the most items to ask for. */
export const MAX_ENTRIES = 2000, MAX_CALL_BYTES = 2 ** 22, MAX_ASKED = 2000;
/** How often those that wait ask again, in ms: a message may have been lost. */
export const POLL = 1000;

/** The queue. */
export interface Host {
  readonly wires: Wires;
  readonly name: string;
  /** What the server calls this handle: two of one hub are two clients there. */
  readonly client: string;
  readonly base: string;
  readonly channel: string;
  /** Drawn when the queue was made: a queue of that name that was made later has another. */
  readonly id: string;
  readonly maxSize: number;
  readonly opened: Promise<void>;
  readonly isOpen: boolean;
  readonly hasFailed: boolean;
  readonly epoch: number;
  /** The number of messages so far: one may overtake the answer of the call that it comes of. */
  readonly messages: number;
  /** Throws if it can't be used any more. */
  check(): void;
  /** Runs a script in the epoch that counts. */
  call(script: ScriptName, args?: () => Arg[]): Promise<unknown>;
  /** Asks now and then, as long as something waits. */
  watch(): void;
  /** No longer asks, if nothing waits. */
  unwatch(): void;
}
