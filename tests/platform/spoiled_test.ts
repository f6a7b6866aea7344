// A program may replace every method of the language's classes after this package was loaded: pools and
// processes go on. tests/full/spoiling.ts replaces them one by one, and tests all other primitives.

import assert from "node:assert/strict";
import { Pool, Process, sleep } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import {
  answerOf,
  ENDLESS_FOR_POOLS,
  poolSteps,
  processSteps,
} from "../support/spoiling/scenario.ts";
import { METHODS_OF_THE_LANGUAGE, spoilAll, targets, WAYS } from "../support/spoiling/spoil.ts";

const spoiled = targets().filter(({ name }) => METHODS_OF_THE_LANGUAGE.test(name));

for (const [title, steps] of Object.entries({ pools: poolSteps, processes: processSteps })) {
  Deno.test(`${title} work while all methods of the language's classes are replaced`, async () => {
    // In Rust Deno 2.9.6 calls this one as it makes what a worker in a sandbox has sent.
    const all = title === "pools"
      ? spoiled
      : spoiled.filter(({ name }) => name !== "Array.prototype.push");
    assert.ok(all.length > 250, `${all.length}`);
    for (const [index, name] of Object.keys(steps).entries()) {
      const expected = await answerOf(steps[name], ENDLESS_FOR_POOLS), way = WAYS[index % 2];
      const giveBack = spoilAll(all, way);
      let answer: string;
      try {
        answer = await answerOf(steps[name], ENDLESS_FOR_POOLS);
      } finally {
        giveBack();
      }
      assert.equal(answer, expected, `${name}: ${way}`);
    }
  });
}

testInFull(
  "a process starts warm while all methods of the language's classes are replaced",
  async () => {
    const all = spoiled.filter(({ name }) => name !== "Array.prototype.push");
    for (const way of WAYS) {
      const start = () => {
        const process = new Process({ target: () => 1, by: "source" });
        process.start();
        return process;
      };
      await start().result();
      // In this time a thread is made for the next process.
      await sleep(300);
      const giveBack = spoilAll(all, way);
      let process: Process<[], number>;
      try {
        process = start();
        await process.ready();
      } finally {
        giveBack();
      }
      assert.equal(await process.result(), 1);
    }
  },
);

/** In a worker: replaces the methods of these classes, and of what they iterate by, for good. */
const replaceMethods = (names: string[]) => {
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { ownKeys } = Reflect,
    throwing = () => {
      throw new Error("replaced");
    };
  const classes = globalThis as unknown as Record<string, { prototype: object }>;
  const prototypes: object[] = [
    getPrototypeOf([].values()),
    getPrototypeOf(new Map().values()),
    getPrototypeOf(new Set().values()),
  ];
  for (let i = 0; i < names.length; i++) {
    prototypes[prototypes.length] = classes[names[i]].prototype;
  }
  let count = 0;
  for (let i = 0; i < prototypes.length; i++) {
    const keys = ownKeys(prototypes[i]);
    for (let k = 0; k < keys.length; k++) {
      const { value, configurable } = getOwnPropertyDescriptor(prototypes[i], keys[k])!;
      if (typeof value !== "function" || !configurable) continue;
      if (keys[k] === "constructor" || keys[k] === "call") continue;
      defineProperty(prototypes[i], keys[k], { value: throwing } as PropertyDescriptor);
      count++;
    }
  }
  return count;
};
const sumOf = (a: number, b: number) => a + b;
const failAt = (n: number) => {
  if (n === 2) throw new RangeError("two");
  return n;
};
function* countTo(n: number) {
  for (let i = 0; i < n; i++) yield i;
}

Deno.test("a worker in which a task has replaced them goes on with other tasks", async () => {
  const pool = new Pool({ processes: 1, by: "source" });
  const names = ["Array", "Map", "Set", "Promise", "String", "Function", "RegExp", "Number"];
  assert.ok(await pool.apply(replaceMethods, [names]) > 100);
  const { workers: [{ name }] } = pool;
  assert.equal(await pool.apply(sumOf, [2, 3]), 5);
  assert.deepEqual(await pool.map(failAt, [1, 3, 5]), [1, 3, 5]);
  await assert.rejects(pool.map(failAt, [1, 2]), { name: "TaskError", message: /failed: .*two/ });
  const listed: number[] = [];
  for await (const n of pool.stream(countTo, [3])) listed.push(n);
  assert.deepEqual(listed, [0, 1, 2]);
  assert.equal(pool.workers[0].name, name);
  pool.close();
  await pool.join();
});
