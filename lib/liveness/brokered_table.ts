// The process table of a process that has permissions of its own. Such a process may be hostile, and so shares no
// table with others. The process has a broker channel: a few words of shared memory through which it asks its
// host, the broker. The host answers when it next reads the channel. Only the process itself waits for words of
// the channel; the host checks whatever the process writes there, so that wrong words hurt no other process.
//
//   GRANTS     entries of the table that the host has made for the process, to use as its own
//   WATCHES    entries of others: the process asks whether they are alive
//   REQUESTS   changes of entries that belong to the process: remove, reap, reparent
//
// Each slot of GRANTS and REQUESTS is written by one side and emptied by the other: single producer, single
// consumer (SPSC).

import { indexOfToken, markerOf, type ProcessTable, type Ref, tokenOf } from "./process_table.ts";
import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Int32Array, Number, performance, SafeMap, SharedArrayBuffer, splitText } =
  primordials;

/** The id of the table: two words. */
const ID = 0;
/** The pid that was given last. */
const NEXT_PID = 2;
const HEADER_WORDS = 16;
/** Kinds of entries: processes, and others. */
export const PROCESSES = 0, OTHERS = 1;
/** The numbers of slots of GRANTS, by kind: the slots of processes come first. */
export const GRANTS = [4, 28] as const;
const GRANT_WORDS = 2;
const WATCHES = 64, WATCH_WORDS = 6;
const REQUESTS = 64, REQUEST_WORDS = 5;

const GRANTS_AT = HEADER_WORDS;
const WATCHES_AT = GRANTS_AT + (GRANTS[0] + GRANTS[1]) * GRANT_WORDS;
const REQUESTS_AT = WATCHES_AT + WATCHES * WATCH_WORDS;
const WORDS = REQUESTS_AT + REQUESTS * REQUEST_WORDS;

/** Words of a grant. */
const INDEX = 0, GENERATION = 1;
/** Words of a watch: the question (an entry, a token or a marker), and the answer: the last asked one that was dead. */
const ASKED = 0, ASKED_INDEX = 1, ASKED_GENERATION = 2;
const DEAD = 3, DEAD_INDEX = 4, DEAD_GENERATION = 5;
const ENTRY = 1, TOKEN = 2, MARKER = 3;
/** Words of a request. */
const KIND = 0, OF_INDEX = 1, OF_GENERATION = 2, TO_INDEX = 3, TO_GENERATION = 4;
/** Values of KIND. */
export const REMOVE = 1, REAP = 2, REPARENT = 3;

/** The longest wait for the host, which reads the channel every 50 ms unless its thread is busy, and one sleep. */
const HOST_TIMEOUT_MS = 2000, SLEEP_MS = 5;
/** The longest chain of owners that is followed. */
const MAX_DEPTH = 100;

/** Pids of the children of such processes: far from other pids, and PIDS of them for each process. */
const FIRST_PID = 2 ** 29, PIDS = 2 ** 12;

/** Makes the shared memory of a broker channel, for a process in this table. */
export function newBrokerChannel(table: ProcessTable, pid: number): SharedArrayBuffer {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const { 0: id, 1: more } = splitText(table.id, ":");
  words[ID] = Number(id);
  words[ID + 1] = Number(more);
  words[NEXT_PID] = FIRST_PID + (pid % 2 ** 16) * PIDS;
  return words.buffer as SharedArrayBuffer;
}

/** A request as it was read; a hostile process may have written any numbers. */
export interface BrokerRequest {
  kind: number;
  ref: Ref;
  owner: Ref;
}

/** A broker channel as the host sees it. */
export class BrokerChannel {
  readonly #words: Int32Array;
  #next = 0;

  constructor(shares: SharedArrayBuffer) {
    this.#words = new Int32Array(shares, 0, WORDS);
  }

  /** Calls `make` for each empty slot of GRANTS, and writes the entry that it returns. */
  fill(make: (kind: number) => Ref | undefined): void {
    for (let slot = 0; slot < GRANTS[0] + GRANTS[1]; slot++) {
      const at = GRANTS_AT + slot * GRANT_WORDS;
      if (Atomics.load(this.#words, at + INDEX) !== 0) continue;
      const ref = make(slot < GRANTS[0] ? PROCESSES : OTHERS);
      if (ref === undefined) return;
      Atomics.store(this.#words, at + GENERATION, ref.generation);
      Atomics.store(this.#words, at + INDEX, ref.index);
      Atomics.notify(this.#words, at + INDEX);
    }
  }

  /** Takes the next request. */
  take(): BrokerRequest | undefined {
    const words = this.#words, at = REQUESTS_AT + this.#next * REQUEST_WORDS;
    const kind = Atomics.load(words, at + KIND);
    if (kind === 0) return undefined;
    const word = (offset: number) => Atomics.load(words, at + offset);
    const request = {
      kind,
      ref: { index: word(OF_INDEX), generation: word(OF_GENERATION) },
      owner: { index: word(TO_INDEX), generation: word(TO_GENERATION) },
    };
    Atomics.store(words, at + KIND, 0);
    Atomics.notify(words, at + KIND);
    this.#next = (this.#next + 1) % REQUESTS;
    return request;
  }

  /** Writes which of the watched entries and tokens are dead. */
  answer(table: ProcessTable): void {
    const words = this.#words;
    for (let slot = 0; slot < WATCHES; slot++) {
      const at = WATCHES_AT + slot * WATCH_WORDS;
      const asked = Atomics.load(words, at + ASKED);
      if (asked === 0) continue;
      const index = Atomics.load(words, at + ASKED_INDEX);
      const generation = Atomics.load(words, at + ASKED_GENERATION);
      const isAlive = asked === TOKEN
        ? table.isTokenAlive(index)
        : asked === MARKER
        ? table.isMarkerAlive(index)
        : table.isAlive({ index, generation });
      // A marker that had no live process may have one later.
      if (isAlive) {
        if (asked === MARKER) Atomics.compareExchange(words, at + DEAD, MARKER, 0);
        continue;
      }
      Atomics.store(words, at + DEAD, 0);
      Atomics.store(words, at + DEAD_GENERATION, generation);
      Atomics.store(words, at + DEAD_INDEX, index);
      Atomics.store(words, at + DEAD, asked);
    }
  }

  static readonly REQUESTS = REQUESTS;
}

/** An entry of the process's own, as the process knows it. */
interface Own {
  generation: number;
  owner: Ref;
  isAlive: boolean;
}

/** The process table as a process with a broker channel sees it. */
export class BrokeredProcessTable implements ProcessTable {
  readonly shares: undefined = undefined;
  readonly #words: Int32Array;
  readonly #self: Ref;
  readonly #name: string;
  readonly #own = new SafeMap<number, Own>();
  /** The slots of the watched entries and tokens. */
  readonly #watches = new SafeMap<string, number>();
  readonly #watched: (string | undefined)[] = [];
  #nextWatch = 0;
  #nextRequest = 0;
  /** Whether the process is in its last step. */
  #isLeaving = false;

  constructor(shares: SharedArrayBuffer, self: Ref, name: string) {
    this.#words = new Int32Array(shares, 0, WORDS);
    this.#self = self;
    this.#name = name;
  }

  get id(): string {
    return `${this.#words[ID]}:${this.#words[ID + 1]}`;
  }

  newPid(): number {
    return Atomics.add(this.#words, NEXT_PID, 1) + 1;
  }

  registerProcess(_name: string, owner: Ref = this.#self): Ref {
    return this.#take(PROCESSES, owner);
  }

  register(owner: Ref): Ref {
    return this.#take(OTHERS, owner);
  }

  #take(kind: number, owner: Ref): Ref {
    const words = this.#words, first = kind === PROCESSES ? 0 : GRANTS[0];
    const end = performance.now() + HOST_TIMEOUT_MS;
    for (;;) {
      for (let slot = first; slot < first + GRANTS[kind]; slot++) {
        const at = GRANTS_AT + slot * GRANT_WORDS;
        if (Atomics.load(words, at + INDEX) === 0) continue;
        const generation = Atomics.load(words, at + GENERATION);
        const index = Atomics.exchange(words, at + INDEX, 0);
        const ref = { index, generation };
        this.#own.set(index, { generation, owner, isAlive: true });
        if (owner !== this.#self) this.#request(REPARENT, ref, owner);
        return ref;
      }
      if (performance.now() >= end) break;
      Atomics.wait(words, GRANTS_AT + first * GRANT_WORDS + INDEX, 0, SLEEP_MS);
    }
    throw new InvalidStateError(
      "This process has permissions of its own, and has made more pipes or processes than its host has entered in " +
        "time, or may enter. Close those that are no longer needed, or start it with fewer to make.",
    );
  }

  #request(kind: number, ref: Ref, owner: Ref = ref): void {
    const words = this.#words, at = REQUESTS_AT + this.#nextRequest * REQUEST_WORDS;
    const end = performance.now() + HOST_TIMEOUT_MS;
    for (;;) {
      const before = Atomics.load(words, at + KIND);
      if (before === 0) break;
      // The host's thread is busy. The host removes the entries itself when this process has ended.
      if (performance.now() >= end) return;
      Atomics.wait(words, at + KIND, before, SLEEP_MS);
    }
    this.#nextRequest = (this.#nextRequest + 1) % REQUESTS;
    Atomics.store(words, at + OF_INDEX, ref.index);
    Atomics.store(words, at + OF_GENERATION, ref.generation);
    Atomics.store(words, at + TO_INDEX, owner.index);
    Atomics.store(words, at + TO_GENERATION, owner.generation);
    Atomics.store(words, at + KIND, kind);
  }

  remove(ref: Ref): void {
    const own = this.#ownOf(ref);
    if (own?.isAlive === false) return;
    if (own !== undefined) own.isAlive = false;
    // The host removes the entries, after it has noted how this process ended: otherwise a peer would take a pipe
    // end for closed that this process leaves open as it ends.
    if (this.#isLeaving) return;
    this.#request(REMOVE, ref);
  }

  reap(ref: Ref): void {
    // The host reaps this process itself, when it sees the end.
    if (isSame(ref, this.#self)) return;
    const own = this.#ownOf(ref);
    if (own?.isAlive === false) return;
    if (own !== undefined) own.isAlive = false;
    this.#request(REAP, ref);
  }

  reparent(ref: Ref, owner: Ref): void {
    const own = this.#ownOf(ref);
    if (own !== undefined) own.owner = owner;
    this.#request(REPARENT, ref, owner);
  }

  ownerOf(ref: Ref): Ref {
    return this.#ownOf(ref)?.owner ?? ref;
  }

  token(ref: Ref): number {
    return tokenOf(ref);
  }

  isTokenAlive(token: number): boolean {
    if (token === this.token(this.#self)) return true;
    const own = this.#own.get(indexOfToken(token));
    if (own !== undefined) {
      const ref = { index: indexOfToken(token), generation: own.generation };
      if (this.token(ref) === token) return this.isAlive(ref);
    }
    return !this.#isKnownDead(TOKEN, { index: token, generation: 0 });
  }

  isMarkerAlive(marker: number): boolean {
    if (marker === markerOf(this.#self)) return true;
    return !this.#isKnownDead(MARKER, { index: marker, generation: 0 });
  }

  /** A process with permissions of its own isn't told the names of other processes. */
  nameOf(token: number): string {
    return token === this.token(this.#self) ? this.#name : "another process";
  }

  knownNameOf(token: number): string | undefined {
    return this.nameOf(token);
  }

  lookUp(_token: number): { exitCode: undefined; host: undefined } {
    return { exitCode: undefined, host: undefined };
  }

  /** The host notes the exit code, and from now on also removes the entries of this process: see remove(). */
  noteExit(ref: Ref, _code: number): void {
    if (isSame(ref, this.#self)) this.#isLeaving = true;
  }

  processOf(_ref: Ref): undefined {
    return undefined;
  }

  isAlive(ref: Ref): boolean {
    let at = ref;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (isSame(at, this.#self)) return true;
      const own = this.#ownOf(at);
      // The entry belongs to another process, or was given to one: the host knows whether it is alive.
      if (own === undefined) return !this.#isKnownDead(ENTRY, ref);
      if (!own.isAlive) return false;
      at = own.owner;
    }
    return false;
  }

  #ownOf({ index, generation }: Ref): Own | undefined {
    const own = this.#own.get(index);
    return own?.generation === generation ? own : undefined;
  }

  #isKnownDead(kind: number, { index, generation }: Ref): boolean {
    const words = this.#words, key = `${kind}:${index}:${generation}`;
    let slot = this.#watches.get(key);
    if (slot === undefined) {
      slot = this.#nextWatch;
      this.#nextWatch = (slot + 1) % WATCHES;
      const before = this.#watched[slot];
      if (before !== undefined) this.#watches.delete(before);
      this.#watched[slot] = key;
      this.#watches.set(key, slot);
      const at = WATCHES_AT + slot * WATCH_WORDS;
      Atomics.store(words, at + ASKED, 0);
      Atomics.store(words, at + DEAD, 0);
      Atomics.store(words, at + ASKED_INDEX, index);
      Atomics.store(words, at + ASKED_GENERATION, generation);
      Atomics.store(words, at + ASKED, kind);
      return false;
    }
    const at = WATCHES_AT + slot * WATCH_WORDS;
    return Atomics.load(words, at + DEAD) === kind &&
      Atomics.load(words, at + DEAD_INDEX) === index &&
      Atomics.load(words, at + DEAD_GENERATION) === generation;
  }
}

function isSame(one: Ref, other: Ref): boolean {
  return one.index === other.index && one.generation === other.generation;
}
