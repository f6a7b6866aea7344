// The broker of the process table: the host is the broker between the table and the processes with permissions of
// their own that it runs (privilege separation: Provos, Friedl & Honeyman). This is the host's side of their broker
// channels (lib/liveness/brokered_table.ts). The host polls all channels now and then and checks every request.
// However often a process asks, one poll takes some microseconds.

import {
  BrokerChannel,
  type BrokerRequest,
  PROCESSES,
  REAP,
  REMOVE,
  REPARENT,
} from "../liveness/brokered_table.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import type { ProcessTable, Ref } from "../liveness/process_table.ts";
import { addChore, recheckEverywhere, removeChore } from "../wait/eventcount.ts";
import * as primordials from "../platform/primordials.ts";

const { clearInterval, Deno, each, listOf, SafeMap, SafeSet, setInterval } = primordials;

/** The time from one poll to the next. */
const POLL_INTERVAL_MS = 50;
/** The most entries of the process table that a process may have at a time. */
const MAX_ENTRIES = 1024;
/** How many steps a chain of owners is followed. */
const MAX_DEPTH = 100;

const brokers = new SafeSet<TableBroker>();
let timer: ReturnType<typeof setInterval> | undefined;

function pollAll(): void {
  for (const broker of each(listOf(brokers))) broker.poll();
}

/** The broker of a process that runs here. */
export class TableBroker {
  readonly #channel: BrokerChannel;
  readonly #owner: Ref;
  readonly #table: ProcessTable = ownProcessTable();
  /** The generations of the entries that were made for the process, by index. */
  readonly #granted = new SafeMap<number, number>();

  constructor(shares: SharedArrayBuffer, owner: Ref) {
    this.#channel = new BrokerChannel(shares);
    this.#owner = owner;
    brokers.add(this);
    if (brokers.size === 1) {
      timer = setInterval(pollAll, POLL_INTERVAL_MS);
      Deno.unrefTimer(timer as unknown as number);
      addChore(pollAll);
    }
    this.poll();
  }

  /** Serves the requests of the process: at most as many as the channel holds, however fast new ones come. */
  poll(): void {
    let hasEnded = false;
    for (let left = BrokerChannel.REQUESTS; left > 0; left--) {
      const request = this.#channel.take();
      if (request === undefined) break;
      hasEnded = this.#serve(request) || hasEnded;
    }
    this.#channel.fill((kind) => this.#grant(kind));
    this.#channel.answer(this.#table);
    if (hasEnded) recheckEverywhere();
  }

  #grant(kind: number): Ref | undefined {
    if (this.#granted.size >= MAX_ENTRIES) return undefined;
    const ref = kind === PROCESSES
      ? this.#table.registerProcess("a process of a sandbox", this.#owner)
      : this.#table.register(this.#owner);
    this.#granted.set(ref.index, ref.generation);
    return ref;
  }

  /** Serves one request. Returns whether an entry was removed from the table. */
  #serve({ kind, ref, owner }: BrokerRequest): boolean {
    if (!this.#belongs(ref)) return false;
    if (kind === REPARENT) {
      if (!this.#table.isAlive(owner)) return false;
      withoutKill(() => this.#table.reparent(ref, owner));
      if (!this.#belongs(ref)) this.#granted.delete(ref.index);
      return false;
    }
    if (kind === REMOVE) this.#table.remove(ref);
    else if (kind === REAP) this.#table.reap(ref);
    else return false;
    this.#granted.delete(ref.index);
    return true;
  }

  /**
   * Whether an entry belongs to the process, directly or through other entries that do. False for the process
   * itself.
   */
  #belongs(ref: Ref): boolean {
    let at = ref;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (!this.#table.isAlive(at)) return false;
      const owner = this.#table.ownerOf(at);
      if (owner.index === this.#owner.index) return owner.generation === this.#owner.generation;
      if (owner.index === at.index) return false;
      at = owner;
    }
    return false;
  }

  /** Called once the process has ended, before the host removes the process's entries from the table. */
  close(): void {
    if (!brokers.has(this)) return;
    // The last requests of the process are served, too: they may give entries away.
    this.poll();
    brokers.delete(this);
    if (brokers.size > 0) return;
    clearInterval(timer);
    removeChore(pollAll);
  }
}
