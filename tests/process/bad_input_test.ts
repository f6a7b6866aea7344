// Bad input to processes: arguments, results and calls in the wrong state are refused at the call.

import assert from "node:assert/strict";
import { InvalidStateError, Process, ProcessError, Queue } from "../../mod.ts";
import { failed, refused, rejected, wrong } from "../support/refusals.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

// Arguments and results

Deno.test("an argument that can't cross is named with its place", () => {
  const cases: [argument: unknown, ...patterns: RegExp[]][] = [
    [{ onDone() {} }, /args\[1\]\.onDone is a function/],
    [[1, [() => 1]], /args\[1\]\[1\]\[0\] is a function/],
    [new Map([["key", { deep: Symbol("s") }]]), /args\[1\]\.get\("key"\)\.deep is a symbol/],
    [new Set([Promise.resolve()]), /\[\.\.\.args\[1\]\]\[0\] is a Promise/],
    [{ "a b": new WeakMap() }, /args\[1\]\["a b"\] is a WeakMap/],
    [new Error("x", { cause: () => {} }), /args\[1\]\.cause is a function/],
  ];
  for (const [argument, ...patterns] of cases) {
    const process = new Process({ target: targets.give, args: wrong(["ok", argument]), module });
    refused(() => process.start(), TypeError, ...patterns);
    assert.equal(process.pid, undefined);
    assert.equal(process.isAlive(), false);
  }
});

Deno.test("an argument that can't cross is named also beside a queue", () => {
  const args = [new Queue(), { onDone() {} }];
  const process = new Process({ target: targets.give, args: wrong(args), module });
  refused(() => process.start(), TypeError, /args\[1\]\.onDone is a function/);
});

Deno.test("a process whose start was refused can be started once that is mended", async () => {
  const argument: { onDone?: () => void; text: string } = { onDone() {}, text: "mended" };
  const process = new Process({ target: targets.give<unknown>, args: [argument], module });
  refused(() => process.start(), TypeError, /args\[0\]\.onDone is a function/);
  refused(() => process.terminate(), InvalidStateError, /was not started/);
  delete argument.onDone;
  process.start();
  assert.deepEqual(await process.result(bound), { text: "mended" });
});

Deno.test("a Process among the arguments is refused", () => {
  const other = new Process({ target: targets.give, args: [1], module });
  for (const argument of [other, { other }, [other], new Map([["other", other]])]) {
    const process = new Process({ target: targets.give<unknown>, args: [argument], module });
    refused(() => process.start(), TypeError, /args\[0\].* is a Process/);
  }
});

Deno.test("a Queue where it can't be handed over is refused, not emptied", () => {
  class Holder {
    queue = new Queue();
  }
  const process = new Process({ target: targets.give<unknown>, args: [new Holder()], module });
  refused(() => process.start(), TypeError, /args\[0\]\.queue is a Queue/);
  const error = new Error("full of it", { cause: new Queue() });
  const other = new Process({ target: targets.give<unknown>, args: [error], module });
  refused(() => other.start(), TypeError, /args\[0\]\.cause is a Queue/);
});

Deno.test("a field of a subclass that can't cross is named with its place", () => {
  class Calling extends Process {
    options = { onDone() {} };
    override run() {}
  }
  const process = new Calling({ module });
  refused(() => process.start(), TypeError, /this\.options\.onDone is a function/);
});

Deno.test("a result that can't cross fails the process, and is named with its place", async () => {
  await failed(
    new Process({ target: targets.returnFunction, module }),
    TypeError,
    /result\.list\[1\]\.onDone is a function/,
  );
  await failed(
    new Process({ target: targets.returnSymbolLater, module }),
    TypeError,
    /result is a symbol/,
  );
});

Deno.test("a Process as a result is refused", async () => {
  const target = function makeProcess() {
    return { child: new Process({ target: function nothing() {}, by: "source" }) };
  };
  const process = new Process({ target, by: "source" });
  await failed(process, TypeError, /result\.child is a Process/);
});

// States

Deno.test("a second start is refused, and the first goes on", async () => {
  const process = new Process({ target: targets.give<string>, args: ["once"], module });
  process.start();
  refused(() => process.start(), InvalidStateError, new RegExp(process.name), /new Process/);
  assert.equal(await process.result(bound), "once");
  refused(() => process.start(), InvalidStateError, /started before/);
  assert.equal(await process.result(bound), "once");
});

Deno.test("what needs a started process is refused before the start", async () => {
  const process = new Process({ target: targets.give<string>, args: ["later"], module });
  const patterns = (call: string) => [
    new RegExp(`${process.name} was not started`),
    new RegExp(`start\\(\\) before ${call}\\(\\)`),
  ];
  for (const call of ["join", "result"] as const) {
    await rejected(() => process[call](), InvalidStateError, ...patterns(call));
  }
  for (const call of ["joinSync", "resultSync", "resultNowait", "terminate", "kill"] as const) {
    refused(() => process[call](), InvalidStateError, ...patterns(call));
  }
  process.start();
  assert.equal(await process.result(bound), "later");
  assert.equal(process.exitCode, 0);
});

Deno.test("the result of a process that was terminated says so", async () => {
  const process = new Process({ target: targets.wait, args: [new Queue<string>()], module });
  process.start();
  process.terminate();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(process.result(bound), (error) => {
      assert.ok(error instanceof ProcessError);
      assert.match(error.message, new RegExp(`^${process.name} was terminated`));
      assert.equal(error.exitCode, -15);
      assert.equal(error.cause, undefined);
      return true;
    });
  }
  assert.equal(await process.join(), true);
});

Deno.test("a process that is alive can't be closed, and goes on", async () => {
  const queue = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [queue], module });
  process.start();
  refused(() => process.close(), InvalidStateError, /is alive/, /terminate/);
  queue.putNowait("still there");
  assert.equal(await process.result(bound), "still there");
});

Deno.test("a closed process is of no more use", async () => {
  const process = new Process({ target: targets.give<string>, args: ["gone"], module });
  process.start();
  await process.join(bound);
  process.close();
  for (const call of ["join", "result"] as const) {
    await rejected(() => process[call](), InvalidStateError, /was closed/);
  }
  for (const call of ["joinSync", "resultSync", "resultNowait", "terminate", "kill"] as const) {
    refused(() => process[call](), InvalidStateError, /was closed/);
  }
  refused(() => process.start(), InvalidStateError, /new Process/);
});

Deno.test({
  name: "a module that starts processes as it is imported is stopped (needs --allow-read)",
  ignore: !canRead,
  fn: () =>
    failed(
      new Process({ target: "work", module: targets.unguarded }),
      InvalidStateError,
      /as it is imported/,
      /if \(import\.meta\.main\)/,
    ),
});
