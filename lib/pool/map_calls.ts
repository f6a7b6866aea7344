// The calls of a pool over many items: how the outcomes of the items become one list, or one iterator.

import { describe } from "../validate/describe.ts";
import type { CallSite } from "../wait/call_site.ts";
import type { Admission } from "./admission.ts";
import { blockUntil } from "./blocking_wait.ts";
import { checkFunction, checkItems } from "./check_call.ts";
import { CancelledError } from "./errors.ts";
import type { Executor } from "./executor.ts";
import type { FunctionTable } from "./functions.ts";
import { notInTime } from "./limited_wait.ts";
import { MapCall, type MapOwner, type MapSink, totalOf } from "./map.ts";
import { type CheckedMap, type CheckedPool, checkMap, type MapOptions } from "./options.ts";
import { ResultIterator } from "./result_iterator.ts";
import type { Scheduler } from "./scheduler.ts";
import type { AnyFunction } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const { each, listOf, performance, queueMicrotask, SafeMap, SafeSet, TypeError } = primordials;

/** The most results for which a list is made beforehand: V8 makes longer ones slow. */
const MAX_PREPARED = 2 ** 24;

/** The pool, as its maps use it. */
interface Surroundings {
  executor: Executor;
  admission: Admission;
  functions: FunctionTable;
  defaults: CheckedPool;
  /** Reserves numbers for so many tasks, and returns the first. */
  takeIds(count: number): number;
}

/** Makes the calls over many items, and knows those that go on. */
export class MapCalls {
  readonly #admission: Admission;
  readonly #functions: FunctionTable;
  readonly #defaults: CheckedPool;
  readonly #owner: MapOwner;
  /** The maps that have no outcome yet. */
  readonly #maps = new SafeSet<MapCall>();

  constructor({ executor, admission, functions, defaults, takeIds }: Surroundings) {
    this.#admission = admission;
    this.#functions = functions;
    this.#defaults = defaults;
    this.#owner = {
      executor,
      takeIds,
      get hasRoom() {
        return admission.hasRoom;
      },
      whenRoom: (call) => admission.whenRoom(call),
    };
  }

  /** Begins a call that resolves to all results. */
  collect(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: MapOptions | undefined,
    origin: CallSite,
  ): Promise<unknown[]> {
    try {
      const { promise, resolve, reject } = primordials.Promise.withResolvers<unknown[]>();
      const call = this.#gather(name, code, items, isSpread, options, origin, { resolve, reject });
      queueMicrotask(() => call.feed());
      return promise;
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /** As collect(), but blocks the thread, for mapSync(). */
  collectSync(
    scheduler: Scheduler,
    code: AnyFunction,
    items: Iterable<unknown>,
    options: MapOptions | undefined,
    origin: CallSite,
  ): unknown[] {
    if (typeof primordials.ToObject(items)[Symbol.iterator] !== "function") {
      throw new TypeError(
        `mapSync() was given ${describe(items)} as items. Give an array, or use map().`,
      );
    }
    const { timeout: _, ...rest } = options ?? {};
    const { timeout } = checkMap(options, this.#defaults);
    let outcome: { results: unknown[] } | { error: unknown } | undefined;
    const call = this.#gather("mapSync", code, items, false, rest, origin, {
      resolve: (results) => outcome = { results },
      reject: (error) => outcome = { error },
    });
    call.feed();
    blockUntil(scheduler, () => outcome !== undefined, performance.now() + timeout, () => {
      call.stop();
      throw notInTime("mapSync()", timeout);
    });
    if (outcome !== undefined && "results" in outcome) return outcome.results;
    throw outcome?.error;
  }

  /** A call that settles with all results. The caller feeds it. */
  #gather(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: MapOptions | undefined,
    origin: CallSite,
    settle: { resolve: (results: unknown[]) => void; reject: (reason: unknown) => void },
  ): MapCall {
    const checked = checkMap(options, this.#defaults);
    const results: unknown[] = [], total = totalOf(items) ?? 0;
    // A list that grows by writing far behind its end would become a slow one.
    if (total <= MAX_PREPARED) results.length = total;
    let lowest: { index: number; error: Error } | undefined;
    const call = this.#begin(name, code, items, isSpread, checked, origin, {
      untaken: 0,
      isIterated: false,
      returned: (index, value) => results[index] = value,
      failed: (index, error) => {
        if (checked.returnExceptions) results[index] = error;
        else if (lowest === undefined) {
          lowest = { index, error };
          // Messages that were sent by now are received first: an item with a lower index may have failed.
          if (name === "mapSync") call.failFast(error);
          else queueMicrotask(() => call.failFast(lowest!.error));
        } else if (index < lowest.index) lowest = { index, error };
      },
      // The last items may have returned before the one that failed could end the call.
      finished: (count) => {
        results.length = count;
        if (lowest === undefined) settle.resolve(results);
        else settle.reject(lowest.error);
      },
      broken: settle.reject,
    });
    return call;
  }

  /** Begins a call that is iterated. */
  iterate(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions | undefined,
    origin: CallSite,
    shape: (index: number, value: unknown) => unknown,
    isOrdered: boolean,
  ): AsyncIterableIterator<never> {
    const checked = checkMap(options, this.#defaults);
    /** Outcomes that came before that of an item with a lower index. */
    const early = new SafeMap<number, { value: unknown } | { error: Error }>();
    let next = 0;
    const iterator: ResultIterator<unknown> = new ResultIterator<unknown>(
      () => call.feed(),
      () => {
        this.#maps.delete(call);
        return call.stop();
      },
    );
    const come = (index: number, outcome: { value: unknown } | { error: Error }) => {
      if (isOrdered && index !== next) {
        early.set(index, outcome);
        return;
      }
      for (
        let now: typeof outcome | undefined = outcome;
        now !== undefined;
        now = early.get(next)
      ) {
        early.delete(next);
        if ("error" in now) return call.failFast(now.error);
        iterator.push(shape(isOrdered ? next : index, now.value));
        next++;
        if (!isOrdered) return;
      }
    };
    const call: MapCall = this.#begin(name, code, items, false, checked, origin, {
      get untaken() {
        return early.size + iterator.size;
      },
      isIterated: true,
      returned: (index, value) => come(index, { value }),
      failed: (index, error) => {
        come(index, checked.returnExceptions ? { value: error } : { error });
      },
      finished: () => iterator.finish(),
      broken: (error) => iterator.finish({ error }),
    });
    queueMicrotask(() => call.feed());
    return iterator as AsyncIterableIterator<never>;
  }

  /** Checks what the call was given, and makes it. */
  #begin(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    checked: CheckedMap,
    origin: CallSite,
    sink: MapSink,
  ): MapCall {
    this.#admission.checkOpen(name);
    const registered = this.#functions.register(checkFunction(name, code));
    checkItems(name, items);
    const call: MapCall = new MapCall(this.#owner, registered, items, isSpread, checked, {
      get untaken() {
        return sink.untaken;
      },
      isIterated: sink.isIterated,
      returned: sink.returned,
      failed: sink.failed,
      finished: (count) => {
        this.#maps.delete(call);
        sink.finished(count);
      },
      broken: (error) => {
        this.#maps.delete(call);
        sink.broken(error);
      },
    }, origin);
    this.#maps.add(call);
    return call;
  }

  /** Ends all maps: the pool was terminated. */
  endAll(reason: unknown): void {
    for (const call of each(listOf(this.#maps))) {
      call.end(new CancelledError("The pool was terminated.", { cause: reason }));
    }
  }

  /** Takes back the items that have not begun. */
  dropWaiting(): void {
    for (const call of each(listOf(this.#maps))) call.dropWaiting();
  }
}
