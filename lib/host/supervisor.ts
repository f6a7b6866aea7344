// The supervisor of a process lives in the isolate that runs the process's worker, from the start until nothing
// of the process is left. It writes the exit record, which tells all waiters.
//
// A process ends twice. For processes that join it, it has ended when it can have no further effect. For
// processes that share something with it, it is gone when its thread takes no further step; until then nothing
// may take what it holds. Mostly these are one moment, but a thread that was stopped in the middle of one long
// call into V8 goes on until that call returns.
//
// A process with permissions of its own may be hostile. Its supervisor reads nothing that the process sends,
// and keeps in its own memory all facts it relies on. What such a process writes into its control block can
// only harm itself.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { ControlBlock, ExitRecord } from "../liveness/control_block.ts";
import { ENDED as HAS_ENDED, STOPPED } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import { mayEndAnywhere } from "../liveness/mutex.ts";
import { ownProcessTable } from "../liveness/membership.ts";
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
import { TableBroker } from "./table_broker.ts";
import { TimeLimit } from "./time_limit.ts";
import { startSandbox } from "./workers/sandbox.ts";
import { startSandboxedThread } from "./workers/sandboxed_thread.ts";
import { startThread } from "./workers/thread.ts";
import type { ProcessWorker, StartWorker } from "./workers/worker.ts";

const { clearTimeout, console, Deno, performance, SafeMap, setTimeout } = primordials;

/**
 * How long a process that is told to end may go on loading its modules: a worker killed while its main module
 * is loading leaks what it had loaded.
 */
const LOADING_PATIENCE_MS = 2000;
/**
 * How long such a process may go on loading this library, which takes 30 ms on a free core. Where a thread is
 * terminated while Deno is loading scripts of its own for it, Deno can panic, which ends the program
 * (lib/platform/threads.ts).
 */
const BOOT_PATIENCE_MS = 10_000;
/** After this time the time limit of a process runs, whether or not its modules are loaded. */
const MAX_LOADING_MS = 5000;
/**
 * How long a process may take to leave a critical section. One takes microseconds, the longest (2 GB) under a
 * second.
 */
const OUTSIDE_PATIENCE_MS = 2000;
/** A stopped worker is gone within a millisecond or two; after this time it can have no further effect. */
const END_TIMEOUT_MS = 2000;
/** Longer than any call into V8: a thread that isn't gone by then goes on until the program ends. */
const GONE_TIMEOUT_MS = 30_000;
/** How long the end of this isolate waits for each thread in it. */
const LAST_WAIT_MS = 50;
/** The pause after the first probe of the heartbeat, while the thread of this isolate is blocked. */
const PROBE_MS = 100;

/** Values of the control block's KILL word: the signals of Python's terminate() and kill(). */
export const TERMINATED = 15, KILLED = 9;

/**
 * The states of a process, in this order. A process never goes back, and may skip any but "ended".
 *
 *   starting   its modules are being loaded
 *   running    they are loaded
 *   stopping   it was told to end; its worker is stopped once the process is outside of critical sections
 *   ending     its worker is ending, or its isolate is gone
 *   ended      it can have no further effect; all waiters have been told
 *   gone       its thread takes no further step; what it held is free
 */
const STATES = ["starting", "running", "stopping", "ending", "ended", "gone"] as const;
const STARTING = 0, RUNNING = 1, STOPPING = 2, ENDING = 3, ENDED = 4, GONE = 5;

/** The processes that run here, by pid. */
export const hosted: Map<number, Supervisor> = new SafeMap();

/** Records that a process has ended and is gone, and tells all waiters. */
export function markGone(
  { child, exit }: Pick<SpawnRequest, "child" | "exit">,
  code: number,
): void {
  ownProcessTable().noteExit(child.self, code);
  ownProcessTable().reap(child.self);
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
  readonly #tableBroker: TableBroker | undefined;
  readonly #mayEndAnywhere: boolean;
  /** The port to the process. undefined once the port has closed, which means that the process's isolate is gone. */
  #port: MessagePort | undefined;
  #state = STARTING;
  /** When that state began, in ms. */
  #since = performance.now();
  /** The timer that leads to the next state. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The signal with which this host first told the process to end; 0 before that. */
  #order = 0;
  /** Until when, in ms, a process that is told to end may go on loading its modules. */
  #loadsUntil = 0;
  /** Until when, in ms, such a process may go on loading this library. */
  #bootsUntil = 0;
  /** The exit code where nothing else says how the process ended. */
  #exitCode = 0;
  /** Why the worker couldn't run. Errors that a target throws don't come here. */
  #error: unknown;

  /** @param serve does what the process asks for, if the process has the same rights as this one */
  constructor(request: SpawnRequest, serve: (request: Request) => void) {
    const { child, exit } = request;
    this.#request = request;
    this.#serve = serve;
    this.#control = new ControlBlock(child.control);
    this.#exit = new ExitRecord(exit);
    // In a hosted process, too: Deno ends the workers of a worker together with it.
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
    if (child.brokerChannel !== undefined) {
      this.#tableBroker = new TableBroker(child.brokerChannel, child.self);
    }
    hosted.set(child.identity.pid, this);
    if (child.timeLimit !== undefined && child.timeLimit !== Infinity) {
      this.#timeLimit = new TimeLimit(child.timeLimit, () => this.#timeIsUp());
      this.#awaitLoaded();
    }
    if (this.#isConfined) this.#awaitReady();
  }

  /** The pid of the starter. */
  get owner(): number {
    return this.#request.owner;
  }

  /** Whether the process ends with its starter. */
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

  /** The signal that ends the process; 0 if none does. A trusted process may be told to end by others than its host. */
  get #signal(): number {
    return this.#isConfined ? this.#order : this.#control.killSignal();
  }

  // The states

  /** Changes the state, and does what goes with the change. The state changes nowhere else. */
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
        // A wake-up that reached the process in its last moments is lost, so all waiters check once more.
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
      // A message that only looks like a request is ignored.
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

  /** Called between two slices of a blocking wait: while this isolate is blocked, its supervisors get no events. */
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
    if (recorder !== undefined && this.#state < STOPPING && !this.#control.hasFinished()) {
      recorder.event(STOPPED, this.#request.child.identity.pid, signal);
    }
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
    // A process that may be hostile can write any flag, so its claim that it hasn't booted yet doesn't count.
    const hasBooted = this.#isConfined || this.#control.hasBooted();
    const until = hasBooted ? this.#loadsUntil : this.#bootsUntil;
    const mustLoad = now < until && !this.#control.isLoaded() && !this.#worker.isWaiting;
    const isPatient = !this.#mayEndAnywhere || now - this.#since <= OUTSIDE_PATIENCE_MS;
    const mustWait = mustLoad || isPatient && !this.#areOutside();
    if (mustWait) {
      this.#timer = setTimeout(this.#stopOutside, 1);
      return;
    }
    this.#control.markStopped();
    this.#worker.terminate();
  };

  /** Whether the process and all processes in its worker are outside of critical sections. */
  #areOutside(): boolean {
    return isOutside(this.#control) && this.#nested.areOutside();
  }

  /** Stops a process that has taken its last step. Listeners for "unload" may still be in a critical section. */
  dismiss(): void {
    this.stop(TERMINATED);
  }

  /** Ends the process at the end of this isolate. Deno ends all workers of an isolate with it, wherever they are. */
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
    ownProcessTable().noteExit(self, -TERMINATED);
    ownProcessTable().reap(self);
  }

  // Its limits

  async #awaitLoaded(): Promise<void> {
    await this.#control.untilLoaded();
    this.#advance(RUNNING);
  }

  /** Tells waiters that the target is about to run, for a process that can't. */
  async #awaitReady(): Promise<void> {
    await this.#control.untilReady();
    exitEvent(this.#exit).notify(Infinity);
  }

  #checkLoaded(): void {
    if (this.#state === STARTING && this.#control.isLoaded()) this.#advance(RUNNING);
  }

  #checkTime(): void {
    this.#checkLoaded();
    if (this.#worker.isWaiting) this.#since = performance.now();
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

  /** Whether no reason for the end of the process is known yet. */
  get #isUnexplained(): boolean {
    return !this.#control.hasFinished() && this.#signal === 0;
  }

  /** The port to the process has closed: its isolate is gone, or hostile code has closed it. */
  #closed(): void {
    this.#drain();
    this.#port = undefined;
    // The limit that the process reached, or its error, is reported on another channel, and may arrive later
    // than this.
    this.#worker.look();
    const mayComeLater = this.#state < ENDING && this.#worker.knowsEnd && this.#isUnexplained;
    if (mayComeLater) this.#timer = setTimeout(() => this.#endClosed(), END_TIMEOUT_MS);
    else this.#endClosed();
  }

  #endClosed(): void {
    this.#exited(1);
    this.#advance(GONE);
  }

  /**
   * The heartbeat has stopped while this isolate is blocked. In a process with a memory limit the cause is a
   * full heap.
   */
  #vanished(): void {
    // The process may have reached its time limit meanwhile.
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
    // Deno gives a nested worker that fails as it begins the exit code 0.
    if (this.#state < ENDING) this.#exitCode = code === 0 && this.#error !== undefined ? 1 : code;
    this.#advance(ENDING);
  }

  /** Gives up on a worker that has been ending for too long. */
  readonly #checkEnd = (): void => {
    const ms = performance.now() - this.#since;
    if (this.#state === ENDED) {
      if (ms > GONE_TIMEOUT_MS - END_TIMEOUT_MS) this.#advance(GONE);
    } else if (ms > END_TIMEOUT_MS) {
      this.#advance(ENDED);
      if (!this.#worker.isInterruptible) this.#advance(GONE);
    }
  };

  /** Whether the thread may be in the middle of a call that can't be interrupted, and so keeps what it holds. */
  get #isInLongCall(): boolean {
    return !this.#control.hasFinished() && this.#worker.isInterruptible;
  }

  #awaitGone(): void {
    this.#timer = setTimeout(() => this.#advance(GONE), GONE_TIMEOUT_MS - END_TIMEOUT_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Removes the process from the table of hosted processes, and disposes of its worker. */
  #withdraw(): void {
    const { pid } = this.#request.child.identity;
    if (hosted.get(pid) === this) hosted.delete(pid);
    this.#worker.dispose();
  }

  /** Frees what the process held. */
  #release(): void {
    const { self } = this.#request.child;
    this.#tableBroker?.close();
    ownProcessTable().noteExit(self, this.#code());
    ownProcessTable().reap(self);
  }

  /** Tells all waiters. */
  #tellEnd(): void {
    const { crashReport, child: { identity: { pid } } } = this.#request;
    if (recorder !== undefined) recorder.event(HAS_ENDED, pid, this.#code());
    if (this.#error !== undefined) leaveError(crashReport, this.#error);
    tellWaiters(this.#exit, this.#code());
    this.#nested.markExited(-TERMINATED);
    recheckEverywhere();
    // Printed only now: a starter that starts many processes and then asks for all results may still be
    // starting them.
    const words = this.#control.wasAsked() || this.#isConfined ? undefined : wordsLeft(crashReport);
    if (words !== undefined) console.error(words);
    // Daemons end with the process that started them.
    for (const other of hosted.values()) if (other.owner === pid && other.daemon) other.dismiss();
  }

  /** The exit code, once the worker is ending. */
  #code(): number {
    const { memoryLimitMb } = this.#request.child;
    // The process has noticed the full heap itself.
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
