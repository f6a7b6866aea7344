// The leases of a JoinableQueue: what its table of leases (lib/shm/lease_table.ts) holds, as items, and its dead
// letters. Whichever process next looks at the queue ends the leases of processes that have died.

import { InvalidStateError } from "../../errors.ts";
import { decode } from "../../codec/decode.ts";
import { type Encoder, freeEncoder } from "../../codec/encode.ts";
import { type LeasedRecord, LeaseTable, newLeaseTable } from "../../shm/lease_table.ts";
import { EMPTY, FULL } from "../../shm/mpmc_ring.ts";
import { LENGTH_BYTES, renewLent, type Scratch, taken, trimTaken } from "../../shm/scratch.ts";
import { checkAttempts } from "../../validate/corruption.ts";
import { DEFAULT_MAX_BYTES } from "../../validate/bounds.ts";
import { WAIT } from "../../wait/eventcount.ts";
import type { Operation } from "../../wait/operation.ts";
import { GET } from "../../wait/subject.ts";
import type { DeadLetter } from "../contract.ts";
import { type Lease, SharedLease } from "./lease.ts";
import {
  isWorthAnotherTry,
  type LeasesContent,
  shutDownError,
  Store,
  type StoreContent,
  type StoreLeases,
  throwEmpty,
} from "./store.ts";
import * as primordials from "../../platform/primordials.ts";

const { ArrayPrototypeShift, Math, TypeError } = primordials;

/** One process's view of the leases of a queue. */
export class Leases<T> implements StoreLeases {
  readonly #store: Store<T>;
  readonly #table: LeaseTable;
  /** The most leases of one item; 0 for no bound. */
  readonly attempts: number;
  /** The dead letters: items that have come back from their last attempt. */
  readonly dead: Store<DeadLetter<T>>;
  /** Leases whose items could not be decoded, because the stack was too full: the next leases return them. */
  readonly #kept: LeasedRecord[] = [];
  /** Leases an item, when there is one. */
  readonly lease: Operation<Lease<T>>;

  private constructor(store: Store<T>, { table, attempts, dead }: LeasesContent) {
    this.#store = store;
    this.#table = new LeaseTable(table, store.ring);
    this.attempts = attempts;
    this.dead = Store.arrived(dead);
    this.dead.source = this;
    this.lease = {
      eventcount: store.notEmpty,
      attempt: () => this.#tryLease(),
      onTimeout: throwEmpty,
      subject: store,
      verb: GET,
    };
  }

  /** The leases of a store, which are made when they are first asked for. */
  static of<T>(store: Store<T>): Leases<T> {
    if (store.leases !== undefined) return store.leases as Leases<T>;
    const { attempts, ring: { maxBytes } } = store;
    const dead = Store.make(0, Math.max(maxBytes, DEFAULT_MAX_BYTES), undefined).content;
    const content = { table: newLeaseTable(maxBytes, attempts), attempts, dead };
    const leases = new Leases(store, content);
    store.leases = leases;
    return leases;
  }

  /** The store of a joinable queue, in another process. */
  static arrived<T>(content: StoreContent): Store<T> {
    const store = Store.arrived<T>(content), { leases } = content;
    if (typeof leases !== "object" || leases === null) throw forged();
    store.attempts = leases.attempts;
    store.leases = new Leases(store, leases);
    return store;
  }

  get content(): LeasesContent {
    return { table: this.#table.shares, attempts: this.attempts, dead: this.dead.content };
  }

  get storeContent(): StoreContent {
    return this.#store.content;
  }

  census(): { ready: number; leased: number; dying: number } {
    const census = this.#table.census();
    census.ready += this.#kept.length;
    census.leased -= Math.min(census.leased, this.#kept.length);
    return census;
  }

  get figures(): { ready: number; leased: number; dead: number } {
    const { ready, leased } = this.census();
    return { ready, leased, dead: this.dead.size };
  }

  get isReady(): boolean {
    return this.#kept.length > 0 || this.#table.isReady;
  }

  get mayComeBack(): boolean {
    return this.#table.mayComeBack;
  }

  tryTake(into: Scratch): number {
    return this.#store.ring.isLeasing ? this.#take(false, into) : EMPTY;
  }

  #take(asLease: boolean, into: Scratch): number {
    const table = this.#table;
    if (this.#store.ring.isEmpty && !table.isReady) {
      this.settle();
      return EMPTY;
    }
    const length = table.take(asLease, into);
    try {
      this.#tell();
    } catch (error) {
      // An item that was taken goes to the caller; who looks next writes the letters.
      if (length < 0) throw error;
    }
    return length;
  }

  #tryLease(): Lease<T> | typeof WAIT {
    const store = this.#store, table = this.#table, kept = this.#kept;
    store.checkOpen();
    if (table.place === undefined) throw noMember();
    const shut = store.ring.isShut;
    let record = kept[0];
    if (record === undefined) {
      const length = this.#take(true, taken);
      if (length === EMPTY) {
        if (shut && !this.mayComeBack) throw shutDownError("is empty");
        return WAIT;
      }
      record = table.leased;
    }
    try {
      if (kept.length === 0) {
        if (record.attempt === 1) store.recordGot();
        store.madeRoom(1);
      }
      renewLent(taken);
      table.read(record, taken);
      const item = decode(taken.bytes, LENGTH_BYTES, record.length) as T;
      trimTaken();
      if (kept.length > 0) ArrayPrototypeShift(kept);
      return new SharedLease(item, record.attempt, (isDone) => this.#end(record, isDone));
    } catch (error) {
      if (kept[0] !== record) kept[kept.length] = record; // no call: there may be no room for one
      if (isWorthAnotherTry(error)) throw error;
      ArrayPrototypeShift(kept);
      this.#end(record, false);
      throw error;
    }
  }

  #end(record: LeasedRecord, isDone: boolean): boolean {
    const had = isDone ? this.#table.finish(record) : this.#table.giveBack(record);
    try {
      if (isDone) this.#tellFinished();
      this.#tell();
    } catch (error) {
      // The lease has ended all the same; who looks next writes the letters.
      if (!had) throw error;
    }
    return had;
  }

  settle(): boolean {
    const table = this.#table;
    if (!table.isReapable) return false;
    table.reap();
    this.#tellFinished();
    this.#tell();
    return true;
  }

  drop(): void {
    this.#table.drop();
    const kept = this.#kept;
    while (kept.length > 0) this.#end(ArrayPrototypeShift(kept) as LeasedRecord, false);
  }

  /** Wakes getters for the items that have come back, and writes the letters that are due. */
  #tell(): void {
    const table = this.#table, count = table.cameBack;
    if (count > 0) {
      table.cameBack = 0;
      this.#store.notEmpty.notify(count);
    }
    if (table.hasDying) this.#writeLetters();
  }

  /** Wakes those that wait until all is finished, and gets that wait whether an item comes back. */
  #tellFinished(): void {
    const { ring, allDone, notEmpty } = this.#store;
    if (ring.unfinished <= 0) allDone.notify(Infinity);
    if (ring.isShut) notEmpty.notify(Infinity);
  }

  /** Writes the items that have come back from their last attempt to the dead letters. */
  #writeLetters(): void {
    const table = this.#table, { ring, notEmpty } = this.dead;
    for (let letters = 0; table.hasDying; letters++) {
      checkAttempts(letters, "queue");
      renewLent(taken);
      const record = table.readDying(ring, taken);
      if (record === undefined) break;
      const encoder = freeEncoder();
      const length = this.#encodeLetter(record, encoder);
      const letter = length < 0 ? undefined : encoder;
      if (table.bury(record, ring, letter, length) === FULL) break;
      encoder.trim();
      notEmpty.notify(1);
    }
    this.#tellFinished();
  }

  /** Encodes the letter about the record that was read; -1 if its bytes are no item. */
  #encodeLetter({ attempt, length }: LeasedRecord, encoder: Encoder): number {
    let item: unknown;
    try {
      item = decode(taken.bytes, LENGTH_BYTES, length);
      trimTaken();
    } catch (error) {
      if (isWorthAnotherTry(error)) throw error;
      return -1;
    }
    return encoder.encode({ item, attempts: attempt }, LENGTH_BYTES, "item");
  }
}

function noMember(): InvalidStateError {
  return new InvalidStateError(
    "This worker is no process of the program that made the queue, and so nobody would learn of its end. " +
      "Start it as a Process, or get items without a lease.",
  );
}

function forged(): TypeError {
  return new TypeError("What has arrived is no joinable queue: somebody has forged it.");
}
