// The process table of a process that has permissions of its own. Such a process may be hostile, and so shares no
// table with others. It has a desk, a few words of shared memory over which it asks its host, the broker; the host
// answers when it next looks. Nobody but the process itself waits for a word there; what the process writes is
// checked, and at most hurts the process.
//
//   GRANTS     entries of the table that the host has made for the process, to use as its own
//   WATCHES    entries of others of which the process wants to know whether they are alive
//   REQUESTS   what is to become of entries that belong to the process
//
// Each slot is written by one side and emptied by the other: single producer, single consumer.

import { indexOfToken, type ProcessTable, type Ref, tokenOf } from "./process_table.ts";
import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Int32Array, Number, performance, SafeMap, SharedArrayBuffer, splitText } =
  primordials;

/** Which table it is a part of: two words. */
const ID = 0;
/** Numbers for processes: the next one. */
const NEXT_PID = 2;
const HEADER_WORDS = 16;
/** Kinds of entries: processes, and others. */
export const PROCESSES = 0, OTHERS = 1;
/** Slots of GRANTS: those of processes first. */
export const GRANTS = [4, 28] as const;
const GRANT_WORDS = 2;
const WATCHES = 64, WATCH_WORDS = 5;
const REQUESTS = 64, REQUEST_WORDS = 5;

const GRANTS_AT = HEADER_WORDS;
const WATCHES_AT = GRANTS_AT + (GRANTS[0] + GRANTS[1]) * GRANT_WORDS;
const REQUESTS_AT = WATCHES_AT + WATCHES * WATCH_WORDS;
const WORDS = REQUESTS_AT + REQUESTS * REQUEST_WORDS;

/** Words of a grant. */
const INDEX = 0, GENERATION = 1;
/** Words of a watch: what is asked (an entry, or a token), and the answer: the last one that is dead. */
const ASKED = 0, ASKED_INDEX = 1, ASKED_GENERATION = 2, DEAD_INDEX = 3, DEAD_GENERATION = 4;
const ENTRY = 1, TOKEN = 2;
/** Words of a request. */
const KIND = 0, OF_INDEX = 1, OF_GENERATION = 2, TO_INDEX = 3, TO_GENERATION = 4;
/** What is asked for. */
export const REMOVE = 1, REAP = 2, REPARENT = 3;

/** In ms: the host looks every 50 ms, unless it computes without a pause. */
const PATIENCE = 2000, LOOK = 5;
/** Owners of owners are followed so far. */
const MAX_DEPTH = 100;

/** Numbers for what such processes start: far from those of others, and so many for each. */
const FIRST_PID = 2 ** 29, PIDS = 2 ** 12;

/** New shared memory of a desk, for a process in this table. */
export function newDesk(table: ProcessTable, pid: number): SharedArrayBuffer {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const { 0: id, 1: more } = splitText(table.id, ":");
  words[ID] = Number(id);
  words[ID + 1] = Number(more);
  words[NEXT_PID] = FIRST_PID + (pid % 2 ** 16) * PIDS;
  return words.buffer as SharedArrayBuffer;
}

/** What a request asks for; what is written there may be anything. */
export interface DeskRequest {
  kind: number;
  ref: Ref;
  owner: Ref;
}

/** A desk as the host sees it. */
export class HostDesk {
  readonly #words: Int32Array;
  #next = 0;

  constructor(shares: SharedArrayBuffer) {
    this.#words = new Int32Array(shares, 0, WORDS);
  }

  /** Calls `make` for each grant that is missing; puts down what that returns. */
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
  take(): DeskRequest | undefined {
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

  /** Says which of the watched are dead. */
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
        : table.isAlive({ index, generation });
      if (isAlive) continue;
      Atomics.store(words, at + DEAD_GENERATION, generation);
      Atomics.store(words, at + DEAD_INDEX, index);
    }
  }

  static readonly REQUESTS = REQUESTS;
}

/** One of its own entries, as the process knows it. */
interface Own {
  generation: number;
  owner: Ref;
  isAlive: boolean;
}

/** The table as a process sees it that has a desk. */
export class BrokeredProcessTable implements ProcessTable {
  readonly shares: undefined = undefined;
  readonly #words: Int32Array;
  readonly #self: Ref;
  readonly #name: string;
  readonly #own = new SafeMap<number, Own>();
  /** Which slot watches whom. */
  readonly #watches = new SafeMap<string, number>();
  readonly #watched: (string | undefined)[] = [];
  #nextWatch = 0;
  #nextRequest = 0;
  /** Whether it is in its last step. */
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
    const end = performance.now() + PATIENCE;
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
      Atomics.wait(words, GRANTS_AT + first * GRANT_WORDS + INDEX, 0, LOOK);
    }
    throw new InvalidStateError(
      "This process has permissions of its own, and has made more pipes or processes than its host has entered in " +
        "time, or may enter. Close those that are no longer needed, or start it with fewer to make.",
    );
  }

  #request(kind: number, ref: Ref, owner: Ref = ref): void {
    const words = this.#words, at = REQUESTS_AT + this.#nextRequest * REQUEST_WORDS;
    const end = performance.now() + PATIENCE;
    for (;;) {
      const before = Atomics.load(words, at + KIND);
      if (before === 0) break;
      // The host computes without a pause. It finds out when this process has ended.
      if (performance.now() >= end) return;
      Atomics.wait(words, at + KIND, before, LOOK);
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
    // The host first notes how this process ends: nobody takes an end for closed that its process left behind.
    if (this.#isLeaving) return;
    this.#request(REMOVE, ref);
  }

  reap(ref: Ref): void {
    // Itself: the host does that, when it sees the end.
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

  /** Names of others are no business of a process with permissions of its own. */
  nameOf(token: number): string {
    return token === this.token(this.#self) ? this.#name : "another process";
  }

  knownNameOf(token: number): string | undefined {
    return this.nameOf(token);
  }

  /** Its host notes that. The ends that this process closes from now on are struck off there, too. */
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
      // Somebody else's, or given to somebody: the host knows.
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
      Atomics.store(words, at + DEAD_INDEX, 0);
      Atomics.store(words, at + ASKED_INDEX, index);
      Atomics.store(words, at + ASKED_GENERATION, generation);
      Atomics.store(words, at + ASKED, kind);
      return false;
    }
    const at = WATCHES_AT + slot * WATCH_WORDS;
    return Atomics.load(words, at + DEAD_INDEX) === index &&
      Atomics.load(words, at + DEAD_GENERATION) === generation;
  }
}

function isSame(one: Ref, other: Ref): boolean {
  return one.index === other.index && one.generation === other.generation;
}
