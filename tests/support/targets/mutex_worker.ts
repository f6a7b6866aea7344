// Threads that take a bare mutex; each writes its state in words beside it.

import process from "node:process";
import { workerData } from "node:worker_threads";
import { Mutex, setMayEndAnywhere } from "../../../lib/liveness/mutex.ts";

/** What a thread does once it has the lock. */
export type Role = "dies" | "releases";

/** Where the lock is, and what a thread says: that it is about to take it, and that it has it. */
export const at = { lock: 0, begun: 16, has: 32 };

/** What a thread is given. */
export interface Order {
  words: Int32Array;
  /** Tells the threads apart. */
  number: number;
  role: Role;
}

const order = workerData as Order | null;
if (order !== null) {
  const { words, number, role } = order;
  setMayEndAnywhere(role === "dies");
  Atomics.store(words, at.begun + number, 1);
  const mutex = new Mutex(words, at.lock);
  mutex.lock();
  // 2: after the other.
  Atomics.store(words, at.has + number, 1 + Atomics.load(words, at.has + 1 - number));
  if (role === "dies") process.exit(0);
  mutex.unlock();
}
