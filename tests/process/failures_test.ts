// The error of a failed process, as its starter gets it, and exit codes.

import assert from "node:assert/strict";
import { Process, ProcessError, type ProcessParameters, Queue, QueueEmpty } from "../../mod.ts";
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

/** The cause of it, which must be an Error. */
function causeOf(error: Error): Error {
  assert.ok(error.cause instanceof Error, `the cause is no Error: ${error.cause}`);
  return error.cause;
}

/** Queues to get stuck with: see targets.getStuck. */
function stuckQueues() {
  return { ready: new Queue<string>(), empty: new Queue<string>() };
}

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

testInFull("the exit code is n after Deno.exit(n), also from a timer", async () => {
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

testInFull("no exit code hides that a process has ended", async () => {
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
