// How terminate() becomes able to stop a thread of node:worker_threads at any instant.
//
//   Web Locks         terminate() interrupts a thread in the middle of `while (true) {}`, and in Atomics.wait,
//                     if the thread holds a Web Lock. Without one the order waits for the next turn of the
//                     thread's event loop. Before 2.9.4 Deno interrupts no thread at all.

import * as threads from "node:worker_threads";
import * as primordials from "./primordials.ts";

const { crypto, Promise, PromisePrototypeThen } = primordials;

/** The lock manager, of which every isolate has one; undefined before Deno 2.9.4. */
export const { locks } = threads;

/** The original method: a process with permissions of its own is denied Web Locks later. */
const requestLock = locks?.request.bind(locks);

/** Takes a Web Lock and holds it until this isolate ends. Resolves once it is held. */
export function becomeInterruptible(): Promise<void> {
  return new Promise((held) => {
    const hold = () => {
      const holding = requestLock(crypto.randomUUID(), () => {
        held();
        return new Promise(() => {});
      });
      PromisePrototypeThen(holding, undefined, hold); // the lock was stolen
    };
    hold();
  });
}
