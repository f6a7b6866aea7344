// A thread in a sandbox. It has the permissions of the sandbox, can be stopped at any instant, and can have a
// memory limit, as every thread. The price is half a second: where a worker starts a worker, Deno waits for a
// debugger (platform/threads.ts).
//
// The sandbox runs nothing but keeper(), which starts the thread, enforces its limits and reports its end.

import { MessageChannel, type ResourceLimits } from "node:worker_threads";
import { ControlBlock, type SharedWords } from "../../liveness/control_block.ts";
import { withoutAdded } from "../../platform/added.ts";
import { closeStarted, takeMessage } from "../../platform/ports.ts";
import { memoryUse, resourceLimitsOf, SAFE_HEAP_MB } from "../../platform/threads.ts";
import { postToWebWorker, unrefWebWorker } from "../../platform/web_workers.ts";
import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";
import { end, listenForError, makeSandbox } from "./sandbox.ts";
import { admit, isWaiting, type Making, turn, withdraw } from "./turnstile.ts";
import type { Listener, ProcessWorker } from "./worker.ts";
import * as primordials from "../../platform/primordials.ts";

// Atomics gets another name here, because in the text of keeper() `Atomics` must be the global.
const {
  Atomics: HostAtomics,
  encodeURIComponent,
  Error,
  Int32Array,
  Math,
  Object,
  SharedArrayBuffer,
} = primordials;

/** The thread that the keeper is to start, as posted to the sandbox. */
interface Order {
  main: string;
  name: string;
  data: WorkerData;
  resourceLimits: ResourceLimits | undefined;
  reports: MessagePort;
  /** The words of the control block of the process. */
  control: SharedWords;
  /** In ms. The keeper takes a limit of 2 ** 31 and more, which no timer can keep, as none. */
  timeLimit: number;
  constants: typeof CONSTANTS;
  /** A word that the process can't see: 1 once the keeper ends the process because its time is up. */
  timedOut: Int32Array;
}

/** Times, and the signal of kill(). */
const CONSTANTS = {
  KILLED: 9,
  /** How long the process may take to load its modules, and to leave a critical section. */
  LOADING_MS: 5000,
  OUTSIDE_MS: 200,
  /** The interval of the memory checks, and how long the memory may be full. */
  CHECK_INTERVAL_MS: 50,
  ENDING_MS: 500,
};

/** What the keeper reports. */
type Report =
  | { failed: { message: string; code: unknown } }
  | { exited: number }
  | { limit: "time" };

/** Runs in the sandbox, from its source text, and so may use nothing but its parameters and the globals. */
function keeper(threads: typeof import("node:worker_threads")): void {
  const start = ({ data: order }: MessageEvent<Order>) => {
    const { main, name, data, resourceLimits, reports, control, timeLimit, constants, timedOut } =
      order;
    const say = (report: Report) => reports.postMessage(report);
    const worker = new threads.Worker(new globalThis.URL(main), {
      name,
      workerData: data,
      env: threads.SHARE_ENV,
      transferList: [data.port, data.host],
      resourceLimits,
    });
    worker.on("error", ({ message, code }: Error & { code?: unknown }) => {
      say({ failed: { message: `${message}`, code } });
    });
    worker.once("exit", (code: number) => say({ exited: code }));
    reports.onmessage = () => worker.terminate();
    // The limits are enforced here as well, because the host's isolate may be busy or blocked.
    const stop = (began: number) => {
      const isOutside = Atomics.load(control.critical, 0) === 0;
      if (!isOutside && performance.now() - began < constants.OUTSIDE_MS) {
        setTimeout(() => stop(began), 1);
        return;
      }
      Atomics.store(control.stopped, 0, 1);
      worker.terminate();
    };
    const timeIsUp = () => {
      Atomics.store(timedOut, 0, 1);
      say({ limit: "time" });
      Atomics.compareExchange(control.kill, 0, 0, constants.KILLED);
      stop(performance.now());
    };
    if (timeLimit < 2 ** 31) {
      const loading = Atomics.waitAsync(control.loaded, 0, 0, constants.LOADING_MS);
      const begin = () => setTimeout(timeIsUp, timeLimit);
      if (loading.async) loading.value.then(begin);
      else begin();
    }
    // The process has noticed itself that its memory is full, and perhaps can't reach its end.
    let fullFor = 0;
    setInterval(() => {
      if (Atomics.load(control.limit, 0) !== 0) fullFor += constants.CHECK_INTERVAL_MS;
      if (fullFor > constants.ENDING_MS) stop(0);
    }, constants.CHECK_INTERVAL_MS);
  };
  globalThis.addEventListener("message", start as (event: Event) => void, { once: true });
}

const KEEPER = `data:text/javascript,${
  encodeURIComponent(`import * as threads from "node:worker_threads";\n(${keeper})(threads);`)
}`;

/** Starts a process in a thread in a sandbox. */
export function startSandboxedThread(
  { main, grants, child }: SpawnRequest,
  data: WorkerData,
  listener: Listener,
): ProcessWorker {
  const { identity: { name, daemon }, memoryLimitMb, timeLimit = Infinity, sealed } = child;
  const { port1, port2 } = new MessageChannel();
  const reports = port2 as unknown as MessagePort;
  // V8's own limit, if there is no other: with it Deno ends the thread, and without it V8 would end the program.
  const heapLimit = memoryLimitMb ?? memoryUse().heapLimit / 2 ** 20;
  // A sealed process keeps a smaller limit itself (lib/child/memory_watch.ts).
  const least = sealed === undefined ? 0 : SAFE_HEAP_MB;
  const resourceLimits = resourceLimitsOf(Math.max(heapLimit, least));
  const control = new ControlBlock(child.control);
  // The process's own port may close before the keeper's report of the reason is read: that may be on its way
  // to the listener, where it can't be received synchronously.
  const timedOut = new Int32Array(new SharedArrayBuffer(4));
  const order: Order = {
    ...{ main, name, data, resourceLimits, reports, timeLimit, timedOut, constants: CONSTANTS },
    control: control.sharedWords(),
  };
  let sandbox: Worker | undefined, isOver = false;
  const exited = (code: number) => {
    isOver = true;
    listener.exited(code);
  };
  const fail = (error: unknown) => {
    listener.failed(error);
    exited(1);
  };
  const start = () => {
    sandbox = makeSandbox(KEEPER, name, grants!);
    listenForError(sandbox, (message) => fail(new Error(message)));
    postToWebWorker(sandbox, order, [data.port, data.host, reports]);
    if (daemon) unrefWebWorker(sandbox);
  };
  let isLate = false;
  const making: Making = {
    make() {
      try {
        start();
      } catch (error) {
        isOver = true;
        if (!isLate) throw error;
        fail(error);
      }
    },
    isOver: () => isOver || control.isLoaded(),
  };
  admit(making);
  isLate = isWaiting(making);
  const checkTimedOut = () => {
    if (HostAtomics.exchange(timedOut, 0, 0) !== 0) listener.timeIsUp();
  };
  const hear = (report: Report) => {
    checkTimedOut();
    if ("exited" in report) return exited(report.exited);
    if ("limit" in report) return listener.timeIsUp();
    const { message, code } = report.failed;
    listener.failed(Object.assign(new Error(message), { code }));
  };
  withoutAdded(() => port1.on("message", hear));
  port1.unref();
  return {
    isInterruptible: true,
    knowsEnd: true,
    get isWaiting() {
      return isLate && isWaiting(making);
    },
    terminate: () => {
      if (isWaiting(making)) {
        withdraw(making);
        data.port.close();
        data.host.close();
      } else port1.postMessage("terminate");
      exited(0);
    },
    dispose: () => {
      isOver = true;
      closeStarted(port1);
      if (sandbox === undefined) port2.close();
      else end(sandbox);
    },
    look: () => {
      turn();
      checkTimedOut();
      for (;;) {
        const received = takeMessage(port1);
        if (received === undefined) return;
        hear(received.message as Report);
      }
    },
  };
}
