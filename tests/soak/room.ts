// A room of the soak: a loop that uses one part of the library, kills processes in it and checks the effect
// on the others. Shared by all rooms: random numbers, victims, steps that the watchdog sees.

import {
  AbandonedLockError,
  activeChildren,
  Process,
  type ProcessOptions,
  type ProcessParameters,
  sleep,
} from "../../mod.ts";
import { between, randomFrom } from "../support/seed.ts";
import { count, type Numbers } from "./counts.ts";
import { type At, at, stateNames, type States, states } from "./states.ts";

/** Something that must not be. */
export class Violation extends Error {
  override name = "Violation";
}

/** What all rooms of a program share. */
export interface Program {
  readonly numbers: Numbers;
  /** Whether targets may travel by reference. */
  readonly mayRead: boolean;
  /** Whether it is time to come to an end. */
  readonly isOver: boolean;
  /** Who starts something holds it, one after the other: it blocks the thread for 25 ms. */
  readonly stage: Turns;
  /** So many victims may be alive at the same time. */
  readonly places: Turns;
}

/** Turns to take, so many at a time; not one of the locks that are under test. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether one could be taken without waiting. */
  get isFree(): boolean {
    return this.#free > 0;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** What a process of the soak runs: it gets its words, and how to read them. */
export type Target<A extends unknown[], R = unknown> = (
  words: Int32Array<SharedArrayBuffer>,
  at: At,
  is: States,
  ...args: A
) => R;

/** A process of the soak, and the words it shares with main. */
export interface Member<R = unknown> {
  readonly name: string;
  readonly process: Process<unknown[], R>;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly isSandboxed: boolean;
}

/** How a process of the soak is started, beside the defaults. */
export type Limits = Pick<ProcessOptions, "permissions" | "memoryLimitMb" | "timeLimit" | "signal">;

/** A process that can be stopped anywhere, and one that has no permission. */
export const thread: Limits = {}, sandbox: Limits = { permissions: "none" };

/** The part of the victims that are sandboxed, where both kinds will do. They start faster. */
export const SANDBOXED = 0.88;

/** One part of the soak. */
export class Room {
  readonly name: string;
  readonly random: () => number;
  readonly program: Program;
  /** What it does at the moment, for who wants to know why it stands still. */
  doing = "begins";
  /** When it got there. */
  since = performance.now();
  /** Seconds in which the program ran and this room took no step. */
  idle = 0;
  #started = 0;

  constructor(name: string, seed: number, program: Program) {
    this.name = name;
    let mixed = seed | 0;
    for (const letter of name) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193);
    this.random = randomFrom(mixed);
    this.program = program;
  }

  /** The number in the name of the next process it starts. */
  get nextNumber(): number {
    return this.#started + 1;
  }

  get isOver(): boolean {
    return this.program.isOver;
  }

  /** The room goes on to something: the watchdog begins to count anew. */
  step(doing: string): void {
    const now = performance.now();
    count(this.program.numbers, `longest step in ms: ${this.name}`, Math.round(now - this.since));
    this.doing = doing;
    this.since = now;
    this.idle = 0;
  }

  count(name: string, n = 1): void {
    count(this.program.numbers, name, n);
  }

  /** Throws a Violation unless it is so. */
  check(isSo: boolean, what: string): asserts isSo {
    if (!isSo) throw new Violation(what);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(least: number, most: number): number {
    return between(this.random, least, most);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.between(0, of.length - 1)];
  }

  /** Some milliseconds, more often few than many. */
  moment(most: number): number {
    return this.random() ** 2 * most;
  }

  /** Starts a process that nobody will kill. */
  async survivor<A extends unknown[], R>(
    target: Target<A, R>,
    ...args: NoInfer<A>
  ): Promise<Member<Awaited<R>>> {
    this.step(`starts ${target.name}`);
    await this.program.stage.take();
    try {
      return this.#start(target, args, thread);
    } finally {
      this.program.stage.give();
    }
  }

  /** Starts a process to be killed; each takes one of the places until it was. */
  async victim<A extends unknown[]>(
    target: Target<A>,
    args: NoInfer<A>,
    limits: Limits = this.chance(SANDBOXED) ? sandbox : thread,
  ): Promise<Member> {
    this.step(`waits for its turn to start ${target.name}`);
    await this.program.places.take();
    await this.program.stage.take();
    try {
      return this.#start(target, args, limits);
    } finally {
      this.program.stage.give();
    }
  }

  /** Starts a process at once: the stage and a place are the caller's. */
  victimNow<A extends unknown[]>(target: Target<A>, args: NoInfer<A>, limits: Limits): Member {
    return this.#start(target, args, limits);
  }

  #start<A extends unknown[], R>(
    target: Target<A, R>,
    args: A,
    limits: Limits,
  ): Member<Awaited<R>> {
    const words = new Int32Array(new SharedArrayBuffer(4 * at.words));
    const name = `${this.name}-${++this.#started}`;
    const by = this.program.mayRead && this.chance(0.1) ? "reference" : "source";
    const options = { target, args: [words, at, states, ...args], name, by, module, ...limits };
    const process = new Process(
      ...[options] as unknown as ProcessParameters<unknown[], Awaited<R>>,
    );
    process.start();
    this.count("processes started");
    this.step(`has started ${name} (${target.name})`);
    return { name, process, words, isSandboxed: limits.permissions !== undefined };
  }

  /** Lets a victim live: until it says something, most of the time, and a moment longer. */
  async live({ words, name }: Member, most: number, inTime = 0.94): Promise<void> {
    if (this.chance(inTime)) {
      this.step(`waits until ${name} is up`);
      while (Atomics.load(words, at.state) === states.loading) await sleep(1);
    }
    await sleep(this.moment(most));
  }

  /** Kills it in one of the two ways, at once, and sees that it ends. */
  async kill(
    { process, words, name, isSandboxed }: Member,
    state: string = stateNames[Atomics.load(words, at.state)],
  ): Promise<void> {
    const way = this.chance(0.5) ? "kill" : "terminate";
    const code = way === "kill" ? -9 : -15;
    process[way]();
    this.step(`waits for the end of ${name}, ended by ${way}() ${state}`);
    await process.join();
    await this.#account(process, name, code);
    if (isSandboxed) this.count("kills of sandboxed processes");
    this.count(`kills by ${way}()`);
    this.count(`killed ${state}`);
  }

  /** Sees that a process that was to be killed ended as it was to end. */
  async #account(process: Process, name: string, code: number): Promise<void> {
    if (process.exitCode !== code) {
      const why = await process.result().then((value) => `returned ${value}`, String);
      throw new Violation(`${name} has exit code ${process.exitCode} instead of ${code}: ${why}`);
    }
    this.count("kills");
    this.count(`kills in room ${this.name}`);
    this.program.places.give();
  }

  /** Waits for a victim that something else than kill() and terminate() ends. */
  async endsBy({ process, words, name }: Member, code: number, how: string): Promise<void> {
    this.step(`waits for the end of ${name} by ${how}`);
    await process.join();
    await this.#account(process, name, code);
    this.count(`kills by ${how}`);
    this.count(`killed ${stateNames[Atomics.load(words, at.state)]}`);
  }

  /** Waits for the result of a survivor. */
  async result<R>({ process, name }: Member<R>): Promise<R> {
    this.step(`waits for the result of ${name}`);
    const result = await process.result();
    this.check(process.exitCode === 0, `${name} has exit code ${process.exitCode}`);
    this.count("processes that returned");
    return result;
  }

  /** Waits until something is so that others bring about. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    this.step(what);
    while (!isSo()) await sleep(1);
  }

  /** Acquires something, and says of whom it was told that he died with it. */
  async acquire(
    what: { acquire(): Promise<boolean> },
    told: (name: string) => void,
  ): Promise<void> {
    this.step("acquires what others use");
    for (;;) {
      try {
        this.check(await what.acquire(), "acquire() without a timeout was not true");
        return;
      } catch (error) {
        if (!(error instanceof AbandonedLockError)) throw error;
        told(error.message.split(" ")[0]);
      }
    }
  }
}

/** Where targets by reference are. */
let module = "";

/** Says where the targets are that travel by reference. */
export function useTargets(url: string): void {
  module = url;
}

/** Processes of this program that haven't ended. */
export function alive(): string[] {
  return activeChildren().map(({ name }) => name);
}
