// The scheduler of one run: simulated processes on real shared memory with real Atomics; a modelled
// futex, clock and event loops; and one decision after the other, made by a strategy.

import { KILL_WORDS } from "../../../lib/liveness/control_block.ts";
import type { Program, SharedBuffer, TypedArray } from "./environment.ts";
import { Hash, hashText, hashValue } from "./hash.ts";
import type { Listening, MessagePort } from "./ports.ts";
import { Process } from "./process.ts";
import { isGenerator, type SimulatedPromise } from "./promise.ts";
import { Races } from "./races.ts";
import type { Bounds, Event, Outcome, Scenario, Shared } from "./scenario.ts";
import { isKill, KILL, ModelError, STOP } from "./signals.ts";
import { Trace } from "./trace.ts";

/**
 * What can be done next: let a process go on, by its number; "none": let time pass; "kill:1"; "end:1", of
 * one that was told to end; "timer:1" and "timeout:1": what is to run out; "jump", of the clock.
 */
export type Action = number | string;

/** Who decides. */
export interface Strategy {
  /** Which of the actions: the first is what happens without a decision. */
  choose(actions: readonly Action[], kernel: Kernel, current: Process | undefined): number;
}

/** Places that more than one process uses: only there does it matter who is first. */
export interface SharedPlaces {
  /** What a run may rely on. */
  readonly visible: Set<number>;
  /** Who has used a place, and who has written it. */
  readonly users: Map<number, number>;
}

/** How a run is made. */
export interface RunOptions {
  readonly program: Program;
  readonly name: string;
  readonly bounds: Bounds;
  readonly strategy: Strategy;
  /** Without, every operation is a point of decision. */
  readonly places?: SharedPlaces;
  readonly traced?: boolean;
  /** Where data races are noted. */
  readonly races?: Map<string, number>;
}

/** What came of a run. */
export interface RunResult {
  /** What is wrong, if anything is. */
  readonly failure: string | undefined;
  /** Whether it was given up, because what would follow has been seen. */
  readonly isCut: boolean;
  /** Places that were seen to be shared for the first time. */
  readonly grown: ReadonlySet<number>;
  /** The decisions that were not for the first action. */
  readonly schedule: Schedule;
  readonly steps: number;
  readonly trace: string | undefined;
}

/** [number of the decision, action] where it is not the first. */
export type Schedule = readonly (readonly [number, Action])[];

const NO_BOUNDS: Bounds = { preemptions: 0, kills: 0, cut: "outside", timeouts: 0, jumps: 0 };
const MAX_STEPS = 20_000;
const MOST_POLLS = 6, MOST_POLLS_ABRUPT = 60;
const TERMINATED = 15;
const PLACES_A_BUFFER = 2 ** 31;
const WRITES = 16;
/** In the history of a process, that a plain write was done and not only begun. */
const WRITTEN = 2;

interface Sleeper {
  readonly process: Process;
  readonly promise?: SimulatedPromise;
}

/** What is kept for all runs of a program. */
interface Pool {
  readonly processes: Process[];
  readonly buffers: SharedBuffer[];
}
const pools = new WeakMap<Program, Pool>();

export class Kernel {
  readonly sites: readonly string[];
  readonly channels: Listening[] = [];
  readonly ports: MessagePort[] = [];
  readonly labels: Map<number, string> = new Map();
  readonly cells: Map<string, number> = new Map();
  readonly objects: Record<string, unknown> = {};
  readonly killed: number[] = [];
  readonly trace: Trace | undefined;
  /** The clock, in ms. */
  now = 0;
  /** Whether the run is over: no process has any effect any more. */
  isOver = false;
  decisions = 0;
  readonly #options: RunOptions;
  readonly #bounds: Bounds;
  readonly #pool: Pool;
  readonly #buffers: SharedBuffer[] = [];
  readonly #futex = new Map<number, Sleeper[]>();
  readonly #events: Event[] = [];
  readonly #races: Races | undefined;
  readonly #grown = new Set<number>();
  readonly #schedule: [number, Action][] = [];
  #scenario!: Scenario;
  #processes: Process[] = [];
  #shared!: Shared;
  #current: Process | undefined;
  #failure: string | undefined;
  #isCut = false;
  #broken: ModelError | undefined;
  #isRunning = false;
  #steps = 0;
  #polls = 0;
  #waited = 0;
  #quietAfter = -1;
  #order = 0;
  #left: { preemptions: number; kills: number; timeouts: number; jumps: number };

  constructor(options: RunOptions) {
    const { program, bounds } = options;
    this.#options = options;
    this.#bounds = bounds;
    this.sites = program.sites;
    this.#left = { ...bounds };
    let pool = pools.get(program);
    if (pool === undefined) pools.set(program, pool = { processes: [], buffers: [] });
    this.#pool = pool;
    this.trace = options.traced ? new Trace(this.sites) : undefined;
    if (options.races !== undefined) this.#races = new Races(this.sites, options.races);
  }

  /** The scenarios of a program. */
  static scenariosOf(program: Program): Readonly<Record<string, Scenario>> {
    const options = { program, name: "", bounds: NO_BOUNDS, strategy: { choose: () => 0 } };
    return new Process(0, program, new Kernel(options)).exports.scenarios;
  }

  /** Preemptions that are left. */
  get preemptions(): number {
    return this.#left.preemptions;
  }

  get scenario(): Scenario {
    return this.#scenario;
  }

  /** Who can end in a critical section. */
  get endsAnywhere(): readonly number[] {
    return this.#bounds.cut === "outside" ? [] : this.#scenario.victims ?? [];
  }

  // ---- a run

  run(): RunResult {
    const { name } = this.#options;
    this.#begin(name);
    // Waits remember where they began, which takes most of the time of a run.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      this.#schedules();
    } catch (error) {
      if (!isKill(error) || !this.isOver) throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    this.#isRunning = false;
    if (!this.#isCut && this.#failure === undefined) this.#failure = this.#check();
    this.isOver = true;
    if (this.#broken !== undefined) throw this.#broken;
    return {
      failure: this.#failure,
      isCut: this.#isCut,
      grown: this.#grown,
      schedule: this.#schedule,
      steps: this.#steps,
      trace: this.trace?.text,
    };
  }

  #begin(name: string): void {
    const { program } = this.#options, { processes } = this.#pool;
    processes[0] ??= new Process(0, program, this);
    const scenario = processes[0].exports.scenarios[name];
    if (scenario === undefined) throw new ModelError(`There is no scenario ${name}.`);
    this.#scenario = scenario;
    const count = scenario.processes.length;
    while (processes.length < count) processes.push(new Process(processes.length, program, this));
    // What was made as the modules were evaluated is made anew by begin().
    this.#buffers.length = 0;
    this.#processes = processes.slice(0, count);
    for (const process of this.#processes) process.begin(this);
    const [first] = this.#processes;
    this.#shared = this.#atOnce(first, () => scenario.setup(count)) as Shared;
    for (const process of this.#processes) {
      const { id } = process;
      this.#atOnce(process, () => process.exports.init(this.#shared, id));
      process.control = this.#shared.controls[id];
      process.running = process.main(
        process.exports.scenarios[name].processes[id] as (shared: unknown) => unknown,
        this.#shared,
      );
      process.history = new Hash(id + 1);
      process.ahead = process.log = 0;
      process.waitsForKill = scenario.reaper === id;
      process.waitsForStart = scenario.startedByOthers?.includes(id) === true;
      process.clock = new Int32Array(count);
      process.clock[id] = 1;
    }
    this.#isRunning = true;
  }

  #atOnce(process: Process, work: () => unknown): unknown {
    process.atomic++;
    const value = work();
    const result = isGenerator(value) ? value.next() : { done: true, value };
    process.atomic--;
    if (result.done) return result.value;
    throw this.modelError("setup() or init() would wait");
  }

  #schedules(): void {
    while (!this.isOver && this.#failure === undefined) {
      if (this.#current === undefined || !this.#isEnabled(this.#current)) {
        if (!this.#pick()) return;
      }
      this.#resume(this.#current!);
    }
  }

  #resume(process: Process): void {
    process.started = true;
    try {
      let value: unknown;
      const { pending } = process;
      if (pending !== undefined) {
        process.pending = undefined;
        const { kind, site, array, index, value: given, other } = pending;
        value = this.execute(process, kind, site, array, index, given, other);
        if (value === STOP) return; // it sleeps
      } else if (process.woken) {
        value = process.wakeResult;
        process.wakeResult = undefined;
        process.woken = false;
        if (value !== undefined) process.history.mix(hashValue(value));
      }
      process.running!.next(value);
    } catch (error) {
      if (isKill(error)) return;
      if (error instanceof ModelError) throw error;
      this.fail(`P${process.id}: an error in a task of its event loop: ${error}`);
    }
  }

  #check(): string | undefined {
    const events = this.#events, ordered = this.#scenario.ordered === true;
    const needOrder = () => {
      if (!ordered) {
        throw this.modelError("the check asks for an order, and the scenario isn't `ordered`");
      }
    };
    const outcome: Outcome = {
      processes: this.#processes.map(({ done, dead, started, error }) => ({
        ...{ done, dead, started, error },
      })),
      shared: this.#shared,
      polls: this.#polls,
      waited: this.#waited,
      killed: this.killed,
      of: (id, name) =>
        events.filter((event) => (id === undefined || event[0] === id) && event[1] === name)
          .map((event) => event[2]),
      indexOf(name, id) {
        needOrder();
        return events.findIndex((event) =>
          event[1] === name && (id === undefined || event[0] === id)
        );
      },
      get events() {
        needOrder();
        return events;
      },
      get quietAfter() {
        return quietAfter();
      },
    };
    const quietAfter = () => {
      needOrder();
      return this.#quietAfter;
    };
    return this.#atOnce(this.#processes[0], () => this.#scenario.check(outcome)) as
      | string
      | undefined;
  }

  /** Says what is wrong; the run ends. */
  fail(message: string): void {
    this.#failure ??= message;
  }

  /** Gives the run up: what would follow has been seen. */
  cut(): never {
    this.#isCut = this.isOver = true;
    throw KILL;
  }

  /** An error of the model, which the run ends with even if the code under test catches it. */
  modelError(message: string): ModelError {
    return this.#broken ??= new ModelError(`${this.#options.name}: ${message}`);
  }

  logEvent(process: Process, name: string, value: unknown): void {
    this.#events.push([process.id, name, value]);
    this.#noteOrder(process.id, name, value);
    this.trace?.note(process, `${name}${value === undefined ? "" : ` ${JSON.stringify(value)}`}`);
  }

  #noteOrder(id: number, name: string, value: unknown): void {
    if (this.#scenario.ordered !== true) return;
    this.#order = Math.imul(this.#order ^ hashText(`${id}:${name}:${value}`), 0x9E3779B1) + 1 | 0;
  }

  // ---- decisions

  #isEnabled(process: Process): boolean {
    return !process.dead && process.blocked === undefined && !process.waitsForKill &&
      !process.waitsForStart;
  }

  /** Nobody is current: another is, by decision. False if nothing can happen any more. */
  #pick(): boolean {
    for (;;) {
      const actions = this.#alternatives(undefined);
      if (actions.length === 0) {
        if (!this.#passTime()) return false;
        continue;
      }
      const action = this.#choose(actions, undefined);
      if (action === "none") {
        if (!this.#passTime()) return false;
      } else if (this.#perform(action)) return true;
      if (this.#failure !== undefined) return false;
    }
  }

  /** Before an operation of the current process: whether it goes on. */
  mayGoOn(process: Process): boolean {
    if (++this.#steps > MAX_STEPS) {
      this.fail(`more than ${MAX_STEPS} steps: it never comes to rest`);
      return false;
    }
    if (process.blocked !== undefined) return false; // run() picks another
    for (;;) {
      if (this.#failure !== undefined) return false;
      if (!this.#isPoint(process)) return true;
      const actions = this.#alternatives(process);
      if (actions.length === 1 && actions[0] === process.id) {
        // As if it had been chosen: what is a decision doesn't depend on how many preemptions are left.
        this.decisions++;
        if (this.#left.kills > 0) process.dirty = false;
        return true;
      }
      const action = this.#choose(actions, process);
      if (action === process.id) return true;
      if (this.#perform(action)) return false;
      if (process.dead || this.isOver) throw KILL;
    }
  }

  /** Whether there is anything to decide before the operation of a process. */
  #isPoint(process: Process): boolean {
    if (this.#left.kills > 0 && process.dirty && this.#isVictim(process)) return true;
    return this.#isVisible(process);
  }

  #isVisible({ pending, condemned }: Process): boolean {
    const { places } = this.#options;
    if (pending === undefined || places === undefined || condemned) return true;
    const { kind, array, index } = pending;
    return kind === "wait" || kind === "notify" || kind === "waitAsync" ||
      places.visible.has(placeOf(array, index));
  }

  #isVictim({ id }: Process): boolean {
    return this.#scenario.victims?.includes(id) === true;
  }

  /** The first is what happens without a decision. */
  #alternatives(current: Process | undefined): Action[] {
    const { early = [] } = this.#scenario, left = this.#left, processes = this.#processes;
    const actions: Action[] = [];
    const canGoOn = current !== undefined && current.blocked === undefined && !current.dead;
    if (canGoOn) actions.push(current.id);
    if (!canGoOn || left.preemptions > 0 && this.#isVisible(current)) {
      for (const other of processes) {
        if (other !== current && this.#isEnabled(other)) actions.push(other.id);
      }
    }
    for (const process of processes) {
      if (process.condemned && !process.dead) actions.push(`end:${process.id}`);
    }
    const kills = this.#kills(current);
    // Nobody can go on: time passes, if nobody is killed.
    if (actions.length === 0 && kills.length > 0) return ["none", ...kills];
    actions.push(...kills);
    if (actions.length === 0) return actions;
    if (left.timeouts > 0) {
      for (const { id, dead, done, blocked, timers } of processes) {
        if (dead || done || !early.includes(id)) continue;
        if (blocked?.deadline !== undefined && blocked.deadline < Infinity) {
          actions.push(`timeout:${id}`);
        }
        if (timers.length > 0 && blocked !== undefined && blocked.key === undefined) {
          actions.push(`timer:${id}`);
        }
      }
    }
    if (left.jumps > 0) actions.push("jump");
    return actions;
  }

  /** When a process dies that stands still makes no difference; so one is killed where it stops to run. */
  #kills(current: Process | undefined): Action[] {
    if (this.#left.kills === 0) return [];
    const actions: Action[] = [];
    for (const id of this.#scenario.victims ?? []) {
      const victim = this.#processes[id];
      if (!this.#mayKill(victim)) continue;
      const isDue = victim === current
        ? victim.dirty || victim.blocked !== undefined
        : victim.blocked !== undefined || victim.woken;
      if (isDue) actions.push(`kill:${id}`);
    }
    return actions;
  }

  #mayKill(victim: Process): boolean {
    const { dead, done, started, control, blocked } = victim;
    if (dead || done || !started) return false;
    switch (this.#bounds.cut) {
      case "outside":
        return control === undefined || control[KILL_WORDS.CRITICAL] === 0;
      case "anywhere":
        return true;
      case "checkpoints":
        return blocked?.key !== undefined || victim.pending !== undefined;
    }
  }

  #choose(actions: readonly Action[], current: Process | undefined): Action {
    const at = this.decisions;
    const chosen = this.#options.strategy.choose(actions, this, current);
    this.decisions++;
    const action = actions[chosen];
    if (action === undefined) throw this.modelError(`decision ${at}: there is no action ${chosen}`);
    if (chosen !== 0) this.#schedule.push([at, action]);
    if (current !== undefined) {
      if (typeof action === "number" && action !== current.id) this.#left.preemptions--;
      if (this.#left.kills > 0) current.dirty = false;
    }
    return action;
  }

  /** True if another process is current now. */
  #perform(action: Action): boolean {
    if (typeof action === "number") {
      this.#current = this.#processes[action];
      this.trace?.note(this.#current, "goes on");
      return true;
    }
    const [what, id] = action.split(":"), process = this.#processes[Number(id)];
    switch (what) {
      case "kill":
        this.#left.kills--;
        this.#kill(process);
        return false;
      case "end":
        this.#end(process);
        return false;
      case "timeout": {
        this.#left.timeouts--;
        const deadline = process.blocked!.deadline!;
        process.ahead += Math.max(0, deadline - (this.now + process.ahead));
        this.#wake(process, "timed-out");
        return false;
      }
      case "timer":
        this.#left.timeouts--;
        this.trace?.note(process, "a timer runs out");
        process.fireFirst();
        return false;
      case "jump": {
        this.#left.jumps--;
        const ms = this.#scenario.jumpBy ?? 3;
        this.now += ms;
        this.trace?.note(undefined, `${ms} ms pass`);
        return false;
      }
    }
    throw this.modelError(`there is no action ${action}`);
  }

  #kill(process: Process): void {
    this.trace?.note(process, `KILLED ${this.trace.standing(process)}`);
    this.killed.push(process.id);
    this.#events.push([process.id, "killed"]);
    this.#noteOrder(process.id, "killed", undefined);
    if (process.control !== undefined) process.control[KILL_WORDS.KILL] = TERMINATED;
    this.#forget(process);
  }

  #forget(process: Process): void {
    for (const sleepers of this.#futex.values()) {
      for (let i = sleepers.length - 1; i >= 0; i--) {
        if (sleepers[i].process === process) sleepers.splice(i, 1);
      }
    }
    process.die();
    for (const other of this.#processes) {
      other.waitsForKill = false;
      // That a thread is gone is seen after all it has done.
      this.#races?.join(other, process);
    }
  }

  /** Lets a process start. */
  start(id: number, ended: () => void): void {
    const process = this.#processes[id];
    process.waitsForStart = false;
    process.ended = ended;
  }

  /** From now on a process may be ended at any step. */
  condemn(id: number): void {
    const process = this.#processes[id];
    if (!process.dead) process.condemned = true;
  }

  /** Ends one that was condemned: by its host, which waited until it was outside. */
  #end(process: Process): void {
    this.trace?.note(process, `ENDED ${this.trace.standing(process)}`);
    if (process.isCritical) {
      this.fail(`P${process.id} was ended by its host in a critical section`);
    }
    process.condemned = false;
    this.killed.push(process.id);
    this.#events.push([process.id, "ended"]);
    this.#noteOrder(process.id, "ended", undefined);
    this.#forget(process);
    for (const port of this.ports) if (port.owner === process) port.close();
    process.ended?.();
  }

  /** Where V8 may end a thread in the middle of something. */
  checkpoint(process: Process): void {
    const isPoint = this.#isRunning && this.#left.kills > 0 && process.dirty && !process.dead &&
      !this.isOver && process.atomic === 0 && process.started && this.#isVictim(process);
    if (!isPoint) return;
    process.history.mix(1);
    this.#offerKill(process);
  }

  #offerKill(process: Process): void {
    const action = this.#choose([process.id, `kill:${process.id}`], process);
    if (action === process.id) return;
    this.#perform(action);
    throw KILL;
  }

  #wake(process: Process, result: string): void {
    const { key } = process.blocked!;
    if (key !== undefined) {
      const sleepers = this.#sleepers(key);
      const at = sleepers.findIndex((each) => each.process === process && !each.promise);
      if (at >= 0) sleepers.splice(at, 1);
    }
    process.blocked = undefined;
    process.woken = true;
    process.wakeResult = result;
    this.trace?.note(process, `wakes: ${result}`);
  }

  /** Nobody can go on, so time passes. False if that changes nothing. */
  #passTime(): boolean {
    const waiting = this.#processes.filter(({ dead, done, waitsForKill, waitsForStart }) =>
      !dead && !done && !waitsForKill && !waitsForStart
    );
    if (waiting.length === 0) return false;
    if (this.#quietAfter < 0) this.#quietAfter = this.#events.length;
    const most = this.#scenario.polls ??
      (this.#bounds.cut === "outside" ? MOST_POLLS : MOST_POLLS_ABRUPT);
    if (this.#polls >= most) return false;
    let next = Infinity;
    for (const { blocked, timers } of waiting) {
      next = Math.min(next, blocked?.deadline ?? Infinity, ...timers.map((timer) => timer.at));
    }
    if (next === Infinity) return false;
    this.#polls++;
    this.#waited += Math.max(0, next - this.now);
    this.now = Math.max(this.now, next);
    this.trace?.note(undefined, `everybody sleeps; it is ${this.now.toFixed(1)} ms now`);
    for (const process of waiting) {
      const deadline = process.blocked?.deadline;
      if (deadline !== undefined && deadline <= this.now) this.#wake(process, "timed-out");
      process.fireTimers(this.now);
    }
    return true;
  }

  // ---- operations

  /** Does an operation of Atomics; STOP if the process sleeps now. */
  execute(
    process: Process,
    kind: string,
    site: number,
    array: TypedArray,
    index: number,
    value?: number | bigint,
    other?: number | bigint,
  ): unknown {
    const result = this.#do(process, kind, site, array, index, value, other);
    process.history.mix(site);
    if (result === STOP) return STOP;
    process.history.mix(hashValue(result));
    this.#noteSection(process, array, index);
    if (this.#isRunning && isShared(array)) {
      this.#races?.operation(process, kind, placeOf(array, index), site);
    }
    this.#traceOperation(process, kind, site, array, index, value, other, result);
    return result;
  }

  /** A process that has raised its flag is critical once it does anything else than look for orders. */
  #noteSection(process: Process, array: TypedArray, index: number): void {
    const { control } = process;
    if (control === undefined) return;
    if (array !== control) process.isCritical = control[KILL_WORDS.CRITICAL] !== 0;
    else if (index === KILL_WORDS.CRITICAL) process.isCritical = false;
  }

  #do(
    process: Process,
    kind: string,
    site: number,
    array: TypedArray,
    index: number,
    value: number | bigint | undefined,
    other: number | bigint | undefined,
  ): unknown {
    const words = array as Int32Array, given = value as number;
    if (this.#isRunning && isShared(array)) this.#noteUse(process, kind, array, index);
    switch (kind) {
      case "load":
        return Atomics.load(words, index);
      case "compareExchange": {
        process.dirty = true;
        return Atomics.compareExchange(words, index, given, other as number);
      }
      case "wait": {
        if (Atomics.load(words, index) !== given) return "not-equal";
        if (other !== undefined && !(other > 0)) return "timed-out";
        const key = placeOf(array, index);
        this.#sleepers(key).push({ process });
        const deadline = other === undefined ? Infinity : this.now + process.ahead + Number(other);
        process.blocked = { key, site, deadline };
        process.dirty = true;
        this.#traceOperation(process, kind, site, array, index, value, other, "sleeps");
        return STOP;
      }
      case "waitAsync": {
        if (Atomics.load(words, index) !== given) return { async: false, value: "not-equal" };
        const promise = new process.Promise();
        this.#sleepers(placeOf(array, index)).push({ process, promise });
        process.dirty = true;
        return { async: true, value: promise };
      }
      case "notify":
        return this.#notify(process, placeOf(array, index), value === undefined ? Infinity : given);
    }
    process.dirty = true;
    const operation = Atomics[kind as "add"];
    return operation(words, index, given);
  }

  #notify(process: Process, place: number, count: number): number {
    const sleepers = this.#sleepers(place);
    let woken = 0;
    while (sleepers.length > 0 && woken < count) {
      const { process: sleeper, promise } = sleepers.shift()!;
      woken++;
      this.#races?.join(sleeper, process);
      if (promise !== undefined) sleeper.post(() => promise.fulfill("ok"), 41 + place % 8192);
      else {
        sleeper.blocked = undefined;
        sleeper.woken = true;
        sleeper.wakeResult = "ok";
      }
      this.trace?.note(sleeper, `is woken by P${process.id}`);
    }
    if (woken > 0) process.dirty = true;
    return woken;
  }

  #sleepers(place: number): Sleeper[] {
    let sleepers = this.#futex.get(place);
    if (sleepers === undefined) this.#futex.set(place, sleepers = []);
    return sleepers;
  }

  /** Learns which places several processes use. */
  #noteUse({ id }: Process, kind: string, array: TypedArray, index: number): void {
    const { places } = this.#options;
    if (places === undefined) return;
    const place = placeOf(array, index), isWrite = kind !== "load" && !kind.startsWith("wait");
    const known = places.users.get(place) ?? 0;
    const now = known | 1 << id | (isWrite ? 1 << id + WRITES : 0);
    if (now === known) return;
    places.users.set(place, now);
    const users = now & (1 << WRITES) - 1, writers = now >>> WRITES;
    const isUsedByMore = (users & users - 1) !== 0 && writers !== 0;
    if (isUsedByMore && !places.visible.has(place)) this.#grown.add(place);
  }

  readPlain(process: Process, site: number, array: TypedArray, index: number): number | bigint {
    const value = array[index];
    process.history.mix(hashValue(value));
    if (this.#isRunning) this.#races?.plain(process, placeOf(array, +index), false, site);
    return value;
  }

  writePlain(
    process: Process,
    site: number,
    array: TypedArray,
    index: number,
    value: number,
  ): number {
    if (this.#isRunning) {
      process.history.mix(site);
      this.#offerKillBeforeWrite(process, site, array, index);
      this.#races?.plain(process, placeOf(array, +index), true, site);
      this.#traceOperation(process, "write", site, array, +index, value, undefined, undefined);
    }
    process.dirty = true;
    process.history.mix(WRITTEN);
    return array[index] = value;
  }

  #offerKillBeforeWrite(process: Process, site: number, array: TypedArray, index: number): void {
    const isPoint = this.#left.kills > 0 && this.#bounds.cut === "anywhere" && process.dirty &&
      process.atomic === 0 && this.#isVictim(process);
    if (!isPoint) return;
    const pending = { kind: "write", site, array, index, value: undefined, other: undefined };
    process.pending = pending;
    this.#offerKill(process);
    process.pending = undefined;
  }

  /** A native that reads or writes many elements: `set`, `slice`, `copyWithin`, `fill`. */
  bulk(process: Process, site: number, name: string, array: TypedArray, args: unknown[]): void {
    const [first] = args;
    const source = name === "set" && ArrayBuffer.isView(first) ? first as TypedArray : array;
    if (name !== "fill" && isShared(source)) this.#bulkPlain(process, site, source, false);
    if (name === "slice" || !isShared(array)) return;
    const length = name === "set" ? (first as TypedArray).length : array.length;
    const at = name === "set" ? Number(args[1] ?? 0) : 0;
    if (this.#isRunning) {
      process.history.mix(site);
      this.#offerKillBeforeWrite(process, site, array, at);
    }
    this.#bulkPlain(process, site, array.subarray(at, at + length) as TypedArray, true);
    process.dirty = true;
    process.history.mix(WRITTEN);
  }

  #bulkPlain(process: Process, site: number, array: TypedArray, isWrite: boolean): void {
    const { buffer, byteOffset, byteLength } = array;
    const words = new Int32Array(buffer, byteOffset & ~3, byteLength + (byteOffset & 3) + 3 >> 2);
    for (let i = 0; i < words.length; i++) {
      if (!isWrite) process.history.mix(words[i]);
      if (this.#isRunning) this.#races?.plain(process, placeOf(words, i), isWrite, site);
    }
  }

  /** Shared memory of the run; one of an earlier run is used again, if it has the size. */
  newBuffer(bytes: number, most?: number): SharedBuffer {
    const id = this.#buffers.length, old = this.#pool.buffers[id];
    let buffer = old;
    const fits = old !== undefined && old.byteLength === bytes && old.$made === bytes &&
      old.$most === most;
    if (fits) new Uint8Array(old).fill(0);
    else {
      buffer = most === undefined
        ? new SharedArrayBuffer(bytes)
        : new SharedArrayBuffer(bytes, { maxByteLength: most });
      buffer.$made = bytes;
      buffer.$most = most;
      this.#pool.buffers[id] = buffer;
    }
    buffer.$id = id;
    this.#buffers.push(buffer);
    return buffer;
  }

  // ---- the state

  /** What tells this state from others, but for the preemptions that are left. */
  key(current: Process | undefined): number {
    const hash = new Hash(17);
    for (const buffer of this.#buffers) mixMemory(hash, buffer);
    for (const process of this.#processes) process.mixInto(hash);
    // In whatever order these came to be: sums.
    let sum = 0;
    for (const [place, sleepers] of this.#futex) {
      let entry = Math.imul(place % 2 ** 31 ^ place / 2 ** 31, 0x85EBCA6B);
      for (const { process, promise } of sleepers) {
        entry = Math.imul(entry, 31) + process.id + (promise ? 65 : 1) | 0;
        sum = sum + Math.imul(entry, 0x9E3779B1) | 0;
      }
    }
    for (const [cell, value] of this.cells) {
      if (value !== 0) sum = sum + Math.imul(hashText(cell) ^ value * 7919, 0x9E3779B1) | 0;
    }
    hash.mix(sum);
    const { kills, timeouts, jumps } = this.#left;
    hash.mix(current === undefined ? -7 : current.id);
    for (const count of [kills, timeouts, jumps, this.#polls, this.#order]) hash.mix(count);
    hash.mix(Math.round(this.now * 100));
    return hash.value;
  }

  // ---- for people

  #traceOperation(
    process: Process,
    kind: string,
    site: number,
    array: TypedArray,
    index: number,
    value: number | bigint | undefined,
    other: number | bigint | undefined,
    result: unknown,
  ): void {
    if (this.trace === undefined || !this.#isRunning) return;
    const given = value === undefined || kind === "load"
      ? ""
      : kind === "compareExchange"
      ? ` ${value} → ${other}`
      : ` ${value}`;
    const told = result === undefined || kind === "store"
      ? ""
      : typeof result === "object"
      ? (result as { async: boolean }).async ? "sleeps" : "not-equal"
      : String(result);
    this.trace.operation(process, site, kind, this.#nameOf(array, index), given, told);
  }

  #nameOf(array: TypedArray, index: number): string {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = array;
    const id = (buffer as SharedBuffer).$id;
    const word = (byteOffset + index * BYTES_PER_ELEMENT) / 4;
    return `${id === undefined ? "own memory" : this.labels.get(id) ?? `memory ${id}`}[${word}]`;
  }
}

function isShared(array: TypedArray): boolean {
  return (array.buffer as SharedBuffer).$id !== undefined;
}

/** A number for a place in shared memory. */
function placeOf(array: TypedArray, index: number): number {
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = array;
  return ((buffer as SharedBuffer).$id ?? 0) * PLACES_A_BUFFER + byteOffset +
    index * BYTES_PER_ELEMENT;
}

function mixMemory(hash: Hash, buffer: SharedBuffer): void {
  const { byteLength } = buffer;
  let words = buffer.$words;
  if (words === undefined || words.length !== byteLength >> 2) {
    words = buffer.$words = new Int32Array(buffer, 0, byteLength >> 2);
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word !== 0) {
      hash.mix(i);
      hash.mix(word);
    }
  }
  if ((byteLength & 3) !== 0) {
    for (const byte of new Uint8Array(buffer, byteLength & ~3)) hash.mix(byte);
  }
  hash.mix(byteLength);
}
