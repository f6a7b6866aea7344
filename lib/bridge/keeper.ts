// The keeper of a process of the operating system: a thread of this program that starts the process, serves it,
// keeps its time limit and ends it. To the rest of the program the keeper is the process: it has its entry in the
// process table, its exit code, and what the process was given. So a busy or blocked host delays neither the
// limits nor the queues of the process, and nothing of what the process sends reaches the host's event loop.
//
// The process may be hostile. The keeper decodes nothing of it but calls, which are bounded; the outcome of the
// target goes on as bytes, to be decoded by the call that asks for it.

import process from "node:process";
import { workerData } from "node:worker_threads";
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { ControlBlock, ownControl, READINESS } from "../liveness/control_block.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import * as primordials from "../platform/primordials.ts";
import { leaveOwnWords } from "../protocol/crash_report.ts";
import { askHost } from "../protocol/host_port.ts";
import { writeBytes, writeTo } from "../protocol/result_buffer.ts";
import type { WorkerData } from "../protocol/spawn_request.ts";
import { MAX_TIMER_MS } from "../wait/options.ts";
import { announceReady } from "../protocol/ready.ts";
import { BridgeServer } from "./server.ts";
import {
  CALL,
  CANCEL,
  FINISHED,
  type Frame,
  frameOf,
  FrameReader,
  LOADED,
  OUTCOME,
  readNumber,
  READY,
  START,
  TEXT,
  WORDS,
  writeNumber,
} from "./frames.ts";
import type { Order } from "./order.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypeIncludes,
  clearTimeout,
  decodeText,
  each,
  encodeText,
  Error,
  Math,
  performance,
  setTimeout,
  TypedArrayPrototypeSet,
  Uint8Array,
} = primordials;

/** The signals by which V8 ends a process whose heap is full. */
const OUT_OF_MEMORY: readonly number[] = [4, 5];
/** How many bytes of the text of an uncaught error are read. */
const MAX_WORDS_BYTES = 2 ** 17;
/** How long the process may take to load its modules before its time limit runs. */
const MAX_LOADING_MS = 10_000;
/** How long the shell may take to kill the process before both are killed from here. */
const KILL_PATIENCE_MS = 1000;
const KILLED = 9;

type Exit = { code: number } | { signal: number };

/**
 * Runs a process of the operating system, from its start to its end. The target of the keeper's thread.
 *
 * @param objects the queues and connections that the process was given
 */
export async function keep(order: Order, objects: readonly object[]): Promise<void> {
  let exit: Exit;
  try {
    exit = await new Keeper(order, objects).run();
  } catch (error) {
    writeTo(order.result).threw(error);
    exit = { code: 1 };
  }
  if ("code" in exit) globalThis.Deno.exit(exit.code);
  ownControl().requestKill(exit.signal);
  globalThis.Deno.exit(1);
}

class Keeper {
  readonly #order: Order;
  readonly #server: BridgeServer;
  readonly #frames: FrameReader;
  /** Tells the host that there is something inside this thread that must end before the thread. */
  readonly #inner = new ControlBlock();
  #child!: ChildProcess;
  #isStopping = false;
  #hasExited = false;
  /** The signal by which the process was ended here; 0 if it wasn't. */
  #signal = 0;
  #finished: Exit | undefined;
  #loaded = false;

  constructor(order: Order, objects: readonly object[]) {
    this.#order = order;
    const most = order.result.maxByteLength;
    this.#frames = new FrameReader(Math.max(most, MAX_WORDS_BYTES));
    this.#server = new BridgeServer(objects, most, (kind, body) => this.#send(kind, body));
  }

  async run(): Promise<Exit> {
    const inner = this.#inner;
    inner.raiseFlag();
    askHost({ type: "nested", nested: { pid: ownProcessTable().newPid(), control: inner.words } });
    this.#watchForKill();
    try {
      return await this.#live();
    } finally {
      this.#server.close();
      inner.lowerFlag();
    }
  }

  async #live(): Promise<Exit> {
    const { file, args, env, start, texts, hasShell } = this.#order;
    const { ChildProcess } = process.getBuiltinModule("node:child_process");
    const child = this.#child = new ChildProcess();
    const exited = new primordials.Promise<Exit>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve(exitOf(code, signal)));
    });
    // Not by node's spawn(), which needs the right to read the environment (Deno 2.9.6).
    const options = {
      ...{ file, args: ArrayPrototypeConcat([file], args), envPairs: env },
      ...{ stdio: stdioOf(hasShell), detached: hasShell },
    };
    (child as ChildProcess & { spawn(options: object): void }).spawn(options);
    const output = this.#output;
    for (const socket of each(child.stdio as unknown as Socket[])) socket?.on("error", () => {});
    output.on("data", (chunk: Uint8Array) => this.#hear(chunk));
    // Without a shell, a process that has crashed must be left the time to tell how it ended.
    const stop = () => this.#stop();
    output.on("close", hasShell ? stop : () => setTimeout(stop, KILL_PATIENCE_MS));
    if (texts !== undefined) {
      for (const url of each([texts.core, texts.whole])) {
        this.#send(TEXT, encodeText(await (await fetch(url)).text()));
      }
    }
    // The number of the process wasn't known when the start was written.
    const { child: { identity: { pid } } } = workerData as WorkerData,
      body = new Uint8Array(4 + start.length);
    writeNumber(body, 0, pid);
    TypedArrayPrototypeSet(body, start, 4);
    this.#send(START, body);
    const late = setTimeout(() => this.#begin(), MAX_LOADING_MS);
    const exit = await exited;
    this.#hasExited = true;
    clearTimeout(late);
    return this.#howItEnded(exit);
  }

  get #input(): Socket {
    const { stdio } = this.#child;
    return (this.#order.hasShell ? stdio[4] : stdio[0]) as Socket;
  }

  get #output(): Socket {
    const { stdio } = this.#child;
    return (this.#order.hasShell ? stdio[3] : stdio[1]) as Socket;
  }

  #send(kind: number, body: Uint8Array): void {
    if (!this.#isStopping) this.#input.write(frameOf(kind, body));
  }

  #hear(chunk: Uint8Array): void {
    if (this.#isStopping) return;
    try {
      this.#frames.add(chunk);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        this.#take(frame);
        if (this.#isStopping) return;
      }
    } catch {
      // What it sends is no frame.
      this.#end(KILLED);
    }
  }

  #take({ kind, body }: Frame): void {
    switch (kind) {
      case LOADED:
        return this.#begin();
      case READY:
        return announceReady(ownControl(), READINESS.kept);
      case OUTCOME:
        writeBytes(this.#order.result, body);
        return;
      case WORDS:
        if (body.length > MAX_WORDS_BYTES) throw new Error("The text is too long.");
        leaveOwnWords(decodeText(body));
        return;
      case FINISHED: {
        if (body.length !== 5) throw new Error("This is no exit code.");
        const code = readNumber(body, 0) | 0;
        if (body[4] === 1 && this.#order.hasMemoryLimit) this.#reach("memoryLimitMb");
        else this.#finished = code < 0 ? { signal: Math.min(-code, 64) } : { code };
        return this.#stop();
      }
      case CALL:
        return this.#server.take(body);
      case CANCEL:
        return this.#server.cancel(body);
      default:
        throw new Error("There are no frames of this kind.");
    }
  }

  /** The modules of the process are loaded. */
  #begin(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    const { timeLimit } = this.#order;
    const until = performance.now() + timeLimit;
    const check = () => {
      const left = until - performance.now();
      if (left <= 0) this.#reach("timeLimit");
      else setTimeout(check, Math.min(left + 1, MAX_TIMER_MS));
    };
    if (timeLimit !== Infinity) check();
  }

  #reach(limit: "timeLimit" | "memoryLimitMb"): void {
    if (this.#isStopping) return;
    ownControl().exitRecord().reach(limit);
    this.#end(KILLED);
  }

  #end(signal: number): void {
    if (this.#signal === 0) this.#signal = signal;
    this.#stop();
  }

  /** Kills the process, if it hasn't ended. */
  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const child = this.#child;
    if (this.#hasExited) return;
    if (!this.#order.hasShell) {
      child.kill("SIGKILL");
      return;
    }
    child.stdin!.destroy();
    setTimeout(() => {
      if (this.#hasExited) return;
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // There is no right to send signals, or both are gone.
      }
    }, KILL_PATIENCE_MS);
  }

  /** The host asks what is inside of a thread to end before it ends the thread. */
  async #watchForKill(): Promise<void> {
    await this.#inner.untilKilled();
    if (this.#child !== undefined) this.#end(this.#inner.killSignal());
  }

  #howItEnded(exit: Exit): Exit {
    if (this.#finished !== undefined) return this.#finished;
    if (this.#signal !== 0) return { signal: this.#signal };
    const isFull = "signal" in exit && ArrayPrototypeIncludes(OUT_OF_MEMORY, exit.signal) &&
      this.#order.hasMemoryLimit;
    if (!isFull) return exit;
    ownControl().exitRecord().reach("memoryLimitMb");
    return { signal: KILLED };
  }
}

function stdioOf(hasShell: boolean): string[] {
  return hasShell ? ["pipe", "inherit", "inherit", "pipe", "pipe"] : ["pipe", "pipe", "inherit"];
}

/** How a process ended, told by its parent, which adds 128 to the number of a signal if it is a shell. */
function exitOf(code: number | null, signal: string | null): Exit {
  if (code === null) {
    const { signals } = process.getBuiltinModule("node:os").constants;
    return { signal: signals[signal as keyof typeof signals] ?? KILLED };
  }
  return code > 128 && code <= 192 ? { signal: code - 128 } : { code };
}
