// Web Workers: behaviour beyond the documentation.
//
//   unref             A web Worker has a method that refs or unrefs it. Its name is the one symbol without a
//                     description on Worker.prototype. The program doesn't wait for an unref'd worker.
//   terminate         terminate() ends a web Worker at the next turn of its event loop, not in the middle of a
//                     loop. The program waits for the worker until then.
//   permissions       The option `deno.permissions` exists where the program runs with worker-options. Without,
//                     Deno prints one line and exits with code 70.
//   imports           Modules that a worker's main module imports by a literal specifier, in import() too, are
//                     loaded with the rights of the isolate that starts the worker. Where Deno type-checks, as
//                     `deno test` does, it checks these modules anew for each worker.

import * as primordials from "./primordials.ts";

const {
  ArrayPrototypeFind,
  each,
  Object,
  Reflect,
  SymbolPrototypeGetDescription,
  uncurry,
  Worker,
} = primordials;

const post = uncurry<Worker, [unknown, object], void>(globalThis.Worker?.prototype.postMessage);

/** Posts a message to a web Worker. */
export function postToWebWorker(
  worker: InstanceType<typeof Worker>,
  message: unknown,
  transfer: readonly object[],
): void {
  // Deno iterates the list.
  post(worker, message, { __proto__: null, transfer: each(transfer) });
}

/** Lets the program end without waiting for a worker. */
export function unrefWebWorker(worker: InstanceType<typeof Worker>): void {
  const symbol = ArrayPrototypeFind(
    Object.getOwnPropertySymbols(Worker.prototype),
    (symbol) => SymbolPrototypeGetDescription(symbol) === undefined,
  );
  if (symbol !== undefined) Reflect.apply(Reflect.get(worker, symbol), worker, [false]);
}
