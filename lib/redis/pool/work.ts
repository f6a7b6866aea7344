// work(): this program as a worker of a pool in a server.

import { checkCount, checkNames, checkOption, cpuCount, describe, option } from "../core.ts";
import { checkHub, checkRemoteName, checkUrl, type HubOptions } from "../options.ts";
import { Wires } from "../wires.ts";
import { type LoadedModule, shortName } from "./modules.ts";
import { PoolWorker } from "./worker.ts";

/**
 * Options of {@linkcode work}: those of `connect`, and these.
 *
 * @example
 * ```ts ignore
 * import { work, type WorkOptions } from "@multiproc/multiprocessing/worker";
 *
 * const modules = [import.meta.resolve("./tasks.ts")];
 * const options: WorkOptions = { name: "thumbnails", modules, signal: AbortSignal.timeout(60_000) };
 * await work("redis://127.0.0.1:6379", options);
 * ```
 */
export interface WorkOptions extends Omit<HubOptions, "signal"> {
  /** The name of the pool. */
  name: string;
  /** The URLs of the modules whose exports are the tasks. */
  modules: readonly (string | URL)[];
  /** How many processes run tasks. Default: `cpuCount()`. */
  processes?: number;
  /** How many tasks a process runs at once. Default: 1; more for tasks that mostly wait. */
  tasksPerProcess?: number;
  /** Once aborted no more tasks are taken, and what runs is finished. */
  signal?: AbortSignal;
  /** Once aborted what runs is ended, too, and other workers run it anew. */
  terminate?: AbortSignal;
  /** Called when it is there, with its name. */
  onReady?: (worker: string) => void;
}

const OWN = ["name", "modules", "processes", "tasksPerProcess", "signal", "terminate", "onReady"];
const OF_HUBS = ["prefix", "leaseTime", "maxItemBytes", "heartbeat", "ca", "timeout"];
const EXAMPLE =
  'work("redis://127.0.0.1:6379", { name: "thumbnails", modules: ["file:///tasks.ts"] })';

/**
 * Runs tasks of a `RemotePool` in processes of this program, until `signal` is aborted and what ran by then has
 * ended. The program `jsr:@multiproc/multiprocessing/worker` does just this.
 *
 * @throws {TypeError} if an option isn't of its type, or a module can't be loaded
 * @throws {RangeError} if a number is out of its range
 * @throws {TimeoutError} if no server answers in `timeout` ms
 * @throws {InvalidStateError} if the server can't be used, or has lost the pool
 *
 * @example
 * ```ts ignore
 * import { work } from "@multiproc/multiprocessing/worker";
 *
 * const modules = [import.meta.resolve("./tasks.ts")];
 * await work("redis://127.0.0.1:6379", { name: "thumbnails", modules, processes: 2 });
 * ```
 */
export async function work(url: string | URL, options: WorkOptions): Promise<void> {
  checkNames(options, [...OWN, ...OF_HUBS], EXAMPLE);
  const { signal, terminate, onReady } = options;
  const pool = checkRemoteName(option(options, "name"));
  const processes = checkCount("processes", options.processes ?? cpuCount(), 1);
  const tasksPerProcess = checkCount("tasksPerProcess", options.tasksPerProcess ?? 1, 1);
  for (const [name, value] of Object.entries({ signal, terminate })) {
    const isRight = value === undefined || value instanceof AbortSignal;
    checkOption(name, value, isRight, "an AbortSignal");
  }
  const hubOptions = Object.fromEntries(
    OF_HUBS.filter((name) => name in options).map((name) =>
      [name, options[name as keyof WorkOptions]] as const
    ),
  );
  const checked = checkHub(hubOptions), checkedUrl = checkUrl(url);
  const modules = await loadAll(options.modules);
  const wires = new Wires(checkedUrl, checked);
  await wires.connect(checked.timeout, signal);
  const name = `${hostName()}-${wires.client.slice(0, 6)}`;
  const worker = new PoolWorker({ wires, pool, name, modules, processes, tasksPerProcess });
  const stop = () => worker.stop(), end = () => worker.terminate();
  signal?.addEventListener("abort", stop);
  terminate?.addEventListener("abort", end);
  try {
    await worker.open();
    onReady?.(name);
    if (signal?.aborted || terminate?.aborted) worker.stop();
    await worker.run();
  } finally {
    signal?.removeEventListener("abort", stop);
    terminate?.removeEventListener("abort", end);
    await wires.close();
  }
}

async function loadAll(modules: unknown): Promise<LoadedModule[]> {
  const isList = Array.isArray(modules) && modules.length > 0;
  checkOption("modules", modules, isList, "the URLs of one module or more, in an array");
  const loaded: LoadedModule[] = [];
  for (const module of modules as unknown[]) {
    const url = `${module}`;
    if (!URL.canParse(url)) {
      throw new TypeError(
        `modules has ${describe(module)}. Give URLs: import.meta.resolve("./tasks.ts").`,
      );
    }
    try {
      // A copy, because the value of a promise must not have a then().
      loaded.push({ url: new URL(url).href, exports: { ...await import(url) } });
    } catch (cause) {
      throw new TypeError(
        `The module ${shortName(url)} can't be loaded: ${
          cause instanceof Error ? cause.message : cause
        }`,
        { cause },
      );
    }
  }
  return loaded;
}

/** The name of this machine, where the program may know it. */
function hostName(): string {
  const may = Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted";
  return may ? Deno.hostname() : "worker";
}
