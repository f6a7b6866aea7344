// The words that main shares with a process it may kill; the process writes its own state there.

/** Where is what in the words of a victim or a survivor. */
export const at = {
  /** What it is doing: one of `states`. */
  state: 0,
  /** Counts what it has begun: it is stored before the call. */
  begun: 1,
  /** Counts what it has done: it is stored after the call. */
  done: 2,
  /** Main sets it: come to an end. */
  over: 3,
  /** Counts what it saw that must not be. */
  wrong: 4,
  /** Rooms use it as they like. */
  extra: 5,
  words: 16,
} as const;

/** What a victim is doing. Who has said nothing yet is still loading. */
export const states = {
  loading: 0,
  computing: 1,
  async: 2,
  sync: 3,
  spinning: 4,
  big: 5,
  handing: 6,
  holding: 7,
  nesting: 8,
} as const;

/** What the states are called in the summary. */
export const stateNames = [
  "while loading",
  "between two calls",
  "in an async call",
  "in a blocking call",
  "in a busy loop",
  "in a put or send of megabytes",
  "handing over a pipe's end",
  "holding a lock",
  "starting or ending its own children",
] as const;

/** As the targets get them: those that travel by source can't import. */
export type At = typeof at;
export type States = typeof states;
