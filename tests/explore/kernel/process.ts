// A simulated process: its own evaluation of the program, its event loop, and the kernel's records about it.

import { environmentOf, type Program, type TypedArray } from "./environment.ts";
import { Hash, hashText } from "./hash.ts";
import type { Kernel } from "./kernel.ts";
import { isGenerator, type Job, type PromiseClass, type Running } from "./promise.ts";
import type { ScenarioFile } from "./scenario.ts";
import { isKill, KILL, ModelError, STOP } from "./signals.ts";

/** An operation that is about to be done. */
export interface Pending {
  readonly kind: string;
  readonly site: number;
  readonly array: TypedArray;
  readonly index: number;
  readonly value: number | bigint | undefined;
  readonly other: number | bigint | undefined;
}

/** Why a process can't go on: it sleeps on a word, or has nothing to do. */
export interface Blocked {
  readonly key?: number;
  readonly site?: number;
  /** When it wakes by itself, in ms of the virtual clock. */
  readonly deadline?: number;
}

interface Timer {
  readonly id: number;
  at: number;
  readonly work: Job;
  readonly every: number;
}

/** A task of an event loop, and a number that tells it from others. */
interface Task {
  readonly work: Job;
  readonly kind: number;
}

export class Process {
  readonly id: number;
  readonly exports: ScenarioFile;
  kernel!: Kernel;
  /** What makes the top of its modules anew. */
  readonly again: (() => void)[] = [];
  Promise!: PromiseClass;
  microtasks: Job[] = [];
  tasks: Task[] = [];
  timers: Timer[] = [];
  #lastTimer = 0;
  /** All it has learnt so far: local state is a function of that. */
  history = new Hash(0);
  /** What it has logged. */
  log = 0;
  /** How far its clock is before the kernel's, in ms. */
  ahead = 0;
  /** Above 0 where nothing can yield. */
  atomic = 0;
  dead = false;
  done = false;
  started = false;
  /** It was told to end, and may take some more steps. */
  condemned = false;
  /** Whether it has done something in a critical section: see the kernel's #noteSection(). */
  isCritical = false;
  /** Tells whoever started it of its end. */
  ended: (() => void) | undefined;
  blocked: Blocked | undefined;
  woken = false;
  wakeResult: unknown;
  pending: Pending | undefined;
  /** Whether it has changed anything since it could last be killed. */
  dirty = true;
  waitsForKill = false;
  waitsForStart = false;
  error: Error | undefined;
  running: Running | undefined;
  control: Int32Array | undefined;
  /** Its vector clock. */
  clock: Int32Array = new Int32Array(0);
  #random = 0;

  constructor(id: number, program: Program, kernel: Kernel) {
    this.id = id;
    this.#begin(kernel);
    this.exports = program.factory(...environmentOf(this)) as ScenarioFile;
  }

  /** Before each run. */
  begin(kernel: Kernel): void {
    this.#begin(kernel);
    for (const work of this.again) work();
  }

  #begin(kernel: Kernel): void {
    this.kernel = kernel;
    this.microtasks = [];
    this.tasks = [];
    this.timers = [];
    this.#lastTimer = 0;
    this.history = new Hash(this.id + 1);
    this.log = this.ahead = this.atomic = 0;
    this.dead =
      this.done =
      this.started =
      this.woken =
        false;
    this.waitsForKill = this.waitsForStart = false;
    this.dirty = true;
    this.blocked =
      this.pending =
      this.error =
      this.running =
      this.control =
        undefined;
    this.condemned = false;
    this.isCritical = false;
    this.ended = undefined;
    this.wakeResult = undefined;
    this.#random = 12345 + this.id * 7919;
  }

  /** A number that looks like chance. */
  random(): number {
    this.#random = Math.imul(this.#random, 1103515245) + 12345 | 0;
    return this.#random;
  }

  /** What it does at all before each effect: a dead one has none. */
  checkAlive(): void {
    if (this.dead || this.kernel.isOver) throw KILL;
  }

  /** An operation of Atomics where it may yield. */
  operation(
    kind: string,
    site: number,
    array: TypedArray,
    index: number,
    value?: number | bigint,
    other?: number | bigint,
  ): unknown {
    this.checkAlive();
    const { kernel } = this;
    if (this.atomic > 0) return this.operationAtOnce(kind, site, array, index, value, other);
    this.pending = { kind, site, array, index, value, other };
    if (!kernel.mayGoOn(this)) return STOP;
    this.pending = undefined;
    return kernel.execute(this, kind, site, array, index, value, other);
  }

  /** An operation where nothing can yield. */
  operationAtOnce(
    kind: string,
    site: number,
    array: TypedArray,
    index: number,
    value?: number | bigint,
    other?: number | bigint,
  ): unknown {
    this.checkAlive();
    const result = this.kernel.execute(this, kind, site, array, index, value, other);
    if (result !== STOP) return result;
    throw this.kernel.modelError(
      `it would sleep where nothing can yield: ${this.kernel.sites[site]}`,
    );
  }

  /** Adds a task to its event loop. */
  post(work: Job, kind: number): void {
    this.tasks.push({ work, kind });
    if (this.blocked !== undefined && this.blocked.key === undefined) {
      this.blocked = undefined;
      this.woken = true;
    }
  }

  setTimer(work: Job, ms: unknown, every: boolean): number {
    const pause = typeof ms === "number" && ms > 0 ? ms : 0;
    const id = ++this.#lastTimer;
    const at = this.kernel.now + this.ahead + pause;
    this.timers.push({ id, at, work, every: every ? Math.max(pause, 1) : 0 });
    return id;
  }

  clearTimer(id: unknown): void {
    const at = this.timers.findIndex((timer) => timer.id === id);
    if (at >= 0) this.timers.splice(at, 1);
  }

  /** Has the timers run out that are due. */
  fireTimers(now: number): void {
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= now) this.#fire(timer, now);
    }
  }

  /** Has its next timer run out, before its time. */
  fireFirst(): void {
    const [first] = [...this.timers].sort((a, b) => a.at - b.at);
    const { kernel } = this;
    this.ahead += Math.max(0, first.at - (kernel.now + this.ahead));
    this.#fire(first, first.at);
  }

  #fire(timer: Timer, now: number): void {
    if (timer.every > 0) timer.at = now + timer.every;
    else this.clearTimer(timer.id);
    this.post(timer.work, 1000 + timer.id);
  }

  /** Lets go of all it would still do. */
  die(): void {
    this.dead = true;
    this.blocked = undefined;
    this.microtasks = [];
    this.tasks = [];
    this.timers = [];
  }

  /** All it does, from its first step on. */
  *main(work: (shared: unknown) => unknown, shared: unknown): Running {
    const { kernel } = this;
    const end = (error?: unknown) => {
      this.done = true;
      if (error !== undefined) {
        this.error = error instanceof Error ? error : new Error(String(error));
        this.log = Math.imul(this.log ^ hashText(this.error.name), 31) + 1 | 0;
      }
      kernel.trace?.end(this, this.error);
    };
    try {
      let result = work(shared);
      if (isGenerator(result)) result = yield* result;
      if (result instanceof this.Promise) result.whenSettled(() => end(), (error) => end(error));
      else end();
    } catch (error) {
      if (isKill(error) || error instanceof ModelError) throw error;
      end(error);
    }
    // Its event loop goes on, also when its work is done: a wake-up may have been given to it.
    for (;;) {
      yield* this.#turn();
      if (this.tasks.length > 0) continue;
      this.blocked = {};
      if (!kernel.mayGoOn(this)) yield;
    }
  }

  *#turn(): Generator<unknown, void, unknown> {
    yield* this.#runMicrotasks();
    const task = this.tasks.shift();
    if (task === undefined) return;
    this.history.mix(task.kind);
    const result = task.work();
    if (isGenerator(result)) yield* result;
    yield* this.#runMicrotasks();
  }

  *#runMicrotasks(): Generator<unknown, void, unknown> {
    for (let job; (job = this.microtasks.shift()) !== undefined;) {
      const result = job();
      if (isGenerator(result)) yield* result;
    }
  }

  /** What tells its state from others'. */
  mixInto(hash: Hash): void {
    hash.mix(this.log);
    if (this.dead) return hash.mix(-1);
    hash.mixHash(this.history);
    hash.mix(
      (this.blocked !== undefined ? 1 : this.woken ? 2 : 3) + (this.dirty ? 4 : 0) +
        (this.started ? 8 : 0) + (this.done ? 16 : 0) + (this.condemned ? 32 : 0) +
        (this.waitsForStart ? 64 : 0),
    );
    hash.mix(this.tasks.length);
    for (const { kind } of this.tasks) hash.mix(kind);
    hash.mix(this.timers.length);
    for (const timer of this.timers) hash.mix(Math.round(timer.at * 100));
  }
}
