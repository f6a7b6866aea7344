// What the main process tells the monitor's thread, and what that tells the page.

import type { Deadlock, ProcessState } from "../inspect/types.ts";
import type { ConfinedBoard } from "../inspect/listen.ts";
import type { Histograms } from "../pool/statistics.ts";
import type { Percentiles } from "../pool/histogram.ts";
import type { WorkerState } from "../pool/worker.ts";

/** A file of the page: its type, and its text in the parts between which the nonce of an answer stands. */
export interface PageFile {
  type: string;
  parts: readonly string[];
}

/** What the thread is started with. */
export interface MonitorSetup {
  port: number;
  token: string;
  files: Readonly<Record<string, PageFile>>;
  /** One word of shared memory: when the page asked last, in seconds since 1970. */
  asked: SharedArrayBuffer;
}

/** The answer of the thread: the port it listens on, or why it can't. */
export type Listening = { port: number } | { name: string; message: string };

/** An object as the main process tells of it. */
export interface ToldObject {
  /** Its number in the main process. */
  id: number;
  /** Its kind and its number among these (lib/wait/subject.ts). */
  kind: number;
  number: number;
  name: string;
  /** Its shared memory: see lib/wait/made.ts. */
  content: unknown;
}

/** What the main process tells. */
export interface News {
  at: number;
  made: ToldObject[];
  /** The ids of objects that the program has let go. */
  gone: number[];
  /** How many objects aren't told of, because there are so many. */
  untold: number;
  boards: ConfinedBoard[];
  /** Only while somebody watches. */
  pools?: PoolLook[];
}

/** A pool, as it is shown. What its items are isn't told. */
export interface PoolLook {
  name: string;
  closed: boolean;
  completed: number;
  failed: number;
  waiting: number;
  restarts: number;
  utilization: number;
  uptimeMs: number;
  waitingMs: Percentiles;
  runningMs: Percentiles;
  histograms: Histograms;
  workers: { name: string; state: WorkerState; done: number; load: number; running: ItemLook[] }[];
  slowest: ItemLook[];
}

/** An item, by the name of its task and its index. */
export interface ItemLook {
  task: string;
  index: number;
  ms: number;
}

/** A process that waits for an object. */
export interface Waiter {
  pid: number;
  call: string;
  since: number;
}

/** A queue, as it is shown. */
export interface QueueLook {
  id: number;
  name: string;
  /** Items in it; null where that isn't known. */
  size: number | null;
  /** 0 where there is no bound. */
  maxSize: number;
  put: number;
  got: number;
  /** Items a second since the snapshot before; null where that isn't known. */
  putRate: number | null;
  gotRate: number | null;
  shutDown: boolean;
  /** The first of them, and how many there are. */
  waiters: Waiter[];
  waiterCount: number;
}

/** A lock or a semaphore, as it is shown. */
export interface LockLook {
  kind: string;
  id: number;
  name: string;
  /** The pid of the process that holds it; null while it is free, and of a semaphore. */
  heldBy: number | null;
  /** Of a semaphore: "1 of 3 permits free". */
  detail: string;
  /** As of a queue. */
  waiters: Waiter[];
  waiterCount: number;
}

/** Some rows of a table. */
export interface Rows<T> {
  rows: T[];
  /** How many there are, and how many of them the filter lets through. */
  total: number;
  matching: number;
}

/** A process that waits for another one. */
export interface WaitsFor {
  from: number;
  to: number;
  /** What it waits for: `lock 1`, or "" for the end of the other one. */
  object: string;
  since: number;
}

/** What the page shows. */
export interface Snapshot {
  at: number;
  /** The milliseconds after which the page should ask again. */
  interval: number;
  /** The milliseconds of processor time that it took. */
  cost: number;
  processes: ProcessState[];
  waitsFor: WaitsFor[];
  deadlocks: Deadlock[];
  /** Sentences that explain what looks wrong. */
  advice: string[];
  queues: Rows<QueueLook>;
  locks: Rows<LockLook>;
  pools: PoolLook[];
  /** When the main process told of its objects last; null if it never did. */
  toldAt: number | null;
  untold: number;
}
