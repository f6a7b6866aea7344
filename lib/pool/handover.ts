// A pool in the hands of other processes: each gets a connection to the process that has made the pool.

import type { Connection } from "../pipe/connection.ts";
import { Pipe } from "../pipe/pipe.ts";
import type { Ref } from "../liveness/process_table.ts";
import { moved, serialize, type Serialized } from "../transfer/transferable.ts";
import type { FunctionTable } from "./functions.ts";
import { RemoteClient, RemoteExecutor } from "./remote.ts";
import type { Scheduler } from "./scheduler.ts";
import * as primordials from "../platform/primordials.ts";

const { each, listOf, SafeSet } = primordials;

/** Connects other processes with a pool. */
export class Handover {
  readonly #executor: Scheduler | RemoteExecutor;
  readonly #functions: FunctionTable;
  readonly #takeIds: (count: number) => number;
  readonly #clients = new SafeSet<RemoteClient>();
  /** The end that goes with a message, until it has moved: here it would be closed once nothing refers to it. */
  #leaving: Connection | undefined;

  constructor(
    executor: Scheduler | RemoteExecutor,
    functions: FunctionTable,
    takeIds: (count: number) => number,
  ) {
    this.#executor = executor;
    this.#functions = functions;
    this.#takeIds = takeIds;
  }

  /** The end of a new connection to the process that has made the pool, for another process. */
  serialize(): Serialized {
    this.#leaving = this.#executor instanceof RemoteExecutor
      ? this.#executor.connect()
      : this.#connect(this.#executor);
    return this.#leaving[serialize]();
  }

  #connect(scheduler: Scheduler): Connection {
    const { 0: here, 1: there } = Pipe();
    this.#serve(here, scheduler);
    return there;
  }

  #serve(connection: Connection, scheduler: Scheduler): void {
    const client: RemoteClient = new RemoteClient(
      connection,
      scheduler,
      this.#functions,
      this.#takeIds,
      () => this.#clients.delete(client),
      (connection) => this.#serve(connection, scheduler),
    );
    this.#clients.add(client);
  }

  /** The end of the last connection belongs to its new owner. */
  moved(owner: Ref, how: string): void {
    this.#leaving?.[moved](owner, how);
    this.#leaving = undefined;
  }

  /** Ends all connections, and the units of those processes. */
  end(): void {
    for (const client of each(listOf(this.#clients))) client.close();
  }
}
