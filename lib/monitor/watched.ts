// The objects that the monitor's thread knows: it reads their shared memory itself, also while the main process is
// blocked. Objects of other processes it knows while a process waits for them.

import { receivedState } from "../shm/shared_state.ts";
import { Store, type StoreContent } from "../queue/shared/store.ts";
import { LockWord } from "../sync/lock_word.ts";
import { SemaphoreState } from "../sync/semaphore_state.ts";
import { KINDS, QUEUE, SEMAPHORE, type Subject } from "../wait/subject.ts";
import type { ToldObject } from "./protocol.ts";
import * as primordials from "../platform/primordials.ts";

const { performance, SafeMap } = primordials;

/** A rate is told if the snapshot before is at most this old, in ms. */
const MAX_GAP_MS = 15_000;

/** A queue that is watched, and its figures. */
export class WatchedQueue {
  readonly #store: Store<unknown>;
  size = 0;
  put = 0;
  got = 0;
  putRate: number | null = null;
  gotRate: number | null = null;
  #at = -Infinity;

  constructor(
    readonly number: number,
    readonly name: string,
    content: StoreContent,
  ) {
    this.#store = Store.arrived(content);
    this.read(performance.now());
  }

  get maxSize(): number {
    return this.#store.ring.maxSize;
  }

  get isShut(): boolean {
    return this.#store.ring.isShut;
  }

  /** Reads its figures. */
  read(now: number): void {
    const { ring } = this.#store, { putCount, gotCount } = ring, ms = now - this.#at;
    const isKnown = ms <= MAX_GAP_MS;
    this.putRate = isKnown ? ((putCount - this.put) >>> 0) * 1000 / ms : null;
    this.gotRate = isKnown ? ((gotCount - this.got) >>> 0) * 1000 / ms : null;
    this.size = ring.size;
    this.put = putCount;
    this.got = gotCount;
    this.#at = now;
  }
}

/** A lock or a semaphore that is watched. */
export interface WatchedLock {
  kind: number;
  number: number;
  name: string;
  lock: Subject;
  /** The pid of its holder, at the last look. */
  heldBy: number | null;
}

/** The objects that the main process has told of, by their ids there. */
export class Watched {
  readonly queues: Map<number, WatchedQueue> = new SafeMap();
  readonly locks: Map<number, WatchedLock> = new SafeMap();

  add({ id, kind, number, name, content }: ToldObject): void {
    if (kind === QUEUE) {
      this.queues.set(id, new WatchedQueue(number, name, content as StoreContent));
      return;
    }
    const state = receivedState(content), kindName = KINDS[kind];
    const lock = kind === SEMAPHORE
      ? new SemaphoreState(state, kindName)
      : new LockWord(state, kindName);
    this.locks.set(id, { kind, number, name, lock, heldBy: null });
  }

  remove(id: number): void {
    this.queues.delete(id);
    this.locks.delete(id);
  }
}
