// The short form of tests/support/spoiling/sweep.ts: of the classes on which this library relies most, everything that
// a program may replace after the library was loaded is replaced one by one, while every primitive is used.

import assert from "node:assert/strict";
import {
  answerOf,
  ENDLESS_FOR_POOLS,
  poolSteps,
  processSteps,
  steps,
} from "../support/spoiling/scenario.ts";
import { answersOf, NAMES, NAMES_OF_FUNCTIONS, pollute } from "../support/spoiling/pollute.ts";
import { METHODS_OF_THE_LANGUAGE, spoil, targets, WAYS } from "../support/spoiling/spoil.ts";

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

/** The roots of what is replaced one by one while a pool works. */
const TRIED_OF_POOLS = /^(?:Array|Map|Set|Promise)\.prototype|^%\w*Iterator%/;

Deno.test("pools and processes work whatever a program replaces of the language's containers", async () => {
  const all = targets().filter(({ name }) => {
    return METHODS_OF_THE_LANGUAGE.test(name) && TRIED_OF_POOLS.test(name);
  });
  assert.ok(all.length > 60, `${all.length}`);
  const tried = { ...poolSteps, ...processSteps }, changed: string[] = [];
  for (const step of Object.keys(tried)) {
    const expected = await answerOf(tried[step], ENDLESS_FOR_POOLS);
    for (const target of all) {
      // In Rust Deno 2.9.6 calls this one as it makes what a worker in a sandbox has sent.
      if (target.name === "Array.prototype.push" && step in processSteps) continue;
      const giveBack = spoil(target, "throws");
      let answer: string;
      try {
        answer = await answerOf(tried[step], ENDLESS_FOR_POOLS);
      } finally {
        giveBack();
      }
      if (answer !== expected) changed.push(`${target.name}: ${step}: ${answer}`);
    }
  }
  assert.deepEqual(changed, []);
});

/** What is added to Object.prototype, by each name alone, as one may hide another. */
const ADDED: Record<string, [value: unknown, names: readonly string[]]> = {
  "a text": ["polluted", NAMES],
  "a function that answers nothing": [() => undefined, NAMES_OF_FUNCTIONS],
  "a function that throws": [() => {
    throw new Error("called");
  }, [...NAMES, ...NAMES_OF_FUNCTIONS]],
};

for (const [what, [value, names]] of Object.entries(ADDED)) {
  Deno.test(`nothing changes if Object.prototype has ${what} by any one name`, async () => {
    const all = { ...steps, ...processSteps }, expected = await answersOf(all, ENDLESS_FOR_POOLS);
    for (const name of names) {
      const restore = pollute(Object.prototype, [name], value);
      let answers: Record<string, string>;
      try {
        answers = await answersOf(all, ENDLESS_FOR_POOLS);
      } finally {
        restore();
      }
      assert.deepEqual(answers, expected, name);
    }
  });
}
