// Queues with the helpers of @std/async for promises and for async iterables.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { abortable, deadline, delay, MuxAsyncIterator, tee } from "@std/async";
import { Process, Queue, QueueEmpty } from "@multiproc/multiprocessing";
import { here as module, putAll } from "./targets.ts";

Deno.test("deadline() around get() abandons it, and what it gets afterwards", async () => {
  const queue = new Queue<string>();
  const abandoned = queue.get();
  const error = await assertRejects(() => deadline(abandoned, 10), DOMException);
  assertEquals(error.name, "TimeoutError");
  await queue.put("for nobody");
  assertEquals(await abandoned, "for nobody");
  assertThrows(() => queue.getNowait(), QueueEmpty);
});

Deno.test("get() with a timeout of its own takes nothing afterwards", async () => {
  const queue = new Queue<string>();
  await assertRejects(() => queue.get({ timeout: 10 }), QueueEmpty);
  await queue.put("for the next one");
  await delay(10);
  assertEquals(queue.getNowait(), "for the next one");
});

Deno.test("deadline() around get() with a signal takes nothing afterwards", async () => {
  const queue = new Queue<string>();
  const giveUp = new AbortController();
  const getting = deadline(queue.get({ signal: giveUp.signal }), 10);
  await assertRejects(() => getting.finally(() => giveUp.abort()), DOMException);
  await queue.put("for the next one");
  await delay(10);
  assertEquals(queue.getNowait(), "for the next one");
});

Deno.test("abortable() and get() with the same signal take nothing afterwards", async () => {
  const queue = new Queue<string>();
  const { signal, abort } = aborting();
  const getting = abortable(queue.get({ signal }), signal);
  abort(new Error("enough"));
  await assertRejects(() => getting, Error, "enough");
  await queue.put("for the next one");
  await delay(10);
  assertEquals(queue.getNowait(), "for the next one");
});

Deno.test("an abortable() loop over a queue ends at once, and takes nothing afterwards", async () => {
  const queue = new Queue<string>();
  await queue.put("for the loop");
  const { signal, abort } = aborting();
  const got: string[] = [];
  const looping = (async () => {
    for await (const item of abortable(queue, signal)) {
      got.push(item);
      setTimeout(() => abort(new Error("enough")), 10);
    }
  })();
  await assertRejects(() => deadline(looping, 10_000), Error, "enough");
  assertEquals(got, ["for the loop"]);
  await queue.put("for the next one");
  await delay(10);
  assertEquals(queue.getNowait(), "for the next one");
});

Deno.test("MuxAsyncIterator gets all that processes put into several queues", async () => {
  const all = new MuxAsyncIterator<string>();
  const expected: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const queue = new Queue<string>();
    const items = Array.from({ length: 20 }, (_, i) => `${name}${i}`);
    expected.push(...items);
    all.add(queue);
    new Process({ target: putAll, args: [queue, items], module }).start();
  }
  const got = await Array.fromAsync(all);
  assertEquals(got.toSorted(), expected.toSorted());
  for (const name of ["a", "b", "c"]) {
    const of = (items: string[]) => items.filter((item) => item.startsWith(name));
    assertEquals(of(got), of(expected));
  }
});

Deno.test("tee() gives each item of a queue to every branch", async () => {
  const queue = new Queue<string>();
  const items = Array.from({ length: 20 }, (_, i) => `${i}`);
  new Process({ target: putAll, args: [queue, items], module }).start();
  const branches = tee(queue, 3);
  const got = await Promise.all(branches.map((branch) => Array.fromAsync(branch)));
  assertEquals(got, [items, items, items]);
  assert(queue.empty());
});

/** A signal, and what aborts it. */
function aborting(): { signal: AbortSignal; abort(reason: Error): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}
