// Bad input to pools: a clear error at the call, and nothing is half done.

import assert from "node:assert/strict";
import { asCompleted, InvalidStateError, Pool, Process, Queue, Task, transfer } from "../../mod.ts";
import { count, fussy, nap, square } from "../support/targets/pool_targets.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const NUMBERS: [option: string, least: number][] = [
  ["processes", 1],
  ["minProcesses", 0],
  ["spares", 0],
  ["maxTasksPerChild", 1],
  ["tasksPerProcess", 1],
  ["maxQueueSize", 1],
  ["retries", 0],
];

for (const [option, least] of NUMBERS) {
  Deno.test(`new Pool({ ${option} }) takes whole numbers from ${least} up`, () => {
    for (const value of [least - 1, -1, least + 0.5, NaN, -Infinity]) {
      assert.throws(() => new Pool({ [option]: value }), {
        name: "RangeError",
        message: `${option} is ${value}. Give a whole number from ${least} up.`,
      });
    }
    for (const value of ["2", null, true, 2n, {}]) {
      assert.throws(() => new Pool({ [option]: value } as Any), {
        name: "TypeError",
        message: new RegExp(`^${option} is .*, not a number`),
      });
    }
  });
}

Deno.test("new Pool() refuses other bad options, by their names", () => {
  const refused: [options: Any, message: RegExp][] = [
    [{ process: 2 }, /^process is no option here/],
    [2, /^The options are a number/],
    [null, /^The options are null/],
    [{ minProcesses: 3, processes: 2 }, /^minProcesses is 3, more than processes, 2/],
    [{ idleTimeout: -1 }, /^idleTimeout is -1/],
    [{ timeLimit: 0 }, /^timeLimit is 0/],
    [{ timeLimit: "1" }, /^timeLimit is a string/],
    [{ priority: NaN }, /^priority is NaN/],
    [{ initializer: "open" }, /^initializer is a string, "open"/],
    [{ initargs: [1] }, /^initargs was given without an initializer/],
    [{ initializer: square, initargs: 1 }, /^initargs is a number/],
    [{ finalizer: 1 }, /^finalizer is a number/],
    [{ name: "" }, /^name is a string, ""/],
    [{ signal: 1 }, /^signal is a number/],
    [{ recycleAboveMb: -1 }, /^recycleAboveMb is -1/],
  ];
  for (const [options, message] of refused) {
    assert.throws(() => new Pool(options), { message }, `${message}`);
  }
  const reason = new Error("aborted before");
  assert.throws(() => new Pool({ signal: AbortSignal.abort(reason) }), reason);
});

Deno.test("calls refuse what is no function, no arguments, no items, and bad options", async () => {
  await using pool = new Pool({ processes: 1, minProcesses: 0 });
  const refused: [call: () => Any, message: RegExp][] = [
    [() => pool.apply(1 as Any), /^apply\(\) was given a number as its function/],
    [
      () => pool.submit("square" as Any),
      /^submit\(\) was given a string, "square" as its function/,
    ],
    [() => pool.apply(square, 7 as Any), /^apply\(\) was given a number as arguments/],
    [() => pool.map(square, 7 as Any), /^map\(\) was given a number as items/],
    [() => pool.map(square, "77" as Any), /^map\(\) was given a string, "77" as items/],
    [() => pool.map(square, undefined as Any), /^map\(\) was given undefined as items/],
    [() => pool.apply(square, [1], { timeOut: 1 } as Any), /^timeOut is no option here/],
    [() => pool.apply(square, [1], { timeout: -1 }), /^timeout is -1/],
    [() => pool.apply(square, [1], { retries: 0.5 }), /^retries is 0\.5/],
    [() => pool.apply(square, [1], { transfer: 1 } as Any), /^transfer is a number/],
    [() => pool.apply(square, [1], { chunkSize: 1 } as Any), /^chunkSize is no option here/],
    [() => pool.map(square, [1], { chunkSize: 0 }), /^chunkSize is 0/],
    [() => pool.map(square, [1], { chunkSize: "all" as Any }), /^chunkSize is a string/],
    [() => pool.map(square, [1], { bufferSize: 0 }), /^bufferSize is 0/],
    [() => pool.map(square, [1], { returnExceptions: 1 } as Any), /^returnExceptions is a number/],
    [() => pool.map(square, [1], { onProgress: 1 } as Any), /^onProgress is a number/],
    [() => pool.stream(square as Any, [1]), /which is no generator function/],
    [() => pool.stream(count, [1], { bufferSize: 0 }), /^bufferSize is 0/],
    [() => pool.mapSync(square, (async function* () {})() as Any), /^mapSync\(\) was given/],
    [() => pool.resize(0), /^processes is 0/],
    [() => pool.resize(1.5), /^processes is 1\.5/],
    [() => pool.shutdown({ wait: true } as Any), /^wait is no option here/],
    [() => pool.load("tasks.ts"), /^load\(\) was given a string, "tasks\.ts"/],
    [() => asCompleted([1] as Any), /^tasks\[0\] is a number/],
    [() => new Task(), /Call pool\.submit/],
    [() => transfer(1, 2 as Any), /^The transfer list is not an array/],
  ];
  for (const [call, message] of refused) {
    await assert.rejects(async () => await call(), { message }, `${message}`);
  }
  assert.equal(pool.qsize(), 0);
  assert.equal(await pool.apply(square, [3]), 9);
});

Deno.test("a generator given to map, and a function that can't travel, are refused", async () => {
  await using pool = new Pool({ processes: 1 });
  await assert.rejects(pool.map(count, [1]), { message: /generator function.*stream/s });
  await assert.rejects(pool.apply(square.bind(null, 1)), TypeError);
  await assert.rejects(pool.apply(Math.max, [1, 2]), TypeError);
});

Deno.test("a pool that was closed says so", async () => {
  const pool = new Pool({ processes: 1 });
  await pool[Symbol.asyncDispose]();
  for (
    const call of [
      () => pool.apply(square, [1]),
      () => pool.map(square, [1]),
      () => pool.starmap(square, [[1]]),
      () => pool.imap(square, [1]),
      () => pool.stream(count, [1]),
      () => pool.broadcast(square, [1]),
      () => pool.ready(),
      () => pool.resize(2),
      () => pool.recycle(),
    ]
  ) await assert.rejects(async () => await call(), InvalidStateError);
  pool.close();
  pool.terminate();
  assert.equal(await pool.join(), true);
});

Deno.test("what may not be put into a queue says how a pool is handed over", async () => {
  await using pool = new Pool({ processes: 1, minProcesses: 0 });
  const queue = new Queue<unknown>();
  await assert.rejects(queue.put({ pool }), { message: /^item\.pool is a Pool: / });
  await using process = new Process({ target: nap, args: [1] });
  await assert.rejects(pool.apply(fussy as Any, [process]), { message: /a Process/ });
});
