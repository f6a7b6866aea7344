// A newcomer's program: a module that starts a process as it is imported. Only a child imports
// it, and that child must not start another one.

import { Process } from "../../../mod.ts";

/** What the process would run. */
export function work(): string {
  return "worked";
}

new Process({ target: work, module: import.meta.url }).start();
