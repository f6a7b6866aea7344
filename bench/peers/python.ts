/**
 * Python's multiprocessing as a peer: a python3 that makes the requested measurements.
 *
 * Each part has a program, and so a python3, of its own, so that the processes of one don't import
 * modules that only another needs.
 */
import { fileURLToPath } from "node:url";
import type { Chunk, Large, Payload } from "../payloads.ts";
import type { Game } from "../pipe_targets.ts";
import type { PoolRequest } from "../pool_peers.ts";
import type { Times } from "../sync_targets.ts";
import type { Share } from "../targets.ts";
import { Child, outputOf } from "./child.ts";

/** The programs, and the requests that each accepts. */
interface Programs {
  "queue_peer.py": QueueRequest;
  "pipe_peer.py": PipeRequest;
  "sync_peer.py": SyncRequest;
  "pool_peer.py": PoolRequest;
  "wakeups_peer.py": WakeupRequest;
}

/** Requests; `warmUp` and `count` are items of each producer, or of the asker, or processes. */
export type QueueRequest =
  | {
    measure: "flow";
    payload: Payload;
    warmUp: number;
    count: number;
    producers: number;
    consumers: number;
  }
  | {
    measure: "talk" | "talk at rest";
    payload: Payload | Large;
    warmUp: number;
    count: number;
    waiting: number;
  }
  | {
    measure: "spawn";
    warmUp: number;
    count: number;
    method?: "fork" | "forkserver" | "spawn";
    pause?: number;
  };

export type PipeRequest =
  | { measure: "flow" | "talk" } & Share<Payload | Chunk>
  | { measure: "game" } & Game;

export type SyncRequest =
  | { measure: "acquire" | "with" | "contended" | "value" } & Times
  | { measure: "event"; rest: number } & Times;

/** `rest` is in milliseconds. */
export type WakeupRequest = { measure: "event" | "condition"; rest: number } & Times;

export class PythonPeer<Request> extends Child<Request> {
  readonly version: string;

  private constructor(version: string, program: keyof Programs, under: readonly string[]) {
    // Without -B, one program would leave its compiled text here when another imports it.
    const python = ["python3", "-B", fileURLToPath(new URL(program, import.meta.url))];
    const [command, ...args] = [...under, ...python];
    super(command, args);
    this.version = version;
  }

  /**
   * Starts python3 with one of the programs, or gives null if this machine has none.
   *
   * @param under a command with its arguments that is to run python3
   */
  static async start<P extends keyof Programs>(
    program: P,
    under: readonly string[] = [],
  ): Promise<PythonPeer<Programs[P]> | null> {
    const version = await outputOf("python3", ["--version"]);
    return version === null ? null : new PythonPeer(version, program, under);
  }
}
