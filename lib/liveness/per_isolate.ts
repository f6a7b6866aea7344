// Values that an isolate has once, for all copies of this package in it: the control block, the place in
// the process table. A program can load two copies of the package, for instance where two of its
// dependencies name different versions; both must be the same process to all others.
//
// The copies share a property of the global scope. Its value is only data: numbers, shared memory and
// plain objects of those. Each copy makes its own objects from the data.

import * as primordials from "../platform/primordials.ts";

const { Symbol } = primordials;

const global: Record<symbol, unknown> = globalThis as never;

/** A value that an isolate has once. */
export class PerIsolate<T> {
  readonly #key: symbol;

  /** @param name distinguishes the value from others */
  constructor(name: string) {
    this.#key = Symbol.for(`@multiproc/multiprocessing/${name}`);
  }

  /** The value; undefined if the isolate has none yet. */
  get(): T | undefined {
    return global[this.#key] as T | undefined;
  }

  /** The value; `make` makes it if the isolate has none yet. */
  getOr(make: () => T): T {
    return this.get() ?? this.set(make());
  }

  /** Sets the value, for all copies that ask for it later, and returns it. */
  set(value: T): T {
    global[this.#key] = value;
    return value;
  }

  /** Called in a sealed process, so that no other code in the isolate finds the value from now on. */
  hide(): void {
    delete global[this.#key];
  }
}
