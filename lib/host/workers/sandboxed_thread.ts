// A thread in a sandbox: it has the permissions of the sandbox, and can be stopped at any instant
// and have a memory limit as every thread. The price is half a second: where a worker starts a
// worker, Deno waits for a debugger (platform/threads.ts).
//
// The sandbox runs nothing but warden(), which starts the thread and reports what becomes of it.

import { MessageChannel, type ResourceLimits } from "node:worker_threads";
import { CRITICAL, KILL, LIMIT, LOADED, STOPPED } from "../../liveness/control_block.ts";
import { withoutAdded } from "../../platform/added.ts";
import { closeStarted, takeMessage } from "../../platform/ports.ts";
import { resourceLimitsOf } from "../../platform/threads.ts";
import { postToWebWorker, unrefWebWorker } from "../../platform/web_workers.ts";
import type { Body, Listener } from "./worker.ts";
import type { Birth, Launch } from "../../protocol/messages.ts";
import { end, listenForError, makeSandbox } from "./sandbox.ts";
import * as primordials from "../../platform/primordials.ts";

// Not under its own name: the text of warden() means the global one.
const { Atomics: HostAtomics, encodeURIComponent, Error, Int32Array, Object, SharedArrayBuffer } =
  primordials;

/** The signal of kill(). */
const KILLED_BY_LIMIT = 9;

/** What the warden is to start. */
interface Order {
  main: string;
  name: string;
  birth: Birth;
  resourceLimits: ResourceLimits | undefined;
  reports: MessagePort;
  /** The control block of the process. */
  control: Int32Array;
  /** In ms; Infinity for none, and for one longer than a timer can be. */
  timeLimit: number;
  words: typeof WORDS;
  /** A word that the process doesn't see: 1 once the warden ends it because its time is up. */
  verdict: Int32Array;
}

/** What the warden has to know of a control block, and of times in ms. */
const WORDS = {
  ...{ KILL, CRITICAL, STOPPED, LOADED, SIGNAL: KILLED_BY_LIMIT, LIMIT },
  /** So long the process has to load its modules, and to leave a critical section. */
  ...{ LOADING: 5000, OUTSIDE: 200, LOOK: 50, ENDING: 500 },
};

/** What the warden says. */
type Report = { failed: { message: string; code: unknown } } | { exited: number } | {
  limit: "time";
};

/** Runs in the sandbox, from its text: it may use nothing but its parameters and the globals. */
function warden(threads: typeof import("node:worker_threads")): void {
  const start = ({ data }: MessageEvent<Order>) => {
    const { main, name, birth, resourceLimits, reports, control, timeLimit, words, verdict } = data;
    const say = (report: Report) => reports.postMessage(report);
    const worker = new threads.Worker(new globalThis.URL(main), {
      name,
      workerData: birth,
      env: threads.SHARE_ENV,
      transferList: [birth.port, birth.host],
      resourceLimits,
    });
    worker.on("error", ({ message, code }: Error & { code?: unknown }) => {
      say({ failed: { message: `${message}`, code } });
    });
    worker.once("exit", (code: number) => say({ exited: code }));
    reports.onmessage = () => worker.terminate();
    // The limits are kept here, too: the isolate of the starter may be busy, or blocked.
    const stop = (began: number) => {
      const isOutside = Atomics.load(control, words.CRITICAL) === 0;
      if (!isOutside && performance.now() - began < words.OUTSIDE) {
        setTimeout(() => stop(began), 1);
        return;
      }
      Atomics.store(control, words.STOPPED, 1);
      worker.terminate();
    };
    const timeIsUp = () => {
      Atomics.store(verdict, 0, 1);
      say({ limit: "time" });
      Atomics.compareExchange(control, words.KILL, 0, words.SIGNAL);
      stop(performance.now());
    };
    if (timeLimit < 2 ** 31) {
      const loading = Atomics.waitAsync(control, words.LOADED, 0, words.LOADING);
      const begin = () => setTimeout(timeIsUp, timeLimit);
      if (loading.async) loading.value.then(begin);
      else begin();
    }
    // It has noticed itself that its memory is full, and perhaps doesn't get to its end.
    let fullFor = 0;
    setInterval(() => {
      if (Atomics.load(control, words.LIMIT) !== 0) fullFor += words.LOOK;
      if (fullFor > words.ENDING) stop(0);
    }, words.LOOK);
  };
  globalThis.addEventListener("message", start as (event: Event) => void, { once: true });
}

const WARDEN = `data:text/javascript,${
  encodeURIComponent(`import * as threads from "node:worker_threads";\n(${warden})(threads);`)
}`;

/** Starts a process in a thread in a sandbox. */
export function startJail(launch: Launch, birth: Birth, listener: Listener): Body {
  const { main, identity: { name, daemon }, grants, memoryLimitMb, control } = launch;
  const { timeLimit = Infinity } = launch;
  const sandbox = makeSandbox(WARDEN, name, grants!);
  listenForError(sandbox, (message) => {
    listener.failed(new Error(message));
    listener.exited(1);
  });
  const { port1, port2 } = new MessageChannel();
  const reports = port2 as unknown as MessagePort;
  const resourceLimits = resourceLimitsOf(memoryLimitMb);
  // The process's own port may tell of its end before the report of why is read: that may be on its way to the
  // listener, where nobody can take it.
  const verdict = new Int32Array(new SharedArrayBuffer(4));
  const order: Order = {
    ...{ main, name, birth, resourceLimits, reports, control, timeLimit, verdict },
    words: WORDS,
  };
  postToWebWorker(sandbox, order, [birth.port, birth.host, reports]);
  const judge = () => {
    if (HostAtomics.exchange(verdict, 0, 0) !== 0) listener.timeIsUp();
  };
  const hear = (report: Report) => {
    judge();
    if ("exited" in report) return listener.exited(report.exited);
    if ("limit" in report) return listener.timeIsUp();
    const { message, code } = report.failed;
    listener.failed(Object.assign(new Error(message), { code }));
  };
  withoutAdded(() => port1.on("message", hear));
  port1.unref();
  if (daemon) unrefWebWorker(sandbox);
  return {
    isInterruptible: true,
    knowsEnd: true,
    terminate: () => {
      port1.postMessage("terminate");
      listener.exited(0);
    },
    dispose: () => {
      closeStarted(port1);
      end(sandbox);
    },
    look: () => {
      judge();
      for (;;) {
        const received = takeMessage(port1);
        if (received === undefined) return;
        hear(received.message as Report);
      }
    },
  };
}
