// Models of AbortController and AbortSignal: listeners are called at once, and may yield.

import { isGenerator, type Running } from "./promise.ts";

type Listener = (event: unknown) => unknown;

/** A signal. What is read of it stands in getters of the prototype, as in the original. */
export class AbortSignal {
  #isAborted = false;
  #reason: unknown;
  readonly #listeners = new Set<Listener>();

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }

  throwIfAborted(): void {
    if (this.#isAborted) throw this.#reason;
  }

  static *abort(signal: AbortSignal, reason: unknown = new Error("aborted")): Running {
    if (signal.#isAborted) return undefined;
    signal.#isAborted = true;
    signal.#reason = reason;
    for (const listener of [...signal.#listeners]) {
      const result = listener({ type: "abort", target: signal });
      if (isGenerator(result)) yield* result;
    }
    return undefined;
  }
}

/** A controller. */
export class AbortController {
  readonly #signal = new AbortSignal();

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): Running {
    return AbortSignal.abort(this.#signal, reason);
  }
}
