// Deno 2.9.6 loses the order to end a thread that reaches it while it inspects a value, for console.log
// or Deno.inspect, and one that prints in a loop would go on for ever. So whoever prints in a started
// process looks afterwards whether it has been killed.

import { stopIfKilled } from "../memory/critical.ts";
import * as primordials from "../platform/primordials.ts";

const { Object, Reflect } = primordials;

// deno-lint-ignore no-explicit-any
type Methods = Record<string, any>;

/** Called once in a started process. */
export function lookAfterPrinting(): void {
  const methods: Methods = globalThis.console;
  for (const name of Object.keys(methods)) look(methods, name);
  look(globalThis.Deno, "inspect");
}

function look(object: Methods, name: string): void {
  const method = object[name];
  if (typeof method !== "function") return;
  object[name] = (...args: unknown[]) => {
    const result = Reflect.apply(method, object, args);
    stopIfKilled();
    return result;
  };
}
