// A console that doesn't keep a killed process alive.
//
//   inspecting        An order to end a thread is lost if it arrives while Deno inspects a value, for
//                     console.log or Deno.inspect: a thread that prints in a loop would go on for ever.
//
// So a started process checks after each print whether it has been killed.

import * as primordials from "./primordials.ts";

const { each, Object, Reflect } = primordials;

// deno-lint-ignore no-explicit-any
type Methods = Record<string, any>;

/** Has `look` called after every call that inspects values. Called once in a started process. */
export function lookAfterPrinting(look: () => void): void {
  const methods: Methods = globalThis.console;
  for (const name of each(Object.keys(methods))) lookAfter(methods, name, look);
  lookAfter(globalThis.Deno, "inspect", look);
}

function lookAfter(object: Methods, name: string, look: () => void): void {
  const method = object[name];
  if (typeof method !== "function") return;
  object[name] = (...args: unknown[]) => {
    const result = Reflect.apply(method, object, args);
    look();
    return result;
  };
}
