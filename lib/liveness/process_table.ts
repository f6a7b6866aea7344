// The process table: which of those in the program are alive whose end others must learn of: processes,
// and the ends of pipes. Everybody can look, also with a blocked thread, and nobody need have heard of
// anything.
//
// An entry stands for each of them. Its owner is another entry, or none: an end of a pipe belongs to a
// process, and while it is on its way through another pipe, to the end that will receive it; a process
// belongs to the one whose isolate runs its worker. An entry whose owner was removed is orphaned. So an
// entry is alive as long as it stands in the table and its owner, if it has one, is alive: one store ends
// a process with everything that belongs to it, directly or through what it hosts.
//
// There are two of them: shared_table.ts lies in memory that all processes write; brokered_table.ts is for
// processes that may be hostile, and asks the host.

/** Names an entry: a Ref of one generation never means what later has the same entry. */
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

/** Which processes are alive, as a process can see and change it. */
export interface ProcessTable {
  /** The shared memory of the table; none where a process has to ask its host. */
  readonly shares: SharedArrayBuffer | undefined;
  /** Tells the tables of programs apart. */
  readonly id: string;
  /** A pid that nobody in the program has had. */
  newPid(): number;
  /** Registers a process; without an owner, alive until it is removed. */
  registerProcess(name: string, owner?: Ref): Ref;
  /** Registers something that belongs to an owner. */
  register(owner: Ref): Ref;
  /** Removes an entry, if it still stands in the table. */
  remove(ref: Ref): void;
  /** Removes a process and everything it owns, directly or through what it hosts. */
  reap(owner: Ref): void;
  /** Gives an entry another owner; in a critical section, by its owner or by what hands it on. */
  reparent(ref: Ref, owner: Ref): void;
  /** The owner of an entry; itself if it has none. */
  ownerOf(ref: Ref): Ref;
  /** Whether an entry stands in the table, and isn't orphaned. */
  isAlive(ref: Ref): boolean;
  /** A process as one word of at most 30 bits, not 0: what the words of locks hold. */
  token(ref: Ref): number;
  /** Whether the process of a token is alive. */
  isTokenAlive(token: number): boolean;
  /** The name of the process of a token, in messages. */
  nameOf(token: number): string;
  /** The name of the process of a token; undefined if its entry was taken by another after its end. */
  knownNameOf(token: number): string | undefined;
  /** Notes how a process ends, before it is removed; the first note counts. */
  noteExit(ref: Ref, code: number): void;
  /** The process that has an entry, or had it last; undefined if that can't be told any more. */
  processOf(ref: Ref): ProcessEntry | undefined;
}

// A token is the number of a process's entry, and the last 14 bits of how often that was taken: after
// 16,384 others in the same entry a token might mean another process, until that one ends.
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
