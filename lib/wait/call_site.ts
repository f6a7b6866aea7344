// The call site of a wait. The error that a wait ends with is made by a timer, or by the notifier that woke
// the waiter, and its stack would show these. So a wait remembers where it was begun.

import { isOwnError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const {
  captureStackTrace,
  Error,
  Object,
  RangeError,
  RegExpPrototypeTest,
  StringPrototypeIncludes,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  TypeError,
  URL,
} = primordials;

const FRAME = "\n    at ";

/**
 * The beginning of the URLs of this package's code: its folder, or in a child the place of the bundle;
 * undefined in a program's own bundle, where other code is in the same file.
 */
const here = RegExpPrototypeTest(/\/wait\/call_site\.ts$/, import.meta.url)
  ? new URL("../", import.meta.url).href
  : RegExpPrototypeTest(/^blob:/, import.meta.url)
  ? "blob:"
  : RegExpPrototypeTest(/\/lib\/target\/bundle\/core\.js$/, import.meta.url)
  ? new URL("./", import.meta.url).href
  : undefined;

/** Where a wait was begun. */
export class CallSite {
  /** Written by V8, which makes text of it only when it is read. */
  declare readonly stack: unknown;

  /**
   * @param above the function whose callers the stack shows
   * @param frames the most callers that it shows; without this, as many as in any error
   */
  constructor(above: (...args: never[]) => unknown, frames?: number) {
    if (frames === undefined || !(Error.stackTraceLimit > frames)) captureStackTrace(this, above);
    else this.#captureFew(above, frames);
  }

  #captureFew(above: (...args: never[]) => unknown, frames: number): void {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = frames;
    captureStackTrace(this, above);
    Error.stackTraceLimit = stackTraceLimit;
  }

  /** Makes an error of this package show where the wait was begun; leaves any other error alone. */
  sign(error: unknown): void {
    if (!isOwnError(error) && !isMadeHere(error)) return;
    const stack = this.#text();
    const at = StringPrototypeIndexOf(stack, FRAME);
    if (at < 0) return;
    const value = `${error.name}: ${error.message}${StringPrototypeSlice(stack, at)}`;
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  }

  /** The first frame that isn't of this package, as "name (url:line:column)"; empty if there is none. */
  place(): string {
    const stack = this.#text();
    let at = StringPrototypeIndexOf(stack, FRAME);
    while (at >= 0) {
      const begin = at + FRAME.length, next = StringPrototypeIndexOf(stack, FRAME, begin);
      const frame = StringPrototypeSlice(stack, begin, next < 0 ? undefined : next);
      const isOwn = here !== undefined && StringPrototypeIncludes(frame, here) ||
        RegExpPrototypeTest(/\(?(?:ext|node):[^ ]*\)?$/, frame);
      if (!isOwn) return frame;
      at = next;
    }
    return "";
  }

  /** The stack as text; empty where the program has V8 make no stacks, or makes something else of them. */
  #text(): string {
    try {
      return typeof this.stack === "string" ? this.stack : "";
    } catch {
      return "";
    }
  }
}

/** Whether an error is one of the language's own, thrown by this package. */
function isMadeHere(error: unknown): error is Error {
  if (here === undefined) return false;
  try {
    if (!(error instanceof TypeError || error instanceof RangeError)) return false;
    const { stack } = error;
    if (typeof stack !== "string") return false;
    const begin = StringPrototypeIndexOf(stack, FRAME),
      end = StringPrototypeIndexOf(stack, "\n", begin + 1);
    return begin >= 0 &&
      StringPrototypeIncludes(StringPrototypeSlice(stack, begin, end < 0 ? undefined : end), here);
  } catch { // of a class of the program, with a getter
    return false;
  }
}
