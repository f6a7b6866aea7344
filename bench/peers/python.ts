/**
 * Python's multiprocessing as a peer: a python3 that makes the requested measurements, a request
 * and an answer a line. It sleeps on its stdin while other sides are measured.
 *
 * Each part has a program, and so a python3, of its own, so that the processes of one don't import
 * modules that only another needs.
 */
import { fileURLToPath } from "node:url";
import type { Chunk, Payload } from "../payloads.ts";
import type { Game } from "../pipe_targets.ts";
import type { Times } from "../sync_targets.ts";
import type { Share } from "../targets.ts";

/** The programs, and the requests that each accepts. */
interface Programs {
  "queue_peer.py": QueueRequest;
  "pipe_peer.py": PipeRequest;
  "sync_peer.py": SyncRequest;
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
    payload: Payload;
    warmUp: number;
    count: number;
    waiting: number;
  }
  | { measure: "spawn"; warmUp: number; count: number };

export type PipeRequest =
  | { measure: "flow" | "talk" } & Share<Payload | Chunk>
  | { measure: "game" } & Game;

export type SyncRequest =
  | { measure: "acquire" | "with" | "contended" | "value" } & Times
  | { measure: "event"; rest: number } & Times;

export interface PythonAnswer {
  /** A flow's whole time, otherwise the time of one item, hop or process. */
  ms: number;
  /** The total weight of the items that a flow's consumers got. */
  weight?: number;
}

export class PythonPeer<Request> implements AsyncDisposable {
  readonly version: string;
  readonly #process: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  /** The text after the last whole line. */
  #rest = "";

  private constructor(version: string, process: Deno.ChildProcess) {
    this.version = version;
    this.#process = process;
    this.#requests = process.stdin.getWriter();
    this.#output = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Starts python3 with one of the programs, or gives null if this machine has none. */
  static async start<P extends keyof Programs>(
    program: P,
  ): Promise<PythonPeer<Programs[P]> | null> {
    try {
      const { stdout } = await new Deno.Command("python3", {
        args: ["--version"],
      }).output();
      const version = new TextDecoder().decode(stdout).trim();
      const process = new Deno.Command("python3", {
        // Without -B, one program would leave its compiled text here when another imports it.
        args: ["-B", fileURLToPath(new URL(program, import.meta.url))],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      return new PythonPeer(version, process);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Requests one measurement. An abort ends python3, so that nothing waits for its answer. */
  async ask(
    request: Request,
    signal: AbortSignal,
  ): Promise<PythonAnswer> {
    const giveUp = () => this.#process.kill();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await this.#requests.write(
        new TextEncoder().encode(JSON.stringify(request) + "\n"),
      );
      return JSON.parse(await this.#line());
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #line(): Promise<string> {
    let end: number;
    while ((end = this.#rest.indexOf("\n")) < 0) {
      const { value, done } = await this.#output.read();
      if (done) {
        throw new Error(
          "python3 ended before it answered. Its stderr says why.",
        );
      }
      this.#rest += value;
    }
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The end of its input ends python3's loop. Closing fails if python3 is gone already, which is fine.
    await this.#requests.close().catch(() => {});
    await this.#output.cancel();
    await this.#process.status;
  }
}
