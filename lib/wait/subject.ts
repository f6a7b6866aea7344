// The subject of a wait: the object whose method was called. It says what it is, and how it is now, by numbers,
// because a waiter writes them on the wait board (lib/liveness/wait_board.ts) for other processes.

import { nextNumber, ownSlot } from "../liveness/wait_board.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics } = primordials;

/** The kinds of subjects: their classes, as they are printed. */
export const KINDS = [
  "",
  "Queue",
  "Connection",
  "Lock",
  "RLock",
  "Semaphore",
  "Event",
  "Condition",
  "Barrier",
  "Process",
  "Queue name",
] as const;
export const NO_SUBJECT = 0,
  QUEUE = 1,
  CONNECTION = 2,
  LOCK = 3,
  RLOCK = 4,
  SEMAPHORE = 5,
  EVENT = 6,
  CONDITION = 7,
  BARRIER = 8,
  PROCESS = 9;

/** The methods that wait; those that block have the same name and "Sync". */
export const VERBS = [
  "",
  "get",
  "put",
  "join",
  "recv",
  "send",
  "poll",
  "acquire",
  "wait",
  "result",
] as const;
export const GET = 1,
  PUT = 2,
  JOIN = 3,
  RECV = 4,
  SEND = 5,
  POLL = 6,
  ACQUIRE = 7,
  AWAIT = 8,
  RESULT = 9;

/** The subject of a wait. */
export interface Subject {
  /** One of the kinds above. */
  readonly kind: number;
  /** Its number among the objects of its kind, the same in all processes; 0 if it has none. */
  readonly number: number;
  /** Whether it belongs to this library: no span is made of a wait for it. */
  readonly isInternal?: boolean;
  /** The name that the program gave it. */
  readonly subjectName?: string | undefined;
  /** The token of the process that holds it, or for which the waiter waits; 0 for none. */
  readonly holderToken?: number;
  /** How many there are (items, permits, parties), and how many there can be; 0 for no bound. */
  readonly amount?: number;
  readonly capacity?: number;
}

/** The number of an object, which stands in its shared memory; it gets one when it is first waited for. */
export function numberIn(words: Int32Array, at: number, kind: number): number {
  const number = Atomics.load(words, at);
  if (number !== 0) return number;
  const own = ownSlot();
  // A process with permissions of its own doesn't know how many there are.
  if (own === undefined || !own.board.growable) return 0;
  const next = nextNumber(own.board, kind);
  const before = Atomics.compareExchange(words, at, 0, next);
  return before === 0 ? next : before;
}
