/**
 * A bare MessageChannel between two Workers as a peer: what Deno offers with nothing built on it.
 * It is one to one, unbounded and without a blocking face. The workers are
 * message_channel_worker.ts; what is timed is the same as for the queues.
 */
import type { Payload } from "../payloads.ts";

/** What one of the two workers does. */
export type Role = "produce" | "consume" | "ask" | "answer";

/** The one message a worker is sent; from then on it uses the ports in it. */
export interface Job {
  role: Role;
  payload: Payload;
  warmUp: number;
  count: number;
  /** The channel that is measured. */
  data: MessagePort;
  /** To the parent: null once warmed up, then the result. From it: null, to start. */
  control: MessagePort;
}

type Plan = Pick<Job, "payload" | "warmUp" | "count">;

/** Milliseconds from the signal to start until the consumer has its last item, and their weight. */
export async function channelFlow(
  plan: Plan,
  signal: AbortSignal,
): Promise<{ ms: number; weight: number }> {
  using pair = new Pair("produce", "consume", plan, signal);
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
  using pair = new Pair("ask", "answer", plan, signal);
  return await pair.first.message();
}

/** Two workers with a channel between them, and the parent's channel to each. */
class Pair implements Disposable {
  readonly first: Peer;
  readonly second: Peer;

  constructor(first: Role, second: Role, plan: Plan, signal: AbortSignal) {
    const { port1, port2 } = new MessageChannel();
    this.first = new Peer({ ...plan, role: first, data: port1 }, signal);
    this.second = new Peer({ ...plan, role: second, data: port2 }, signal);
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

  constructor(job: Omit<Job, "control">, signal: AbortSignal) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.#signal = signal;
    this.#worker = new Worker(
      new URL("./message_channel_worker.ts", import.meta.url),
      {
        type: "module",
      },
    );
    this.#worker.postMessage({ ...job, control: port2 }, [job.data, port2]);
  }

  /** The next message; the worker sends none that isn't being waited for. */
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
