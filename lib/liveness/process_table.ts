// The roster: who is alive, of those in the program whose end others must learn of: processes, and
// the ends of pipes. Everybody can look, also with its thread blocked, and nobody need have heard
// of anything.
//
// An entry is there for each of them. Its owner is another entry, or none: an end of a pipe
// belongs to a process, and while it is on its way through another pipe, to the end that will
// receive it; a process belongs to the one whose isolate runs its worker. What belongs to somebody
// who is struck off is lost, so alive is who stands in the roster and whose owner, if any, is alive.
//
// Words of an entry: GENERATION counts up when somebody takes it (odd: taken) and when he is
// struck off (even: free), so that a Ref of one generation never means a later one. OWNER is twice the
// owner's number, and one bit: which of the two words OWNER_GENERATION is the owner's, so that the one
// store to OWNER changes both. NEXT links the free entries, which are taken again in the order they
// became free, and not before there are MANY. EXIT is the exit code of a process, written before it is
// struck off: 0 while there is none, a code from 0 up as one more. Then comes a name: a length and the
// beginning of its UTF-8. Both stay after the end, for messages. Entries of processes have even numbers, others odd ones.
//
// Who holds a lock is written into one word, as a token: the number of his entry and 14 bits of its
// generation. After 16,384 others in the same entry a token might mean another, until that one ends.
//
// Taking and striking off are done under LOCK. Only who has an entry, or who hands it on, changes its
// owner. A reader that finds an owner dead reads again which owner it was: if that has changed it starts
// anew.
//
// A process that ends between any two stores under LOCK leaves the list of free entries with as many as
// FREE says, or more, and at worst an entry that nobody takes again. What it was entering isn't there;
// what it was striking off is gone, for that is one store, the first.

import { arrivedMemory } from "../validate/corruption.ts";
import { DeskTable } from "./brokered_table.ts";
import { critically } from "./mutex.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  crypto,
  decodeText,
  encodeText,
  Int32Array,
  Math,
  SafeMap,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  Symbol,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

/**
 * Pids of started processes are above: an operating system gives none so large (Linux at most 2 ** 22), so
 * that Deno.kill and the like find no process, and they stay below 2 ** 31, where Deno takes a pid for
 * another (2.9.6).
 */
const LAST_SYSTEM_PID = 2 ** 30;

// Words of the whole: the lock, the last pid, and a random number, because shared memory that
// arrives twice is two objects.
const LOCK = 0, LAST_PID = 1, ID = 2, ID_TOO = 3;
// For processes and, one after each, for others: the first and the last free entry (0: none), how
// many are free and how many were ever used.
const FIRST_FREE = 4, LAST_FREE = 6, FREE = 8, USED = 10;
const HEADER_WORDS = 16;
const GENERATION = 0, OWNER = 1, OWNER_GENERATION = 2, NEXT = 4, EXIT = 5, NAME = 6;
const ENTRY_WORDS = 16, NAME_BYTES = 4 * (ENTRY_WORDS - NAME);
/** So many free entries there must be before one is taken again. */
const MANY = 1024;
const GENERATION_BITS = 14;
/** The value of OWNER that is no entry. */
const NOBODY = 0;

const FIRST_BYTES = 4096, MOST_BYTES = 2 ** 28;
/** Things that are in each other's way for ever form a ring: nobody can receive them any more. */
const DEEPEST = 1000;

/** One who is, or was, in the roster. */
export interface Ref {
  readonly index: number;
  readonly generation: number;
}

/** What there is to tell of a process. */
export interface ProcessEntry {
  index: number;
  name: string;
  isAlive: boolean;
  /** Undefined while it lives, or where nobody knows. */
  exitCode: number | undefined;
}

/** The UTF-8 of a name, or of its beginning, as far as there is room. */
function beginningOf(name: string): Uint8Array {
  const encoded = encodeText(name);
  if (encoded.length < NAME_BYTES) return encoded;
  const mark = encodeText("…");
  let end = NAME_BYTES - 1 - mark.length;
  // Not in the middle of a character.
  while ((encoded[end] & 0xc0) === 0x80) end--;
  const cut = new Uint8Array(end + mark.length);
  TypedArrayPrototypeSet(cut, TypedArrayPrototypeSubarray(encoded, 0, end));
  TypedArrayPrototypeSet(cut, mark, end);
  return cut;
}

/** Who is alive, as a process can see and change it: in shared memory, or over a desk (brokered_table.ts). */
export interface ProcessTable {
  /** The shared memory of the roster; none where a process has only a desk. */
  readonly shares: SharedArrayBuffer | undefined;
  readonly id: string;
  newPid(): number;
  enrollProcess(name: string, owner?: Ref): Ref;
  enroll(owner: Ref): Ref;
  strike(ref: Ref): void;
  strikeAll(owner: Ref): void;
  token(ref: Ref): number;
  isTokenAlive(token: number): boolean;
  nameOf(token: number): string;
  knownNameOf(token: number): string | undefined;
  noteExit(ref: Ref, code: number): void;
  processOf(ref: Ref): ProcessEntry | undefined;
  entrust(ref: Ref, owner: Ref): void;
  ownerOf(ref: Ref): Ref;
  isAlive(ref: Ref): boolean;
}

/** One isolate's view of a roster. */
export class Roster implements ProcessTable {
  readonly shares: SharedArrayBuffer;
  #words: Int32Array;

  constructor(shares: SharedArrayBuffer) {
    this.shares = arrivedMemory(shares, FIRST_BYTES);
    this.#words = new Int32Array(shares, 0, shares.byteLength >> 2);
  }

  /** New shared memory. */
  static make(): Roster {
    const roster = new Roster(
      new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: MOST_BYTES }),
    );
    const words = roster.#words;
    words[LAST_PID] = LAST_SYSTEM_PID;
    crypto.getRandomValues(TypedArrayPrototypeSubarray(words, ID, ID_TOO + 1));
    return roster;
  }

  /** Tells rosters apart. */
  get id(): string {
    return `${this.#words[ID]}:${this.#words[ID_TOO]}`;
  }

  /** A pid nobody in the program has had. */
  newPid(): number {
    return Atomics.add(this.#words, LAST_PID, 1) + 1;
  }

  /**
   * Where an entry begins; its words may lie beyond what this view has seen so far. Of one that can't
   * be, where the first begins, which is nobody's.
   */
  #at(index: number): number {
    const at = HEADER_WORDS + index * ENTRY_WORDS;
    if (at >= this.#words.length) {
      this.#words = new Int32Array(this.shares, 0, this.shares.byteLength >> 2);
    }
    return index >>> 0 === index && at < this.#words.length ? at : HEADER_WORDS;
  }

  /** The largest number an entry can have. */
  get #last(): number {
    return Math.floor(((this.shares.byteLength >> 2) - HEADER_WORDS) / ENTRY_WORDS) - 1;
  }

  /** Enters a process; without an owner, alive until struck off. */
  enrollProcess(name: string, owner?: Ref): Ref {
    const encoded = beginningOf(name);
    return this.#enroll(0, owner, (at) => {
      Atomics.store(this.#words, at + EXIT, 0);
      const bytes = new Uint8Array(this.shares, (at + NAME) * 4, NAME_BYTES);
      bytes[0] = encoded.length;
      TypedArrayPrototypeSet(bytes, encoded, 1);
    });
  }

  /** Enters something that belongs to somebody. */
  enroll(owner: Ref): Ref {
    return this.#enroll(1, owner);
  }

  /** @param kind 0 for processes, 1 for others */
  #enroll(kind: number, owner: Ref | undefined, describe?: (at: number) => void): Ref {
    let ref: Ref | undefined;
    critically(this.#words, LOCK, () => {
      const used = Atomics.load(this.#words, USED + kind);
      const isNew = Atomics.load(this.#words, FREE + kind) < MANY;
      const index = isNew ? 2 * (used + 1) + kind : Atomics.load(this.#words, FIRST_FREE + kind);
      const needed = (HEADER_WORDS + (index + 1) * ENTRY_WORDS) * 4;
      if (needed > this.shares.byteLength) {
        SharedArrayBufferPrototypeGrow(this.shares, 2 * this.shares.byteLength);
      }
      const at = this.#at(index), words = this.#words;
      const generation = (Atomics.load(words, at + GENERATION) + 1) | 0;
      Atomics.store(words, at + OWNER_GENERATION, owner?.generation ?? 0);
      Atomics.store(words, at + OWNER, (owner?.index ?? NOBODY) << 1);
      describe?.(at);
      if (isNew) Atomics.store(words, USED + kind, used + 1);
      else {
        Atomics.sub(words, FREE + kind, 1);
        Atomics.store(words, FIRST_FREE + kind, Atomics.load(words, at + NEXT));
      }
      Atomics.store(words, at + GENERATION, generation);
      ref = { index, generation };
    });
    return ref!;
  }

  /** Strikes somebody off, if he is still in the roster. */
  strike({ index, generation }: Ref): void {
    const at = this.#at(index);
    if (Atomics.load(this.#words, at + GENERATION) !== generation) return;
    critically(this.#words, LOCK, () => this.#strike(at, index, generation));
  }

  /** Strikes off a process, and what belongs to it: also what is on its way to it, and what it runs has. */
  strikeAll(owner: Ref): void {
    critically(this.#words, LOCK, () => {
      this.#strike(this.#at(owner.index), owner.index, owner.generation);
      let left = DEEPEST;
      while (this.#strikeLost(0) + this.#strikeLost(1) > 0 && left > 0) left--;
    });
  }

  /** Under LOCK: strikes off whose owner is struck off; how many there were. */
  #strikeLost(kind: number): number {
    let count = 0;
    const most = Math.min(2 * Atomics.load(this.#words, USED + kind) + kind, this.#last);
    for (let index = 2 + kind; index <= most; index += 2) {
      const at = this.#at(index);
      const generation = Atomics.load(this.#words, at + GENERATION);
      if ((generation & 1) === 0) continue;
      const owner = Atomics.load(this.#words, at + OWNER);
      if (owner === NOBODY) continue;
      const ownerGeneration = Atomics.load(this.#words, at + OWNER_GENERATION + (owner & 1));
      const ownerAt = this.#at(owner >>> 1);
      if (Atomics.load(this.#words, ownerAt + GENERATION) === ownerGeneration) continue;
      // It may be changing hands just now.
      if (Atomics.load(this.#words, at + OWNER) !== owner) continue;
      if (Atomics.load(this.#words, at + OWNER_GENERATION + (owner & 1)) !== ownerGeneration) {
        continue;
      }
      this.#strike(at, index, generation);
      count++;
    }
    return count;
  }

  /** Under LOCK. */
  #strike(at: number, index: number, generation: number): void {
    const words = this.#words;
    if ((generation & 1) === 0 || Atomics.load(words, at + GENERATION) !== generation) return;
    Atomics.store(words, at + GENERATION, (generation + 1) | 0);
    const kind = index & 1;
    const last = this.#at(Atomics.load(words, LAST_FREE + kind));
    if (Atomics.load(words, FREE + kind) === 0) Atomics.store(words, FIRST_FREE + kind, index);
    else Atomics.store(this.#words, last + NEXT, index);
    Atomics.store(words, LAST_FREE + kind, index);
    Atomics.add(words, FREE + kind, 1);
  }

  /** A process as one word of at most 30 bits, not 0. */
  token({ index, generation }: Ref): number {
    return (index >> 1) << GENERATION_BITS | shortened(generation);
  }

  /** Whether the process of a token is alive. */
  isTokenAlive(token: number): boolean {
    const at = this.#at((token >> GENERATION_BITS) * 2);
    const generation = Atomics.load(this.#words, at + GENERATION);
    return (generation & 1) === 1 && shortened(generation) === (token & MOST_SHORTENED);
  }

  /** The name of the process of a token, in messages. */
  nameOf(token: number): string {
    return this.knownNameOf(token) ?? "A process";
  }

  /** The name of the process of a token; undefined if its entry was taken by another after its end. */
  knownNameOf(token: number): string | undefined {
    const at = this.#at((token >> GENERATION_BITS) * 2);
    const generation = Atomics.load(this.#words, at + GENERATION);
    // It is even, and one more, once the process is struck off.
    const taken = (generation & 1) === 1 ? generation : generation - 1;
    if (generation === 0 || shortened(taken) !== (token & MOST_SHORTENED)) return undefined;
    return this.#nameAt(at);
  }

  #nameAt(at: number): string {
    const bytes = TypedArrayPrototypeSlice(
      new Uint8Array(this.shares, (at + NAME) * 4, NAME_BYTES),
    );
    return decodeText(TypedArrayPrototypeSubarray(bytes, 1, 1 + bytes[0]));
  }

  /** Notes how a process ends, before it is struck off; the first note counts. */
  noteExit({ index, generation }: Ref, code: number): void {
    const at = this.#at(index);
    if (Atomics.load(this.#words, at + GENERATION) !== generation) return;
    Atomics.compareExchange(this.#words, at + EXIT, 0, code < 0 ? code : code + 1);
  }

  /** The process that has an entry, or had it last; undefined if that can't be told any more. */
  processOf({ index, generation }: Ref): ProcessEntry | undefined {
    for (let left = DEEPEST; left > 0; left--) {
      const at = this.#at(index), now = Atomics.load(this.#words, at + GENERATION);
      if (now !== generation && now !== ((generation + 1) | 0)) return undefined;
      if ((index & 1) === 0) {
        const code = Atomics.load(this.#words, at + EXIT);
        const exitCode = code > 0 ? code - 1 : code < 0 ? code : undefined;
        const isAlive = exitCode === undefined && this.isAlive({ index, generation });
        return { index, name: this.#nameAt(at), isAlive, exitCode };
      }
      const owner = Atomics.load(this.#words, at + OWNER);
      if (owner === NOBODY) return undefined;
      generation = Atomics.load(this.#words, at + OWNER_GENERATION + (owner & 1));
      index = owner >>> 1;
    }
  }

  /** Gives an entry another owner; in a critical section, by who has it or hands it on. */
  entrust(ref: Ref, owner: Ref): void {
    const at = this.#at(ref.index), words = this.#words;
    if (Atomics.load(words, at + GENERATION) !== ref.generation) return;
    const other = (Atomics.load(words, at + OWNER) & 1) ^ 1;
    Atomics.store(words, at + OWNER_GENERATION + other, owner.generation);
    Atomics.store(words, at + OWNER, owner.index << 1 | other);
  }

  /** The owner of an entry; itself if it has none. */
  ownerOf(ref: Ref): Ref {
    const at = this.#at(ref.index), words = this.#words;
    const owner = Atomics.load(words, at + OWNER);
    if (owner === NOBODY) return ref;
    const generation = Atomics.load(words, at + OWNER_GENERATION + (owner & 1));
    return { index: owner >>> 1, generation };
  }

  /** Whether somebody is in the roster and not lost. */
  isAlive(ref: Ref): boolean {
    return this.#isAlive(ref.index, ref.generation, 0);
  }

  #isAlive(index: number, generation: number, depth: number): boolean {
    if (depth > DEEPEST) return false;
    const at = this.#at(index), words = this.#words;
    for (;;) {
      if (Atomics.load(words, at + GENERATION) !== generation) return false;
      const owner = Atomics.load(words, at + OWNER);
      if (owner === NOBODY) return true;
      const ownerGeneration = Atomics.load(words, at + OWNER_GENERATION + (owner & 1));
      if (this.#isAlive(owner >>> 1, ownerGeneration, depth + 1)) return true;
      if (
        Atomics.load(words, at + OWNER) === owner &&
        Atomics.load(words, at + OWNER_GENERATION + (owner & 1)) === ownerGeneration
      ) return false;
    }
  }
}

const MOST_SHORTENED = (1 << GENERATION_BITS) - 1;

/** Which taking of the entry it is, in 14 bits. */
function shortened(generation: number): number {
  return generation >> 1 & MOST_SHORTENED;
}

/** A roster, and who in it this isolate is. */
export interface Place {
  roster: ProcessTable;
  self: Ref;
}

/** In the global scope, because a second copy of this package in the isolate must use the same. */
const OWN = Symbol.for("@multiproc/multiprocessing/roster");
const global: typeof globalThis & { [OWN]?: Place } = globalThis;

/** Of a process with a desk: nobody else in its isolate is to have it. */
let hidden: Place | undefined;

/** Made at the first need: a worker that this library did not start may be told of its maker's. */
function ownPlace(): Place {
  return hidden ?? (global[OWN] ??= newPlace());
}

function newPlace(): Place {
  const roster = Roster.make();
  return { roster, self: roster.enrollProcess("MainProcess") };
}

/** The roster of the program this isolate belongs to. */
export function ownRoster(): ProcessTable {
  return ownPlace().roster;
}

/** Who this isolate is in the roster of its program. */
export function ownRef(): Ref {
  return ownPlace().self;
}

/** Called once, first of all, where somebody else has entered this isolate in a roster. */
export function adoptPlace(shares: SharedArrayBuffer, self: Ref): void {
  global[OWN] = { roster: new Roster(shares), self };
}

/** As adoptPlace(), in a process that has a desk. */
export function adoptDesk(desk: SharedArrayBuffer, self: Ref, name: string): void {
  hidden = { roster: new DeskTable(desk, self, name), self };
}

/** Rosters of other programs: of one who gave this isolate something after it had its own. */
const foreign = new SafeMap<string, Place>();

/** This isolate's place in the roster with this id, if it has one. */
export function placeIn(id: string): Place | undefined {
  const own = hidden ?? global[OWN];
  return own?.roster.id === id ? own : foreign.get(id);
}

/**
 * Takes a place in somebody's roster: as its own, if this isolate has none yet. If it is in that
 * roster already, it stays who it was.
 */
export function takePlace(shares: SharedArrayBuffer, self: Ref): Place {
  const known = placeIn(new Roster(shares).id);
  if (known !== undefined) return known;
  const place = { roster: new Roster(shares), self };
  if (hidden === undefined && global[OWN] === undefined) global[OWN] = place;
  else foreign.set(place.roster.id, place);
  return place;
}
