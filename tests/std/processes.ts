// Processes with the promise helpers of @std/async.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { deadline, pooledMap, retry, RetryError } from "@std/async";
import {
  activeChildren,
  Process,
  ProcessError,
  Queue,
  TimeoutError,
  Value,
} from "@multiproc/multiprocessing";
import { failAtFirst, here as module, neverEnd, square, squareWhenTold } from "./targets.ts";

/** Runs a process for its result. */
async function squared(n: number): Promise<number> {
  const process = new Process({ target: square, args: [n], module });
  process.start();
  return await process.result();
}

Deno.test("pooledMap() over results: in order, with so many processes at a time", async () => {
  const numbers = [1, 2, 3, 4, 5, 6];
  const go = new Queue<string>();
  const alive: number[] = [];
  const results = pooledMap(2, numbers, (n) => {
    const process = new Process({ target: squareWhenTold, args: [n, go], module });
    process.start();
    alive.push(activeChildren().length);
    // From the second one on, each lets one of those before it end.
    if (n > 1) go.putNowait("go");
    if (n === numbers.length) go.putNowait("go");
    return process.result();
  });
  assertEquals(await Array.fromAsync(results), [1, 4, 9, 16, 25, 36]);
  assertEquals(alive, [1, 2, 2, 2, 2, 2]);
});

Deno.test("pooledMap() tells of the processes that failed, each with its own error", async () => {
  const error = await assertRejects(
    () => Array.fromAsync(pooledMap(3, [1, -2, -3], squared)),
    AggregateError,
  );
  for (const failed of error.errors) {
    assertInstanceOf(failed, ProcessError);
    assertInstanceOf(failed.cause, RangeError);
  }
  const messages = error.errors.map(({ cause }) => cause.message).sort();
  assertEquals(messages, ["no negative numbers: -2", "no negative numbers: -3"]);
});

/** A process that fails so often, tried again and again. */
function tryAgain(calls: Value<"i32">, failures: number, attempts: number): Promise<number> {
  return retry(async () => {
    const process = new Process({ target: failAtFirst, args: [calls, failures], module });
    process.start();
    return await process.result();
  }, { maxAttempts: attempts, minTimeout: 1 });
}

Deno.test("retry() around a process that fails twice gets the third one's result", async () => {
  const calls = new Value("i32");
  assertEquals(await tryAgain(calls, 2, 5), 3);
  assertEquals(calls.value, 3);
});

Deno.test("retry() that gives up tells the error of the last process", async () => {
  const calls = new Value("i32");
  const error = await assertRejects(() => tryAgain(calls, 5, 3), RetryError);
  assertInstanceOf(error.cause, ProcessError);
  assertInstanceOf(error.cause.cause, RangeError);
  assertEquals(error.cause.cause.message, "call 3 fails");
  assertEquals(calls.value, 3);
});

Deno.test("deadline() around result() gives up waiting, and the process lives on", async () => {
  const started = new Queue<string>();
  await using process = new Process({ target: neverEnd, args: [started], module });
  process.start();
  assertEquals(await started.get(), "started");
  const error = await assertRejects(() => deadline(process.result(), 10), DOMException);
  assertEquals(error.name, "TimeoutError");
  await assertRejects(() => process.result({ timeout: 10 }), TimeoutError);
  assert(process.isAlive());
});

Deno.test("a process with a signal ends when deadline() gives up", async () => {
  const started = new Queue<string>();
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const process = new Process({ target: neverEnd, args: [started], module, signal });
  process.start();
  assertEquals(await started.get(), "started");
  const waiting = deadline(process.join(), 10).finally(() => giveUp.abort());
  await assertRejects(() => waiting, DOMException);
  assert(await process.join({ timeout: 20_000 }));
  assertEquals(process.exitCode, -15);
});
