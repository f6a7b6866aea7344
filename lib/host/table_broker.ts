// What a host does with the desks (lib/liveness/brokered_table.ts) of the processes it runs that have permissions of their own: it
// looks at all of them, now and then, and checks what it is asked for. However often a process asks, a look takes some
// microseconds.

import {
  type DeskRequest,
  HostDesk,
  PROCESSES,
  REAP,
  REMOVE,
  REPARENT,
} from "../liveness/brokered_table.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownRoster } from "../liveness/membership.ts";
import type { ProcessTable, Ref } from "../liveness/process_table.ts";
import { addChore, recheckEverywhere, removeChore } from "../wait/eventcount.ts";
import * as primordials from "../platform/primordials.ts";

const { clearInterval, Deno, each, listOf, SafeMap, SafeSet, setInterval } = primordials;

/** In ms. */
const LOOK = 50;
/** Entries that a process may have at a time. */
const MAX_ENTRIES = 1024;
/** Owners of owners are followed so far. */
const MAX_DEPTH = 100;

const desks = new SafeSet<ServedDesk>();
let timer: ReturnType<typeof setInterval> | undefined;

function lookAtAll(): void {
  for (const desk of each(listOf(desks))) desk.look();
}

/** The desk of a process that runs here. */
export class ServedDesk {
  readonly #desk: HostDesk;
  readonly #owner: Ref;
  readonly #table: ProcessTable = ownRoster();
  /** What was entered for it, by index. */
  readonly #granted = new SafeMap<number, number>();

  constructor(shares: SharedArrayBuffer, owner: Ref) {
    this.#desk = new HostDesk(shares);
    this.#owner = owner;
    desks.add(this);
    if (desks.size === 1) {
      timer = setInterval(lookAtAll, LOOK);
      Deno.unrefTimer(timer as unknown as number);
      addChore(lookAtAll);
    }
    this.look();
  }

  /** Does what the process has asked for, and no more of it at once than there is room to ask. */
  look(): void {
    let hasEnded = false;
    for (let left = HostDesk.REQUESTS; left > 0; left--) {
      const request = this.#desk.take();
      if (request === undefined) break;
      hasEnded = this.#serve(request) || hasEnded;
    }
    this.#desk.fill((kind) => this.#grant(kind));
    this.#desk.answer(this.#table);
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

  /** Whether somebody has ended. */
  #serve({ kind, ref, owner }: DeskRequest): boolean {
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

  /** Whether an entry is the process's, directly or through others that are; not the process itself. */
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

  /** Called once the process has ended, before its host removes what it has from the table. */
  close(): void {
    if (!desks.has(this)) return;
    // What it has asked for at the end: to give away what it had, perhaps.
    this.look();
    desks.delete(this);
    if (desks.size > 0) return;
    clearInterval(timer);
    removeChore(lookAtAll);
  }
}
