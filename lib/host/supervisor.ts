// The supervisor of a process: in the isolate that runs its worker, from the start until nothing of it is
// left. It writes the exit record, which tells everybody who waits.
//
// A process ends twice. It has ended, for those who join it, when nothing more will come of it. It is gone,
// for those who share something with it, when its thread will never take another step: nobody may take
// what it holds before that. Mostly these are one moment; but a thread that was stopped in the middle of
// one long call of V8's goes on until that returns.
//
// A process with permissions of its own may be hostile. Its supervisor reads nothing of what it sends, and
// keeps for itself what must be true; what such a process writes into its control block can only harm it.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { ControlBlock, ExitRecord } from "../liveness/control_block.ts";
import { mayEndAnywhere } from "../liveness/mutex.ts";
import { ownRoster } from "../liveness/membership.ts";
import { withoutAdded } from "../platform/added.ts";
import { closeStarted, takeMessage } from "../platform/ports.ts";
import { isOutOfMemory } from "../platform/threads.ts";
import * as primordials from "../platform/primordials.ts";
import { leaveError, wordsLeft } from "../protocol/crash_report.ts";
import { exitEvent } from "../protocol/exit_event.ts";
import { HeartbeatMonitor } from "../protocol/heartbeat.ts";
import { isHosted } from "../protocol/host_port.ts";
import type { Request } from "../protocol/messages.ts";
import type { SpawnRequest } from "../protocol/spawn_request.ts";
import { addChore, recheckEverywhere, removeChore } from "../wait/eventcount.ts";
import { isOutside, NestedProcesses } from "./nested.ts";
import { ServedDesk } from "./table_broker.ts";
import { TimeLimit } from "./time_limit.ts";
import { startSandbox } from "./workers/sandbox.ts";
import { startSandboxedThread } from "./workers/sandboxed_thread.ts";
import { startThread } from "./workers/thread.ts";
import type { ProcessWorker, StartWorker } from "./workers/worker.ts";

const { clearTimeout, console, Deno, performance, SafeMap, setTimeout } = primordials;

/** A worker killed while its main module is loading leaks what it had loaded: it is left so long to load. */
const LOADING_PATIENCE_MS = 2000;
/**
 * And this library so long, which takes 30 ms on a free core: where Deno is loading scripts of its own for a thread
 * that is terminated, it can panic, and the program ends (lib/platform/threads.ts).
 */
const BOOT_PATIENCE_MS = 10_000;
/** The time of a process runs from then on, whatever it says. */
const MAX_LOADING_MS = 5000;
/** A critical section takes microseconds, the longest of 2 GB under a second. */
const OUTSIDE_PATIENCE_MS = 2000;
/** A worker that was stopped is gone within a millisecond or two; nothing more will come of it after that. */
const END_TIMEOUT_MS = 2000;
/** Longer than a call of V8's: a thread that isn't gone by then goes on until the program ends. */
const GONE_TIMEOUT_MS = 30_000;
/** How long the end of this isolate waits for each thread in it. */
const LAST_WAIT_MS = 50;
/** With the thread of this isolate blocked, the first probe of the heartbeat comes after so long. */
const PROBE_MS = 100;

/** Values of KILL: the signals of Python's terminate() and kill(). */
export const TERMINATED = 15, KILLED = 9;

/**
 * The states of a process, in this order. A process never goes back, and may skip any but "ended".
 *
 *   starting   its modules are being loaded
 *   running    they are loaded
 *   stopping   it was told to end; its worker is stopped once the process is outside of critical sections
 *   ending     its worker is ending, or its isolate is gone
 *   ended      nothing more will come of it; all who wait have been told
 *   gone       its thread takes no further step; what it held is free
 */
const STATES = ["starting", "running", "stopping", "ending", "ended", "gone"] as const;
const STARTING = 0, RUNNING = 1, STOPPING = 2, ENDING = 3, ENDED = 4, GONE = 5;

/** The processes that run here, by pid. */
export const hosted: Map<number, Supervisor> = new SafeMap();

/** Writes that a process has ended and is gone, and tells everybody who waits. */
export function markGone(
  { child, exit }: Pick<SpawnRequest, "child" | "exit">,
  code: number,
): void {
  ownRoster().noteExit(child.self, code);
  ownRoster().reap(child.self);
  tellWaiters(new ExitRecord(exit), code);
  recheckEverywhere();
}

function tellWaiters(record: ExitRecord, code: number): void {
  record.writeExitCode(code);
  exitEvent(record).notify(Infinity);
}

/** A process in a worker of this isolate. */
export class Supervisor {
  readonly #request: SpawnRequest;
  readonly #control: ControlBlock;
  readonly #exit: ExitRecord;
  readonly #serve: (request: Request) => void;
  readonly #worker: ProcessWorker;
  readonly #heartbeat: HeartbeatMonitor;
  readonly #nested = new NestedProcesses();
  readonly #timeLimit: TimeLimit | undefined;
  readonly #desk: ServedDesk | undefined;
  readonly #mayEndAnywhere: boolean;
  /** The port to the process; undefined once it has closed, and so the isolate of the process is gone. */
  #port: MessagePort | undefined;
  #state = STARTING;
  /** When that state began, in ms. */
  #since = performance.now();
  /** Leads on to another state. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The signal that the process was first told to end with here; 0 while it wasn't. */
  #order = 0;
  /** A process that is told to end may still load its modules until then, in ms. */
  #loadsUntil = 0;
  /** And this library in it until then. */
  #bootsUntil = 0;
  /** The exit code where nothing else says how the process ended. */
  #exitCode = 0;
  /** Why the worker couldn't run; what a target throws doesn't come here. */
  #error: unknown;

  /** @param serve does what a process asks for that has the same rights as this one */
  constructor(request: SpawnRequest, serve: (request: Request) => void) {
    const { child, exit } = request;
    this.#request = request;
    this.#serve = serve;
    this.#control = new ControlBlock(child.control);
    this.#exit = new ExitRecord(exit);
    // Deno ends the workers of a worker with it.
    this.#mayEndAnywhere = child.memoryLimitMb !== undefined || this.#isConfined ||
      mayEndAnywhere() || isHosted();
    this.#heartbeat = new HeartbeatMonitor(this.#control);
    this.#heartbeat.expect(PROBE_MS);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data = { child, port: request.port, host: port2, mayEndAnywhere: this.#mayEndAnywhere };
    this.#worker = kindOf(request)(request, data, {
      failed: (error) => this.#failed(error),
      exited: (code) => this.#exited(code),
      timeIsUp: () => this.#timeIsUp(),
    });
    withoutAdded(() => {
      if (!this.#isConfined) port1.on("message", this.#hear);
      port1.once("close", () => this.#closed());
    });
    port1.start();
    port1.unref();
    addChore(this.#look);
    if (child.desk !== undefined) this.#desk = new ServedDesk(child.desk, child.self);
    hosted.set(child.identity.pid, this);
    if (child.timeLimit !== undefined && child.timeLimit !== Infinity) {
      this.#timeLimit = new TimeLimit(child.timeLimit, () => this.#timeIsUp());
      this.#awaitLoaded();
    }
  }

  /** The pid of its starter. */
  get owner(): number {
    return this.#request.owner;
  }

  /** Whether it ends with its starter. */
  get daemon(): boolean {
    return this.#request.child.identity.daemon;
  }

  /** The state of the process. */
  get state(): typeof STATES[number] {
    return STATES[this.#state];
  }

  get #isConfined(): boolean {
    return this.#request.grants !== undefined;
  }

  /** The signal that ends the process; 0 if none does. A trusted process may be told by others than its host. */
  get #signal(): number {
    return this.#isConfined ? this.#order : this.#control.killSignal();
  }

  // The states

  /** The one place where the state changes, with what belongs to it. */
  #advance(to: number): void {
    const from = this.#state;
    if (to <= from) return;
    this.#state = to;
    this.#since = performance.now();
    if (to > RUNNING) clearTimeout(this.#timer);
    switch (to) {
      case RUNNING:
        this.#timeLimit?.begin();
        return;
      case STOPPING:
        if (from === STARTING) {
          this.#loadsUntil = this.#since + LOADING_PATIENCE_MS;
          this.#bootsUntil = this.#since + BOOT_PATIENCE_MS;
        }
        this.#timeLimit?.end();
        addChore(this.#stopOutside);
        return;
      case ENDING:
        this.#timeLimit?.end();
        this.#heartbeat.expectEnd();
        removeChore(this.#stopOutside);
        this.#drain();
        this.#control.endLoading();
        // A process that ends by itself has run its exit hooks, and takes no further step.
        if (this.#control.hasFinished()) this.#advance(ENDED);
        if (this.#port === undefined) this.#advance(GONE);
        if (this.#state === ENDING) this.#timer = setTimeout(this.#checkEnd, END_TIMEOUT_MS + 1);
        return;
      case ENDED:
        this.#withdraw();
        if (this.#isInLongCall) this.#awaitGone();
        else this.#release();
        this.#tellEnd();
        return;
      case GONE:
        removeChore(this.#look);
        if (this.#port !== undefined) closeStarted(this.#port);
        if (from < ENDED) this.#withdraw();
        this.#release();
        if (from < ENDED) this.#tellEnd();
        // What woke the process in its last moments is lost, so everybody looks once more.
        recheckEverywhere();
    }
  }

  // What the process asks for

  readonly #hear = (message: unknown): void => {
    try {
      const request = message as Request;
      if (request.type === "nested") this.#nested.add(request.nested);
      this.#serve(request);
    } catch {
      // What only looks like a request is none.
    }
  };

  #drain(): void {
    const port = this.#port;
    if (this.#isConfined || port === undefined) return;
    for (;;) {
      const received = takeMessage(port);
      if (received === undefined) return;
      this.#hear(received.message);
    }
  }

  /** While this isolate is blocked, its processes are looked after between two slices of the wait. */
  readonly #look = (): void => {
    this.#drain();
    this.#worker.look();
    const isGone = this.#heartbeat.isGone();
    if (this.#state < ENDING) {
      if (isGone) this.#vanished();
      else this.#checkTime();
      return;
    }
    if (isGone || !this.#heartbeat.hasBegun) this.#advance(GONE);
    else this.#checkEnd();
  };

  // How it is stopped

  /** Stops the worker as soon as the process is outside of critical sections. */
  stop(signal: number): void {
    if (this.#order === 0) this.#order = signal;
    this.#control.requestKill(this.#order);
    this.#checkLoaded();
    this.#advance(STOPPING);
    this.#stopOutside();
  }

  readonly #stopOutside = (): void => {
    if (this.#state !== STOPPING) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#drain();
    this.#nested.requestKill(TERMINATED);
    // A hostile process says what it likes of how far it is.
    const hasBooted = this.#isConfined || this.#control.hasBooted();
    const until = hasBooted ? this.#loadsUntil : this.#bootsUntil;
    const mustLoad = now < until && !this.#control.isLoaded();
    const isPatient = !this.#mayEndAnywhere || now - this.#since <= OUTSIDE_PATIENCE_MS;
    const mustWait = mustLoad || isPatient && !this.#areOutside();
    if (mustWait) {
      this.#timer = setTimeout(this.#stopOutside, 1);
      return;
    }
    this.#control.markStopped();
    this.#worker.terminate();
  };

  /** Whether the process, and what runs in its worker, is outside of critical sections. */
  #areOutside(): boolean {
    return isOutside(this.#control) && this.#nested.areOutside();
  }

  /** Stops a process that has taken its last step: listeners for "unload" may still be in a critical section. */
  dismiss(): void {
    this.stop(TERMINATED);
  }

  /** Ends the process at the end of this isolate, with which Deno ends all its workers, wherever they are. */
  endNow(): void {
    const control = this.#control, { self } = this.#request.child;
    control.requestKill(TERMINATED);
    for (let left = OUTSIDE_PATIENCE_MS; left > 0 && control.isCritical(); left--) {
      control.awaitFlag(1);
    }
    control.markStopped();
    this.#worker.terminate();
    if (this.#worker.isInterruptible && this.#heartbeat.hasBegun) {
      this.#heartbeat.expect(1);
      for (let left = LAST_WAIT_MS; left > 0 && !this.#heartbeat.isGone(); left--) control.park(1);
    }
    ownRoster().noteExit(self, -TERMINATED);
    ownRoster().reap(self);
  }

  // Its limits

  async #awaitLoaded(): Promise<void> {
    await this.#control.untilLoaded();
    this.#advance(RUNNING);
  }

  #checkLoaded(): void {
    if (this.#state === STARTING && this.#control.isLoaded()) this.#advance(RUNNING);
  }

  #checkTime(): void {
    this.#checkLoaded();
    const isLate = performance.now() - this.#since >= MAX_LOADING_MS;
    if (this.#state === STARTING && isLate) this.#advance(RUNNING);
    if (this.#state === RUNNING) this.#timeLimit?.check();
  }

  #timeIsUp(): void {
    if (this.#signal !== 0 || this.#state >= ENDING) return;
    this.#exit.reach("timeLimit");
    this.stop(KILLED);
  }

  #failed(error: unknown): void {
    this.#error = error;
    if (isOutOfMemory(error)) this.#exit.reach("memoryLimitMb");
  }

  // How it ends

  /** Whether nothing says yet why the process ends. */
  get #isUnexplained(): boolean {
    return !this.#control.hasFinished() && this.#signal === 0;
  }

  /** The port to the process has closed: its isolate is gone, or hostile code has closed it. */
  #closed(): void {
    this.#drain();
    this.#port = undefined;
    // The limit that it reached, or its error, is told on another way, and may come later than this.
    this.#worker.look();
    const mayComeLater = this.#state < ENDING && this.#worker.knowsEnd && this.#isUnexplained;
    if (mayComeLater) this.#timer = setTimeout(() => this.#endClosed(), END_TIMEOUT_MS);
    else this.#endClosed();
  }

  #endClosed(): void {
    this.#exited(1);
    this.#advance(GONE);
  }

  /** The heartbeat has stopped while this isolate is blocked: of a limited process, because its memory is full. */
  #vanished(): void {
    // It may have reached its time limit since.
    this.#worker.look();
    const isLimited = this.#request.child.memoryLimitMb !== undefined;
    if (this.#isUnexplained && isLimited) this.#exit.reach("memoryLimitMb");
    this.#endClosed();
  }

  /**
   * The worker is ending.
   *
   * @param code the exit code where nothing else says how
   */
  #exited(code: number): void {
    if (this.#state < ENDING) this.#exitCode = code;
    this.#advance(ENDING);
  }

  /** Looks whether the worker has been ending for too long. */
  readonly #checkEnd = (): void => {
    const ms = performance.now() - this.#since;
    if (this.#state === ENDED) {
      if (ms > GONE_TIMEOUT_MS - END_TIMEOUT_MS) this.#advance(GONE);
    } else if (ms > END_TIMEOUT_MS) {
      this.#advance(ENDED);
      if (!this.#worker.isInterruptible) this.#advance(GONE);
    }
  };

  /** Whether the thread may be in the middle of a call that can't be interrupted, and keeps what it holds. */
  get #isInLongCall(): boolean {
    return !this.#control.hasFinished() && this.#worker.isInterruptible;
  }

  #awaitGone(): void {
    this.#timer = setTimeout(() => this.#advance(GONE), GONE_TIMEOUT_MS - END_TIMEOUT_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Removes the process from those that run here, and what is left of its worker. */
  #withdraw(): void {
    const { pid } = this.#request.child.identity;
    if (hosted.get(pid) === this) hosted.delete(pid);
    this.#worker.dispose();
  }

  /** Frees what the process held. */
  #release(): void {
    const { self } = this.#request.child;
    this.#desk?.close();
    ownRoster().noteExit(self, this.#code());
    ownRoster().reap(self);
  }

  /** Tells everybody who waits. */
  #tellEnd(): void {
    const { crashReport, child: { identity: { pid } } } = this.#request;
    if (this.#error !== undefined) leaveError(crashReport, this.#error);
    tellWaiters(this.#exit, this.#code());
    this.#nested.markExited(-TERMINATED);
    recheckEverywhere();
    // Not before: a starter that starts many and then asks for all results is still starting, perhaps.
    const words = this.#control.wasAsked() || this.#isConfined ? undefined : wordsLeft(crashReport);
    if (words !== undefined) console.error(words);
    // Daemons that it started end with it.
    for (const other of hosted.values()) if (other.owner === pid && other.daemon) other.dismiss();
  }

  /** The exit code, once its worker is ending. */
  #code(): number {
    const { memoryLimitMb } = this.#request.child;
    // As the process has noticed itself.
    const isFull = this.#control.exitRecord().limit() === "memoryLimitMb";
    if (isFull && memoryLimitMb !== undefined) this.#exit.reach("memoryLimitMb");
    const kill = this.#exit.limit() === "memoryLimitMb" ? KILLED : this.#signal;
    return this.#control.finishedCode() ?? (kill === 0 ? this.#exitCode : -kill);
  }
}

/** Which kind of worker a process needs. */
function kindOf({ grants, child: { memoryLimitMb, timeLimit } }: SpawnRequest): StartWorker {
  if (grants === undefined) return startThread;
  return memoryLimitMb === undefined && timeLimit === undefined
    ? startSandbox
    : startSandboxedThread;
}
