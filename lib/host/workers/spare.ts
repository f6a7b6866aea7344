// Warm starts. Deno makes a thread in 25 ms, during which the thread that makes it is blocked, and this package loads
// in ten more. So the host makes the thread of the next process ahead, in idle time: a spare, in which the package is
// loaded, and which then waits. A program that starts a single process and ends with it never gets there.
//
// A spare is no process: it is in no table, has no name and no pid, and runs no code of the user's. It gets the
// permissions of its starter, which it shares, as they are when it becomes a process.

import { isMainThread, SHARE_ENV, Worker, type WorkerOptions } from "node:worker_threads";
import * as primordials from "../../platform/primordials.ts";
import { isHosted } from "../../protocol/host_port.ts";
import { type SpareData, type SpareMessage, SpareState } from "../../protocol/spare.ts";
import type { SpawnRequest, WorkerData } from "../../protocol/spawn_request.ts";
import { spareMain } from "../../target/spare_main.ts";
import { makingWorker } from "./worker_guard.ts";

const {
  addEventListener,
  Atomics,
  each,
  Int32Array,
  Math,
  performance,
  PromisePrototypeThen,
  SharedArrayBuffer,
} = primordials;

/** How long nothing must have started or ended before a spare is made, in ms: after an end, and after a start. */
const AFTER_END_MS = 10, AFTER_START_MS = 100;
/** How long the end of the program waits for a spare that is loading: see lib/platform/threads.ts, "panics". */
const LOADING_MS = 300;

interface Spare {
  worker: Worker;
  state: SpareState;
  runtime: string;
  library: string;
}

let spare: Spare | undefined;
/** The number of starts and ends so far: a spare is made when there were no more in a while. */
let changes = 0;
/** The process that was started last, until it ends, and when it was started, by performance.now(). */
let lastStarted: SpawnRequest | undefined, lastStart = 0;
/** The texts of the package that a spare has failed to load, or for which none could be made. */
const failed = new primordials.SafeSet<string>();
let watchesEnd = false;

/** Whether a spare could run the process. */
function isEligible({ grants, runtime, child }: SpawnRequest): boolean {
  return grants === undefined && runtime !== undefined && child.memoryLimitMb === undefined &&
    !isHosted() && isMainThread;
}

/** The spare's thread, which has become the process; undefined if there is no spare for it. */
export function takeSpare(request: SpawnRequest, data: WorkerData): Worker | undefined {
  if (spare === undefined || !isEligible(request)) return undefined;
  const { worker, state, runtime, library } = spare;
  if (runtime !== request.runtime || library !== data.child.library) return undefined;
  spare = undefined;
  if (!state.take()) return undefined;
  worker.removeAllListeners("exit");
  worker.removeAllListeners("error");
  worker.ref();
  const message: SpareMessage = { data, main: request.main };
  // Deno iterates the list.
  worker.postMessage(message, { __proto__: null, transfer: each([data.port, data.host]) } as never);
  return worker;
}

/** Called after a start. Only where there was a spare is a next one made for what may be started then. */
export function expectAfterStart(request: SpawnRequest, wasWarm: boolean): void {
  changes++;
  lastStarted = request;
  lastStart = performance.now();
  if (wasWarm) expect(request, AFTER_START_MS);
}

/**
 * Called at the end of a process: another one may be started soon. One that was just started, as in the place of a
 * worker that has died, loads meanwhile, and would wait for the thread that makes a spare.
 */
export function expectAfterEnd(request: SpawnRequest): void {
  changes++;
  if (lastStarted === request) lastStarted = undefined;
  const loading = lastStarted === undefined ? 0 : lastStart + AFTER_START_MS - performance.now();
  expect(request, Math.max(AFTER_END_MS, loading));
}

/** Makes a spare for processes like this one, if nothing is started and nothing ends for `ms`. */
function expect(request: SpawnRequest, ms: number): void {
  if (spare !== undefined || !isEligible(request)) return;
  const before = changes, { runtime, child: { library, travel } } = request;
  const make = () => {
    if (changes !== before || spare !== undefined || failed.has(runtime!)) return;
    try {
      makeSpare(runtime!, library, travel.by === "reference");
    } catch {
      // No thread can be made now. The program hasn't asked for one.
      failed.add(runtime!);
    }
  };
  // Not a timer: this wait neither keeps the program alive nor counts as an operation that a test has left behind.
  const wait = Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  if (wait.async) PromisePrototypeThen(wait.value, make);
}

function makeSpare(runtime: string, library: string, hasEntryPoints: boolean): void {
  const state = new SpareState();
  const data: SpareData = { words: state.words, library, hasEntryPoints };
  const options = { __proto__: null, workerData: data, env: SHARE_ENV } as WorkerOptions;
  const main = spareMain(runtime);
  const url = { __proto__: null, protocol: "data:", toString: () => main } as unknown as URL;
  const worker = makingWorker(() => new Worker(url, options));
  const forget = () => {
    if (spare?.worker === worker) spare = undefined;
  };
  worker.on("error", () => {
    failed.add(runtime);
    forget();
  });
  worker.once("exit", forget);
  worker.unref();
  spare = { worker, state, runtime, library };
  if (watchesEnd) return;
  watchesEnd = true;
  addEventListener("unload", () => spare?.state.awaitReady(LOADING_MS));
}
