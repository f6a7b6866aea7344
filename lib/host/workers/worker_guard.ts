// In a process that is locked down, only this library makes workers: a worker made by the user's code would be
// a realm with everything in it.

import { Worker as Thread } from "node:worker_threads";
import { withoutAdded } from "../../platform/added.ts";
import * as primordials from "../../platform/primordials.ts";

const { Deno, Object, Reflect, Worker } = primordials;

type Class = abstract new (...args: never[]) => object;

let mayMakeWorker = true;

/** Calls `make`, which makes one worker. */
export function makingWorker<T>(make: () => T): T {
  mayMakeWorker = true;
  return withoutAdded(make);
}

/**
 * Restricts a class of workers to those that this library makes. The constructor that a derived class calls as
 * super() is its prototype, looked up at each call; the class is made non-extensible, so that this prototype
 * stays.
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

/** From now on only makingWorker() can make workers, of either class. */
export function guardWorkers(): void {
  guard(Worker);
  guard(Thread);
}

/** Throws for an API that is denied to processes with permissions of their own although Deno would allow it. */
export function deny(what: string): never {
  throw new Deno.errors.NotCapable(
    `${what} can't be used in a process with permissions of its own. ` +
      "Start a Process, or do it in the process that has started this one.",
  );
}
