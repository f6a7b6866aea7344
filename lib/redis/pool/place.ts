// Where a pool is in the server: a queue of tasks, and a queue of answers for each program that calls.

import { Store } from "../store.ts";
import type { Wires } from "../wires.ts";

/** After how many ms without its program, and how many leases at least, a queue of answers is removed. */
const ANSWERS_KEPT = 60_000, LEASES_KEPT = 4;

/** The tasks of a pool. */
export function poolStore(wires: Wires, name: string): Store {
  const base = `${wires.options.prefix}:{${name}}:pool`;
  const wanted = { maxSize: 0, counted: true, attempts: undefined, expireAfter: undefined };
  return new Store(wires, name, base, wanted);
}

/** The answers for a program that calls tasks of a pool. */
export function answersStore({ wires, name, base }: Store, caller: string): Store {
  const expireAfter = Math.max(ANSWERS_KEPT, LEASES_KEPT * wires.options.leaseTime);
  const wanted = { maxSize: 0, counted: false, attempts: undefined, expireAfter };
  return new Store(wires, `${name}, answers`, `${base}:to:${caller}`, wanted);
}

/** The tasks that were lost with their workers too often. */
export function deadStore(tasks: Store): Store {
  const { wires, name, base } = tasks;
  const wanted = { counted: false, maxSize: 0, attempts: undefined, expireAfter: undefined };
  // It is made with the pool.
  const id = tasks.id || tasks.opened.then(() => tasks.id);
  return new Store(wires, `${name}, dead`, `${base}:dead`, wanted, id);
}
