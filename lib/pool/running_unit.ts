// A unit that runs in a worker of a pool: it runs the items one after the other, and sends the outcome of each at once,
// so that a death loses no finished item.

import { explainRefusal } from "../codec/locate.ts";
import { TASK_BEGIN, TASK_END } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import { describeFailure } from "../transfer/remote_error.ts";
import type { Span } from "../platform/telemetry.ts";
import { beginRemote, endSpan, isTracing, withinSpan } from "../telemetry/spans.ts";
import type { Board } from "./board.ts";
import { type Cells, NO_CELLS } from "./cells.ts";
import { type CurrentTask, Transferred, within } from "./current_task.ts";
import { explainThrown, type FunctionTravel } from "../target/function_travel.ts";
import {
  DONE,
  FAILED,
  type FromWorker,
  MESSAGE,
  STOPPED,
  STREAM,
  TOLD,
  YIELD,
} from "./protocol.ts";
import type { UnitHeader } from "./headers.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AbortController,
  AbortControllerPrototypeAbort,
  performance,
  Promise,
  PromisePrototypeThen,
  Reflect,
  signalOfController,
  TypeError,
} = primordials;

type AnyFunction = (...args: unknown[]) => unknown;

/** A function, or the promise of it while it is being made. */
export interface Known {
  travel: FunctionTravel;
  name: string;
  code: AnyFunction | undefined;
  loading: Promise<AnyFunction> | undefined;
  /** Whether neither the function nor the error that it can't be made with is there yet; false after an error. */
  isLoading: boolean;
}

/** A unit that has arrived and has not begun. */
export interface Arrived {
  /** Its slot and the number of its sending. */
  ticket: number;
  items: readonly unknown[];
  /** The name of its task, unless it is the function's. */
  name: string | undefined;
  /** Where the call was made, in the form of W3C's Trace Context, if spans are exported. */
  traceparent: string | undefined;
  /** The number of values that a generator may yield before the consumer has taken any. */
  credits: number;
}

/** The server, as a running unit uses it. */
export interface Surroundings {
  board: Board;
  functions: Map<number, Known>;
  send(message: FromWorker, transfer?: readonly object[]): void;
  sendOutcome(message: FromWorker, transfer?: readonly object[]): void;
  cells: Cells;
  /** Whether the time of the next outcome in a cell is of interest: not that of each tiny item. */
  clockIsDue(): boolean;
  /** The result of an item lies in its cell, since that time if the clock was read. */
  isInCell(now: number | undefined, isOfMany: boolean): void;
  ended(slot: number): void;
}

/** A running unit. */
export class RunningUnit {
  readonly #items: readonly unknown[];
  readonly #givenName: string | undefined;
  readonly #traceparent: string | undefined;
  readonly #slot: number;
  readonly #header: UnitHeader;
  readonly #around: Surroundings;
  readonly #task: CurrentTask;
  #known: Known | undefined;
  /** The number of the item that runs. */
  #item = 0;
  #controller: AbortController | undefined;
  #aborted: { reason: unknown } | undefined;
  /** The number of values that the generator may yield before the consumer has taken more. */
  #credits: number;
  #wake: (() => void) | undefined;
  #isStopped = false;
  /** Whether the pool has stopped the unit on the board: it takes no further step. */
  #isFrozen = false;
  /** The span of the unit, and whether an item has failed. */
  #span: Span | undefined;
  #hasFailed = false;

  constructor(arrived: Arrived, slot: number, header: UnitHeader, around: Surroundings) {
    this.#items = arrived.items;
    this.#givenName = arrived.name;
    this.#traceparent = arrived.traceparent;
    this.#slot = slot;
    this.#header = header;
    this.#around = around;
    this.#task = new RunningTask(this);
    this.#credits = arrived.credits;
  }

  /** Runs the items; begins at once if the function is loaded. */
  begin(): void {
    const { functionId, type } = this.#header;
    const { code, loading } = this.#known = this.#around.functions.get(functionId)!;
    if (code !== undefined) return this.#begin(code, type);
    PromisePrototypeThen(
      loading!,
      // A unit that was given up while its function was loading would miss the abort of its signal.
      (found) => this.#aborted ? this.#failAll(this.#aborted.reason) : this.#begin(found, type),
      (error) => this.#failAll(error),
    );
  }

  #begin(call: AnyFunction, type: number): void {
    if (isTracing) this.#beginSpan();
    const run = () => {
      if (type === STREAM) this.#stream(call as (...args: unknown[]) => AsyncGenerator);
      else this.#runItems(call);
    };
    within(this.#task, isTracing ? () => withinSpan(this.#span, run) : run);
  }

  #beginSpan(): void {
    const { id } = this.#header, count = this.#items.length;
    this.#span = beginRemote(`task ${this.name}`, {
      "multiprocessing.task.id": id,
      ...count > 1 && { "multiprocessing.task.items": count },
    }, this.#traceparent);
  }

  #endSpan(): void {
    if (this.#span === undefined) return;
    endSpan(this.#span, {}, this.#hasFailed ? "the function threw" : undefined);
    this.#span = undefined;
  }

  /** The consumer of the generator has taken so many values. */
  credit(id: number, count: number): void {
    if (id !== this.#header.id) return;
    this.#credits += count;
    this.#wake?.();
  }

  /** The consumer of the generator wants no more. */
  stop(id: number): void {
    if (id !== this.#header.id) return;
    this.#isStopped = true;
    this.#wake?.();
  }

  /** Aborts the task's signal: the pool has stopped the unit, and other units run beside it. */
  abort(id: number, reason: unknown): void {
    if (id !== this.#header.id) return;
    this.#aborted = { reason };
    this.#around.send([TOLD, this.#slot, id]);
    if (this.#isFrozen) this.#endStopped();
    else if (this.#controller) AbortControllerPrototypeAbort(this.#controller, reason);
  }

  /**
   * The pool has stopped the unit, so the board refuses its next step. The pool kills the worker next, or sends word
   * that other units go on; until then the unit keeps its place. False: there is no next item.
   */
  #freeze(): false {
    this.#isFrozen = true;
    if (isTracing) this.#endSpan();
    if (this.#aborted) this.#endStopped();
    return false;
  }

  #endStopped(): void {
    this.#around.send([STOPPED, this.#slot, this.#header.id]);
    this.#around.ended(this.#slot);
  }

  #runItems(call: AnyFunction): void {
    const items = this.#items, { isSpread } = this.#header;
    for (;;) {
      let returned: unknown;
      if (recorder !== undefined) this.#recordBegin();
      try {
        const item = items[this.#item];
        returned = isSpread ? Reflect.apply(call, undefined, item as unknown[]) : call(item);
      } catch (error) {
        if (!this.#failed(error)) return;
        continue;
      }
      if (
        returned instanceof Promise || typeof primordials.ToObject(returned).then === "function"
      ) {
        PromisePrototypeThen(
          Promise.resolve(returned),
          (value) => this.#returned(value) && this.#runItems(call),
          (error) => this.#failed(error) && this.#runItems(call),
        );
        return;
      }
      if (!this.#returned(returned)) return;
    }
  }

  /** Sends the value that an item returned; true if there is a next item. */
  #returned(value: unknown): boolean {
    const slot = this.#slot, { cells } = this.#header;
    const moving = value instanceof Transferred;
    if (recorder !== undefined) this.#recordEnd(false);
    if (cells !== NO_CELLS) {
      if (moving) this.#around.cells.skip(cells + this.#item);
      else if (this.#around.cells.write(cells + this.#item, value)) return this.#isInCell();
    }
    const result = moving ? value.value : value;
    // The item runs until it is encoded: that may call the program's getters, which may never return.
    try {
      this.#around.sendOutcome([DONE, slot, result], moving ? value.list : undefined);
    } catch (error) {
      this.#sendFailure(this.#refusal(result, moving, error));
    }
    return this.#next(performance.now());
  }

  /** Goes on after an item whose result lies in its cell; true if there is a next item. */
  #isInCell(): boolean {
    // Reading the clock takes longer than a tiny item.
    const now = this.#around.clockIsDue() ? performance.now() : undefined;
    const goesOn = this.#next(now);
    // Nor is the pool told of each: of those before a long item it learns when it looks by itself.
    if (goesOn && now === undefined) return true;
    this.#around.isInCell(now, this.#items.length > 1);
    return goesOn;
  }

  /** Sends the error that an item threw; true if there is a next item. */
  #failed(error: unknown): boolean {
    const { cells } = this.#header;
    if (recorder !== undefined) this.#recordEnd(true);
    this.#hasFailed = true;
    if (cells !== NO_CELLS) this.#around.cells.skip(cells + this.#item);
    this.#sendFailure(error);
    return this.#next(performance.now());
  }

  #sendFailure(error: unknown): void {
    const explained = explainThrown(error, this.#known!.travel);
    this.#around.sendOutcome([FAILED, this.#slot, describeFailure(explained)]);
  }

  #refusal(result: unknown, moving: boolean, error: unknown): unknown {
    if (!(error instanceof TypeError) || moving) return error;
    return new TypeError(explainRefusal(result, "result", { sharedMemory: true }));
  }

  get #isLast(): boolean {
    return this.#item === this.#items.length - 1;
  }

  /** @param now the time, if the clock was read, or for tiny items lately */
  #next(now?: number): boolean {
    const slot = this.#slot, { isTimed } = this.#header;
    if (this.#isLast) {
      if (isTracing) this.#endSpan();
      if (!this.#around.board.finish(slot, this.#item)) return this.#freeze();
      this.#around.ended(slot);
      return false;
    }
    const start = isTimed ? now : undefined;
    if (!this.#around.board.advance(slot, this.#item, start)) return this.#freeze();
    this.#item++;
    return true;
  }

  /** Fails all items, because the function can't be loaded. */
  #failAll(error: unknown): void {
    while (this.#failed(error));
  }

  // Generators

  async #stream(call: (...args: unknown[]) => AsyncGenerator): Promise<void> {
    const slot = this.#slot, { 0: args } = this.#items;
    if (recorder !== undefined) this.#recordBegin();
    try {
      const generator = Reflect.apply(call, undefined, args as unknown[]);
      if (typeof primordials.ToObject(generator).next !== "function") {
        throw new TypeError(
          `${this.#task.name} returned no generator. Use apply() for a plain function, or write function*.`,
        );
      }
      for (;;) {
        while (this.#credits === 0 && !this.#isStopped) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
        if (this.#isStopped) {
          await generator.return?.(undefined);
          break;
        }
        const step = await generator.next();
        if (step.done) break;
        this.#credits--;
        const moving = (step.value as unknown) instanceof Transferred;
        const { value, list } = moving
          ? step.value as Transferred
          : { value: step.value, list: undefined };
        try {
          this.#around.send([YIELD, slot, value], list);
        } catch (error) {
          await generator.return?.(undefined);
          throw error instanceof TypeError
            ? new TypeError(explainRefusal(value, "yielded", { sharedMemory: true }))
            : error;
        }
      }
      this.#returned(undefined);
    } catch (error) {
      this.#failed(error);
    }
  }

  // For traces

  #recordBegin(): void {
    const { id, index } = this.#task, name = recorder!.text(this.name);
    recorder!.event(TASK_BEGIN, id, index, name);
  }

  #recordEnd(hasFailed: boolean): void {
    recorder!.event(TASK_END, this.#task.id, hasFailed ? 1 : 0);
  }

  // For RunningTask

  get item(): number {
    return this.#item;
  }

  get header(): UnitHeader {
    return this.#header;
  }

  get name(): string {
    return this.#givenName ?? this.#known!.name;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) {
        AbortControllerPrototypeAbort(this.#controller, this.#aborted.reason);
      }
    }
    return signalOfController(this.#controller);
  }

  /** Sends a value to the caller's onMessage. */
  message(value: unknown): void {
    try {
      this.#around.send([MESSAGE, this.#slot, this.#header.id + this.#item, value]);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(explainRefusal(value, "value", { sharedMemory: true }));
    }
  }
}

/** The task as its own code sees it. In a chunk, it is the item that runs. */
class RunningTask implements CurrentTask {
  readonly #running: RunningUnit;

  constructor(running: RunningUnit) {
    this.#running = running;
  }

  get id(): number {
    return this.#running.header.id + this.#running.item;
  }

  get name(): string {
    return this.#running.name;
  }

  get index(): number {
    return this.#running.header.first + this.#running.item;
  }

  get attempt(): number {
    return this.#running.header.attempt;
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  send(value: unknown): void {
    this.#running.message(value);
  }
}
