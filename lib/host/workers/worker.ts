// The worker in which a process runs, as its supervisor sees it. There are three kinds: a thread
// (thread.ts), a sandbox (sandbox.ts), and a thread in a sandbox (sandboxed_thread.ts).

import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";

/** A worker. */
export interface ProcessWorker {
  /**
   * Whether terminate() ends it in the middle of synchronous code. Otherwise it does so when the
   * code gets to the event loop, or calls this library.
   */
  readonly isInterruptible: boolean;
  /** Whether it reports its end; otherwise only the port that closes tells of it. */
  readonly knowsEnd: boolean;
  /** Orders its end, and calls `exited` at once; it may go on for a moment. */
  terminate(): void;
  /** Gives back what is left of it, once the process has ended. */
  dispose(): void;
  /** Passes on what it has reported, where the thread of the host is blocked and hears no event. */
  look(): void;
}

/** What the supervisor is told of its worker. */
export interface Listener {
  /** Why the worker couldn't run; what a target throws doesn't come here. */
  failed(error: unknown): void;
  /** The time of the process is up, and it is being ended: where the worker keeps the time itself. */
  timeIsUp(): void;
  /** The worker is ending. */
  exited(code: number): void;
}

/** Makes a worker of one kind and starts it. */
export type StartWorker = (
  request: SpawnRequest,
  data: WorkerData,
  listener: Listener,
) => ProcessWorker;
