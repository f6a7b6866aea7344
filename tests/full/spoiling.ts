// The short form of tests/support/spoiling/sweep.ts: what a program may replace after this library was loaded, of
// the classes on which it relies most, is replaced one by one while every primitive is used.

import assert from "node:assert/strict";
import { answerOf, steps } from "../support/spoiling/scenario.ts";
import { spoil, targets, WAYS } from "../support/spoiling/spoil.ts";

/** The beginnings of the names of what is replaced. */
const TRIED = [
  ...[
    "AbortController.",
    "AbortSignal.",
    "FinalizationRegistry.",
    "WeakMap.",
    "WeakSet.",
    "WeakRef.",
  ],
  ...["Promise.prototype.", "Map.prototype.", "Set.prototype.", "BigInt.", "Atomics.", "Math."],
  ...["MessagePort.prototype.postMessage", "threads.BroadcastChannel.prototype."],
];

/** What can't be held, because Deno's own code looks it up at each call. */
const DENOS: Record<string, string> = {
  "AbortSignal.prototype.aborted": "abort() asks it whether the signal was aborted before",
  "AbortSignal.prototype.Symbol([[signalAbort]])": "abort() calls it",
  "AbortSignal.prototype.Symbol([[runAbortSteps]])": "abort() calls it",
};

Deno.test("what a program replaces changes nothing, but for what Deno itself looks up", async () => {
  const expected: Record<string, string> = {}, names = Object.keys(steps);
  for (const name of names) expected[name] = await answerOf(steps[name]);
  const all = targets().filter(({ name }) => TRIED.some((root) => name.startsWith(root)));
  const changed: string[] = [], known = Object.keys(DENOS);
  for (let i = 0; i < all.length; i++) {
    const target = all[i];
    let isKnown = false;
    for (let k = 0; k < known.length; k++) if (known[k] === target.name) isKnown = true;
    if (isKnown) continue;
    for (let w = 0; w < WAYS.length; w++) {
      for (let n = 0; n < names.length; n++) {
        const name = names[n], giveBack = spoil(target, WAYS[w]);
        let answer: string;
        try {
          answer = await answerOf(steps[name]);
        } finally {
          giveBack();
        }
        if (answer !== expected[name]) {
          changed.push(`${target.name} ${WAYS[w]}: ${name}: ${answer}`);
        }
      }
    }
  }
  assert.ok(all.length > 100, `${all.length}`);
  assert.deepEqual(changed, []);
});
