// Helpers of the tests of the queues for one process.

import assert from "node:assert/strict";
import { LifoQueue, PriorityQueue, Queue } from "../../local.ts";

const classes = [Queue, LifoQueue, PriorityQueue] as const;

/** Registers a test of what is the same for all three. */
export function each(name: string, body: (Class: typeof Queue) => void | Promise<void>): void {
  for (const Class of classes) Deno.test(`${Class.name}: ${name}`, () => body(Class));
}

/** What the compiler would refuse, too. */
// deno-lint-ignore no-explicit-any -- it has to pass for every type
export function wrong(value: unknown): any {
  return value;
}

export type ErrorClass = abstract new (...args: never[]) => Error;

/** A test that an error is of this class, in two sentences, and that it says these things. */
export function says(errorClass: ErrorClass, ...patterns: RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof errorClass, `not a ${errorClass.name}: ${error}`);
    for (const pattern of patterns) assert.match(error.message, pattern);
    assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
    return true;
  };
}

/** All items that are in a queue now. */
export function drain<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (!queue.empty()) items.push(queue.getNowait());
  return items;
}

/** A turn of the event loop: whatever could go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
