// A worker of a pool in a server: it takes tasks, runs them in a pool of processes of its own, and tells their
// callers. Its leases last as long as its beats, whatever its tasks compute.

import {
  describeFailure,
  type ItemFailure,
  partsOf,
  Pool,
  type PoolParts,
  type Registered,
  RUN,
  Unit,
} from "../core.ts";
import type { Link } from "../driver.ts";
import { attemptOf, type Entry, itemOf } from "../entry.ts";
import type { Store } from "../store.ts";
import type { Member, Wires } from "../wires.ts";
import {
  BEGUN,
  FAILED,
  RETURNED,
  SENT,
  type UnitMessage,
  unitName,
  type WorkerDescription,
} from "./messages.ts";
import { checkExport, type LoadedModule, moduleFor, shortName } from "./modules.ts";
import { poolStore } from "./place.ts";
import { type Address, Reports } from "./reports.ts";

/** How long it counts that a caller was there, in ms. */
const THERE_MS = 2000;
/** So many ms of tasks are taken ahead of the running ones, but not more than so many tasks for each process. */
const AHEAD_MS = 10, MOST_AHEAD = 64;
/** The weight of a new measurement in the average duration of a unit (exponential smoothing). */
const WEIGHT = 0.2;
/** The most names of unwanted tasks that are remembered. */
const MAX_GONE = 100_000;

/** A unit of tasks that this worker has. */
interface Run extends Address {
  tag: number;
  name: string;
  number: number;
  message: UnitMessage;
  attempt: number;
  unit: Unit | undefined;
  left: number;
  begun: number | undefined;
}

/** What a worker is made of. */
export interface WorkerParts {
  wires: Wires;
  pool: string;
  name: string;
  modules: readonly LoadedModule[];
  processes: number;
  tasksPerProcess: number;
}

/** Takes and runs tasks until it is told to stop. */
export class PoolWorker {
  readonly #tasks: Store;
  readonly #parts: WorkerParts;
  readonly #local: Pool;
  readonly #inner: PoolParts;
  readonly #reports: Reports;
  readonly #runs = new Map<string, Run>();
  readonly #functions = new Map<string, Registered>();
  /** When a caller was there. */
  readonly #callers = new Map<string, { at: number; isThere: Promise<boolean> }>();
  /** Names of units that nobody wants any more, the oldest first. */
  readonly #gone = new Set<string>();
  readonly #ears: Member;
  readonly #stop = new AbortController();
  #unitMs = Infinity;
  #wake: (() => void) | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { wires, pool, processes, tasksPerProcess, name } = parts;
    this.#tasks = poolStore(wires, pool);
    this.#tasks.greeted = (link) => this.#enroll(link);
    this.#reports = new Reports(this.#tasks, name);
    this.#local = new Pool({ processes, tasksPerProcess, name });
    this.#inner = partsOf(this.#local);
    const { base } = this.#tasks;
    this.#ears = {
      channel: `${base}:gone`,
      message: (message) => this.#unwanted(String(message)),
      hello: async (link) => {
        const names = await link.run("givenUp", base, [this.#tasks.id, this.#tasks.client, "0"]);
        for (const name of names as unknown[]) this.#unwanted(String(name));
      },
      beat: () => undefined,
      fail: () => {},
      leave: () => Promise.resolve(),
    };
  }

  /** The number of units that it has. */
  get size(): number {
    return this.#runs.size;
  }

  async #enroll(link: Link): Promise<void> {
    const { name, processes, modules } = this.#parts;
    const description: WorkerDescription = {
      ...{ name, processes, since: Date.now() },
      modules: modules.map(({ url }) => shortName(url)),
    };
    const { id, base, client, epoch } = this.#tasks;
    await link.run("enroll", base, [id, client, `${epoch}`, JSON.stringify(description)]);
  }

  /** Says that it is there. */
  async open(): Promise<void> {
    await this.#tasks.opened;
    await this.#parts.wires.add(this.#ears);
  }

  /** Takes no more tasks, and gives back those that haven't begun. */
  stop(): void {
    this.#stop.abort();
    this.#wake?.();
    for (const run of [...this.#runs.values()]) {
      const { unit } = run;
      if (unit !== undefined && (run.begun !== undefined || this.#inner.executor.isRunning(unit))) {
        continue;
      }
      this.#forget(run);
      this.#tasks.takes.letGo(run.tag);
      this.#tasks.takes.giveBack([run.tag], true);
    }
  }

  /** Ends what runs: when the worker leaves, it goes back to the head of the queue. */
  terminate(): void {
    this.stop();
    for (const run of [...this.#runs.values()]) this.#forget(run);
    this.#local.terminate();
  }

  /** Runs tasks until it was stopped and its last task has ended. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        const room = this.#capacity - this.#runs.size;
        if (room <= 0) await this.#change();
        else await this.#tasks.takes.get(room, this.#begin, Infinity, signal);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#local.terminate();
        await this.#local.join();
        throw error;
      }
    }
    while (this.#runs.size > 0 && !this.#tasks.hasFailed) await this.#change();
    await this.#reports.arrived();
    this.#local.close();
    await this.#local.join();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const poll = setTimeout(resolve, 1000);
      this.#wake = () => {
        clearTimeout(poll);
        resolve();
      };
    });
  }

  /** How many units it takes: those that can run, and where they are short so many that it needn't wait for more. */
  get #capacity(): number {
    const { processes, tasksPerProcess } = this.#parts;
    const slots = processes * tasksPerProcess;
    return slots + slots * Math.min(MOST_AHEAD, Math.floor(AHEAD_MS / this.#unitMs));
  }

  // Beginning

  /** Called in the step in which the tasks are taken; must not throw. */
  readonly #begin = (entries: Entry[]): void => {
    for (const entry of entries) {
      const { tag } = entry;
      let message: UnitMessage;
      try {
        message = itemOf(entry.bytes) as UnitMessage;
      } catch (error) {
        console.error("A task can't be read, and is buried:", error);
        this.#reports.bury({ item: undefined, attempts: attemptOf(entry.bytes) });
        this.#reports.over(tag);
        continue;
      }
      const [caller, queueId, number] = message;
      const attempt = attemptOf(entry.bytes), name = unitName(caller, number);
      const run: Run = {
        ...{ tag, name, caller, queueId, number, message, attempt },
        ...{ unit: undefined, left: message[10].length, begun: undefined },
      };
      this.#tasks.takes.hold(entry, () => this.#lost(run));
      this.#runs.set(name, run);
      if (this.#gone.has(name)) this.#drop(run);
      else this.#beginOf(run);
    }
  };

  async #beginOf(run: Run): Promise<void> {
    const isThere = await this.#isThere(run);
    // Lost, stopped or given up meanwhile?
    if (this.#runs.get(run.name) !== run) return;
    if (isThere) this.#start(run);
    else this.#over(run);
  }

  /** Whether the program that wants the result is still there. */
  #isThere({ caller }: Run): Promise<boolean> {
    const known = this.#callers.get(caller), now = performance.now();
    if (known !== undefined && now - known.at < THERE_MS) return known.isThere;
    // Where the server can't tell, the task is run.
    const isThere = this.#tasks.call("isThere", () => [caller]).then((n) => n === 1, () => true);
    this.#callers.delete(caller);
    this.#callers.set(caller, { at: now, isThere });
    for (const [other, { at }] of this.#callers) {
      if (now - at < 100 * THERE_MS) break;
      this.#callers.delete(other);
    }
    return isThere;
  }

  #start(run: Run): void {
    const { message, attempt } = run;
    const [, , , module, exportName, isSpread, first, timeLimit, retries, name, items] = message;
    if (attempt > retries + 1) {
      const failure = {
        ...{ how: "ended" as const, cause: undefined, exitCode: -9, limit: undefined },
        ...{ worker: undefined, attempts: attempt - 1 },
      };
      for (let i = 0; i < items.length; i++) {
        this.#failed(run, first + i, { ...failure, item: items[i] });
      }
      return;
    }
    let call: Registered;
    try {
      call = this.#find(module, exportName);
    } catch (cause) {
      const failure = {
        ...{ how: "threw" as const, cause, exitCode: 1, limit: undefined },
        ...{ worker: this.#parts.name, attempts: attempt },
      };
      for (let i = 0; i < items.length; i++) {
        this.#failed(run, first + i, { ...failure, item: items[i] });
      }
      return;
    }
    const unit = run.unit = new Unit({
      ...{
        type: RUN,
        call,
        isSpread,
        id: this.#inner.takeIds(items.length),
        first,
        items,
        attempt,
      },
      options: { priority: 0, timeLimit, retries, transfer: [], name },
      client: {
        returned: (index, value) => {
          this.#reports.tell(run, [RETURNED, run.number, index, value]);
          this.#settled(run);
        },
        failed: (index, failure) => this.#failed(run, index, failure),
        message: (value) => this.#reports.tell(run, [SENT, run.number, value]),
        assigned: (worker) => {
          if (worker === undefined || run.begun !== undefined) return;
          run.begun = performance.now();
          this.#reports.tell(run, [BEGUN, run.number, worker]);
        },
      },
    });
    this.#inner.executor.submit(unit);
  }

  #find(module: string, exportName: string): Registered {
    const key = `${module} ${exportName}`;
    let found = this.#functions.get(key);
    if (found === undefined) {
      const loaded = moduleFor(module, this.#parts.modules);
      checkExport(loaded, exportName);
      found = this.#inner.functions.byName(loaded.url, exportName);
      this.#functions.set(key, found);
    }
    return found;
  }

  // Ending

  #failed(run: Run, index: number, { cause, item, ...failure }: ItemFailure): void {
    const told = cause === undefined ? undefined : describeFailure(cause, false);
    this.#reports.tell(run, [FAILED, run.number, index, failure, told]);
    if (failure.how === "ended" && failure.limit === undefined) {
      const [, , , module, exportName, isSpread, , , , name] = run.message;
      const task = { name, module: shortName(module), exportName, args: isSpread ? item : [item] };
      this.#reports.bury({ item: task, attempts: failure.attempts });
    }
    this.#settled(run);
  }

  #settled(run: Run): void {
    if (--run.left > 0) return;
    const { begun, unit } = run;
    if (begun !== undefined && unit !== undefined) {
      const ms = performance.now() - begun;
      this.#unitMs = this.#unitMs === Infinity ? ms : this.#unitMs + WEIGHT * (ms - this.#unitMs);
    }
    this.#over(run);
  }

  /** The task is over, and gone from the server. */
  #over(run: Run): void {
    this.#forget(run);
    this.#reports.over(run.tag);
  }

  #forget(run: Run): void {
    if (this.#runs.get(run.name) === run) this.#runs.delete(run.name);
    const { unit } = run;
    run.unit = undefined;
    if (unit !== undefined) {
      if (run.left > 0) this.#inner.executor.cancel(unit, "its caller doesn't want it any more");
      this.#inner.executor.settled(unit);
    }
    this.#wake?.();
  }

  /** The lease has ended: another worker gets the task. */
  #lost(run: Run): void {
    this.#forget(run);
  }

  /** Nobody wants the result any more. */
  #drop(run: Run): void {
    this.#over(run);
    this.#gone.delete(run.name);
    this.#tasks.call("forget", () => [run.name]).catch(() => {});
  }

  #unwanted(name: string): void {
    const run = this.#runs.get(name);
    if (run !== undefined) return this.#drop(run);
    this.#gone.add(name);
    if (this.#gone.size <= MAX_GONE) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      break;
    }
  }
}
