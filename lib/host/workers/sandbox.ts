// A web Worker with permissions of its own, the only kind of worker that takes permissions. terminate() ends it
// when its code gets to the event loop. Where its code never does, the thread goes on, but the program doesn't
// wait for it.

import { withoutAdded } from "../../platform/added.ts";
import { postToWebWorker, unrefWebWorker } from "../../platform/web_workers.ts";
import { makingWorker } from "./worker_guard.ts";
import type { Grants } from "../../protocol/grants.ts";
import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";
import type { Listener, ProcessWorker } from "./worker.ts";
import * as primordials from "../../platform/primordials.ts";

const { Error, EventPrototypePreventDefault, Reflect, TypeError, Worker } = primordials;

/** Starts a process in a sandbox. */
export function startSandbox(
  { main, grants, child: { identity } }: SpawnRequest,
  data: WorkerData,
  listener: Listener,
): ProcessWorker {
  const worker = makeSandbox(main, identity.name, grants!);
  listenForError(worker, (message) => listener.failed(new Error(message)));
  postToWebWorker(worker, data, [data.port, data.host]);
  if (identity.daemon) unrefWebWorker(worker);
  return {
    isInterruptible: false,
    knowsEnd: false,
    terminate: () => {
      end(worker);
      listener.exited(0);
    },
    dispose: () => end(worker),
    look: () => {},
  };
}

/**
 * Makes a web Worker that has these permissions and no others.
 *
 * @throws {TypeError} if one of them means nothing to Deno
 */
export function makeSandbox(main: string, name: string, permissions: Grants): Worker {
  // The option `deno`, and its type, exist only where the program runs with worker-options. The objects have no
  // prototype, so that Deno sees no options that hostile code has put into Object.prototype.
  const options = { __proto__: null, type: "module", name, deno: { __proto__: null, permissions } };
  try {
    return makingWorker(() => new Worker(main, options as WorkerOptions));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(`permissions mean nothing to Deno: ${cause.message}.`, { cause });
  }
}

const { addEventListener } = EventTarget.prototype;

/** Listens by the original addEventListener: a replaced one would get hold of the worker. */
export function listenForError(worker: Worker, failed: (message: string) => void): void {
  const listener = (event: ErrorEvent) => {
    EventPrototypePreventDefault(event);
    failed(event.message);
  };
  withoutAdded(() => Reflect.apply(addEventListener, worker, ["error", listener]));
}

/** Ends a web Worker. If its code goes on all the same, the program doesn't wait for it. */
export function end(worker: Worker): void {
  worker.terminate();
  unrefWebWorker(worker);
}
