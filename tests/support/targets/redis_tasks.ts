// Tasks for pools in a server.

import { currentTask, Queue } from "../../../mod.ts";

export const square = (n: number): number => n * n;
export const add = (a: number, b: number): number => a + b;
export const echo = (value: unknown): unknown => value;
export const notAFunction = 5;

export class OddError extends Error {
  override name = "OddError";
  constructor(readonly code: number) {
    super(`odd: ${code}`, { cause: new RangeError("the cause") });
  }
}

export function refuse(code: number): never {
  throw new OddError(code);
}

export function refuseOdd(n: number): number {
  if (n % 2 === 1) throw new OddError(n);
  return n;
}

export function exit(code: number): never {
  Deno.exit(code);
}

export function spin(ms: number): number {
  for (const end = performance.now() + ms; performance.now() < end;);
  return ms;
}

export async function sleep(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
}

/** Says that it has begun, and then takes its time. */
export async function beginAndSleep(ms: number): Promise<number> {
  currentTask()!.send("begun");
  await sleep(ms);
  return currentTask()!.attempt;
}

export function beginAndSpin(ms: number): number {
  currentTask()!.send("begun");
  spin(ms);
  return currentTask()!.attempt;
}

export function describeTask(): [name: string, index: number, attempt: number] {
  const { name, index, attempt } = currentTask()!;
  return [name, index, attempt];
}

export const uncloneable = () => ({ deep: [{ f: () => 1 }] });
export const queueInside = () => ({ queue: new Queue() });
export const large = (length: number): string => "x".repeat(length);
