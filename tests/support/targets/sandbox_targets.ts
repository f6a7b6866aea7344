// Targets of the tests of sandboxes. By source each stands alone.

import {
  Barrier,
  type Connection,
  currentProcess,
  Process,
  type ProcessPermissions,
  type Queue,
  type SharedArray,
} from "../../../mod.ts";
import { twice } from "./sandbox_helper.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** What it may do. */
export function tellPermissions(): ProcessPermissions {
  return currentProcess().permissions;
}

/** What the target's module has imported is there. */
export function useHelper(n: number): number {
  return twice(n);
}

/** The length of a file. */
export function readFile(path: string): number {
  return Deno.readTextFileSync(path).length;
}

/** Puts 0, 1, 2 … n - 1. */
export async function put(queue: Queue<number>, n: number): Promise<void> {
  for (let i = 0; i < n; i++) await queue.put(i);
}

/** Never ends. */
export function spin(started?: SharedArray<"i32">): never {
  if (started !== undefined) Atomics.store(started, 0, 1);
  while (true);
}

/** Never ends either. */
export async function spinInTasks(): Promise<never> {
  while (true) await new Promise((resolve) => setTimeout(resolve));
}

/** Fills the heap. */
export async function fill(
  how: "at once" | "after an await" | "with arrays of one length",
): Promise<never> {
  if (how === "after an await") await new Promise((resolve) => setTimeout(resolve, 1));
  const all: unknown[] = [];
  if (how === "with arrays of one length") { while (true) all.push(new Array(1000).fill(0)); }
  while (true) all.push({ numbers: [all.length, Math.random()] });
}

/** Exits with a code of its own. */
export function exit(code: number): never {
  Deno.exit(code);
}

/** Waits for an item with its thread blocked. */
export function getSync(queue: Queue<number>): number {
  return queue.getSync();
}

/** Tries to take a right from everybody; what it is told. */
export async function revoke(): Promise<string[]> {
  const told: string[] = [];
  try {
    told.push(Deno.permissions.revokeSync({ name: "read" }).state);
  } catch (error) {
    told.push(`${error}`);
  }
  await Deno.permissions.revoke({ name: "read" }).then(
    ({ state }) => told.push(state),
    (error) => told.push(`${error}`),
  );
  return told;
}

/** Asks for a right; what it is told. */
export async function request(): Promise<string[]> {
  return [
    Deno.permissions.requestSync({ name: "read" }).state,
    (await Deno.permissions.request({ name: "read" })).state,
  ];
}

/** Starts a process that inherits, or is to have what this one hasn't; what came of it. */
export async function startChild(
  path: string,
  permissions: "inherit" | Deno.PermissionOptionsObject,
  depth: number,
): Promise<string> {
  const target = depth === 0 ? (path: string) => Deno.readTextFileSync(path).length : startChild;
  const args = depth === 0 ? [path] : [path, permissions, depth - 1];
  try {
    const child = new Process({
      target: target as (...args: unknown[]) => unknown,
      args,
      permissions,
      by: "source",
    });
    child.start();
    return `${await child.result()}`;
  } catch (error) {
    return `${error} ${(error as Error).cause ?? ""}`;
  }
}

/** Sends a barrier whose action leaves a trace where it runs. */
export async function sendBarrier(connection: Connection<unknown, Barrier>): Promise<void> {
  await connection.send(new Barrier(1, { action: () => Reflect.set(globalThis, "trace", "left") }));
  await connection.recv().catch(() => {});
}
