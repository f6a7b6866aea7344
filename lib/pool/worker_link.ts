// The pipe between a pool and one of its workers, at the pool's side: what is sent, and when the worker is woken for it;
// how messages are awaited; and the spin for the result of a short unit.

import { EOFError } from "../errors.ts";
import { type Connection, endpointOf } from "../pipe/connection.ts";
import type { Endpoint } from "../pipe/endpoint.ts";
import { addChore, removeChore, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import { afterYield, countAsMany, yieldIsDue } from "../wait/yield.ts";
import { DEFINE, type FromWorker, LARGE, MANY, OBJECTS, ONE, type ToWorker } from "./protocol.ts";
import type { Registered } from "./functions.ts";
import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { queueMicrotask, SafeSet } = primordials;

const NOTHING: readonly object[] = [];

/** The worker, as its link uses it. */
interface Hearer {
  /** Hears what has come: calls receive() until there is no message. */
  hear(): void;
  /** Whether it is worth while to spin for a result of this worker. */
  maySpin(): boolean;
}

/** The pool's end of the pipe to a worker. */
export class WorkerLink {
  /** Kept, because a connection that nothing refers to is closed. */
  readonly #connection: Connection;
  readonly #end: Endpoint;
  readonly #hearer: Hearer;
  /** Receives the next message; for blocking waits, too. */
  readonly receiving: Operation<unknown>;
  /** The functions that the worker knows. */
  readonly #known = new SafeSet<number>();
  /** Whether the worker is not woken for each message that is sent. */
  #isCorked = false;
  #spinsSoon = false;
  /** The error of a message that look() could not read. */
  #unreadable: { error: unknown } | undefined;

  constructor(connection: Connection, hearer: Hearer) {
    this.#connection = connection;
    this.#hearer = hearer;
    this.#end = endpointOf(connection);
    this.receiving = this.#end.receiving();
    this.receiving.eventcount.isQuiet = true;
    this.#end.largestBuffer = LARGE;
    this.#end.beInternal();
    this.#end.onFirstPost = () => this.send([OBJECTS]);
  }

  /** Waits until there is a message, or one that can't be read. */
  get polling(): Operation<boolean> {
    const { polling } = this.#end;
    const attempt = () => {
      if (this.#unreadable !== undefined) throw this.#unreadable.error;
      return polling.attempt();
    };
    return { ...polling, attempt, maySpin: () => this.#hearer.maySpin() };
  }

  /** The next message; undefined if there is none. Throws an EOFError when the worker is gone. */
  receive(): FromWorker | undefined {
    const message = this.receiving.attempt();
    return message === WAIT ? undefined : message as FromWorker;
  }

  /** Sends a message. The only bound of the pipe is its memory, and a full pipe is an error for the caller. */
  send(message: ToWorker, transfer: readonly object[] = NOTHING): void {
    this.#end.trySend(message, transfer)?.onTimeout();
  }

  /** Sends a message to a worker that may just be ending: its end is noticed where its messages are received. */
  trySend(message: ToWorker): void {
    try {
      this.send(message);
    } catch {
      // See above.
    }
  }

  /** Lets the worker load a function, unless it knows it. */
  define({ id, travel, name }: Registered): void {
    if (this.#known.has(id)) return;
    this.send([DEFINE, id, travel, name]);
    this.#known.add(id);
  }

  /** Sends messages without waking the worker, until this turn of the program's code is over. */
  cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#end.cork();
    queueMicrotask(this.uncork);
    addChore(this.uncork); // for a turn that blocks
  }

  /** Wakes the worker for what was sent since cork(). */
  readonly uncork = (): void => {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#end.uncork();
    removeChore(this.uncork);
  };

  /** Spins for the result of a short unit, once the program's code has had its turn: a sleep would take longer. */
  spinSoon(): void {
    if (this.#spinsSoon) return;
    this.#spinsSoon = true;
    queueMicrotask(this.#spin);
  }

  readonly #spin = (): void => {
    this.#spinsSoon = false;
    if (!this.#hearer.maySpin()) return;
    if (yieldIsDue()) {
      void afterYield(undefined); // in a loop of short calls the event loop has its turns
      return;
    }
    const { eventcount } = this.receiving;
    if (!eventcount.spin()) return;
    countAsMany();
    this.look();
    eventcount.passOn();
  };

  /** Hears what has come. Errors, and the end of the worker, are left to the wait for its messages. */
  look(): void {
    try {
      this.#hearer.hear();
    } catch (error) {
      if (error instanceof EOFError || this.#unreadable !== undefined) return;
      this.#unreadable = { error };
      this.receiving.eventcount.notify(Infinity);
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** The message that brings a unit. */
export function messageOf(
  ticket: number,
  { items, isSpread, options, call, traceparent }: Unit,
): ToWorker {
  const name = options.name === call.name ? undefined : options.name;
  const isPlain = name === undefined && traceparent === undefined;
  if (items.length > 1) {
    return isPlain ? [MANY, ticket, items] : [MANY, ticket, items, name, traceparent];
  }
  const { 0: item } = items;
  if (!isPlain) return [ONE, ticket, item, name, traceparent];
  return isSpread && (item as readonly unknown[]).length === 0 ? ticket : [ONE, ticket, item];
}
