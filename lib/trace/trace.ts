// trace(): what the processes of a program do, as a timeline that Perfetto shows. It switches the event rings on
// (lib/liveness/event_rings.ts), collects what the processes record there, and writes it as Chrome trace events.

import { InvalidStateError } from "../errors.ts";
import { headerOf, LAST, ON, setOrigin, TRACER, WITHOUT } from "../liveness/event_rings.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import { attend } from "../liveness/recorder.ts";
import { ownSlot } from "../liveness/wait_board.ts";
import { ownIdentity } from "../process/current.ts";
import { describe } from "../validate/describe.ts";
import { checkNames } from "../validate/options.ts";
import { ChromeEvents } from "./chrome_events.ts";
import { Collector } from "./collector.ts";
import { FileOutput, type Output, StreamOutput, TraceText } from "./output.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  ArrayPrototypeConcat,
  Atomics,
  clearInterval,
  Deno,
  each,
  Math,
  Object,
  performance,
  PromisePrototypeThen,
  removeEventListener,
  setInterval,
  TypeError,
} = primordials;

/** How often the rings of processes that have ended are read and given to others, in ms. */
const COLLECT_MS = 500;
/** The events of errors with which a program ends unless something handles them; there is no "unload" then. */
const ERRORS = ["error", "unhandledrejection"] as const;

/**
 * The options of {@linkcode trace}: one of the two.
 *
 * @example
 * ```ts
 * import { trace, type TraceOptions } from "@multiproc/multiprocessing";
 *
 * const gzip = new CompressionStream("gzip");
 * const options: TraceOptions = { writable: gzip.writable };
 * const bytes = new Response(gzip.readable).bytes();
 * await trace(options).stop();
 * console.log((await bytes).length > 0); // true
 * ```
 */
export interface TraceOptions {
  /** The file that is written: its path, or its URL. What is in it is lost. Needs `--allow-write`. */
  file?: string | URL;
  /** The stream that is written to, and closed at the end. */
  writable?: WritableStream<Uint8Array<ArrayBuffer>>;
}

/**
 * What {@linkcode Trace.stop} tells of a trace.
 *
 * @example
 * ```ts
 * import { trace, type TraceSummary } from "@multiproc/multiprocessing";
 *
 * const { dropped }: TraceSummary = await trace({ writable: new WritableStream() }).stop();
 * console.log(dropped); // 0
 * ```
 */
export interface TraceSummary {
  /** The number of events that the processes recorded and that were written. */
  events: number;
  /** The number of events that are not in the trace: newer ones have taken their places. */
  dropped: number;
  /** The number of processes in the trace. */
  processes: number;
}

/**
 * A trace that runs: what {@linkcode trace} returns.
 *
 * @example
 * ```ts
 * import { type Trace, trace } from "@multiproc/multiprocessing";
 *
 * const running: Trace = trace({ writable: new WritableStream() });
 * console.log((await running.stop()).processes); // 1
 * ```
 */
export interface Trace extends AsyncDisposable {
  /**
   * Writes what was recorded until now, so that newer events don't take its place. The text is whole only after
   * {@linkcode Trace.stop}.
   *
   * @throws the error of the file or the stream; the trace has ended then
   */
  flush(): Promise<void>;
  /**
   * Ends the trace, and writes what wasn't written yet. Calling it again gives the same answer.
   *
   * @throws the error of the file or the stream
   */
  stop(): Promise<TraceSummary>;
  /** As {@linkcode Trace.stop}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Records what all processes of the program do, until it is stopped, and writes it as a file that
 * [Perfetto](https://ui.perfetto.dev) shows as a timeline: each process from its start to its end, what it waits for,
 * which locks it holds, an arrow from each `put` to the `get` that took the item and from each `send` to its `recv`,
 * the lengths of queues, the tasks of pools, its heap, and what was terminated or killed. All of it is on one clock.
 *
 * Each process records into shared memory, so what a process did before it was killed is in the trace. There the last
 * 32,768 events of each process are kept until they are written; what was lost is counted. A process that runs
 * already takes part from when it waits next. If the program ends while a trace runs, its file is written all the same.
 * While no trace runs, all this costs nothing.
 *
 * Items are never in the trace. Of a process with permissions of its own it shows what that process records of itself.
 *
 * @throws {InvalidStateError} if a trace runs already, if the stream is locked, or in a process with permissions of
 *   its own
 * @throws {TypeError} if there is not exactly one of `file` and `writable`
 * @throws {Deno.errors.NotCapable} if the file may not be written, and what else Deno throws if it can't be opened
 *
 * @example
 * ```ts
 * import { Process, Queue, trace } from "@multiproc/multiprocessing";
 *
 * export async function work(queue: Queue<number>) {
 *   await queue.put(6 * 7);
 * }
 *
 * if (import.meta.main) {
 *   const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
 *   const text = new Response(readable).text();
 *   {
 *     await using _trace = trace({ writable }); // until the end of the block
 *     const queue = new Queue<number>({ name: "answers" });
 *     new Process({ target: work, args: [queue] }).start();
 *     console.log(await queue.get()); // 42
 *   }
 *   const { traceEvents } = JSON.parse(await text);
 *   console.log(traceEvents.some((it: { name: string }) => it.name === 'queue 1 "answers"')); // true
 * }
 * ```
 */
export function trace(options: TraceOptions): Trace {
  const { file, writable } = checkNames(
    options,
    ["file", "writable"],
    'trace({ file: "trace.json" })',
  );
  if ((file === undefined) === (writable === undefined)) {
    throw new TypeError(
      `trace() was given ${
        file === undefined ? "neither" : "both"
      } of file and writable. Give one: ` +
        'trace({ file: "trace.json" }).',
    );
  }
  if (file !== undefined && typeof file !== "string" && !(file instanceof primordials.URL)) {
    throw new TypeError(`file is ${describe(file)}. Give a path or a URL.`);
  }
  if (writable !== undefined && !(writable instanceof primordials.WritableStream)) {
    throw new TypeError(`writable is ${describe(writable)}. Give a WritableStream of bytes.`);
  }
  ownProcessTable();
  const own = ownSlot();
  if (own?.rings === undefined || !own.board.growable) {
    throw new InvalidStateError(
      "trace() was called in a process with permissions of its own, which sees no other. Call it in main.",
    );
  }
  const header = headerOf(own.rings), table = ownProcessTable();
  const before = Atomics.load(header, TRACER), token = table.token(ownRef());
  const isFree = before === 0 || before !== token && !table.isTokenAlive(before);
  if (!isFree || Atomics.compareExchange(header, TRACER, before, token) !== before) {
    throw new InvalidStateError("A trace of this program runs already. Stop it first.");
  }
  try {
    const output = file === undefined
      ? new StreamOutput(writable!)
      : new FileOutput(Deno.openSync(file, { write: true, create: true, truncate: true }));
    return new RunningTrace(own.rings, output);
  } catch (error) {
    Atomics.store(header, TRACER, 0);
    throw error;
  }
}

class RunningTrace implements Trace {
  readonly #header: Int32Array;
  readonly #output: Output;
  readonly #collector: Collector;
  readonly #chrome: ChromeEvents;
  readonly #text = new TraceText();
  readonly #timer: ReturnType<typeof setInterval>;
  #stopped: Promise<TraceSummary> | undefined;

  constructor(rings: SharedArrayBuffer, output: Output) {
    const header = this.#header = headerOf(rings);
    this.#output = output;
    const origin = performance.timeOrigin + performance.now(), trace = header[LAST] + 1;
    setOrigin(rings, origin);
    header[LAST] = trace;
    header[WITHOUT] = 0;
    this.#collector = new Collector(rings, trace, origin);
    this.#chrome = new ChromeEvents(this.#collector.processes, ownIdentity().pid || Deno.pid);
    Atomics.store(header, ON, trace);
    attend();
    this.#timer = setInterval(() => this.#collector.collect(false), COLLECT_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
    addEventListener("unload", this.#programEnds);
    for (const name of each(ERRORS)) addEventListener(name, this.#programMayEnd);
  }

  flush(): Promise<void> {
    if (this.#stopped !== undefined) return toNothing(this.#stopped);
    this.#collector.collect(true);
    return this.#orFail(this.#output.write(this.#text.events(this.#events())));
  }

  stop(): Promise<TraceSummary> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<TraceSummary> {
    try {
      await this.#output.write(this.#last());
    } catch (error) {
      await this.#endOutput();
      throw error;
    }
    await this.#output.end();
    return this.#summary;
  }

  /** Ends the trace if what was written has failed. */
  async #orFail(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      if (this.#stopped === undefined) {
        this.#leave();
        this.#collector.end();
        this.#stopped = primordials.Promise.reject(error);
        PromisePrototypeThen(this.#stopped, undefined, () => {});
        await this.#endOutput();
      }
      throw error;
    }
  }

  /** Ends the output after an error, which is the one that is told. */
  async #endOutput(): Promise<void> {
    try {
      await this.#output.end();
    } catch {
      // A stream that has failed can't be closed.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #events() {
    const { now } = this.#collector;
    return this.#chrome.add(this.#collector.takeAll(), now);
  }

  /** Ends the recording, and makes the last pieces of the text. */
  #last(): string[] {
    this.#leave();
    this.#collector.collect(true);
    this.#collector.end();
    const { now } = this.#collector;
    const events = ArrayPrototypeConcat(this.#events(), this.#chrome.finish(now));
    return ArrayPrototypeConcat(this.#text.events(events), [this.#text.end(this.#metadata)]);
  }

  #leave(): void {
    clearInterval(this.#timer);
    removeEventListener("unload", this.#programEnds);
    for (const name of each(ERRORS)) removeEventListener(name, this.#programMayEnd);
    Atomics.store(this.#header, ON, 0);
    Atomics.store(this.#header, TRACER, 0);
    attend();
  }

  get #summary(): TraceSummary {
    const { count: events, dropped, processes } = this.#collector;
    return { events, dropped, processes: processes.all.size };
  }

  get #metadata(): Record<string, unknown> {
    const { droppedBy, without, dropped, count } = this.#collector;
    return {
      producer: "@multiproc/multiprocessing",
      events: count,
      droppedEvents: dropped,
      droppedByProcess: Object.fromEntries(primordials.listOf(droppedBy)),
      processesWithoutRing: Math.max(without, 0),
    };
  }

  readonly #programEnds = (): void => {
    if (this.#stopped !== undefined) return;
    try {
      const last = this.#last();
      this.#stopped = primordials.Promise.resolve(this.#summary);
      this.#output.writeNow(last);
    } catch {
      // The disk is full, say: the program ends all the same.
    }
  };

  /**
   * After an error the file is whole, in case it ends the program. Whether it does isn't known here: a later listener,
   * or one of process.on(), may handle the error. So the trace goes on, and writes over that end.
   */
  readonly #programMayEnd = (event: Event): void => {
    if (this.#stopped !== undefined || event.defaultPrevented || !this.#output.isImmediate) return;
    try {
      this.#collector.collect(true);
      this.#output.writeNow(this.#text.events(this.#events()));
      const ends = this.#chrome.preview(this.#collector.now);
      this.#output.writeEnd(this.#text.preview(ends, this.#metadata));
    } catch {
      // As above; if the trace goes on, its next write tells of the error.
    }
  };
}

async function toNothing(promise: Promise<unknown>): Promise<void> {
  await promise;
}
