/**
 * A bare MessageChannel between two Workers as a peer: what Deno offers with nothing built on it.
 * A channel is one to one, unbounded and without a blocking face. The workers run
 * message_channel_worker.ts; the timed parts are the same as for the queues.
 */
import type { Chunk, Payload } from "../payloads.ts";
import type { Game } from "../pipe_targets.ts";
import type { Share } from "../targets.ts";

type Plan = Share<Payload | Chunk>;

/** The role of one of the two workers. */
export type Role =
  | { role: "produce" | "consume" | "ask" | "answer" } & Plan
  | { role: "throw" | "throw back" } & Game;

/** The one message a worker is sent; from then on it uses the ports in it. */
export type Job = Role & {
  /** The channel that is measured. */
  data: MessagePort;
  /** To the parent: null once warmed up, then the result. From it: null, to start. */
  control: MessagePort;
};

/** Milliseconds from the signal to start until the consumer has its last item, and their weight. */
export async function channelFlow(
  plan: Plan,
  signal: AbortSignal,
): Promise<{ ms: number; weight: number }> {
  using pair = new Pair({ role: "produce", ...plan }, { role: "consume", ...plan }, signal);
  await Promise.all([pair.first.message(), pair.second.message()]);
  const start = performance.now();
  pair.first.port.postMessage(null);
  const weight = await pair.second.message();
  return { ms: performance.now() - start, weight };
}

/** Milliseconds for one item there and back. */
export async function channelTalk(
  plan: Plan,
  signal: AbortSignal,
): Promise<number> {
  using pair = new Pair({ role: "ask", ...plan }, { role: "answer", ...plan }, signal);
  return await pair.first.message();
}

/** Milliseconds for moving an array one way. */
export async function channelGame(
  game: Game,
  signal: AbortSignal,
): Promise<number> {
  using pair = new Pair({ role: "throw", ...game }, { role: "throw back", ...game }, signal);
  return await pair.first.message();
}

/** Two workers with a channel between them, and the parent's channel to each. */
class Pair implements Disposable {
  readonly first: Peer;
  readonly second: Peer;

  constructor(first: Role, second: Role, signal: AbortSignal) {
    const { port1, port2 } = new MessageChannel();
    this.first = new Peer(first, port1, signal);
    this.second = new Peer(second, port2, signal);
  }

  [Symbol.dispose](): void {
    this.first.end();
    this.second.end();
  }
}

class Peer {
  readonly port: MessagePort;
  readonly #worker: Worker;
  readonly #signal: AbortSignal;

  constructor(role: Role, data: MessagePort, signal: AbortSignal) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.#signal = signal;
    this.#worker = new Worker(
      new URL("./message_channel_worker.ts", import.meta.url),
      {
        type: "module",
      },
    );
    const job: Job = { ...role, data, control: port2 };
    this.#worker.postMessage(job, [data, port2]);
  }

  /** The next message; the worker sends one only while this side waits for it. */
  message(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.port.onmessage = (event: MessageEvent<number>) => resolve(event.data);
      this.#signal.addEventListener(
        "abort",
        () => reject(this.#signal.reason),
        { once: true },
      );
    });
  }

  end(): void {
    this.port.close();
    this.#worker.terminate();
  }
}
