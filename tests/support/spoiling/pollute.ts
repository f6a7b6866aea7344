// Adds properties to prototypes, as a program or a library that it loads may do.

import { answerOf, type steps } from "./scenario.ts";

const { defineProperty } = Object, { deleteProperty } = Reflect;

/** Adds properties to a prototype; returns how to take them away. */
export function pollute(
  prototype: object,
  names: readonly string[],
  value: unknown,
  enumerable = true,
): () => void {
  return define(prototype, names, { value, writable: true, enumerable });
}

/** Adds getters, which have no setters; returns how to take them away. */
export function polluteByGetters(
  prototype: object,
  names: readonly string[],
  get: () => unknown,
): () => void {
  return define(prototype, names, { get, enumerable: false });
}

function define(prototype: object, names: readonly string[], descriptor: PropertyDescriptor) {
  for (let i = 0; i < names.length; i++) {
    defineProperty(
      prototype,
      names[i],
      { __proto__: null, configurable: true, ...descriptor } as
        & PropertyDescriptor
        & { __proto__: null },
    );
  }
  return () => {
    for (let i = 0; i < names.length; i++) deleteProperty(prototype, names[i]);
  };
}

/** Every option of this library, and words that it, the language and Deno look for in objects. */
export const NAMES = [
  ...["timeout", "signal", "maxSize", "maxBytes", "name", "transfer", "maxLength", "immediate"],
  ...["offset", "size", "duplex", "action", "lock", "compare", "target", "args", "daemon"],
  ...["module", "by", "permissions", "memoryLimitMb", "timeLimit", "sealed", "keep", "message"],
  ...["code", "cause", "type", "kind", "ports", "program", "exposed", "content", "once", "done"],
  ...["value", "start", "pull", "highWaterMark", "env", "workerData", "transferList"],
  ...["resourceLimits", "endings", "detail", "processes", "initializer", "chunkSize", "retries"],
];

/** What descriptors, iterators, JSON and options are asked for. */
export const NAMES_OF_FUNCTIONS = [
  ...["get", "set", "value", "done", "next", "return", "throw", "toJSON", "has", "apply"],
  ...["construct", "signal", "timeout", "transfer"],
];

/** What all of these steps answer. */
export async function answersOf(
  all: typeof steps,
  endless?: number,
): Promise<Record<string, string>> {
  const answers: Record<string, string> = {}, names = Object.keys(all);
  for (let i = 0; i < names.length; i++) {
    answers[names[i]] = await answerOf(all[names[i]], endless);
  }
  return answers;
}
