// Targets that use a queue until they end, at any point: threads that a program starts itself, and
// processes.

import { locks, workerData } from "node:worker_threads";
import { type Event, Process, Queue } from "../../../mod.ts";
import { randomFrom } from "../seed.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** What goes round; its text can be told from its number. */
export type Token = { id: number; text: string };

/** The text of a token: longer ones need more room than there is at first. */
export function textOf(id: number): string {
  return `${id}:`.padEnd(4 + (id * 37) % 900, "\u00e9x");
}

/** Takes tokens out and puts them back in again, by several methods, without end. */
function churn(queue: Queue<Token>, seed: number, each: () => void = () => {}) {
  const random = randomFrom(seed);
  for (;;) {
    each();
    if (random() < 0.3) queue.putManySync(queue.getManySync(1 + Math.floor(random() * 3)));
    else queue.putSync(queue.getSync());
  }
}

/** Churns from `go` on; says before that it is ready. */
export function churnFrom(go: Event, ready: Queue<true>, queue: Queue<Token>, seed: number) {
  ready.putSync(true);
  go.waitSync();
  churn(queue, seed);
}

/** The same, until the memory limit ends it. */
export function hoardFrom(go: Event, ready: Queue<true>, queue: Queue<Token>, seed: number) {
  ready.putSync(true);
  go.waitSync();
  const hoard: unknown[] = [];
  churn(queue, seed, () => void hoard.push(Array.from({ length: 400 }, (_, i) => ({ i }))));
}

/** Hosts a process that churns, as it has permissions of its own; ends when it is killed. */
export async function hostChurn(go: Event, ready: Queue<true>, queue: Queue<Token>, seed: number) {
  const args: Parameters<typeof churnFrom> = [go, ready, queue, seed];
  const process = new Process({ target: churnFrom, args, module: here });
  process.start();
  await process.join();
}

/** What a thread is given: the name of the queue, a seed, and a word: 1 when it is ready, 2 when it is to begin. */
export interface Order {
  name: string;
  seed: number;
  state: Int32Array;
}

const order = workerData as Partial<Order> | null;
if (order?.state !== undefined) {
  const { name, seed, state } = order as Order;
  // With a lock of this kind, Deno stops a thread wherever it is.
  locks.request(`${name} ${seed}`, () => new Promise(() => {}));
  const queue = await Queue.open<Token>(name);
  Atomics.store(state, 0, 1);
  while (Atomics.load(state, 0) === 1) Atomics.wait(state, 0, 1, 100);
  churn(queue, seed);
}
