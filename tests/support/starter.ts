// Starts the targets of one module by reference.

import { Process } from "../../mod.ts";

/** What starts a target of a module, as a process with a name. */
export function starterOf(module: string) {
  return <A extends unknown[], R>(
    target: (...args: A) => R,
    args: A,
    options: { name: string; permissions?: "none" },
  ): Process<unknown[], Awaited<R>> => {
    const process = new Process<unknown[], Awaited<R>>({
      target: target as never,
      args,
      module,
      ...options,
    });
    process.start();
    return process;
  };
}
