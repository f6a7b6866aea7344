// A process with permissions of its own holds a lock for ever: calls that have no timeout for the lock end even so.

import { testInFull } from "../support/length.ts";
import assert from "node:assert/strict";
import { Condition, Event, Process, SharedArray, TimeoutError, Value } from "../../mod.ts";

const confined = { by: "source", permissions: "none", timeLimit: 20_000 } as const;

testInFull("update() doesn't wait for ever for a lock that a confined process holds", async () => {
  const value = new Value("i32", 1), array = new SharedArray("i32", [1]);
  const held = new Event();
  const process = new Process({
    target: async (value: Value<"i32">, array: SharedArray<"i32">, held: Event) => {
      value.lock.acquireSync();
      array.lock.acquireSync();
      held.set();
      await new Promise(() => setTimeout(() => {}, 60_000));
    },
    args: [value, array, held],
    ...confined,
  });
  process.start();
  assert.ok(await held.wait({ timeout: 15_000 }));
  const add = (n: number) => n + 1;
  assert.throws(() => value.update(add), TimeoutError);
  assert.throws(() => array.update(0, add), TimeoutError);
  assert.equal(value.value, 1);
  process.kill();
  await process.join({ timeout: 10_000 });
});

testInFull("a wait ends though a confined process holds the condition's lock", async () => {
  const condition = new Condition(), held = new Event();
  const process = new Process({
    target: async (condition: Condition, held: Event) => {
      await condition.acquire();
      held.set();
      await new Promise(() => setTimeout(() => {}, 60_000));
    },
    args: [condition, held],
    ...confined,
  });
  await condition.acquire();
  process.start();
  await assert.rejects(condition.wait({ timeout: 3000 }), TimeoutError);
  assert.ok(held.isSet());
  assert.throws(() => condition.release());
  process.kill();
  await process.join({ timeout: 10_000 });
});
