// The compiler's view of tasks that are collected: this file is type-checked, and what must not be accepted is marked.

import assert from "node:assert/strict";
import { asCompleted, Pool, type Task, wait } from "@multiproc/multiprocessing";

type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true
  : false;

/** Only for types that are the same. */
function same<_T extends true>(): void {}

const length = (text: string) => text.length;
const upper = (text: string) => text.toUpperCase();

Deno.test("tasks of several types are collected in one list, and each keeps its type", async () => {
  await using pool = new Pool({ processes: 1 });
  const number = pool.submit(length, ["one"]), text = pool.submit(upper, ["two"]);
  const unknown: Task<unknown> = number, whole: Task = text;
  const either: Task<number | string> = number;
  const list: Task[] = [number, text];
  list.push(pool.submit(length, ["four"]));
  const eithers: Task<number | string>[] = [number, text];
  const unions: (Task<number> | Task<string>)[] = [number, text];
  const readonly: readonly Task<unknown>[] = unions;
  const byName = new Map<string, Task<unknown>>([["number", number], ["text", text]]);
  // @ts-expect-error the result is a number
  const _wrong: Task<string> = number;
  // @ts-expect-error the result is not known
  const _lost: Task<number> = unknown;
  const told: unknown[] = [];
  const tell = (task: Task<unknown>) => told.push(task.id);
  for (const task of [unknown, whole, either, ...readonly]) task.addDoneCallback(tell);
  number.addDoneCallback((task) =>
    void task.result().then((value) => same<Same<typeof value, number>>())
  );
  assert.deepEqual(await Promise.all(list), [3, "TWO", 4]);
  assert.deepEqual((await Promise.all(eithers)).length, 2);
  const pair = await Promise.all([number, text]);
  same<Same<typeof pair, [number, string]>>();
  assert.equal(await byName.get("text"), "TWO");
  assert.equal(told.length, 5);
});

Deno.test("asCompleted() and wait() take tasks of several types", async () => {
  await using pool = new Pool({ processes: 1 });
  const number = pool.submit(length, ["one"]), text = pool.submit(upper, ["two"]);
  const next = await asCompleted([number, number]).next();
  if (!next.done) assert.equal(next.value.name, "length");
  const mixed = [number, text], found = new Set<unknown>();
  // The compiler takes the variable of such a loop for the awaited result.
  for await (const task of asCompleted(mixed)) found.add(task);
  assert.deepEqual(found, new Set<unknown>(mixed));
  const first = await asCompleted(mixed).next();
  if (!first.done) same<Same<typeof first.value, Task<number> | Task<string>>>();
  const named = await asCompleted<number | string>(mixed).next();
  if (!named.done) same<Same<typeof named.value, Task<number | string>>>();
  const ready = await wait(mixed);
  same<Same<typeof ready, (Task<number> | Task<string>)[]>>();
  assert.equal(ready.length, 2);
});
