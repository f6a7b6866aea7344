// What monitor.ts is in a process that was started (lib/target/bundle.ts): the page belongs to the main process, and the
// rest of this room isn't loaded.

import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { Promise } = primordials;

/** Refuses, as serveMonitor() of serve_monitor.ts does in such a process. */
export function serveMonitor(): Promise<never> {
  return Promise.reject(notMain());
}

/** The error of a call in a process that was started. */
export function notMain(): InvalidStateError {
  return new InvalidStateError(
    "serveMonitor() was called in a process that was started. The page shows all processes: call it in the main process.",
  );
}
