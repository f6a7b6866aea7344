// The life of processes: names and numbers, results, waiting, subclasses.

import assert from "node:assert/strict";
import {
  activeChildren,
  currentProcess,
  parentProcess,
  Process,
  ProcessError,
  type ProcessParameters,
  Queue,
  TimeoutError,
} from "../../mod.ts";
import * as targets from "../support/targets/process_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** Starts a process and waits for its result. */
function run<A extends unknown[], R>(...parameters: ProcessParameters<A, R>): Promise<R> {
  const process = new Process<A, R>(...parameters);
  process.start();
  return process.result(bound);
}

/** What a promise rejects with, which must be a ProcessError. */
async function failureOf(result: Promise<unknown>): Promise<ProcessError> {
  const error = await result.then(() => undefined, (error) => error);
  assert.ok(error instanceof ProcessError, `not a ProcessError: ${error}`);
  return error;
}

/** Queues to get stuck with: see targets.getStuck. */
function stuckQueues() {
  return { ready: new Queue<string>(), empty: new Queue<string>() };
}

// Names and numbers

Deno.test("processes are named Process-1, Process-2 … in the order they are made", async () => {
  const first = new Process({ target: targets.tellSelf, module });
  const second = new Process({ target: targets.tellSelf, module });
  const number = Number(/^Process-(\d+)$/.exec(first.name)?.[1]);
  assert.ok(number >= 1, first.name);
  assert.equal(second.name, `Process-${number + 1}`);
  second.start();
  first.start();
  assert.equal((await second.result(bound)).name, second.name);
  assert.equal((await first.result(bound)).name, first.name);
});

Deno.test("a name that was given is the process's name on both sides", async () => {
  const process = new Process({ target: targets.tellSelf, module, name: "löschen 🧹" });
  assert.equal(process.name, "löschen 🧹");
  process.start();
  assert.equal((await process.result(bound)).name, "löschen 🧹");
});

Deno.test("the children of a process are named after it and numbered from 1", async () => {
  const process = new Process({ target: targets.nameChildren, args: [3], module });
  process.start();
  const named = await process.result(bound);
  assert.deepEqual(named.map(([name]) => name), [1, 2, 3].map((i) => `${process.name}:${i}`));
  assert.ok(named.every(([, active]) => active), "a child was not active while it was alive");
});

Deno.test("the children of a process with a name of its own are named by number", async () => {
  const first = new Process({ target: targets.give, args: [0], module });
  const process = new Process({ target: targets.nameChildren, args: [1], module, name: "boss" });
  process.start();
  const number = Number(first.name.split("-")[1]) + 1;
  assert.deepEqual((await process.result(bound))[0][0], `Process-${number}:1`);
});

testInFull("pids are unique in the program, and there is none before the start", async () => {
  const processes = Array.from(
    { length: 4 },
    () => new Process({ target: targets.tellLine, args: [1], module }),
  );
  for (const process of processes) {
    assert.equal(process.pid, undefined);
    process.start();
  }
  const pids = [currentProcess().pid];
  for (const process of processes) {
    const [child, grandchild] = await process.result(bound);
    assert.equal(child.pid, process.pid);
    pids.push(child.pid, grandchild.pid);
  }
  assert.ok(pids.every((pid) => Number.isInteger(pid)), `${pids}`);
  assert.equal(new Set(pids).size, 9, `${pids}`);
});

Deno.test("a process knows itself and its parent", async () => {
  const process = new Process({ target: targets.tellSelf, module });
  process.start();
  const { name, pid, daemon } = process;
  const main = currentProcess();
  assert.deepEqual(await process.result(bound), {
    name,
    pid,
    daemon,
    alive: true,
    parent: { name: "MainProcess", pid: main.pid, daemon: false, alive: true },
    children: 0,
  });
});

Deno.test("the main process is MainProcess and has no parent", () => {
  assert.equal(currentProcess().name, "MainProcess");
  assert.equal(currentProcess().daemon, false);
  assert.equal(currentProcess().isAlive(), true);
  assert.equal(parentProcess(), null);
});

testInFull("processes start processes, four deep, each knowing its parent", async () => {
  const process = new Process({ target: targets.tellLine, args: [4], module });
  process.start();
  const line = await process.result(bound);
  assert.deepEqual(
    line.map(({ name }) => name),
    ["", ":1", ":1:1", ":1:1:1", ":1:1:1:1"].map((end) => process.name + end),
  );
  for (const [depth, { parent }] of line.entries()) {
    assert.equal(parent?.alive, true);
    assert.equal(parent?.name, depth === 0 ? "MainProcess" : line[depth - 1].name);
    assert.equal(parent?.pid, depth === 0 ? currentProcess().pid : line[depth - 1].pid);
  }
});

testInFull("the children of a daemon are daemons, the others' are not", async () => {
  for (const daemon of [true, false]) {
    const process = new Process({ target: targets.tellLine, args: [2], module, daemon });
    assert.equal(process.daemon, daemon);
    process.start();
    const line = await process.result(bound);
    assert.deepEqual(line.map(({ daemon }) => daemon), [daemon, daemon, daemon]);
    await process.join(bound);
  }
});

// Results

Deno.test("a result is what the target returned, as structured clone copies it", async () => {
  const cycle: Record<string, unknown> = { name: "cycle" };
  cycle.self = cycle;
  const values = [
    42,
    -0,
    NaN,
    2n ** 70n,
    "text \ud800",
    null,
    undefined,
    true,
    new Date(0),
    /a+/gi,
    new Map<unknown, unknown>([["key", new Set([1, "2", 3n])]]),
    new Set([[1], [2]]),
    Float64Array.of(1.5, -0, NaN),
    new Uint8Array([1, 2, 3]),
    BigInt64Array.of(-1n),
    new Uint8Array([1, 2, 3]).buffer,
    [1, , 3], // deno-lint-ignore-line no-sparse-arrays
    { nested: { deeply: [{ a: 1 }] } },
    cycle,
  ];
  assert.deepEqual(
    await run({ target: targets.give<unknown[]>, args: [values], module }),
    structuredClone(values),
  );
  assert.deepEqual(
    await run({ target: targets.giveLater<unknown[]>, args: [values], module }),
    structuredClone(values),
  );
});

Deno.test("a SharedArrayBuffer in the arguments is the same memory on both sides", async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const back = await run({ target: targets.give<Int32Array>, args: [words], module });
  words[1] = 7;
  assert.equal(back[1], 7);
});

Deno.test("a target that returns nothing has the result undefined, and exit code 0", async () => {
  const process = new Process({ target: function nothing() {}, by: "source" });
  process.start();
  assert.equal(await process.result(bound), undefined);
  assert.equal(process.exitCode, 0);
});

Deno.test("an error that is returned, not thrown, is a result", async () => {
  const error = await run({
    target: targets.give<Error>,
    args: [new RangeError("just saying")],
    module,
  });
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, "just saying");
});

Deno.test("the result can be asked for as often as one likes, by all faces", async () => {
  const process = new Process({ target: targets.give<number[]>, args: [[1, 2]], module });
  process.start();
  const [one, two] = await Promise.all([process.result(bound), process.result(bound)]);
  assert.deepEqual(one, [1, 2]);
  assert.equal(two, one);
  assert.equal(await process.result(), one);
  assert.equal(process.resultNowait(), one);
  assert.equal(process.resultSync(), one);
});

Deno.test("a failure can be asked for as often as one likes, by all faces", async () => {
  const process = new Process({ target: targets.failWithCauses, module });
  process.start();
  const { message, cause } = await failureOf(process.result(bound));
  const isTheSame = (error: Error) => {
    return error instanceof ProcessError && error.message === message && error.cause === cause;
  };
  await assert.rejects(process.result(), isTheSame);
  assert.throws(() => process.resultNowait(), isTheSame);
  assert.throws(() => process.resultSync(), isTheSame);
});

Deno.test("resultSync and joinSync block until the process has ended", async () => {
  const process = new Process({ target: targets.giveLater<string>, args: ["later"], module });
  process.start();
  assert.equal(process.resultSync(bound), "later");
  const other = new Process({ target: targets.giveLater<string>, args: ["later"], module });
  other.start();
  assert.equal(other.joinSync(bound), true);
  assert.equal(other.exitCode, 0);
  assert.equal(other.resultNowait(), "later");
  await process.join();
  await other.join();
});

Deno.test("resultSync throws what the process failed with", async () => {
  const process = new Process({ target: targets.failWithPlainClass, module });
  process.start();
  assert.throws(() => process.resultSync(bound), ProcessError);
  await process.join();
});

Deno.test("resultNowait throws TimeoutError while the process lives", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  process.start();
  assert.throws(() => process.resultNowait(), TimeoutError);
  empty.putNowait("now");
  assert.equal(await process.result(bound), "now");
});

// Waiting

Deno.test("join waits as long as it is told, and then the process goes on", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  process.start();
  await ready.get(bound);
  assert.equal(await process.join({ timeout: 0 }), false);
  assert.equal(await process.join({ timeout: 5 }), false);
  assert.equal(process.joinSync({ timeout: 0 }), false);
  assert.equal(process.joinSync({ timeout: 5 }), false);
  await assert.rejects(process.result({ timeout: 5 }), TimeoutError);
  await assert.rejects(process.result({ timeout: 0 }), TimeoutError);
  assert.throws(() => process.resultSync({ timeout: 5 }), TimeoutError);
  assert.equal(process.isAlive(), true);
  empty.putNowait("still there");
  assert.equal(await process.result(bound), "still there");
  assert.equal(await process.join({ timeout: 0 }), true);
  assert.equal(process.joinSync({ timeout: 0 }), true);
});

Deno.test("an aborted join or result rejects with the reason; the process goes on", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  process.start();
  await ready.get(bound);
  for (const face of ["join", "result"] as const) {
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = process[face]({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
  }
  empty.putNowait("still there");
  assert.equal(await process.result(bound), "still there");
});

Deno.test("many can join one process", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  process.start();
  const joined = Promise.all(Array.from({ length: 20 }, () => process.join(bound)));
  empty.putNowait("end");
  assert.ok((await joined).every((ended) => ended));
});

Deno.test("isAlive and activeChildren follow a process from its start to its end", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  assert.equal(process.isAlive(), false);
  assert.deepEqual(activeChildren(), []);
  process.start();
  assert.equal(process.isAlive(), true);
  assert.deepEqual(activeChildren(), [process]);
  await ready.get(bound);
  assert.equal(process.isAlive(), true);
  empty.putNowait("end");
  await process.join(bound);
  assert.equal(process.isAlive(), false);
  assert.deepEqual(activeChildren(), []);
});

Deno.test("arguments are copied at the start: what changes later doesn't cross", async () => {
  const list = ["before"];
  const process = new Process({ target: targets.give<string[]>, args: [list], module });
  list.push("also before");
  process.start();
  list.push("after");
  assert.deepEqual(await process.result(bound), ["before", "also before"]);
});

// Subclasses

Deno.test("a subclass's run() runs in the child, on a copy of the object", async () => {
  const adder = new targets.Adder(20, 22);
  adder.start();
  assert.equal(await adder.result(bound), 42);
  assert.equal(adder.touched, false);
  assert.match(adder.name, /^Process-\d+$/);
});

Deno.test("a subclass's fields may be queues, and its object is the current process", async () => {
  const queue = new Queue<string>();
  const announcer = new targets.Announcer(queue);
  announcer.start();
  assert.equal(await announcer.result(bound), "current");
  assert.equal(await queue.get(bound), `the announcer, ${announcer.pid}, false`);
});
