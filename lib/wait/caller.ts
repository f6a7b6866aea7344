// An error that a wait ends with is made by a timer, or by whoever woke the waiter, and its stack would show
// these. So a wait remembers where it was begun.

import { isOwnError } from "../errors.ts";

/** Where a wait was begun. */
export class Caller {
  /** Written by V8, which makes text of it only if somebody reads it. */
  declare readonly stack: unknown;

  /** @param above the function whose callers count */
  constructor(above: (...args: never[]) => unknown) {
    Error.captureStackTrace(this, above);
  }

  /** Has an error of this package show where the wait was begun; what else was thrown is left alone. */
  sign(error: unknown): void {
    if (!isOwnError(error)) return;
    const stack = this.#text();
    const at = stack.indexOf("\n    at ");
    if (at < 0) return;
    const value = `${error.name}: ${error.message}${stack.slice(at)}`;
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  }

  /** Empty where the program has no stacks made, or makes something else of them. */
  #text(): string {
    try {
      return typeof this.stack === "string" ? this.stack : "";
    } catch {
      return "";
    }
  }
}
