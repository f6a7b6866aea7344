// Helpers of the tests of locks, semaphores, events, conditions and barriers.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  BoundedSemaphore,
  Condition,
  Lock,
  Process,
  type ProcessParameters,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
} from "../../mod.ts";
import * as targets from "./targets/sync_targets.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
export const bound = { timeout: 20_000 };

/** Starts a process that has a name. */
export function startNamed<A extends unknown[], R>(
  name: string | undefined,
  target: (...args: A) => R | PromiseLike<R>,
  ...args: A
): Process<A, R> {
  const options = { target, args, name, module: targets.here };
  const process = new Process<A, R>(...[options] as unknown as ProcessParameters<A, R>);
  process.start();
  // What it throws is looked at, or is meant to be.
  process.result().catch(() => {});
  return process;
}

/** Starts a process. */
export function start<A extends unknown[], R>(
  target: (...args: A) => R | PromiseLike<R>,
  ...args: A
): Process<A, R> {
  return startNamed(undefined, target, ...args);
}

/** Everything that is held by one at a time. */
export const exclusive: Record<string, () => targets.Acquirable> = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  Semaphore: () => new Semaphore(),
  BoundedSemaphore: () => new BoundedSemaphore(),
  Condition: () => new Condition(new Lock()),
};

/** The ways to end while holding something: how a process is told, and what is done to it. */
export const endings: Record<string, { ending: targets.Ending; kill?: "kill" | "terminate" }> = {
  "returns": { ending: "return" },
  "throws": { ending: "throw" },
  "exits": { ending: "exit" },
  "is terminated": { ending: "wait", kill: "terminate" },
  "is killed": { ending: "wait", kill: "kill" },
  "is killed in the middle of a computation": { ending: "spin", kill: "kill" },
};

/** A process that acquires it, and has ended without releasing it. */
export async function abandon(
  what: targets.Acquirable,
  how: { ending: targets.Ending; kill?: "kill" | "terminate" } = { ending: "return" },
  times = 1,
): Promise<string> {
  const said = new Queue<string>();
  const process = start(targets.hold, what, said, how.ending, times);
  assert.equal(await said.get(bound), "held");
  if (how.kill !== undefined) process[how.kill]();
  assert.equal(await process.join(bound), true);
  return process.name;
}

/** Checks for an AbandonedLockError that names a process, in two sentences. */
export function names(name: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof AbandonedLockError, `${error}`);
    assert.ok(error.message.startsWith(`${name} has ended while it held `), error.message);
    assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/);
    return true;
  };
}

/** Processes that add to one number as often each; checks that none is lost. */
export async function addTogether(
  what: targets.Acquirable,
  processes: number,
  times: number,
  face: targets.Face | "mixed",
): Promise<void> {
  const number = new SharedArray("f64", 1);
  const all = Array.from(
    { length: processes },
    () => start(targets.increment, what, number, times, face),
  );
  for (const process of all) await process.result();
  assert.equal(number[0], processes * times);
}

/** A turn of the event loop: whatever could go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Turns of the event loop until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + bound.timeout;
  while (!isSo()) {
    assert.ok(performance.now() < end, `it never came to this: ${isSo}`);
    await turn();
  }
}
