// The process table in shared memory.
//
// Words of an entry: GENERATION counts up when the entry is taken (odd: taken) and when it is removed
// (even: free). OWNER is twice the owner's number, and one bit: which of the two words OWNER_GENERATION is
// the owner's, so that the one store to OWNER changes both. NEXT links the free entries, a queue: they are
// taken again in the order in which they became free, and not before there are MANY. EXIT is the exit code
// of a process, written before the process is removed: 0 while there is none, a code from 0 up as one more.
// NAME is a length and the beginning of the name's UTF-8. EXIT and NAME stay after the end, for messages.
// Entries of processes have even numbers, other entries odd ones.
//
// Entries are registered and removed under LOCK. Only the owner of an entry, or the code that hands the entry on,
// changes the owner. A reader that finds the owner of an entry dead reads the owner again: if the owner has
// changed, the reader starts anew.
//
// A process that ends between any two stores under LOCK leaves a list of free entries with as many as
// FREE says, or more, and at worst one entry that is never taken again. An entry that was being registered
// isn't in the table; an entry that was being removed is gone, because the first store alone removes it.

import { arrivedMemory } from "../validate/corruption.ts";
import { Mutex } from "./mutex.ts";
import {
  firstOfMarker,
  indexOfToken,
  isOfGeneration,
  MARKED_ENTRIES,
  markerOf,
  type ProcessEntry,
  type ProcessTable,
  type Ref,
  tokenOf,
} from "./process_table.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  crypto,
  decodeText,
  encodeText,
  Int32Array,
  Math,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

/**
 * Pids of started processes are larger than this. An operating system gives no pid so large (Linux at most
 * 2 ** 22), so Deno.kill and the like find no process. The pids stay below 2 ** 31, from where on Deno takes a
 * pid for another (2.9.6).
 */
const LAST_SYSTEM_PID = 2 ** 30;

// Header words of the table: the lock, the last pid, and a random number as the table's id. (An object can't be
// the id: shared memory that arrives twice is two objects.)
const LOCK = 0, LAST_PID = 1, ID = 2, ID_TOO = 3;
// For processes and, in the word after each, for other entries: the first and the last free entry (0: none), the
// number of free entries and the number of entries that were ever used.
const FIRST_FREE = 4, LAST_FREE = 6, FREE = 8, USED = 10;
const HEADER_WORDS = 16;
const GENERATION = 0, OWNER = 1, OWNER_GENERATION = 2, NEXT = 4, EXIT = 5, NAME = 6;
const ENTRY_WORDS = 16, NAME_BYTES = 4 * (ENTRY_WORDS - NAME);
/** There must be this many free entries before one is taken again. */
const MANY = 1024;
/** The value of OWNER for an entry without an owner. */
const NOBODY = 0;

const FIRST_BYTES = 4096, MAX_BYTES = 2 ** 28;
/** The longest chain of owners. Pipe ends that are on their way through each other form a cycle: they are lost. */
const MAX_DEPTH = 1000;

/** The UTF-8 of a name, or of as much of its beginning as there is room for. */
function beginningOf(name: string): Uint8Array {
  const encoded = encodeText(name);
  if (encoded.length < NAME_BYTES) return encoded;
  const mark = encodeText("…");
  let end = NAME_BYTES - 1 - mark.length;
  // The cut must not be in the middle of a character.
  while ((encoded[end] & 0xc0) === 0x80) end--;
  const cut = new Uint8Array(end + mark.length);
  TypedArrayPrototypeSet(cut, TypedArrayPrototypeSubarray(encoded, 0, end));
  TypedArrayPrototypeSet(cut, mark, end);
  return cut;
}

/** One isolate's view of a process table in shared memory. */
export class SharedProcessTable implements ProcessTable {
  readonly shares: SharedArrayBuffer;
  readonly #lock: Mutex;
  #words: Int32Array;

  constructor(shares: SharedArrayBuffer) {
    this.shares = arrivedMemory(shares, FIRST_BYTES);
    this.#words = new Int32Array(shares, 0, shares.byteLength >> 2);
    this.#lock = new Mutex(this.#words, LOCK);
  }

  /** Makes a table in new shared memory. */
  static make(): SharedProcessTable {
    const table = new SharedProcessTable(
      new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: MAX_BYTES }),
    );
    const words = table.#words;
    words[LAST_PID] = LAST_SYSTEM_PID;
    crypto.getRandomValues(TypedArrayPrototypeSubarray(words, ID, ID_TOO + 1));
    return table;
  }

  get id(): string {
    return `${this.#words[ID]}:${this.#words[ID_TOO]}`;
  }

  newPid(): number {
    return Atomics.add(this.#words, LAST_PID, 1) + 1;
  }

  /**
   * The index of an entry's first word. The view is renewed where the entry lies beyond it. For a number that
   * no entry can have, the result is the index of the first entry, which is never taken.
   */
  #at(index: number): number {
    const at = HEADER_WORDS + index * ENTRY_WORDS;
    if (at >= this.#words.length) {
      this.#words = new Int32Array(this.shares, 0, this.shares.byteLength >> 2);
    }
    return index >>> 0 === index && at < this.#words.length ? at : HEADER_WORDS;
  }

  /** The largest number an entry can have. */
  get #lastIndex(): number {
    return Math.floor(((this.shares.byteLength >> 2) - HEADER_WORDS) / ENTRY_WORDS) - 1;
  }

  registerProcess(name: string, owner?: Ref): Ref {
    const encoded = beginningOf(name);
    return this.#register(0, owner, (at) => {
      Atomics.store(this.#words, at + EXIT, 0);
      const bytes = new Uint8Array(this.shares, (at + NAME) * 4, NAME_BYTES);
      bytes[0] = encoded.length;
      TypedArrayPrototypeSet(bytes, encoded, 1);
    });
  }

  register(owner: Ref): Ref {
    return this.#register(1, owner);
  }

  /** @param kind 0 for processes, 1 for other entries */
  #register(kind: number, owner: Ref | undefined, describe?: (at: number) => void): Ref {
    let ref: Ref | undefined;
    this.#lock.withLockNoKill(() => {
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

  remove({ index, generation }: Ref): void {
    const at = this.#at(index);
    if (Atomics.load(this.#words, at + GENERATION) !== generation) return;
    this.#lock.withLockNoKill(() => this.#remove(at, index, generation));
  }

  reap(owner: Ref): void {
    this.#lock.withLockNoKill(() => {
      this.#remove(this.#at(owner.index), owner.index, owner.generation);
      let left = MAX_DEPTH;
      while (this.#removeOrphaned(0) + this.#removeOrphaned(1) > 0 && left > 0) left--;
    });
  }

  /** Under LOCK: removes the orphaned entries of a kind, and returns how many there were. */
  #removeOrphaned(kind: number): number {
    let count = 0;
    const most = Math.min(2 * Atomics.load(this.#words, USED + kind) + kind, this.#lastIndex);
    for (let index = 2 + kind; index <= most; index += 2) {
      const at = this.#at(index);
      const generation = Atomics.load(this.#words, at + GENERATION);
      if ((generation & 1) === 0) continue;
      const owner = Atomics.load(this.#words, at + OWNER);
      if (owner === NOBODY) continue;
      const ownerGeneration = Atomics.load(this.#words, at + OWNER_GENERATION + (owner & 1));
      const ownerAt = this.#at(owner >>> 1);
      if (Atomics.load(this.#words, ownerAt + GENERATION) === ownerGeneration) continue;
      // The entry may be given another owner at this moment.
      if (Atomics.load(this.#words, at + OWNER) !== owner) continue;
      if (Atomics.load(this.#words, at + OWNER_GENERATION + (owner & 1)) !== ownerGeneration) {
        continue;
      }
      this.#remove(at, index, generation);
      count++;
    }
    return count;
  }

  /** Under LOCK: removes an entry, if it is of this generation, and appends it to the free entries. */
  #remove(at: number, index: number, generation: number): void {
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

  token(ref: Ref): number {
    return tokenOf(ref);
  }

  isTokenAlive(token: number): boolean {
    const at = this.#at(indexOfToken(token));
    const generation = Atomics.load(this.#words, at + GENERATION);
    return (generation & 1) === 1 && isOfGeneration(token, generation);
  }

  isMarkerAlive(marker: number): boolean {
    const most = Math.min(2 * Atomics.load(this.#words, USED), this.#lastIndex);
    for (let index = firstOfMarker(marker); index <= most; index += 2 * MARKED_ENTRIES) {
      const at = this.#at(index), generation = Atomics.load(this.#words, at + GENERATION);
      const ref = { index, generation };
      if ((generation & 1) === 1 && markerOf(ref) === marker && this.isAlive(ref)) return true;
    }
    return false;
  }

  nameOf(token: number): string {
    return this.knownNameOf(token) ?? "A process";
  }

  knownNameOf(token: number): string | undefined {
    const at = this.#at(indexOfToken(token));
    const generation = Atomics.load(this.#words, at + GENERATION);
    // The generation is even, and larger by one, once the process was removed.
    const taken = (generation & 1) === 1 ? generation : generation - 1;
    if (generation === 0 || !isOfGeneration(token, taken)) return undefined;
    return this.#nameAt(at);
  }

  #nameAt(at: number): string {
    const bytes = TypedArrayPrototypeSlice(
      new Uint8Array(this.shares, (at + NAME) * 4, NAME_BYTES),
    );
    return decodeText(TypedArrayPrototypeSubarray(bytes, 1, 1 + bytes[0]));
  }

  lookUp(token: number): { exitCode: number | undefined; host: number | undefined } {
    const index = indexOfToken(token), at = this.#at(index), words = this.#words;
    const unknown = { exitCode: undefined, host: undefined };
    if (this.knownNameOf(token) === undefined) return unknown;
    const code = Atomics.load(words, at + EXIT), owner = Atomics.load(words, at + OWNER);
    const generation = Atomics.load(words, at + OWNER_GENERATION + (owner & 1));
    return {
      exitCode: code > 0 ? code - 1 : code < 0 ? code : undefined,
      host: owner === NOBODY ? undefined : tokenOf({ index: owner >>> 1, generation }),
    };
  }

  noteExit({ index, generation }: Ref, code: number): void {
    const at = this.#at(index);
    if (Atomics.load(this.#words, at + GENERATION) !== generation) return;
    Atomics.compareExchange(this.#words, at + EXIT, 0, code < 0 ? code : code + 1);
  }

  processOf({ index, generation }: Ref): ProcessEntry | undefined {
    for (let left = MAX_DEPTH; left > 0; left--) {
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

  reparent(ref: Ref, owner: Ref): void {
    const at = this.#at(ref.index), words = this.#words;
    if (Atomics.load(words, at + GENERATION) !== ref.generation) return;
    const other = (Atomics.load(words, at + OWNER) & 1) ^ 1;
    Atomics.store(words, at + OWNER_GENERATION + other, owner.generation);
    Atomics.store(words, at + OWNER, owner.index << 1 | other);
  }

  ownerOf(ref: Ref): Ref {
    const at = this.#at(ref.index), words = this.#words;
    const owner = Atomics.load(words, at + OWNER);
    if (owner === NOBODY) return ref;
    const generation = Atomics.load(words, at + OWNER_GENERATION + (owner & 1));
    return { index: owner >>> 1, generation };
  }

  isAlive(ref: Ref): boolean {
    return this.#isAlive(ref.index, ref.generation, 0);
  }

  #isAlive(index: number, generation: number, depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
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
