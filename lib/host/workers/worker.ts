// The worker in which a process runs, as its supervisor sees it. There are three kinds: a thread
// (thread.ts), a sandbox (sandbox.ts), and a thread in a sandbox (sandboxed_thread.ts).

import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";

/** A worker of any of the three kinds. */
export interface ProcessWorker {
  /**
   * Whether terminate() ends the worker in the middle of synchronous code. Otherwise the worker ends when its
   * code gets to the event loop, or calls this library.
   */
  readonly isInterruptible: boolean;
  /** Whether the worker reports its end. Otherwise only the closing of its port tells of it. */
  readonly knowsEnd: boolean;
  /** Whether the worker was not made yet, because others are made before it. */
  readonly isWaiting?: boolean;
  /** Orders the worker's end and calls `exited` at once. The worker may go on for a moment. */
  terminate(): void;
  /** Releases what is left of the worker, once the process has ended. */
  dispose(): void;
  /** Passes on what the worker has reported, where the thread of the host is blocked and gets no events. */
  look(): void;
}

/** What a worker reports to its supervisor. */
export interface Listener {
  /** Why the worker couldn't run. Errors that a target throws don't come here. */
  failed(error: unknown): void;
  /**
   * The time of the process is up, and the process is being ended. Called where the worker itself keeps the
   * time limit.
   */
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
