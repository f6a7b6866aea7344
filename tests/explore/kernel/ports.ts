// Models of the channels between isolates: BroadcastChannel, MessageChannel, receiveMessageOnPort.
//
// A posted message has arrived at once, and a listener gets it in a task of its own. A port counts the messages
// posted to it and taken from it in a word of simulated shared memory, so that the explorer
// sees posting and taking as operations: it may let other processes run before each.

import type { TypedArray } from "./environment.ts";
import { hashText } from "./hash.ts";
import type { Process } from "./process.ts";
import type { Running } from "./promise.ts";
import { STOP } from "./signals.ts";

/** The class of channels of a process. */
export function BroadcastChannels(process: Process): unknown {
  return class BroadcastChannel implements Listening {
    readonly name: string;
    readonly process = process;
    onmessage: ((event: { data: unknown }) => unknown) | undefined;

    constructor(name: string) {
      this.name = name;
      process.kernel.channels.push(this);
    }

    postMessage(message: unknown): void {
      process.checkAlive();
      for (const channel of process.kernel.channels) {
        if (channel.process === process || channel.name !== this.name || channel.process.dead) {
          continue;
        }
        const { onmessage } = channel;
        if (onmessage === undefined) continue;
        const kind = hashText(String(Object(message).type));
        channel.process.post(() => onmessage({ data: copyOf(message) }), kind);
      }
    }

    ref(): void {}
    unref(): void {}
    close(): void {}
  };
}

/** A channel that somebody listens on. */
export interface Listening {
  readonly name: string;
  readonly process: Process;
  onmessage: ((event: { data: unknown }) => unknown) | undefined;
}

type Listener = (value?: unknown) => unknown;

/** Sites of what ports do: they stand in no file. */
const NO_SITE = -1;

/** A port. It is the object of whoever received it last. */
class MessagePort {
  #owner: Process;
  #peer: MessagePort | undefined;
  readonly #queue: unknown[] = [];
  /** What was posted to it, and what was taken from it. */
  readonly #counts: Int32Array;
  readonly #listeners = new Map<string, Set<Listener>>();
  #isStarted = false;
  #isClosed = false;

  constructor(owner: Process) {
    this.#owner = owner;
    this.#counts = new Int32Array(owner.kernel.newBuffer(8));
    owner.kernel.ports.push(this);
  }

  connect(peer: MessagePort): void {
    this.#peer = peer;
  }

  get owner(): Process {
    return this.#owner;
  }

  *#step(kind: string, index: number, value?: number): Running {
    const array: TypedArray = this.#counts;
    const result = this.#owner.operation(kind, NO_SITE, array, index, value);
    return result === STOP ? yield : result;
  }

  *postMessage(message: unknown, transfer: unknown[] | { transfer?: unknown[] } = []): Running {
    const peer = this.#peer;
    if (this.#isClosed || peer === undefined) return undefined;
    const copy = copyOf(message);
    const moved = Array.isArray(transfer) ? transfer : transfer.transfer ?? [];
    const counts: TypedArray = peer.#counts;
    const result = this.#owner.operation("add", NO_SITE, counts, 0, 1);
    if (result === STOP) yield;
    if (peer.#isClosed) return undefined;
    for (const each of moved) if (each instanceof MessagePort) each.#moveTo(peer.#owner);
    peer.#queue.push(copy);
    peer.#deliver();
    return undefined;
  }

  #moveTo(owner: Process): void {
    this.#owner = owner;
    this.#isStarted = false;
    this.#listeners.clear();
  }

  /** What a structured clone of a launch or a serialized object does to the ports in it. */
  adopt(owner: Process): void {
    this.#owner = owner;
  }

  #deliver(): void {
    if (!this.#isStarted || this.#owner.dead) return;
    this.#owner.post(() => {
      if (this.#queue.length === 0 || this.#isClosed) return;
      return this.#emit("message", this.#queue.shift());
    }, 31);
  }

  *take(): Running {
    if ((yield* this.#step("load", 0)) === 0 || this.#queue.length === 0) return undefined;
    yield* this.#step("sub", 0, 1);
    return { message: this.#queue.shift() };
  }

  *#emit(name: string, value: unknown): Running {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      const result = listener(value);
      if (typeof result === "object" && result !== null && "next" in result) {
        yield* result as Running;
      }
    }
    return undefined;
  }

  on(name: string, listener: Listener): this {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return this;
  }

  once(name: string, listener: Listener): this {
    const once: Listener = (value) => {
      this.off(name, once);
      return listener(value);
    };
    return this.on(name, once);
  }

  off(name: string, listener: Listener): this {
    this.#listeners.get(name)?.delete(listener);
    return this;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (let i = 0; i < this.#queue.length; i++) this.#deliver();
  }

  /** Both ends learn of it, after what was posted. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const port of [this, this.#peer]) {
      if (port === undefined || port.#owner.dead) continue;
      if (!port.#listeners.has("close")) continue;
      port.#owner.post(() => {
        port.#isClosed = true;
        return port.#emit("close", undefined);
      }, 37);
    }
  }

  ref(): void {}
  unref(): void {}
  addEventListener(name: string, listener: Listener): void {
    this.on(name, (data) => listener({ data }));
  }
}

export type { MessagePort };

/** What modules have of ports. */
export function messageChannels(process: Process): Record<string, unknown> {
  return {
    MessagePort,
    MessageChannel: class {
      readonly port1 = new MessagePort(process);
      readonly port2 = new MessagePort(process);

      constructor() {
        this.port1.connect(this.port2);
        this.port2.connect(this.port1);
      }
    },
    receiveMessageOnPort: (port: MessagePort) => port.take(),
  };
}

/** As a structured clone: shared memory and ports stay what they are. */
export function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  if (value instanceof Map) {
    return new Map([...value].map(([key, each]) => [copyOf(key), copyOf(each)]));
  }
  if (value instanceof Set) return new Set([...value].map(copyOf));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOf(each)]));
}
