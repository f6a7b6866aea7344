// In a process that is locked down, workers are made by this library alone: a worker of the user's would be a realm
// with everything in it.

import { Worker as Thread } from "node:worker_threads";
import { withoutAdded } from "../../platform/added.ts";
import * as primordials from "../../platform/primordials.ts";

const { Deno, Object, Reflect, Worker } = primordials;

type Class = abstract new (...args: never[]) => object;

let mayMakeWorker = true;

/** Does `make`, which makes one worker. */
export function makingWorker<T>(make: () => T): T {
  mayMakeWorker = true;
  return withoutAdded(make);
}

/**
 * Has a class of workers make none but those that this library makes. What a derived class calls as
 * super() is looked up when it is called; a class that can't be extended has it looked up there for ever.
 */
function guard(worker: Class): void {
  const parent: Class = Object.getPrototypeOf(worker);
  function guarded(...args: never[]): object {
    if (!mayMakeWorker) deny("Workers");
    mayMakeWorker = false;
    return Reflect.construct(parent, args, new.target ?? parent);
  }
  Object.setPrototypeOf(guarded, parent);
  Object.setPrototypeOf(worker, guarded);
  Object.preventExtensions(worker);
  mayMakeWorker = false;
}

/** From now on only makingWorker() makes workers, of either class. */
export function guardWorkers(): void {
  guard(Worker);
  guard(Thread);
}

/** Refuses what a process with permissions of its own is denied beyond what Deno denies it. */
export function deny(what: string): never {
  throw new Deno.errors.NotCapable(
    `${what} can't be used in a process with permissions of its own. ` +
      "Start a Process, or do it in the process that has started this one.",
  );
}
