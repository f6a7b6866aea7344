// The roster: who is alive, of those in the program whose end others must learn of: processes, and
// the ends of pipes. Everybody can look, also with its thread blocked, and nobody need have heard
// of anything.
//
// An entry is there for each of them. Its owner is another entry, or none: an end of a pipe
// belongs to a process, and while it is on its way through another pipe, to the end that will
// receive it. Who owns something that is struck off has lost it, so alive is who stands in the
// roster and whose owner, if any, is alive.
//
// Words of an entry: GENERATION counts up when somebody takes it (odd: taken) and when he is
// struck off (even: free), so that a Ref of one generation never means a later one. OWNER and
// OWNER_GENERATION name the owner. NEXT links the free entries.
//
// Taking and striking off are done under LOCK. Only who has an entry, or who hands it on, changes its
// owner, in three stores: MOVING first, which counts as alive. A reader that finds an owner dead
// reads again which owner it was: if that has changed it starts anew.

import { critically } from "./mutex.ts";

// Words of the whole: the lock, the first free entry (0: none), how many were ever used, the last
// pid, and a random number, because shared memory that arrives twice is two objects.
const LOCK = 0, FREE = 1, USED = 2, LAST_PID = 3, ID = 4, ID_TOO = 5;
const HEADER_WORDS = 16;
const GENERATION = 0, OWNER = 1, OWNER_GENERATION = 2, NEXT = 3;
const ENTRY_WORDS = 4;
/** Values of OWNER that aren't entries. */
const NOBODY = 0, MOVING = -1;

const FIRST_BYTES = 4096, MOST_BYTES = 2 ** 28;
/** Things that are in each other's way for ever form a ring: nobody can receive them any more. */
const DEEPEST = 64;

/** One who is, or was, in the roster. */
export interface Ref {
  readonly index: number;
  readonly generation: number;
}

/** One isolate's view of a roster. */
export class Roster {
  readonly shares: SharedArrayBuffer;
  #words: Int32Array;

  constructor(shares: SharedArrayBuffer) {
    this.shares = shares;
    this.#words = new Int32Array(shares, 0, shares.byteLength >> 2);
  }

  /** New shared memory. */
  static make(): Roster {
    const roster = new Roster(
      new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: MOST_BYTES }),
    );
    const words = roster.#words;
    words[LAST_PID] = Deno.pid;
    crypto.getRandomValues(words.subarray(ID, ID_TOO + 1));
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

  /** Where an entry begins; its words may lie beyond what this view has seen so far. */
  #at(index: number): number {
    const at = HEADER_WORDS + index * ENTRY_WORDS;
    if (at >= this.#words.length) {
      this.#words = new Int32Array(this.shares, 0, this.shares.byteLength >> 2);
    }
    return at;
  }

  /** Enters somebody new; without an owner, alive until struck off. */
  enroll(owner?: Ref): Ref {
    let ref: Ref | undefined;
    critically(this.#words, LOCK, () => {
      let index = Atomics.load(this.#words, FREE);
      const isNew = index === 0;
      if (isNew) {
        index = Atomics.load(this.#words, USED) + 1;
        const needed = (HEADER_WORDS + (index + 1) * ENTRY_WORDS) * 4;
        if (needed > this.shares.byteLength) this.shares.grow(2 * this.shares.byteLength);
      }
      const at = this.#at(index), words = this.#words;
      const generation = (Atomics.load(words, at + GENERATION) + 1) | 0;
      Atomics.store(words, at + OWNER, owner?.index ?? NOBODY);
      Atomics.store(words, at + OWNER_GENERATION, owner?.generation ?? 0);
      if (isNew) Atomics.store(words, USED, index);
      else Atomics.store(words, FREE, Atomics.load(words, at + NEXT));
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

  /** Strikes off a process, and what it has. */
  strikeAll(owner: Ref): void {
    critically(this.#words, LOCK, () => {
      const used = Atomics.load(this.#words, USED);
      for (let index = 1; index <= used; index++) {
        const at = this.#at(index), words = this.#words;
        if (
          Atomics.load(words, at + OWNER) === owner.index &&
          Atomics.load(words, at + OWNER_GENERATION) === owner.generation
        ) this.#strike(at, index, Atomics.load(words, at + GENERATION));
      }
      this.#strike(this.#at(owner.index), owner.index, owner.generation);
    });
  }

  /** Under LOCK. */
  #strike(at: number, index: number, generation: number): void {
    const words = this.#words;
    if ((generation & 1) === 0 || Atomics.load(words, at + GENERATION) !== generation) return;
    Atomics.store(words, at + GENERATION, (generation + 1) | 0);
    Atomics.store(words, at + NEXT, Atomics.load(words, FREE));
    Atomics.store(words, FREE, index);
  }

  /** Gives an entry another owner; in a critical section, by who has it or hands it on. */
  entrust(ref: Ref, owner: Ref): void {
    const at = this.#at(ref.index), words = this.#words;
    if (Atomics.load(words, at + GENERATION) !== ref.generation) return;
    Atomics.store(words, at + OWNER, MOVING);
    Atomics.store(words, at + OWNER_GENERATION, owner.generation);
    Atomics.store(words, at + OWNER, owner.index);
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
      if (owner === NOBODY || owner === MOVING) return true;
      const ownerGeneration = Atomics.load(words, at + OWNER_GENERATION);
      if (this.#isAlive(owner, ownerGeneration, depth + 1)) return true;
      if (
        Atomics.load(words, at + OWNER) === owner &&
        Atomics.load(words, at + OWNER_GENERATION) === ownerGeneration
      ) return false;
    }
  }
}

/** A roster, and who in it this isolate is. */
export interface Place {
  roster: Roster;
  self: Ref;
}

/** In the global scope, because a second copy of this package in the isolate must use the same. */
const OWN = Symbol.for("@multiproc/multiprocessing/roster");
const global: typeof globalThis & { [OWN]?: Place } = globalThis;

/** Made at the first need: a worker that this library did not start may be told of its maker's. */
function ownPlace(): Place {
  return global[OWN] ??= newPlace();
}

function newPlace(): Place {
  const roster = Roster.make();
  return { roster, self: roster.enroll() };
}

/** The roster of the program this isolate belongs to. */
export function ownRoster(): Roster {
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

/** Rosters of other programs: of one who gave this isolate something after it had its own. */
const foreign = new Map<string, Place>();

/** This isolate's place in the roster of which these are the words, if it has one. */
export function placeIn(shares: SharedArrayBuffer): Place | undefined {
  const { id } = new Roster(shares);
  const own = global[OWN];
  return own?.roster.id === id ? own : foreign.get(id);
}

/**
 * Takes a place in somebody's roster: as its own, if this isolate has none yet. If it is in that
 * roster already, it stays who it was.
 */
export function takePlace(shares: SharedArrayBuffer, self: Ref): Place {
  const known = placeIn(shares);
  if (known !== undefined) return known;
  const place = { roster: new Roster(shares), self };
  if (global[OWN] === undefined) global[OWN] = place;
  else foreign.set(place.roster.id, place);
  return place;
}
