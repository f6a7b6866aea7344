// A Worker of node:worker_threads, the kind that has a memory limit, an exit code and `unref`. terminate()
// stops it even in the middle of `while (true) {}`, provided it holds a Web Lock (platform/interruption.ts;
// child/boot.ts takes one). It has the permissions of the isolate that makes it.

import { SHARE_ENV, Worker, type WorkerOptions } from "node:worker_threads";
import { resourceLimitsOf } from "../../platform/threads.ts";
import { expectAfterEnd, expectAfterStart, takeSpare } from "./spare.ts";
import { makingWorker } from "./worker_guard.ts";
import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";
import type { Listener, ProcessWorker } from "./worker.ts";

/** Starts a process in a thread. */
export function startThread(
  request: SpawnRequest,
  data: WorkerData,
  listener: Listener,
): ProcessWorker {
  const spare = takeSpare(request, data), worker = spare ?? newThread(request, data);
  worker.on("error", listener.failed);
  worker.once("exit", (code) => {
    listener.exited(code);
    expectAfterEnd(request);
  });
  if (data.child.identity.daemon) worker.unref();
  expectAfterStart(request, spare !== undefined);
  return {
    isInterruptible: true,
    knowsEnd: true,
    terminate: () => {
      worker.terminate();
      listener.exited(0);
    },
    dispose: () => {},
    look: () => {},
  };
}

function newThread(
  { main, child: { identity, memoryLimitMb } }: SpawnRequest,
  data: WorkerData,
): Worker {
  // Without a prototype, so that Deno sees no options that hostile code has put into Object.prototype.
  const options = {
    __proto__: null,
    name: identity.name,
    workerData: data,
    // Otherwise Deno would read the environment, for which there may be no permission.
    env: SHARE_ENV,
    transferList: [data.port, data.host],
    resourceLimits: resourceLimitsOf(memoryLimitMb),
  } as WorkerOptions;
  // The two members of a URL that node's Worker uses, in an object that no replaced prototype can change.
  const url = { __proto__: null, protocol: "data:", toString: () => main } as unknown as URL;
  return makingWorker(() => new Worker(url, options));
}
