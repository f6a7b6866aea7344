// Objects of lib/sync on their way to the processes of a scenario.

import {
  deserialize,
  type HandedOver,
  serialize,
  type Serialized,
} from "../../../lib/transfer/transferable.ts";
import type { Simulation } from "../kernel/scenario.ts";
import type { Program } from "./base.ts";

declare const sim: Simulation;

/** What processes have of an object. */
export interface Sharing {
  serialized: Serialized;
}

/** Shares an object; its words are called `name` in traces. */
export function sharing(make: () => object, name: string): () => Sharing {
  return () => {
    const serialized = (make() as HandedOver)[serialize]();
    labelWords(serialized.content, name);
    return { serialized };
  };
}

/** Names all shared memory in a serialized object, however deep it lies. */
function labelWords(content: unknown, name: string): void {
  for (const [key, value] of Object.entries(Object(content) as Record<string, unknown>)) {
    if (key === "processTable") continue;
    if (value instanceof SharedArrayBuffer) sim.label(value, name);
    else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      labelWords(value, key === "content" || key === "words" ? name : `${name}.${key}`);
    }
  }
}

/** The object of this process. */
export function objectOf<T>({ serialized }: Program & Sharing): T {
  return deserialize(serialized) as T;
}

interface Acquirable {
  acquireSync(options?: { timeout?: number }): boolean;
  acquire(options?: { timeout?: number }): Promise<boolean>;
  release(): void;
}

/** Logs an AbandonedLockError, and who has died; throws anything else. */
function noteAbandoned(error: unknown): void {
  if ((error as Error).name !== "AbandonedLockError") throw error;
  sim.log("told", /^\S+/.exec((error as Error).message)![0]);
}

/** Acquires it, whoever has died with it. */
export function take(lock: Acquirable): void {
  for (;;) {
    try {
      lock.acquireSync();
      return;
    } catch (error) {
      noteAbandoned(error);
      if (holdsAfterError(lock)) return;
    }
  }
}

/** The same, asynchronously; false if the time was up. */
export async function takeAsync(lock: Acquirable, timeout?: number): Promise<boolean> {
  for (;;) {
    try {
      return await lock.acquire({ timeout });
    } catch (error) {
      noteAbandoned(error);
      if (holdsAfterError(lock)) return true;
    }
  }
}

/** Whether a lock is the process's own already: one that is told of a death may hold it then. */
function holdsAfterError(lock: Acquirable): boolean {
  return (lock as { isHeldByThisProcess?: boolean }).isHeldByThisProcess === true;
}
