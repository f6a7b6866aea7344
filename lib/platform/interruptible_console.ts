// A console that a killed process can't outlive.
//
//   inspecting        Deno loses the order to end a thread that reaches it while it inspects a value, for
//                     console.log or Deno.inspect: a thread that prints in a loop would go on for ever.
//
// So a started process looks after each print whether it has been killed.

import * as primordials from "./primordials.ts";

const { each, Object, Reflect } = primordials;

// deno-lint-ignore no-explicit-any
type Methods = Record<string, any>;

/** Called once in a started process. From now on `look` is called after whatever inspects values. */
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
