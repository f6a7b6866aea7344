// A pool in a process that was handed it: its units go through a pipe to the process that has made the pool, and
// the outcome of each item comes back. In that process the units are like any others.

import { BrokenPipeError, EOFError, InvalidStateError } from "../errors.ts";
import { type Connection, endpointOf } from "../pipe/connection.ts";
import type { Endpoint } from "../pipe/endpoint.ts";
import { describeFailure, type Failure } from "../transfer/remote_error.ts";
import { recreateFailure } from "../transfer/recreate_error.ts";
import { Pipe } from "../pipe/pipe.ts";
import { keepAlive, letExit } from "../wait/broadcast.ts";
import { eventually } from "../wait/operation.ts";
import { Changes } from "./changes.ts";
import { type CurrentTask, currentTask } from "./current_task.ts";
import type { BrokenPoolError } from "./errors.ts";
import type { Executor } from "./executor.ts";
import type { FunctionTravel } from "../target/function_travel.ts";
import type { FunctionTable, Registered } from "./functions.ts";
import { placed } from "./message_place.ts";
import { countNestedWait } from "./nested_wait.ts";
import type { RUN, STREAM } from "./protocol.ts";
import { sendableReason } from "./protocol.ts";
import { type ItemFailure, Unit, type UnitOptions } from "./unit.ts";
import { failUnsent } from "./unit_failures.ts";
import * as primordials from "../platform/primordials.ts";

const { console, each, listOf, queueMicrotask, SafeMap, SafeSet, Uint8Array } = primordials;

// Messages from the process that was handed the pool.
const SUBMIT = 0, CANCEL = 1, DROP = 2, CREDIT = 3, CLOSE = 4, CONNECT = 5;
// Messages to that process.
const RETURNED = 0, FAILED = 1, MESSAGE = 2, YIELDED = 3, ASSIGNED = 4;

/** A unit as it crosses the pipe. */
interface Submitted {
  type: typeof RUN | typeof STREAM;
  functionId: number;
  /** How the function travels; only with its first unit. */
  travel: FunctionTravel | undefined;
  functionName: string;
  isSpread: boolean;
  first: number;
  items: readonly unknown[];
  options: Omit<UnitOptions, "transfer">;
}

type Request =
  | [typeof SUBMIT, id: number, unit: Submitted]
  | [typeof CANCEL, id: number, reason: unknown]
  | [typeof DROP | typeof CLOSE, id: number]
  | [typeof CONNECT, id: 0, connection: Connection]
  | [typeof CREDIT, id: number, count: number];

type Answer =
  | [typeof RETURNED, id: number, index: number, value: unknown]
  | [
    typeof FAILED,
    id: number,
    index: number,
    failure: Omit<ItemFailure, "cause" | "item">,
    Failure | undefined,
  ]
  | [typeof MESSAGE | typeof YIELDED, id: number, value: unknown]
  | [typeof ASSIGNED, id: number, worker: string | undefined];

/** A unit that was sent to the process that has made the pool. */
interface Sent {
  unit: Unit;
  /** The task that has submitted the unit. */
  task: CurrentTask | undefined;
  /** Whether the unit was given to a worker. */
  isAssigned: boolean;
  /** For each item, 1 once it has an outcome. */
  outcomes: Uint8Array;
}

/** Sends a message without waiting; throws if the pipe is full. */
function trySend(end: Endpoint, message: unknown, transfer: readonly object[] = []): void {
  end.trySend(message, transfer)?.onTimeout();
}

/** Runs units in the process that has made the pool. */
export class RemoteExecutor implements Executor {
  /** Kept, because a connection that nothing refers to is closed. */
  readonly connection: Connection;
  readonly #end: Endpoint;
  readonly size: number;
  readonly #units = new SafeMap<number, Sent>();
  readonly #ids = new SafeMap<Unit, number>();
  readonly #known = new SafeSet<number>();
  readonly #changes = new Changes();
  #next = 0;
  #isOver = false;
  readonly waiting = 0;
  readonly broken: BrokenPoolError | undefined = undefined;

  constructor(connection: Connection, size: number) {
    this.connection = connection;
    this.#end = endpointOf(connection);
    this.#end.beInternal();
    this.size = size;
    this.#listen();
  }

  submit(unit: Unit): void {
    if (this.#isOver) throw gone();
    const id = this.#next++, { call } = unit;
    const isNew = !this.#known.has(call.id);
    const { priority, timeLimit, retries, name, transfer } = unit.options;
    const submitted: Submitted = {
      type: unit.type,
      functionId: call.id,
      travel: isNew ? call.travel : undefined,
      functionName: call.name,
      isSpread: unit.isSpread,
      first: unit.first,
      items: unit.items,
      options: { priority, timeLimit, retries, name },
    };
    try {
      trySend(this.#end, [SUBMIT, id, submitted] satisfies Request, transfer);
    } catch (error) {
      if (this.connection.closed) throw gone();
      return queueMicrotask(() => failUnsent(unit, placed(error, unit, true)));
    }
    this.#known.add(call.id);
    const task = unit.submitter ?? currentTask(), outcomes = new Uint8Array(unit.items.length);
    this.#units.set(id, { unit, task, isAssigned: false, outcomes });
    this.#ids.set(unit, id);
    if (this.#units.size === 1) keepAlive();
    if (task !== undefined) countNestedWait(task, 1);
  }

  settled(unit: Unit): void {
    const id = this.#ids.get(unit);
    if (id === undefined) return;
    this.#ids.delete(unit);
    const { task } = this.#units.get(id)!;
    this.#units.delete(id);
    if (this.#units.size === 0) letExit();
    if (task !== undefined) countNestedWait(task, -1);
    this.#changes.changed();
  }

  cancel(unit: Unit, reason: unknown): void {
    unit.drop();
    const id = this.#ids.get(unit);
    if (id !== undefined) this.#tell([CANCEL, id, sendableReason(reason)]);
  }

  drop(units: readonly Unit[]): Unit[] {
    for (const unit of each(units)) {
      unit.drop();
      this.#request(DROP, unit);
    }
    return listOf(units);
  }

  isRunning(unit: Unit): boolean {
    const id = this.#ids.get(unit);
    return id !== undefined && this.#units.get(id)!.isAssigned;
  }

  credit(unit: Unit, count: number): void {
    const id = this.#ids.get(unit);
    if (id !== undefined) this.#tell([CREDIT, id, count]);
  }

  closeStream(unit: Unit): boolean {
    this.#request(CLOSE, unit);
    return this.#ids.has(unit);
  }

  #request(type: typeof DROP | typeof CLOSE, unit: Unit): void {
    const id = this.#ids.get(unit);
    if (id !== undefined) this.#tell([type, id]);
  }

  /** Sends a request that has no answer of its own. */
  #tell(request: Request): void {
    if (this.#isOver) return;
    try {
      trySend(this.#end, request);
    } catch {
      // The end of the process that has made the pool is noticed where its answers are received.
    }
  }

  /** Connects another process with the one that has made the pool; returns that process's end. */
  connect(): Connection {
    if (this.#isOver) throw gone();
    const { 0: here, 1: there } = Pipe();
    trySend(this.#end, [CONNECT, 0, here] satisfies Request);
    return there;
  }

  until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    return this.#changes.until(isSo, signal);
  }

  async #listen(): Promise<void> {
    const receiving = this.#end.receiving();
    receiving.eventcount.isQuiet = true;
    try {
      for (;;) this.#hear(await eventually(receiving) as Answer);
    } catch (error) {
      this.#isOver = true;
      if (!(error instanceof EOFError) && !this.connection.closed) {
        console.error("An answer of a pool can't be read, so its tasks end here:", error);
        this.connection.close();
      }
      this.#loseAll();
    }
  }

  #hear(answer: Answer): void {
    const found = this.#units.get(answer[1]);
    if (found === undefined || found.unit.isDropped) return;
    const { client, first, items } = found.unit;
    switch (answer[0]) {
      case RETURNED:
        found.outcomes[answer[2] - first] = 1;
        return client.returned(answer[2], answer[3]);
      case FAILED: {
        const { 2: index, 3: failure, 4: cause } = answer;
        const item = items[index - first];
        found.outcomes[index - first] = 1;
        return client.failed(index, {
          ...failure,
          cause: cause === undefined ? undefined : recreateFailure(cause),
          item,
        });
      }
      case MESSAGE:
        return client.message?.(answer[2]);
      case YIELDED:
        return client.yielded?.(answer[2]);
      case ASSIGNED:
        found.isAssigned = true;
        return client.assigned?.(answer[2]);
    }
  }

  /** Fails all units: the process that has made the pool is gone. */
  #loseAll(): void {
    for (const { unit, outcomes } of each(listOf(this.#units.values()))) {
      for (let i = 0; i < unit.items.length; i++) {
        if (outcomes[i] === 1 || unit.isDropped) continue;
        unit.client.failed(unit.first + i, {
          how: "ended",
          cause: gone(),
          exitCode: 1,
          limit: undefined,
          worker: undefined,
          attempts: 0,
          item: unit.items[i],
        });
      }
    }
    this.#changes.changed();
  }
}

function gone(): InvalidStateError {
  return new InvalidStateError(
    "The pool was closed, or the process that has made it has ended. Use it before that.",
  );
}

/** The answer for an item whose result can't be sent. */
function unsent(id: number, index: number, error: unknown): Answer {
  const failure = { how: "threw", exitCode: 1, limit: undefined, worker: undefined, attempts: 1 };
  return [
    FAILED,
    id,
    index,
    failure as Omit<ItemFailure, "cause" | "item">,
    describeFailure(error),
  ];
}

/** The side of the process that has made the pool: runs the units of one process that was handed it. */
export class RemoteClient {
  readonly #connection: Connection;
  readonly #end: Endpoint;
  readonly #executor: Executor;
  readonly #functions: FunctionTable;
  readonly #takeIds: (count: number) => number;
  readonly #ended: () => void;
  readonly #connect: (connection: Connection) => void;
  #isOver = false;
  readonly #units = new SafeMap<number, { unit: Unit; left: number }>();
  readonly #registered = new SafeMap<number, Registered>();

  constructor(
    connection: Connection,
    executor: Executor,
    functions: FunctionTable,
    takeIds: (count: number) => number,
    ended: () => void,
    connect: (connection: Connection) => void,
  ) {
    this.#connection = connection;
    this.#end = endpointOf(connection);
    this.#end.beInternal();
    this.#executor = executor;
    this.#functions = functions;
    this.#takeIds = takeIds;
    this.#ended = ended;
    this.#connect = connect;
    this.#listen();
  }

  /** Ends the units of that process, and accepts no more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.close();
    for (const { unit } of each(listOf(this.#units.values()))) this.#giveUp(unit);
    this.#units.clear();
    this.#ended();
  }

  async #listen(): Promise<void> {
    const receiving = this.#end.receiving();
    receiving.eventcount.isQuiet = true;
    try {
      for (;;) this.#hear(await eventually(receiving) as Request);
    } catch {
      // That process has ended, or its end was closed: its units have no client any more.
      this.close();
    }
  }

  #hear(request: Request): void {
    const id = request[1];
    if (request[0] === SUBMIT) return this.#submit(id, request[2]);
    if (request[0] === CONNECT) return this.#connect(request[2]);
    const unit = this.#units.get(id)?.unit;
    if (unit === undefined) return;
    switch (request[0]) {
      case CANCEL:
        this.#units.delete(id);
        return this.#giveUp(unit, request[2]);
      case DROP: {
        let back = 0;
        for (const { items } of each(this.#executor.drop([unit]))) back += items.length;
        return this.#settle(id, back);
      }
      case CREDIT:
        return this.#executor.credit(unit, request[2]);
      case CLOSE:
        if (!this.#executor.closeStream(unit)) {
          this.#units.delete(id);
          this.#giveUp(unit);
        }
    }
  }

  #giveUp(unit: Unit, reason?: unknown): void {
    this.#executor.cancel(unit, reason);
    this.#executor.settled(unit);
  }

  #submit(id: number, submitted: Submitted): void {
    const { functionId, travel, functionName, options, ...rest } = submitted;
    if (travel !== undefined) {
      this.#registered.set(functionId, this.#functions.add(travel, functionName));
    }
    const call = this.#registered.get(functionId)!;
    const answer = (message: Answer) => this.#answer(message);
    const unit: Unit = new Unit({
      ...rest,
      call,
      id: this.#takeIds(rest.items.length),
      options: { ...options, transfer: [] },
      client: {
        returned: (index, value) => {
          answer([RETURNED, id, index, value]);
          this.#settle(id, 1);
        },
        failed: (index, { cause, item: _, ...failure }) => {
          answer([
            FAILED,
            id,
            index,
            failure,
            cause === undefined ? undefined : describeFailure(cause),
          ]);
          this.#settle(id, 1);
        },
        message: (value) => answer([MESSAGE, id, value]),
        yielded: (value) => answer([YIELDED, id, value]),
        assigned: (worker) => answer([ASSIGNED, id, worker]),
      },
    });
    this.#units.set(id, { unit, left: unit.items.length });
    this.#executor.submit(unit);
  }

  /** Sends an answer; an outcome that can't be sent becomes a failure that tells why. */
  #answer(message: Answer): void {
    try {
      trySend(this.#end, message);
    } catch (error) {
      // The end of that process is noticed where its requests are received.
      if (error instanceof BrokenPipeError || this.#isOver) return;
      if (message[0] === RETURNED) this.#answer(unsent(message[1], message[2], error));
      else if (message[0] === YIELDED) this.#endStream(message[1], error);
      // Without an outcome, that process would wait for ever.
      else if (message[0] === FAILED) this.close();
    }
  }

  /** Ends a generator, one of whose values can't be sent. */
  #endStream(id: number, error: unknown): void {
    const unit = this.#units.get(id)?.unit;
    if (unit === undefined) return;
    this.#units.delete(id);
    this.#giveUp(unit);
    this.#answer(unsent(id, unit.first, error));
  }

  #settle(id: number, count: number): void {
    const found = this.#units.get(id);
    if (found === undefined) return;
    found.left -= count;
    if (found.left > 0) return;
    this.#units.delete(id);
    this.#executor.settled(found.unit);
  }
}
