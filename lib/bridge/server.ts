// The keeper's side of the bridge: calls the methods of the queues and connections that a process of the
// operating system was given. The process may be hostile: each call is bounded before it is decoded, only the
// methods of methods.ts can be called, and a process with too many calls under way is ended.

import { decode } from "../codec/decode.ts";
import { freeEncoder } from "../codec/encode.ts";
import { Connection } from "../pipe/connection.ts";
import * as primordials from "../platform/primordials.ts";
import { JoinableQueue } from "../queue/shared/joinable_queue.ts";
import { Queue } from "../queue/shared/queue.ts";
import { describeFailure } from "../transfer/remote_error.ts";
import { wait } from "../wait/wait.ts";
import { readNumber, REPLY } from "./frames.ts";
import { MAX_CALL_BYTES, MAX_CALLS } from "./limits.ts";
import { type Call, type CallFrame, METHODS, READY, type ReplyFrame } from "./methods.ts";

const {
  AbortController,
  AbortControllerPrototypeAbort,
  Array,
  ArrayPrototypeConcat,
  ArrayPrototypeMap,
  Error,
  Object,
  Reflect,
  SafeMap,
  signalOfController,
  TypedArrayPrototypeSlice,
} = primordials;

/** The class of an object that can be given to a process, as METHODS has it. */
export function kindOf(object: object): string {
  if (object instanceof Connection) return "Connection";
  if (object instanceof JoinableQueue) return "JoinableQueue";
  return object instanceof Queue ? "Queue" : "SimpleQueue";
}

/** A call that is under way. */
interface Running {
  controller: AbortController;
  bytes: number;
}

/** Calls the methods of some objects for a process. */
export class BridgeServer {
  readonly #objects: readonly object[];
  readonly #kinds: readonly string[];
  readonly #most: number;
  readonly #send: (kind: number, body: Uint8Array) => void;
  readonly #calls = new SafeMap<number, Running>();
  #bytes = 0;
  #isClosed = false;

  /**
   * @param most the most bytes of a call
   * @param send sends a frame to the process
   */
  constructor(
    objects: readonly object[],
    most: number,
    send: (kind: number, body: Uint8Array) => void,
  ) {
    this.#objects = objects;
    this.#kinds = ArrayPrototypeMap(objects, kindOf);
    this.#most = most;
    this.#send = send;
  }

  /**
   * Does a call of the process.
   *
   * @throws {Error} if it is none
   */
  take(body: Uint8Array): void {
    if (body.length > this.#most) throw new Error("The call is too long.");
    const frame = decode(body, 0, body.length, undefined, this.#most);
    const { id, object, args, method, call, timeout } = this.#checked(frame);
    if (this.#calls.size >= MAX_CALLS || this.#bytes + body.length > MAX_CALL_BYTES) {
      throw new Error("There are too many calls under way.");
    }
    const running = { controller: new AbortController(), bytes: body.length };
    this.#calls.set(id, running);
    this.#bytes += running.bytes;
    this.#run(id, running, () => {
      const signal = signalOfController(running.controller);
      if (method === READY) return wait([object], { signal });
      return invoke(object, call, method, args, { timeout, signal });
    });
  }

  #checked(frame: unknown) {
    const wrong = () => new Error("This is no call.");
    if (!Array.isArray(frame) || frame.length !== 5) throw wrong();
    const { 0: id, 1: at, 2: method, 3: args, 4: timeout } = frame as CallFrame;
    if (typeof id !== "number" || id >>> 0 !== id || this.#calls.has(id)) throw wrong();
    if (at >>> 0 !== at || at >= this.#objects.length || typeof method !== "string") throw wrong();
    if (!Array.isArray(args) || typeof timeout !== "number") throw wrong();
    const methods = METHODS[this.#kinds[at]];
    if (method !== READY && !Object.hasOwn(methods, method)) throw wrong();
    return { id, object: this.#objects[at], args, method, timeout, call: methods[method] };
  }

  async #run(id: number, running: Running, work: () => unknown): Promise<void> {
    let reply: Uint8Array;
    try {
      reply = encoded([id, true, await work()]);
    } catch (error) {
      reply = encoded([id, false, describeFailure(error, false)]);
    }
    this.#calls.delete(id);
    this.#bytes -= running.bytes;
    if (!this.#isClosed) this.#send(REPLY, reply);
  }

  /** Ends a call of the process; the answer still comes. */
  cancel(body: Uint8Array): void {
    if (body.length !== 4) throw new Error("This is no call.");
    const running = this.#calls.get(readNumber(body, 0));
    if (running !== undefined) AbortControllerPrototypeAbort(running.controller, undefined);
  }

  /** Ends all calls. */
  close(): void {
    this.#isClosed = true;
    for (const { 1: { controller } } of this.#calls) {
      AbortControllerPrototypeAbort(controller, undefined);
    }
  }
}

function invoke(
  object: object,
  call: Call,
  method: string,
  args: unknown[],
  options: { timeout: number; signal: AbortSignal },
): unknown {
  if (call === "get") return Reflect.get(object, method);
  if (call === "set") return void Reflect.set(object, "maxSize", args[0]);
  const all = call === "wait" ? ArrayPrototypeConcat(args, [options]) : args;
  if (call === "bytes") {
    const maxLength = args[0] as number;
    return Reflect.apply(Reflect.get(object, method), object, [
      method === "recvBytes" ? { ...options, maxLength } : { maxLength },
    ]);
  }
  return Reflect.apply(Reflect.get(object, method), object, all);
}

function encoded(frame: ReplyFrame): Uint8Array {
  const encoder = freeEncoder();
  try {
    const length = encoder.encode(frame, 0, "answer");
    return TypedArrayPrototypeSlice(encoder.bytes, 0, length);
  } finally {
    encoder.trim();
  }
}
