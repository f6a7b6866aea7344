// A death, a limit or a cancellation costs a pool one item, and never another one.

import assert from "node:assert/strict";
import {
  BrokenPoolError,
  CancelledError,
  Pool,
  Queue,
  SharedArray,
  TaskError,
  TimeoutError,
  Value,
} from "../../mod.ts";
import { granted, needs, run } from "../support/programs.ts";
import * as targets from "../support/targets/pool_targets.ts";
import { testInFull } from "../support/length.ts";

const { die, die5, nap, spin, square } = targets;

const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

for (const how of ["exit", "outside", "rejection"]) {
  for (const chunkSize of [1, 10]) {
    Deno.test(`a worker that ends in the middle costs one item: ${how}, chunks of ${chunkSize}`, async () => {
      await using pool = new Pool({ processes: 2 });
      const args = numbers.map((n) => [n, how] as [number, string]);
      const results = await pool.starmap(die, args, { chunkSize, returnExceptions: true });
      const error = results[5];
      assert.ok(error instanceof TaskError, `${error}`);
      assert.deepEqual(results.toSpliced(5, 1), numbers.toSpliced(5, 1));
      assert.deepEqual([error.task, error.index, error.attempts], ["die", 5, 1]);
      assert.equal(error.exitCode, how === "exit" ? 7 : 1);
      assert.match(error.item, new RegExp(`5, "${how}"`));
      assert.match(error.message, /^die\(5, .* was lost: its worker Pool-\d+-\d+ exited with code/);
      if (how !== "exit") assert.ok(error.cause instanceof Error);
    });
  }
}

Deno.test("a memory limit costs one item, and the error says so", async () => {
  await using pool = new Pool({ processes: 1, memoryLimitMb: 32 });
  const args = numbers.map((n) => [n, "memory"] as [number, string]);
  const results = await pool.starmap(die, args, { chunkSize: 10, returnExceptions: true });
  const error = results[5];
  assert.ok(error instanceof TaskError);
  assert.deepEqual([error.limit, error.exitCode, error.index], ["memoryLimitMb", -9, 5]);
  assert.deepEqual(results.toSpliced(5, 1), numbers.toSpliced(5, 1));
});

Deno.test("a time limit ends an item in the middle of while (true) {}, in a chunk too", async () => {
  await using pool = new Pool({ processes: 1 });
  const args = numbers.map((n) => [n, "spin"] as [number, string]);
  const options = { chunkSize: 10, returnExceptions: true, timeLimit: 100 } as const;
  const results = await pool.starmap(die, args, options);
  const error = results[5];
  assert.ok(error instanceof TaskError);
  assert.deepEqual([error.limit, error.exitCode, error.index], ["timeLimit", -9, 5]);
  assert.deepEqual(results.toSpliced(5, 1), numbers.toSpliced(5, 1));
});

testInFull("a time limit counts from an item's own start, not from the call", async () => {
  await using pool = new Pool({ processes: 1 });
  const all = await pool.map(nap, Array(6).fill(50), { timeLimit: 200, chunkSize: 1 });
  assert.equal(all.length, 6);
  assert.equal(
    (await pool.map(nap, Array(6).fill(50), { timeLimit: 200, chunkSize: 6 })).length,
    6,
  );
});

testInFull("a timeout counts all of it, and ends the task", async () => {
  await using pool = new Pool({ processes: 1 });
  await pool.ready();
  const first = pool.submit(nap, [300]);
  await assert.rejects(pool.apply(square, [1], { timeout: 30 }), TimeoutError);
  assert.equal(await first, 300);
  await assert.rejects(pool.apply(spin, [], { timeout: 30 }), TimeoutError);
  await assert.rejects(
    pool.map(spin as (n: number) => number, [1, 2], { timeout: 30 }),
    TimeoutError,
  );
  assert.equal(await pool.apply(square, [2]), 4);
});

testInFull("nothing runs twice without retries, and with them only what was running", async () => {
  const counts = new SharedArray("i32", 10);
  {
    await using pool = new Pool({ processes: 2 });
    const args = numbers.map((n) => [counts, n] as [SharedArray<"i32">, number]);
    const results = await pool.starmap(targets.countAndExit, args, {
      returnExceptions: true,
      chunkSize: 5,
    });
    assert.ok(results.every((it) => it instanceof TaskError));
    assert.deepEqual([...counts], Array(10).fill(1));
  }
  counts.fill(0);
  {
    await using pool = new Pool({ processes: 2, retries: 1 });
    const args = numbers.map((n) => [counts, n] as [SharedArray<"i32">, number]);
    assert.deepEqual(await pool.starmap(targets.countAndExit, args, { chunkSize: 5 }), numbers);
    assert.deepEqual([...counts], Array(10).fill(2));
  }
});

Deno.test("a task that threw is not run anew", async () => {
  await using pool = new Pool({ processes: 1, retries: 3 });
  const error = await pool.submit(targets.fussy, [3]).exception();
  assert.equal(error?.attempts, 1);
});

Deno.test("map() fails fast, with the error of the lowest index that has failed", async () => {
  await using pool = new Pool({ processes: 2 });
  await assert.rejects(pool.map(targets.fussy, numbers.slice(1)), (error: TaskError) => {
    assert.ok(error instanceof TaskError);
    assert.deepEqual([error.index, error.item, error.task], [2, "3", "fussy"]);
    assert.ok(error.cause instanceof RangeError);
    assert.ok(error.cause.cause instanceof TypeError);
    assert.match(error.stack!, /pool_death_test\.ts/);
    assert.match(error.cause.stack!, /fussy/);
    return true;
  });
  assert.deepEqual(await pool.map(square, [1, 2]), [1, 4]);
});

Deno.test("a result that can't cross fails its own task, and says where", async () => {
  await using pool = new Pool({ processes: 1 });
  await assert.rejects(pool.apply(targets.uncloneable), (error: TaskError) => {
    assert.match(`${error.cause}`, /result\.db is a function/);
    return true;
  });
  assert.equal(await pool.apply(square, [3]), 9);
});

Deno.test("an argument that can't cross fails its own task, and says where", async () => {
  await using pool = new Pool({ processes: 1 });
  await assert.rejects(pool.apply(targets.same, [{ done: () => {} }]), (error: TaskError) => {
    assert.match(`${error.message} ${error.cause}`, /args\[0\]\.done is a function/);
    return true;
  });
  await assert.rejects(pool.map(targets.same, [1, { done: [() => {}] }]), (error: TaskError) => {
    assert.match(`${error.cause}`, /items\[1\]\.done\[0\] is a function/);
    return true;
  });
  assert.equal(await pool.apply(square, [3]), 9);
});

Deno.test("cancel() takes out a task that waits, and stops one that runs", async () => {
  await using pool = new Pool({ processes: 1 });
  const begun = new Value("i32", 0);
  const running = pool.submit(targets.beginAndSpin, [begun]), waiting = pool.submit(square, [1]);
  const next = pool.submit(square, [5]);
  while (begun.value === 0) await nap(1);
  assert.ok(running.running());
  assert.equal(waiting.cancel("not needed"), true);
  assert.equal(running.cancel("enough"), true);
  assert.equal(running.cancel(), false);
  for (const task of [running, waiting]) {
    await assert.rejects(task.result(), CancelledError);
    assert.ok(task.cancelled());
  }
  assert.equal(await next, 25);
});

Deno.test("a task among others in its worker is asked to stop by its signal", async () => {
  await using pool = new Pool({ processes: 1, tasksPerProcess: 2 });
  const told = new Queue<number>();
  const other = pool.submit(targets.untilTold, [told]), task = pool.submit(targets.untilAborted);
  while (!task.running() || !other.running()) await nap(5);
  task.cancel();
  await assert.rejects(task.result(), CancelledError);
  await told.put(200);
  assert.equal(await other, 200);
});

Deno.test("a task that is given up while its function is loading, beside another one, doesn't run", async () => {
  await using pool = new Pool({ processes: 1, tasksPerProcess: 2 });
  const told = new Queue<number>();
  const other = pool.submit(targets.untilTold, [told]);
  while (!other.running()) await nap(5);
  const { untilAborted } = await import("../support/targets/slow_targets.ts");
  const task = pool.submit(untilAborted);
  while (!task.running()) await nap(5);
  task.cancel();
  await told.put(200);
  assert.equal(await other, 200);
});

testInFull("cancelling at random instants never hits the next task", async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.ready();
  for (let round = 0; round < 30; round++) {
    const task = pool.submit(nap, [1]), next = pool.submit(square, [round]);
    await nap(Math.random() * 3);
    const cancelled = task.cancel();
    assert.equal(await next, round * round);
    await task.result().then((n) => assert.equal(n, 1), (error) => {
      assert.ok(cancelled && error instanceof CancelledError);
    });
  }
});

Deno.test("a failing initializer breaks the pool at once, with its error", async () => {
  await using pool = new Pool({ processes: 2, initializer: targets.openAndFail });
  const task = pool.submit(square, [1]);
  for (const promise of [task.result(), pool.ready(), pool.apply(square, [2])]) {
    await assert.rejects(promise, (error: Error) => {
      return error instanceof BrokenPoolError && (error.cause as Error).message === "no database";
    });
  }
});

testInFull("an initializer that ends its worker again and again breaks the pool", async () => {
  await using pool = new Pool({ processes: 1, initializer: targets.openAndExit });
  await assert.rejects(pool.apply(square, [1]), BrokenPoolError);
});

Deno.test("a lost worker is replaced, and an idle one too", async () => {
  await using pool = new Pool({ processes: 1 });
  for (let i = 0; i < 3; i++) {
    await assert.rejects(pool.apply(die5, [5]), TaskError);
    assert.equal(await pool.apply(die5, [i]), i);
  }
  assert.ok(pool.statistics().restarts >= 3);
});

Deno.test({
  name: `failures nobody asked for are told once ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("pool_unasked.ts");
    assert.deepEqual({ code, out }, { code: 0, out: ["main"] });
    assert.equal(errors.match(/Nobody asked for the result of a task/g)?.length, 1, errors);
    assert.match(errors, /failure 1/);
    assert.doesNotMatch(errors, /failure 2/);
  },
});

Deno.test({
  name:
    `failures nobody asked for are told when their tasks are garbage, or the program ends ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("pool_unasked_open.ts", [], ["--v8-flags=--expose-gc"]);
    assert.deepEqual({ code, out }, { code: 0, out: ["main"] });
    assert.equal(errors.match(/Nobody asked for the result of a task/g)?.length, 2, errors);
    const parts = errors.split("collected");
    assert.match(parts[0], /failure 1/);
    assert.match(parts[1], /failure 2/);
    assert.doesNotMatch(errors, /failure 3/);
  },
});
