// The thread host: runs a child in a Worker of node:worker_threads, the kind that has an exit code
// and `unref`, and that terminate() stops even in the middle of `while (true) {}`, provided it
// holds a Web Lock (Deno 2.9.6; child.ts takes one). Whichever isolate hosts a process writes the
// last words of its control block, and tells everybody who waits.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  SHARE_ENV,
  Worker,
} from "node:worker_threads";
import {
  BY_MAIN,
  CLAIM,
  CRITICAL,
  END_GATE,
  EXIT,
  FINISHED,
  KILL,
  LOADED,
  readCode,
  STOPPED,
  UNCLAIMED,
  writeCode,
} from "../memory/control.ts";
import { uninterrupted } from "../memory/critical.ts";
import { ownRef, ownRoster } from "../memory/roster.ts";
import { addChore, Gate, lookEverywhere, removeChore } from "../wait/gate.ts";
import { ownIdentity } from "./current.ts";
import { askHost, isHosted } from "./host_port.ts";
import type { Birth, Launch, Nested, Request } from "./messages.ts";

/** A worker killed while its main module is still loading leaks what it had loaded; so much patience has the killer, in ms. */
const LOADING = 2000;

/** A critical section takes microseconds, the longest of 2 GB under a second; one never left is a crash. In ms. */
const OUTSIDE = 2000;

/** A worker that was stopped is gone within a millisecond or two; with its thread blocked, the host waits so long, in ms. */
const GOING = 50;

/** So long it waits where it would hear of the end, in ms. */
const LONGEST_GOING = 2000;

/** The processes that run here, by pid. */
const hosted = new Map<number, ThreadHost>();

/** The gate that opens when the process of a control block has ended. */
export function endGate(control: Int32Array): Gate {
  return new Gate(control, END_GATE, () => readCode(control, EXIT) !== null);
}

/** Writes that a process has ended, and tells everybody who waits. */
function markEnded({ control, ref }: Pick<Launch, "control" | "ref">, code: number): void {
  writeCode(control, EXIT, code);
  ownRoster().strikeAll(ref);
  endGate(control).open(Infinity);
  lookEverywhere();
}

/** Told of the end, and of the error of a worker that couldn't run. */
type WhenEnded = (error: unknown) => void;

/** What runs in the workers that run here, directly or in each other. */
const nestedHere = new Set<Nested>();

/** What runs in the worker of a process and may be alive. */
function nestedIn(pid: number): Nested[] {
  const direct = [...nestedHere].filter(({ by, control }) => {
    return by === pid && readCode(control, EXIT) === null;
  });
  return direct.flatMap((nested) => [nested, ...nestedIn(nested.pid)]);
}

/** A process in a worker of this isolate. */
export class ThreadHost {
  readonly #launch: Launch;
  readonly #worker: Worker;
  readonly #requests: MessagePort;
  readonly #whenEnded: WhenEnded | undefined;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #stopAsked = 0;
  /** Why the worker couldn't run; what the target throws doesn't come here. */
  #error: unknown;

  constructor(launch: Launch, whenEnded: WhenEnded | undefined) {
    this.#launch = launch;
    this.#whenEnded = whenEnded;
    const { control, port, main, identity } = launch;
    const { port1, port2 } = new MessageChannel();
    const birth: Birth = { control, port, host: port2 };
    this.#worker = new Worker(new URL(main), {
      name: identity.name,
      workerData: birth,
      env: SHARE_ENV,
      transferList: [port, port2],
    });
    this.#worker.on("error", (error) => this.#error = error);
    this.#worker.once("exit", (code: number) => this.#told(code));
    if (identity.daemon) this.#worker.unref();
    this.#requests = port1;
    port1.on("message", serve);
    port1.unref();
    addChore(this.#serveBlocked);
    hosted.set(identity.pid, this);
  }

  /** While this isolate is blocked, its children's requests are served between two slices. */
  readonly #serveBlocked = (): void => {
    for (;;) {
      const received = receiveMessageOnPort(this.#requests);
      if (received === undefined) return;
      serve(received.message as Request);
    }
  };

  /** Stops the worker as soon as it is outside of critical sections; KILL is set. */
  readonly stop = (): void => {
    const { control, identity } = this.#launch;
    if (readCode(control, EXIT) !== null) return;
    if (this.#stopAsked === 0) {
      this.#stopAsked = performance.now();
      addChore(this.stop);
    }
    clearTimeout(this.#stopTimer);
    const loading = Atomics.load(control, LOADED) === 0 &&
      performance.now() - this.#stopAsked < LOADING;
    // Deno ends the workers of this worker with it: they must be outside, too.
    this.#serveBlocked();
    const nested = nestedIn(identity.pid);
    for (const { control } of nested) requestStop(control, TERMINATED);
    if (loading || !isOutside(control) || !nested.every(({ control }) => isOutside(control))) {
      this.#stopTimer = setTimeout(this.stop, 1);
      return;
    }
    Atomics.store(control, STOPPED, 1);
    this.#worker.terminate();
  };

  /** The worker has nothing more to do; what its user's "unload" listeners do may be critical. */
  dismiss(): void {
    requestStop(this.#launch.control, TERMINATED);
    this.stop();
  }

  /** At the end of this isolate, which Deno ends all its workers with, wherever they are. */
  endNow(): void {
    const { control } = this.#launch;
    requestStop(control, TERMINATED);
    const patience = performance.now() + OUTSIDE;
    while (Atomics.load(control, CRITICAL) !== 0 && performance.now() < patience);
    Atomics.store(control, STOPPED, 1);
    this.#worker.terminate();
    ownRoster().strikeAll(this.#launch.ref);
  }

  /**
   * The worker is ending. One that was stopped in the middle of something goes on for a moment after
   * terminate(), and until it is really gone nobody may take what it holds: its port closes then.
   */
  #told(workerCode: number): void {
    clearTimeout(this.#stopTimer);
    removeChore(this.stop);
    removeChore(this.#serveBlocked);
    this.#serveBlocked();
    const { control } = this.#launch;
    if (Atomics.load(control, KILL) === 0 || readCode(control, FINISHED) !== null) {
      // What woke it up in its last moments is lost, so everybody looks once more.
      this.#requests.once("close", () => lookEverywhere());
      this.#ended(workerCode);
      return;
    }
    const gone = () => {
      clearTimeout(timer);
      removeChore(lookBlocked);
      this.#ended(workerCode);
    };
    const told = performance.now();
    // A blocked thread hears of no port, and goes by the clock.
    const lookBlocked = () => {
      if (performance.now() - told > GOING) gone();
    };
    const timer = setTimeout(gone, LONGEST_GOING);
    addChore(lookBlocked);
    this.#requests.once("close", gone);
  }

  #ended(workerCode: number): void {
    const { control, identity } = this.#launch;
    if (!hosted.delete(identity.pid)) return;
    const kill = Atomics.load(control, KILL);
    markEnded(this.#launch, readCode(control, FINISHED) ?? (kill === 0 ? workerCode : -kill));
    for (const nested of nestedIn(identity.pid)) markEnded(nested, -TERMINATED);
    for (const nested of nestedHere) {
      if (readCode(nested.control, EXIT) !== null) nestedHere.delete(nested);
    }
    this.#whenEnded?.(this.#error);
    // What it started and nobody is to wait for ends with it.
    for (const other of hosted.values()) {
      if (other.#launch.owner === identity.pid && other.#launch.identity.daemon) {
        requestStop(other.#launch.control, TERMINATED);
        other.stop();
      }
    }
  }
}

/** Looks for a microsecond or so whether the process is outside of critical sections. */
function isOutside(control: Int32Array): boolean {
  for (let i = 0; i < 100; i++) if (Atomics.load(control, CRITICAL) === 0) return true;
  return false;
}

/** Values of KILL: the signals of Python's terminate() and kill(). */
export const TERMINATED = 15, KILLED = 9;

/** Asks a process to end; false if somebody had asked before. */
export function requestStop(control: Int32Array, signal: number): boolean {
  return Atomics.compareExchange(control, KILL, 0, signal) === 0;
}

/** Does what a process asks of its host. */
function serve(request: Request): void {
  if (request.type === "stop") {
    stopHosted(request.pid);
    return;
  }
  if (request.type === "nested") {
    nestedHere.add(request.nested);
    askHost(request);
    return;
  }
  const { launch } = request;
  if (Atomics.compareExchange(launch.control, CLAIM, UNCLAIMED, BY_MAIN) !== UNCLAIMED) {
    launch.port.close();
    return;
  }
  try {
    host(launch);
  } catch {
    markEnded(launch, 1);
  }
}

/** Ends all that runs here, at the end of this isolate. */
export function endAllHosted(): void {
  for (const host of hosted.values()) host.endNow();
}

/** Runs a process here, unless it was ended before it began. */
export function host(launch: Launch, whenEnded?: WhenEnded): void {
  const { control, ref, identity: { pid } } = launch;
  // It lives no longer than the isolate it runs in.
  uninterrupted(() => ownRoster().entrust(ref, ownRef()));
  if (isHosted()) askHost({ type: "nested", nested: { pid, ref, control, by: ownIdentity().pid } });
  const kill = Atomics.load(launch.control, KILL);
  if (kill === 0) new ThreadHost(launch, whenEnded);
  else {
    launch.port.close();
    markEnded(launch, -kill);
  }
}

/**
 * Ends the worker of a process that has taken its last step; what is left of it is the teardown,
 * of which nobody need wait for the notice (2 ms). Does nothing if it doesn't run here.
 */
export function dismiss(pid: number): void {
  hosted.get(pid)?.dismiss();
}

/** Ends a process that runs here; false if it doesn't. */
export function stopHosted(pid: number): boolean {
  const found = hosted.get(pid);
  found?.stop();
  return found !== undefined;
}
