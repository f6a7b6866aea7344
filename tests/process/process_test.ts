// The life of processes: names and numbers, results and errors, waiting, ending in every
// situation, children of children, and what crosses with the arguments.

import assert from "node:assert/strict";
import {
  activeChildren,
  currentProcess,
  InvalidStateError,
  JoinableQueue,
  parentProcess,
  Process,
  ProcessError,
  type ProcessParameters,
  Queue,
  QueueEmpty,
  TimeoutError,
} from "../../mod.ts";
import * as targets from "../support/targets/process_targets.ts";

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

/** The cause of it, which must be an Error. */
function causeOf(error: Error): Error {
  assert.ok(error.cause instanceof Error, `the cause is no Error: ${error.cause}`);
  return error.cause;
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

Deno.test("pids are unique in the program, and there is none before the start", async () => {
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

Deno.test("processes start processes, four deep, each knowing its parent", async () => {
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

Deno.test("the children of a daemon are daemons, the others' are not", async () => {
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

// Errors

Deno.test("an error keeps class name, message, stack, properties and its causes", async () => {
  const error = await failureOf(run({ target: targets.failWithCauses, module }));
  assert.equal(error.exitCode, 1);
  assert.match(error.message, /^Process-\d+ failed: OutOfPaper: no paper$/);
  const cause = causeOf(error);
  assert.equal(cause.name, "OutOfPaper");
  assert.equal(cause.message, "no paper");
  assert.match(`${cause.stack}`, /failWithCauses/);
  assert.equal("tray" in cause && cause.tray, 3);
  const second = causeOf(cause);
  assert.ok(second instanceof RangeError);
  assert.equal(second.message, "tray is empty");
  assert.deepEqual(second.cause, new Map([["sheets", 0]]));
});

Deno.test("an error's class name is kept where its class didn't set one", async () => {
  const cause = causeOf(await failureOf(run({ target: targets.failWithPlainClass, module })));
  assert.equal(`${cause}`, "Jam: it is stuck");
});

Deno.test("an AggregateError keeps the errors it stands for", async () => {
  const error = causeOf(await failureOf(run({ target: targets.failOfAll, module })));
  assert.ok(error instanceof AggregateError);
  assert.equal(error.message, "All promises were rejected");
  assert.deepEqual(error.errors.map(String), ["RangeError: one", "TypeError: other"]);
});

Deno.test("the package's own errors arrive as what they are", async () => {
  const empty = causeOf(await failureOf(run({ target: targets.failEmpty, module })));
  assert.ok(empty instanceof QueueEmpty);
  const told = causeOf(
    await failureOf(run({ target: targets.failWithQueueEmpty, args: ["nothing today"], module })),
  );
  assert.ok(told instanceof QueueEmpty);
  assert.equal(told.message, "nothing today");
});

Deno.test("a child's failure that its parent passes on arrives with both", async () => {
  const outer = await failureOf(run({ target: targets.failAsChild, module }));
  const inner = causeOf(outer);
  assert.ok(inner instanceof ProcessError);
  assert.equal(inner.exitCode, 1);
  const innermost = causeOf(inner);
  assert.ok(innermost instanceof RangeError);
  assert.equal(innermost.message, "too deep");
});

Deno.test("what is thrown need not be an error", async () => {
  for (const value of ["text", 0, { code: 7 }, null, undefined]) {
    const error = await failureOf(run({ target: targets.throwValue, args: [value], module }));
    assert.deepEqual(error.cause, value);
    assert.equal(error.exitCode, 1);
  }
});

Deno.test("an error that nobody catches in a promise or a timer is the process's", async () => {
  for (const target of [targets.failUnhandled, targets.failInTimer]) {
    const error = await failureOf(run({ target, module }));
    assert.ok(error.cause instanceof RangeError);
    assert.equal(error.exitCode, 1);
  }
});

Deno.test("an error that the target handles by an event listener doesn't end the process", async () => {
  const process = new Process({ target: targets.handleRejection, module });
  process.start();
  assert.equal(await process.result(bound), "handled: nobody looks");
});

// Exit codes

Deno.test("the exit code is null while the process lives, 0 when it returned", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({ target: targets.takeOne, args: [ready, empty], module });
  assert.equal(process.exitCode, null);
  process.start();
  await ready.get(bound);
  assert.equal(process.exitCode, null);
  empty.putNowait("end");
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, 0);
});

Deno.test("the exit code is n after Deno.exit(n), also from a timer", async () => {
  for (const target of [targets.exitWith, targets.exitFromTimer]) {
    for (const code of [0, 1, 3, 255]) {
      const process = new Process({ target, args: [code], module });
      process.start();
      const error = await failureOf(process.result(bound));
      assert.equal(error.exitCode, code);
      assert.equal(error.cause, undefined);
      assert.match(error.message, new RegExp(`exited with code ${code}`));
      assert.equal(process.exitCode, code);
    }
  }
});

Deno.test("no exit code hides that a process has ended", async () => {
  for (const code of [-1, -65_536, 65_535, 2 ** 31 - 1, -(2 ** 31)]) {
    const process = new Process({ target: targets.exitWith, args: [code], module });
    process.start();
    assert.ok(await process.join(bound), `the end with ${code} goes unnoticed`);
    // One is no different from the one before.
    assert.equal(process.exitCode, Math.min(code, 2 ** 31 - 2));
  }
});

Deno.test("a process joined with the thread blocked has its exit code, too", async () => {
  const process = new Process({ target: targets.exitWith, args: [5], module });
  process.start();
  assert.equal(process.joinSync(bound), true);
  assert.equal(process.exitCode, 5);
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, 5);
});

Deno.test("Deno.exitCode is the exit code of a process that returns", async () => {
  const process = new Process({ target: targets.returnWithExitCode, args: [6], module });
  process.start();
  assert.equal(await process.result(bound), "returned");
  await process.join(bound);
  assert.equal(process.exitCode, 6);
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

// Ending

Deno.test("await using terminates a process that is alive, and joins it", async () => {
  const { ready, empty } = stuckQueues();
  let process;
  {
    await using inner = new Process({
      target: targets.getStuck,
      args: ["in a synchronous loop", ready, empty],
      module,
    });
    inner.start();
    await ready.get(bound);
    process = inner;
  }
  assert.equal(process.isAlive(), false);
  assert.equal(process.exitCode, -15);
});

Deno.test("await using leaves alone what has ended, or was never started", async () => {
  let process;
  {
    await using ended = new Process({ target: targets.give, args: [1], module });
    await using never = new Process({ target: targets.give, args: [2], module });
    ended.start();
    await ended.join(bound);
    process = ended;
    assert.equal(never.exitCode, null);
  }
  assert.equal(process.exitCode, 0);
});

Deno.test("aborting the signal of a process terminates it", async () => {
  const { ready, empty } = stuckQueues();
  const controller = new AbortController();
  const process = new Process({
    target: targets.getStuck,
    args: ["in a synchronous loop", ready, empty],
    module,
    signal: controller.signal,
  });
  process.start();
  await ready.get(bound);
  controller.abort();
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, -15);
});

Deno.test("a signal that is aborted after the end changes nothing", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const process = new Process({ target: targets.give<number>, args: [1], module, signal });
  process.start();
  await process.join(bound);
  controller.abort();
  assert.equal(process.exitCode, 0);
  assert.equal(await process.result(), 1);
});

// In every state it can be in: tests/process/kill_test.ts.
for (const way of ["in a synchronous loop", "awaiting", "in getSync"] as const) {
  Deno.test(`a process that is ${way} can be terminated and killed, and its error says so`, async () => {
    const { ready, empty } = stuckQueues();
    for (const [end, code] of [["terminate", -15], ["kill", -9]] as const) {
      const process = new Process({ target: targets.getStuck, args: [way, ready, empty], module });
      process.start();
      await ready.get(bound);
      process[end]();
      assert.equal(await process.join(bound), true);
      assert.equal(process.exitCode, code);
      const error = await failureOf(process.result(bound));
      assert.equal(error.exitCode, code);
      assert.match(error.message, code === -9 ? /was killed/ : /was terminated/);
    }
  });
}

for (const way of ["in join", "in joinSync"] as const) {
  Deno.test(`a process that is ${way} can be terminated; its child goes on`, async () => {
    const { ready, empty } = stuckQueues();
    const process = new Process({
      target: targets.getStuck,
      args: [way, ready, empty],
      module,
    });
    process.start();
    assert.deepEqual(
      new Set([await ready.get(bound), await ready.get(bound)]),
      new Set(["ready", "child ready"]),
    );
    process.terminate();
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, -15);
    empty.shutdown();
    assert.equal(await ready.get(bound), "child ended");
  });
}

Deno.test("a process that is blocked can be ended by a thread that is blocked", async () => {
  const { ready, empty } = stuckQueues();
  for (const way of ["in getSync", "in a synchronous loop"] as const) {
    const process = new Process({
      target: targets.getStuck,
      args: [way, ready, empty],
      module,
    });
    process.start();
    ready.getSync(bound);
    process.kill();
    assert.equal(process.joinSync(bound), true);
    assert.equal(process.exitCode, -9);
    await process.join(bound);
  }
});

Deno.test("the first of several terminations counts", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({
    target: targets.getStuck,
    args: ["in a synchronous loop", ready, empty],
    module,
  });
  process.start();
  await ready.get(bound);
  process.terminate();
  process.terminate();
  process.kill();
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, -15);
});

Deno.test("a process can be terminated right after its start, and again", async () => {
  for (let i = 0; i < 6; i++) {
    const { ready, empty } = stuckQueues();
    const process = new Process({
      target: targets.getStuck,
      args: ["awaiting", ready, empty],
      module,
    });
    process.start();
    for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
    process.terminate();
    process.terminate();
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, -15);
    assert.equal(process.isAlive(), false);
  }
});

Deno.test("terminating a process that has ended does nothing", async () => {
  const process = new Process({ target: targets.give<string>, args: ["kept"], module });
  process.start();
  await process.join(bound);
  process.terminate();
  process.kill();
  assert.equal(process.exitCode, 0);
  assert.equal(await process.result(), "kept");
});

Deno.test("close gives back what an ended process holds", async () => {
  const process = new Process({ target: targets.give<string>, args: ["gone"], module });
  process.start();
  await process.join(bound);
  process.close();
  process.close();
  const { name, pid } = process;
  assert.match(name, /^Process-\d+$/);
  assert.ok(Number.isInteger(pid));
  await assert.rejects(process.result(), InvalidStateError);
});

// Children of children

Deno.test("a child starts children while main is blocked in joinSync", async () => {
  const process = new Process({ target: targets.giveThroughChild, args: ["deep"], module });
  process.start();
  assert.equal(process.joinSync(bound), true);
  assert.equal(await process.result(bound), "deep");
});

Deno.test("a child starts a child and both block, while main is blocked", async () => {
  const process = new Process({ target: targets.giveThroughChildSync, args: ["deep"], module });
  process.start();
  assert.equal(process.resultSync(bound), "deep");
  await process.join(bound);
});

Deno.test("a line of children four deep starts while main is blocked", async () => {
  const process = new Process({ target: targets.tellLine, args: [4], module });
  process.start();
  assert.equal(process.resultSync(bound).length, 5);
  await process.join(bound);
});

Deno.test("a child starts its children itself when main is busy all the time", async () => {
  const done = new Queue<string>();
  const process = new Process({
    target: async function startOwn(done: Queue<string>) {
      const child = new Process({
        target: async function tell(done: Queue<string>) {
          await done.put("child of child");
        },
        args: [done],
        by: "source",
      });
      child.start();
      await child.join();
      return child.exitCode;
    },
    args: [done],
    by: "source",
  });
  process.start();
  const end = performance.now() + bound.timeout;
  // Looks at nothing but this queue, and never at what its children ask for.
  while (done.empty() && performance.now() < end);
  assert.equal(done.getNowait(), "child of child");
  assert.equal(await process.result(bound), 0);
});

Deno.test("a child ends its own child, whether main is blocked or not", async () => {
  for (const blocking of [false, true]) {
    const process = new Process({ target: targets.terminateChild, args: [blocking], module });
    process.start();
    assert.deepEqual(await process.result(bound), [true, -15]);
    const other = new Process({ target: targets.terminateChild, args: [blocking], module });
    other.start();
    assert.deepEqual(other.resultSync(bound), [true, -15]);
    await other.join(bound);
  }
});

Deno.test("a process whose target has returned waits for the children it started", async () => {
  const ready = new Queue<string>(), queue = new Queue<string>();
  const process = new Process({ target: targets.leaveChildBehind, args: [ready, queue], module });
  process.start();
  assert.equal(await ready.get(bound), "child ready");
  assert.equal(await process.join({ timeout: 20 }), false);
  queue.shutdown();
  assert.equal(await process.result(bound), "returned");
  assert.equal(await ready.get(bound), "child ended");
});

// What is handed over

Deno.test("queues are handed over at any depth, and one queue stays one", async () => {
  const queue = new Queue<string>();
  const nested: targets.Nested = {
    array: [queue],
    map: new Map([["queue", queue]]),
    set: new Set([queue]),
    deep: { list: [{ queue }] },
  };
  nested.itself = nested;
  const key = new Map([[queue, "key"]]);
  const seen = await run({ target: targets.useNested, args: [nested, queue, key], module });
  assert.deepEqual(seen, { allQueues: true, allOne: true, cycle: true });
  assert.deepEqual(await queue.getMany(10), ["array", "map", "set", "deep", "key", "args"]);
  // The containers of this side are as they were.
  assert.ok(nested.array[0] === queue && nested.map.get("queue") === queue);
  assert.ok(nested.set.has(queue) && nested.deep.list[0].queue === queue && key.has(queue));
});

Deno.test("different queues stay different", async () => {
  const queues = [new Queue<string>(), new Queue<string>()];
  const process = new Process({ target: targets.takeOne, args: [queues[0], queues[1]], module });
  process.start();
  assert.equal(await queues[0].get(bound), "ready");
  queues[1].putNowait("second");
  assert.equal(await process.result(bound), "second");
  assert.ok(queues.every((queue) => queue.empty()));
});

Deno.test("a JoinableQueue arrives as one", async () => {
  const queue = new JoinableQueue<string>();
  queue.putNowait("item");
  assert.equal(
    await run({ target: targets.doOne, args: [queue], module }),
    "item from a JoinableQueue",
  );
  assert.equal(await queue.join(bound), true);
});

Deno.test("a queue that a process made and returned outlives it", async () => {
  const process = new Process({ target: targets.makeQueue, args: ["a", "b"], module });
  process.start();
  await process.join(bound);
  const made = await process.result(bound);
  const queue = made.get("one");
  assert.ok(queue instanceof Queue);
  assert.equal(made.get("other"), queue);
  assert.equal(queue.maxSize, 5);
  assert.deepEqual(await queue.getMany(10), ["a", "b"]);
  queue.putNowait("c");
  assert.equal(queue.getNowait(), "c");
});

Deno.test("a queue goes through a child to its child and back", async () => {
  const queue = new Queue<string>();
  const back = await run({
    target: targets.giveThroughChild<Queue<string>>,
    args: [queue],
    module,
  });
  await back.put("from far");
  assert.equal(await queue.get(bound), "from far");
});
