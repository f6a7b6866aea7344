// The parts of a scenario, and its view of the simulation.

/** How far a search goes. */
export interface Bounds {
  /** The most times that a process which could go on has to stop. */
  preemptions: number;
  /** The most processes that are killed. */
  kills: number;
  /**
   * Where a process may be killed. "outside": before any step, outside of critical sections, which is
   * how this library kills. "anywhere": before any step, plain writes included. "checkpoints": where V8
   * ends a thread, before an operation of Atomics, at the entry of a function and at the turn of a loop.
   */
  cut: "outside" | "anywhere" | "checkpoints";
  /** How often a timer or a timeout of `early` runs out before the others have come to rest. */
  timeouts: number;
  /** How often the clock jumps by `jumpBy` ms. */
  jumps: number;
}

/** What all processes of a scenario are given; setup() makes it. */
export interface Shared {
  /** The control block of each process: where CRITICAL and KILL are. */
  controls: Int32Array[];
}

/** What happened: who, what, with which value. */
export type Event = readonly [process: number, name: string, value?: unknown];

/** How a process ended. */
export interface Ending {
  readonly done: boolean;
  readonly dead: boolean;
  readonly started: boolean;
  readonly error: Error | undefined;
}

/** The outcome of a run, for the check of a scenario. */
export interface Outcome<S extends Shared = Shared> {
  readonly processes: readonly Ending[];
  readonly shared: S;
  /** How often everybody slept and time had to pass. */
  readonly polls: number;
  /** How many ms passed while everybody slept. */
  readonly waited: number;
  /** Who was killed, or ended by a host, in order. */
  readonly killed: readonly number[];
  /** The values logged under a name, by one process or by all. */
  of(process: number | undefined, name: string): unknown[];
  /** Where the first event of a name is in the order of all; -1 if there is none. Only if `ordered`. */
  indexOf(name: string, process?: number): number;
  /** All events in their order; only if `ordered`. */
  readonly events: readonly Event[];
  /** How many events there were when everybody slept for the first time; -1 if never. */
  readonly quietAfter: number;
}

/** A small program, and what must hold at its end whatever the schedule was. */
export interface Scenario<S extends Shared = Shared> {
  /** What it is about, in a few words. */
  readonly about: string;
  /** Makes what the processes share; runs in the first one, without interruption. */
  setup(count: number): S;
  readonly processes: readonly ((shared: S) => unknown)[];
  /** What is wrong with the outcome, if anything is. */
  check(outcome: Outcome<S>): string | undefined;
  /** What `deno task explore` searches; two preemptions and one kill of a victim if nothing else is said. */
  readonly bounds?: Partial<Bounds>;
  /** Who may be killed. */
  readonly victims?: readonly number[];
  /** Who starts only after a kill, as the host of the dead does. */
  readonly reaper?: number;
  /** Who starts only when another process starts it. */
  readonly startedByOthers?: readonly number[];
  /** Whose timers and timeouts may run out early. */
  readonly early?: readonly number[];
  /** How far the clock jumps, in ms. */
  readonly jumpBy?: number;
  /** How often everybody may sleep until time passes; 6 if nothing else is said. */
  readonly polls?: number;
  /** Whether the check asks for the order of events: then it is part of the state. */
  readonly ordered?: boolean;
  /** Only searched by `--long`. */
  readonly long?: boolean;
}

/** What a scenario sees of the simulation: the global `sim`. */
export interface Simulation {
  /** The number of this process. */
  readonly id: number;
  /** Notes an event. */
  log(name: string, value?: unknown): void;
  /** Says that something is wrong, at once. */
  fail(message: string): void;
  /** Names a buffer for traces. */
  label(memory: SharedArrayBuffer | Int32Array, name: string): void;
  /** Who has been killed so far, or ended by a host. */
  killed(): readonly number[];
  /** The victims, if the search ends them in critical sections as well. */
  endsAnywhere(): readonly number[];
  /** A number that all processes see; reading and writing it is no step of its own. */
  get(cell: string): number;
  set(cell: string, value: number): void;
  add(cell: string, n: number): number;
  /** Objects that all processes see; what is in them has to be a function of all else that is seen. */
  readonly objects: Record<string, unknown>;
  /** Makes a port this process's own, as a message does in which it moves. */
  adopt(port: unknown): void;
  /** Lets one of `startedByOthers` start; `ended` is a task of this process once it has ended. */
  start(process: number, ended: () => void): void;
  /** Gives the order to end a process, perhaps this one: it may take some more steps. */
  terminate(process: number): void;
}

/** What a file of scenarios exports. */
export interface ScenarioFile {
  readonly scenarios: Readonly<Record<string, Scenario>>;
  /** The first step of each process. */
  init(shared: Shared, id: number): unknown;
}
