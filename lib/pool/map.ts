// A call over many items: it reads the items as far ahead as it may, cuts them into chunks, and passes the outcome of
// each item to its sink. A call ends early as a whole: its source is closed, waiting chunks are taken out, running
// ones are stopped.

import { describe } from "../validate/describe.ts";
import type { CallSite } from "../wait/call_site.ts";
import { ChunkSize } from "./chunk_size.ts";
import { type CurrentTask, currentTask } from "./current_task.ts";
import { CancelledError } from "./errors.ts";
import type { Cells } from "./cells.ts";
import type { Executor } from "./executor.ts";
import type { Registered } from "./functions.ts";
import type { CheckedMap } from "./options.ts";
import { callBack } from "./callbacks.ts";
import { notInTime } from "./limited_wait.ts";
import { ProgressReport } from "./progress.ts";
import { RUN } from "./protocol.ts";
import { taskErrorOf } from "./task.ts";
import { transferOf } from "./transfer_list.ts";
import { type Client, type ItemFailure, Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  Array,
  ArrayPrototypePop,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  clearTimeout,
  each,
  listOf,
  Math,
  performance,
  Promise,
  PromisePrototypeThen,
  Reflect,
  removeAbortListener,
  SafeMap,
  setTimeout,
  TypeError,
} = primordials;

/** The pool, as a map uses it. */
export interface MapOwner {
  readonly executor: Executor;
  /** Reserves numbers for so many tasks, and returns the first. */
  takeIds(count: number): number;
  /** Whether the backlog has room for another unit. */
  readonly hasRoom: boolean;
  /** Calls `call` once when the backlog has room. */
  whenRoom(call: () => void): void;
}

/** Receives the outcomes of the items of a map. */
export interface MapSink {
  returned(index: number, value: unknown): void;
  failed(index: number, error: Error): void;
  /** All items have an outcome. */
  finished(count: number): void;
  /** The call has ended early: the source has thrown, the time was up, the call was aborted. */
  broken(error: unknown): void;
  /** The number of outcomes that the consumer has not taken yet. */
  readonly untaken: number;
  /** Whether an error of the source comes after the outcomes of the items before it; false: it ends all at once. */
  readonly isIterated: boolean;
}

/** Units of a map that wait or run, for each worker. */
const UNITS_AHEAD = 3;
/** How long a loop that is left waits for its source to close, in ms: the source may itself wait for ever. */
const CLOSING_MS = 1000;
/** The most items that are read from a synchronous source before the event loop has a turn. */
const MAX_AT_ONCE = 100_000;

/** One call over many items. */
export class MapCall implements Client {
  readonly #owner: MapOwner;
  readonly #executor: Executor;
  /** The line that made the call. */
  readonly #origin: CallSite;
  readonly #call: Registered;
  readonly #options: CheckedMap;
  readonly #isSpread: boolean;
  readonly #sink: MapSink;
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #chunks: ChunkSize;
  readonly #progress: ProgressReport | undefined;
  readonly #units = new SafeMap<Unit, { left: number; sentAt: number }>();
  /** The units in order of their first index, from the first unsettled one on. */
  readonly #byIndex: Unit[] = [];
  readonly #name: string;
  /** The items, if they are in an array. */
  readonly #list: readonly unknown[] | undefined;
  #lastSettled: Unit | undefined;
  /** The task that has made the call; later units are submitted outside of its context. */
  readonly #submitter: CurrentTask | undefined = currentTask();
  #read = 0;
  #settled = 0;
  #isExhausted = false;
  #isOver = false;
  #isReading = false;
  #isStopped = false;
  #sourceError: { error: unknown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    owner: MapOwner,
    call: Registered,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: CheckedMap,
    sink: MapSink,
    origin: CallSite,
  ) {
    this.#owner = owner;
    this.#executor = owner.executor;
    this.#origin = origin;
    this.#call = call;
    this.#options = options;
    this.#isSpread = isSpread;
    this.#sink = sink;
    this.#name = options.name ?? call.name;
    this.#list = Array.isArray(items) ? items : undefined;
    const total = totalOf(items);
    this.#chunks = new ChunkSize(options.chunkSize, total);
    this.#source = iteratorOf(items);
    if (options.onProgress !== undefined) {
      this.#progress = new ProgressReport(options.onProgress, total);
    }
    const { timeout, signal } = options;
    if (timeout < 2 ** 31) {
      this.#timer = setTimeout(() => {
        const error = notInTime(this.#name, timeout);
        this.#origin.sign(error);
        this.end(error);
      }, timeout);
    }
    if (signal !== undefined) addAbortListener(signal, this.#aborted);
  }

  readonly #aborted = (): void => this.end(abortReason(this.#options.signal!));

  // Reading

  /** One function for all waits for room, so that the call waits once. */
  readonly #feed = (): void => this.feed();

  /** Reads on, as far as the bounds allow. */
  feed(): void {
    if (this.#isReading || this.#isExhausted || this.#isStopped) return;
    this.#isReading = true;
    try {
      // An event loop without a turn can't be told to stop. The outcomes of the units that were submitted read on; where
      // all have their outcomes already, as of items that can't be sent, nothing else would.
      for (let read = 0; (read <= MAX_AT_ONCE || this.#units.size === 0) && this.#mayRead;) {
        const size = this.#sizeOfNext;
        const items = this.#take(size);
        if (items instanceof Promise) {
          PromisePrototypeThen(
            items,
            (items) => this.#goOn(items),
            (error) => {
              this.#isReading = false;
              this.#sourceFailed(error);
              this.#checkFinished();
            },
          );
          return; // still reading
        }
        read += items.length;
        this.#submit(items);
      }
      this.#isReading = false;
    } catch (error) {
      this.#isReading = false;
      this.#sourceFailed(error);
    } finally {
      this.#checkFinished();
    }
  }

  /** The source has thrown, so it has no more items. */
  #sourceFailed(error: unknown): void {
    this.#isExhausted = true;
    if (this.#sink.isIterated) this.#sourceError = { error };
    else this.end(error);
  }

  #goOn(items: unknown[]): void {
    this.#isReading = false;
    if (this.#isStopped) return;
    try {
      this.#submit(items);
    } catch (error) {
      this.#sourceFailed(error);
    }
    this.feed();
    this.#checkFinished();
  }

  get #mayRead(): boolean {
    if (this.#isExhausted || this.#isStopped) return false;
    if (!this.#owner.hasRoom) {
      this.#owner.whenRoom(this.#feed);
      return false;
    }
    const { bufferSize } = this.#options;
    const ahead = this.#read - this.#settled + this.#sink.untaken;
    if (bufferSize !== undefined) return ahead < bufferSize;
    return this.#units.size < UNITS_AHEAD * this.#executor.size &&
      this.#sink.untaken < UNITS_AHEAD * this.#executor.size * this.#chunks.now;
  }

  get #sizeOfNext(): number {
    const size = this.#chunks.next(this.#executor.size), { bufferSize } = this.#options;
    if (bufferSize === undefined) return size;
    return Math.max(
      1,
      Math.min(size, bufferSize - (this.#read - this.#settled + this.#sink.untaken)),
    );
  }

  #take(size: number): unknown[] | Promise<unknown[]> {
    const items: unknown[] = [];
    if (this.#list !== undefined) {
      this.#takeFrom(this.#list, items, size);
      return items;
    }
    while (items.length < size) {
      let step: IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
      try {
        step = this.#source.next();
      } catch (error) {
        if (items.length === 0) throw error;
        this.#sourceFailed(error);
        break;
      }
      const { then } = primordials.ToObject(step) as { then?: unknown };
      if (step instanceof Promise || typeof then === "function") {
        // An item of an asynchronous source doesn't wait until the chunk is full.
        return PromisePrototypeThen(Promise.resolve(step), (step: IteratorResult<unknown>) => {
          checkStep(step);
          if (step.done) this.#isExhausted = true;
          else ArrayPrototypePush(items, step.value);
          return items;
        });
      }
      checkStep(step);
      const { done, value } = step as IteratorResult<unknown>;
      if (done) {
        this.#isExhausted = true;
        break;
      }
      ArrayPrototypePush(items, value);
    }
    return items;
  }

  /** As #take(), without an iterator. */
  #takeFrom(list: readonly unknown[], items: unknown[], size: number): void {
    try {
      let at = this.#read;
      while (items.length < size && at < list.length) ArrayPrototypePush(items, list[at++]);
      if (at >= list.length) this.#isExhausted = true;
    } catch (error) { // of a proxy
      if (items.length === 0) throw error;
      this.#sourceFailed(error);
    }
  }

  #submit(items: unknown[]): void {
    if (items.length === 0) return;
    const first = this.#read, { transfer } = this.#options;
    this.#read += items.length;
    const unit = new Unit({
      type: RUN,
      call: this.#call,
      client: this,
      options: { ...this.#options, name: this.#name, transfer: transferOf(transfer, items) },
      isSpread: this.#isSpread,
      id: this.#owner.takeIds(items.length),
      first,
      items,
      submitter: this.#submitter,
    });
    this.#units.set(unit, { left: items.length, sentAt: performance.now() });
    ArrayPrototypePush(this.#byIndex, unit);
    try {
      this.#executor.submit(unit);
    } catch (error) {
      // No outcome will come of it.
      this.#units.delete(unit);
      ArrayPrototypePop(this.#byIndex);
      throw error;
    }
  }

  /** The unit that an item was part of when it was read. */
  #unitOf(index: number): Unit {
    const last = this.#lastSettled;
    const isIn = last !== undefined && index >= last.first &&
      index < last.first + last.items.length;
    return isIn ? last : this.#lastSettled = this.#find(index);
  }

  #find(index: number): Unit {
    let low = 0, high = this.#byIndex.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#byIndex[middle].first <= index) low = middle;
      else high = middle - 1;
    }
    return this.#byIndex[low];
  }

  // Outcomes

  returned(index: number, value: unknown): void {
    if (!this.#isOver) this.#sink.returned(index, value);
    this.#settle(index, 1, false);
  }

  returnedInCells(index: number, count: number, cells: Cells, at: number): void {
    const sink = this.#sink;
    for (let i = 0; i < count && !this.#isOver; i++) sink.returned(index + i, cells.read(at + i));
    this.#settle(index, count, false);
  }

  failed(index: number, failure: ItemFailure): void {
    if (!this.#isOver) {
      const error = taskErrorOf(this.#name, index, failure);
      this.#origin.sign(error);
      this.#sink.failed(index, error);
    }
    this.#settle(index, 1, true);
  }

  message(value: unknown): void {
    const { onMessage } = this.#options;
    if (onMessage !== undefined) callBack("onMessage", onMessage, value);
  }

  /** So many items of a unit, from this one on, have an outcome. */
  #settle(index: number, count: number, hasFailed: boolean): void {
    this.#settled += count;
    if (!this.#isOver) this.#progress?.count(count, hasFailed);
    const unit = this.#unitOf(index), account = this.#units.get(unit);
    if (account === undefined || (account.left -= count) > 0) return;
    this.#units.delete(unit);
    this.#executor.settled(unit);
    while (this.#byIndex.length > 0 && !this.#units.has(this.#byIndex[0])) {
      ArrayPrototypeShift(this.#byIndex);
    }
    this.#chunks.measured(unit.items.length, (performance.now() - unit.since) / UNITS_AHEAD);
    this.feed();
    this.#checkFinished();
  }

  #checkFinished(): void {
    if (this.#isOver || !this.#isExhausted || this.#isReading || this.#units.size > 0) return;
    this.#over();
    this.#progress?.end();
    if (this.#sourceError !== undefined) this.#sink.broken(this.#sourceError.error);
    else this.#sink.finished(this.#read);
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { signal } = this.#options;
    if (signal !== undefined) removeAbortListener(signal, this.#aborted);
  }

  // Ending early

  /** Cancels the items that wait. */
  dropWaiting(): void {
    const parts = this.#executor.drop(listOf(this.#units.keys()));
    if (parts.length === 0 && this.#isExhausted) return;
    this.#stopReading();
    for (const part of each(parts)) this.#giveUp(part);
    this.#over();
    const error = new CancelledError(`${this.#name} was cancelled: the pool was shut down.`);
    this.#origin.sign(error);
    this.#sink.broken(error);
  }

  /** Ends the call because an item has failed: waiting items are taken out, running ones may finish. */
  failFast(error: Error): void {
    if (this.#isOver) return;
    this.#stopReading();
    for (const part of each(this.#executor.drop(listOf(this.#units.keys())))) this.#giveUp(part);
    this.#over();
    this.#progress?.end();
    this.#sink.broken(error);
  }

  /** Ends the call now, with all items that wait or run, and tells the sink the reason. */
  end(reason: unknown): void {
    if (this.#isOver) return;
    this.#stop(reason);
    this.#sink.broken(reason);
  }

  /** As end(), but tells the sink nothing. */
  stop(): void | Promise<void> {
    if (this.#isOver) return this.#closing;
    this.#stop(`the loop over the results of ${this.#name} was left`);
    return this.#closing;
  }

  #closing: Promise<void> | undefined;

  #stop(reason: unknown): void {
    this.#over();
    this.#stopReading();
    for (const unit of each(listOf(this.#units.keys()))) {
      this.#executor.cancel(unit, reason);
      this.#forget(unit);
    }
    this.#progress?.end();
  }

  /** Accounts for a part of a unit that was taken back and will have no outcome. */
  #giveUp(part: Unit): void {
    const unit = this.#unitOf(part.first), account = this.#units.get(unit)!;
    account.left -= part.items.length - part.settled;
    if (account.left > 0) return;
    this.#units.delete(unit);
    this.#executor.settled(unit);
  }

  #forget(unit: Unit): void {
    unit.drop();
    if (this.#units.delete(unit)) this.#executor.settled(unit);
  }

  #stopReading(): void {
    this.#isStopped = true;
    this.#closeSource();
  }

  /** Tells the source that no more items are wanted. An error that it throws then is ignored. */
  #closeSource(): void {
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    try {
      const closing = this.#source.return?.();
      if (closing instanceof Promise) this.#closing = soon(closing);
    } catch {
      // `for await` ignores it as well, after an error.
    }
  }
}

/** Resolves when the promise is settled, or after CLOSING_MS. */
async function soon(promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    const end = () => resolve();
    PromisePrototypeThen(promise, end, end);
    timer = setTimeout(resolve, CLOSING_MS);
  });
  clearTimeout(timer);
}

/** Throws unless it is what an iterator's next() has to return. */
function checkStep(step: unknown): void {
  if (typeof step === "object" && step !== null || typeof step === "function") return;
  throw new TypeError(
    `The iterator of the items returned ${describe(step)} from next(). It has to return an object.`,
  );
}

/** The number of items, if it can be known. */
export function totalOf(items: object): number | undefined {
  if (Array.isArray(items) || primordials.ArrayBuffer.isView(items)) {
    return (items as unknown[]).length;
  }
  if (items instanceof Set || items instanceof Map) return items.size;
  return undefined;
}

function iteratorOf(
  items: Iterable<unknown> | AsyncIterable<unknown>,
): Iterator<unknown> | AsyncIterator<unknown> {
  const asynchronous = (items as AsyncIterable<unknown>)[Symbol.asyncIterator];
  if (asynchronous !== undefined) return Reflect.apply(asynchronous, items, []);
  if (Array.isArray(items)) return each(items)[Symbol.iterator]();
  return (items as Iterable<unknown>)[Symbol.iterator]();
}
