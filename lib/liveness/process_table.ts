// The process table: which processes and which ends of pipes of the program are alive. Every process can read
// the table at any time, also with a blocked thread, and needs no message for that.
//
// Each process and each end of a pipe has an entry. The owner of an entry is another entry, or none: an end of
// a pipe belongs to a process, and while the end is on its way through another pipe, to the end that will receive
// it; a process belongs to the process whose isolate runs its worker. An entry whose owner was removed is
// orphaned. So an entry is alive as long as it is in the table and its owner, if it has one, is alive: one store
// ends a process with everything it owns, directly or through what it hosts.
//
// There are two implementations: shared_table.ts is in memory that all processes write; brokered_table.ts is
// for processes that may be hostile, and asks the host.

/** A reference to an entry. A Ref never means the later process or pipe end that has the same entry. */
export interface Ref {
  readonly index: number;
  readonly generation: number;
}

/** A process as the table describes it. */
export interface ProcessEntry {
  index: number;
  name: string;
  isAlive: boolean;
  /** Undefined while the process is alive, or where the code is unknown. */
  exitCode: number | undefined;
}

/** The process table, as a process reads and changes it. */
export interface ProcessTable {
  /** The shared memory of the table; none where a process has to ask its host. */
  readonly shares: SharedArrayBuffer | undefined;
  /** Distinguishes the tables of different programs. */
  readonly id: string;
  /** A pid that no process of the program has had. */
  newPid(): number;
  /** Registers a process. Without an owner, it is alive until it is removed. */
  registerProcess(name: string, owner?: Ref): Ref;
  /** Registers an end of a pipe, which belongs to an owner. */
  register(owner: Ref): Ref;
  /** Removes an entry, if it is still in the table. */
  remove(ref: Ref): void;
  /** Removes a process and everything it owns, directly or through what it hosts. */
  reap(owner: Ref): void;
  /** Gives an entry another owner. Called in a critical section, by the owner or by the code that hands it on. */
  reparent(ref: Ref, owner: Ref): void;
  /** The owner of an entry; the entry itself if it has none. */
  ownerOf(ref: Ref): Ref;
  /** Whether an entry is in the table, and isn't orphaned. */
  isAlive(ref: Ref): boolean;
  /** The token of a process: a number of at most 30 bits, not 0, which the words of locks hold. */
  token(ref: Ref): number;
  /** Whether the process of a token is alive. */
  isTokenAlive(token: number): boolean;
  /** Whether a process with this marker is alive. */
  isMarkerAlive(marker: number): boolean;
  /** The name of the process of a token, for messages. */
  nameOf(token: number): string;
  /** The name of the process of a token; undefined if another process has taken its entry after its end. */
  knownNameOf(token: number): string | undefined;
  /** The exit code of the process of a token, and the token of the process that runs it; undefined where unknown. */
  lookUp(token: number): { exitCode: number | undefined; host: number | undefined };
  /** Notes how a process ends, before it is removed; the first note counts. */
  noteExit(ref: Ref, code: number): void;
  /** The process that has or last had an entry, or whose pipe end has it; undefined if that is no longer known. */
  processOf(ref: Ref): ProcessEntry | undefined;
}

// A token is the number of a process's entry, and the lowest 14 bits of the number of processes that have taken
// the entry: after 16,384 others in the same entry a token might mean another process, until that process ends.
const GENERATION_BITS = 14, GENERATION = (1 << GENERATION_BITS) - 1;

/** The token of a process; entries of processes have even numbers. */
export function tokenOf({ index, generation }: Ref): number {
  return (index >> 1) << GENERATION_BITS | generation >> 1 & GENERATION;
}

/** The number of the entry that a token names. */
export function indexOfToken(token: number): number {
  return (token >> GENERATION_BITS) * 2;
}

/** Whether a token names the process that took an entry as this generation. */
export function isOfGeneration(token: number, generation: number): boolean {
  return (generation >> 1 & GENERATION) === (token & GENERATION);
}

// A marker stands for a process where there is room for 16 bits only, the upper ones of a word: the highest bit, and
// the lowest bits of the number of the process's entry and of its generation. Several processes can have the same
// marker, so a marker without a live process is certain to be of a process that has ended.
const MARKED_GENERATIONS = 6, MARKED_NUMBERS = 9, HIGHEST = 1 << 31;

/** Every so many entries of processes have the same number in their markers. */
export const MARKED_ENTRIES = 1 << MARKED_NUMBERS;

/** The marker of a process. */
export function markerOf({ index, generation }: Ref): number {
  const number = index >> 1 & (MARKED_ENTRIES - 1);
  const of = generation >> 1 & ((1 << MARKED_GENERATIONS) - 1);
  return HIGHEST | (number << MARKED_GENERATIONS | of) << 16;
}

/** The number of the first entry whose process can have a marker. */
export function firstOfMarker(marker: number): number {
  return (marker >>> (16 + MARKED_GENERATIONS) & (MARKED_ENTRIES - 1)) * 2;
}

/** Whether a marker was made from an entry of a process table. */
export function isOfEntry(marker: number): boolean {
  return marker < 0;
}
