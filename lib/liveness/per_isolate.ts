// What there is once in an isolate, whichever copy of this package asks: the control block, the place in
// the process table. A program can load two copies of the package, for instance where two of its
// dependencies name different versions; both must be the same process to everybody else.
//
// The copies meet at a property of the global scope. Only data stands there: numbers, shared memory and
// plain objects of those. Each copy makes its own objects of that.

import * as primordials from "../platform/primordials.ts";

const { Symbol } = primordials;

const global: Record<symbol, unknown> = globalThis as never;

/** A value that an isolate has once. */
export class PerIsolate<T> {
  readonly #key: symbol;

  /** @param name tells it from the others */
  constructor(name: string) {
    this.#key = Symbol.for(`@multiproc/multiprocessing/${name}`);
  }

  /** The value; undefined if the isolate has none yet. */
  get(): T | undefined {
    return global[this.#key] as T | undefined;
  }

  /** The value, which `make` makes at the first need. */
  getOr(make: () => T): T {
    return this.get() ?? this.set(make());
  }

  /** Sets it for all copies that ask later. */
  set(value: T): T {
    global[this.#key] = value;
    return value;
  }

  /** Called in a sealed process: no other code in the isolate finds the value from now on. */
  hide(): void {
    delete global[this.#key];
  }
}
