// Targets with a fault of some kind; the same terms as in queue_targets.ts.

import type { Queue } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** The module that starts a process as it is imported. */
export const unguarded: string = new URL("./unguarded.ts", import.meta.url).href;

/** Gives back what it is given. */
export function give<T>(value: T): T {
  return value;
}

/** Waits for an item. */
export function wait(queue: Queue<string>): Promise<string> {
  return queue.get();
}

/** A name that only this module has. */
const greeting = "hello from outside";

/** Reaches outside itself. */
export function usesOutside(name: string): string {
  return `${greeting}, ${name}`;
}

/** Reaches outside itself from a callback that nobody waits for. */
export async function usesOutsideLater(name: string): Promise<void> {
  setTimeout(() => console.log(`${greeting}, ${name}`), 1);
  await new Promise(() => setInterval(() => {}, 1000));
}

/** Has a mistake that no way of travelling cures: the name exists nowhere. */
export function readsBeforeItIsThere(): number {
  const read = () => later;
  const value = read();
  const later = 1;
  return value + later;
}

function notExported(): string {
  return "never found";
}

function give2(): string {
  return "not the one that is exported";
}
Object.defineProperty(give2, "name", { value: "give" });

/** Functions that this module doesn't export, under any name. */
export const hidden: Record<"notExported" | "impostor", () => string> = {
  notExported,
  impostor: give2,
};

/** Is exported, but is not a function. */
export const notAFunction = "just text";

/** Returns what can't cross, at a place. */
export function returnFunction(): unknown {
  return { list: [1, { onDone: () => {} }] };
}

/** Returns a promise of what can't cross. */
export async function returnSymbolLater(): Promise<unknown> {
  await Promise.resolve();
  return Symbol("no");
}
