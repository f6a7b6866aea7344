// Checks of what a call to a pool was given: its function, its arguments, its items.

import { describe } from "../validate/describe.ts";
import type { AnyFunction } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const { TypeError } = primordials;

/** The function that `call` was given; throws if the call can't run it. */
export function checkFunction(call: string, code: unknown): AnyFunction {
  if (typeof code !== "function") {
    throw new TypeError(
      `${call}() was given ${describe(code)} as its function. Give a function.`,
    );
  }
  if (call !== "stream" && isGenerator(code)) {
    throw new TypeError(
      `${call}() was given ${code.name}, a generator function. Give it to stream(), which iterates what it yields.`,
    );
  }
  return code as AnyFunction;
}

/** The arguments that `call` was given. */
export function checkArgs(call: string, args: unknown): readonly unknown[] {
  if (args === undefined) return [];
  if (primordials.Array.isArray(args)) return args;
  throw new TypeError(
    `${call}() was given ${
      describe(args)
    } as arguments. Give an array of them: ${call}(f, [1, 2]).`,
  );
}

/** Throws if `items` can't be iterated. */
export function checkItems(call: string, items: unknown): void {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = primordials.ToObject(items);
  const isIterable = typeof sync === "function" || typeof async === "function";
  if (typeof items !== "string" && isIterable) return;
  throw new TypeError(
    `${call}() was given ${describe(items)} as items. Give an array, or anything else to iterate.`,
  );
}

/** Whether it is a generator function. */
export function isGenerator(code: unknown): boolean {
  const { name } = primordials.ToObject(code).constructor;
  return name === "GeneratorFunction" || name === "AsyncGeneratorFunction";
}
