// The worker in which a process runs, as its host sees it. There are three kinds: a thread
// (thread.ts), a sandbox (sandbox.ts), and a thread in a sandbox (sandboxed_thread.ts).

import type { Birth, Launch } from "../../protocol/messages.ts";

/** A worker. */
export interface Body {
  /**
   * Whether terminate() ends it in the middle of synchronous code. Otherwise it does so when the
   * code gets to the event loop, or calls this library.
   */
  readonly isInterruptible: boolean;
  /** Whether it is told of the end; otherwise the host has to look whether its port was closed. */
  readonly knowsEnd: boolean;
  /** Gives the order to end it, and tells `exited` at once; it may go on for a moment. */
  terminate(): void;
  /** Gives back what is left of it, once the process has ended. */
  dispose(): void;
  /** Tells what has been reported, where the thread is blocked and can't hear it. */
  look(): void;
}

/** Who wants to know of it. */
export interface Listener {
  /** Why the worker couldn't run; what a target throws doesn't come here. */
  failed(error: unknown): void;
  /** Its time is up, and it is being ended: by one who keeps the time beside its host. */
  timeIsUp(): void;
  /** The worker is ending. */
  exited(code: number): void;
}

/** Makes a worker of one kind and starts it. */
export type StartBody = (launch: Launch, birth: Birth, listener: Listener) => Body;
