// Targets that keep a thread busy in one way or another: see queue_targets.ts for the terms.

import type { Connection, Lock } from "../../../mod.ts";
import type { At, States } from "../states.ts";

/** The ways to be busy. */
export type Business =
  | "loop"
  | "microtasks"
  | "sleep"
  | "garbage"
  | "hoard"
  | "builtins"
  | "turns"
  | "crypto";

/** Is busy for ever, with a lock held and a pipe's end in its hands. */
export async function beBusy(
  words: Int32Array,
  at: At,
  is: States,
  business: Business,
  lock: Lock,
  _connection: Connection<never>,
): Promise<never> {
  lock.acquireSync();
  Atomics.store(words, at.state, business === "sleep" ? is.sync : is.spinning);
  const hoard: unknown[] = [];
  for (let i = 0;; i++) {
    if (business === "hoard") hoard.push(new Array(1 << 18).fill(i));
    else if (business === "loop") { for (;;); }
    else if (business === "microtasks") await undefined;
    else if (business === "sleep") Atomics.wait(words, at.extra, 0);
    else if (business === "garbage") {
      JSON.parse(JSON.stringify(Array.from({ length: 2000 }, String)));
    } else if (business === "builtins") {
      Array.from({ length: 5000 }, (_, j) => (j * 7919 + i) % 5003).sort();
      "a".repeat(5000).replace(/a+?b|a/g, "b");
    } else if (business === "turns") await new Promise((resolve) => setImmediate(resolve));
    else await crypto.subtle.digest("SHA-256", new Uint8Array(10_000));
  }
}

/** Does nothing, with what it was given. */
export async function idle(
  words: Int32Array,
  at: At,
  is: States,
  ..._given: unknown[]
): Promise<never> {
  Atomics.store(words, at.state, is.computing);
  return await new Promise(() => setInterval(() => {}, 1000));
}

/** Posts to an unrelated BroadcastChannel, much faster than anybody reads. */
export async function flood(words: Int32Array, at: At, is: States): Promise<never> {
  const channel = new BroadcastChannel("unrelated");
  Atomics.store(words, at.state, is.spinning);
  for (;;) {
    for (let i = 0; i < 100; i++) {
      channel.postMessage({ i, text: "noise" });
      Atomics.add(words, at.done, 1);
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
