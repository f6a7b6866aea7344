// The properties of a closed process that remain, and the properties that can be set before a start.

import assert from "node:assert/strict";
import { activeChildren, Event, InvalidStateError, Process, wait, waitNowait } from "../../mod.ts";
import { wrong } from "../support/local.ts";
import * as targets from "../support/targets/process_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A process that gives back a value. */
function giving<T>(value: T, options: { daemon?: boolean; name?: string } = {}) {
  return new Process({ target: targets.give<T>, args: [value], module, ...options });
}

/** Everything that a closed process refuses, but for start(). */
const uses: Record<string, (process: Process<[number], number>) => unknown> = {
  "isAlive()": (process) => process.isAlive(),
  "exitCode": (process) => process.exitCode,
  "daemon": (process) => process.daemon,
  "permissions": (process) => process.permissions,
  "join()": (process) => process.join(),
  "joinSync()": (process) => process.joinSync(),
  "result()": (process) => process.result(),
  "resultNowait()": (process) => process.resultNowait(),
  "resultSync()": (process) => process.resultSync(),
  "terminate()": (process) => process.terminate(),
  "kill()": (process) => process.kill(),
  "wait()": (process) => waitNowait([process]),
};

/** Checks that nothing but its name and pid is left of it. */
async function checkClosed(process: Process<[number], number>, name: string) {
  for (const [use, call] of Object.entries(uses)) {
    await assert.rejects(async () => await call(process), (error) => {
      assert.ok(error instanceof InvalidStateError, `${use}: ${error}`);
      const said =
        `${name} was closed, and only its name and pid are left. Use ${use} before close().`;
      assert.equal(error.message, said);
      return true;
    }, use);
  }
  assert.throws(() => process.start(), /was closed.*Make a new Process\.$/);
  assert.throws(() => process.name = "another", InvalidStateError);
  assert.throws(() => process.daemon = true, InvalidStateError);
  assert.equal(process.name, name);
  assert.equal(
    Deno.inspect(process),
    `Process { name: "${name}", pid: ${process.pid}, closed: true }`,
  );
  assert.ok(!activeChildren().includes(process));
  process.close();
  await process[Symbol.asyncDispose]();
}

Deno.test("of a process that has ended and was closed, name and pid are left", async () => {
  const process = giving(5);
  process.start();
  const { pid } = process;
  assert.equal(await process.result(bound), 5);
  assert.equal(process.exitCode, 0);
  process.close();
  assert.equal(process.pid, pid);
  await checkClosed(process, process.name);
});

Deno.test("the same, whether it was joined, terminated or never asked anything", async () => {
  const joined = giving(1), terminated = giving(1), unasked = giving(1);
  for (const process of [joined, terminated, unasked]) process.start();
  await joined.join(bound);
  terminated.terminate();
  await terminated.join(bound);
  await wait([unasked], bound);
  for (const process of [joined, terminated, unasked]) {
    process.close();
    await checkClosed(process, process.name);
  }
});

Deno.test("one that was not started can be closed, and then isn't started", async () => {
  const process = giving(5, { name: "never" });
  process.close();
  assert.equal(process.pid, undefined);
  await checkClosed(process, "never");
});

Deno.test("one that is alive can't be closed, and goes on", async () => {
  const process = giving(5);
  process.start();
  assert.throws(() => process.close(), /is alive\. Join or terminate it before close\(\)\.$/);
  assert.equal(process.isAlive(), true);
  assert.equal(await process.result(bound), 5);
  process.close();
});

Deno.test("close() while others wait for its end: they learn that it has ended", async () => {
  const go = new Event();
  const process = new Process({ target: (go: Event) => go.wait(), args: [go], by: "source" });
  process.start();
  const waits = [process.join(bound), wait([process], bound), process.join(bound)];
  go.set();
  await process.join(bound);
  process.close();
  assert.deepEqual(await Promise.all(waits), [true, [process], true]);
});

Deno.test("a process whose start failed can be started again, with what it was given", async () => {
  let allowed = false;
  const value = {
    get number() {
      if (!allowed) throw new RangeError("not yet");
      return 7;
    },
  };
  const process = giving<{ number: number }>(value);
  assert.throws(() => process.start(), /not yet/);
  allowed = true;
  process.start();
  assert.deepEqual(await process.result(bound), { number: 7 });
});

Deno.test("its name and whether it is a daemon can be set before it is started", async () => {
  const process = new Process({ target: targets.tellSelf, module });
  process.name = "another";
  process.daemon = true;
  assert.deepEqual([process.name, process.daemon], ["another", true]);
  for (const name of ["", 5, null, undefined]) {
    assert.throws(() => process.name = wrong(name), TypeError, `${name}`);
  }
  for (const daemon of ["yes", 1, null, undefined]) {
    assert.throws(() => process.daemon = wrong(daemon), TypeError, `${daemon}`);
  }
  process.start();
  assert.throws(
    () => process.name = "late",
    /was started, with its name\. Set that before start\(\)/,
  );
  assert.throws(() => process.daemon = false, /was started, with its daemon\. Set/);
  const { name, daemon } = await process.result(bound);
  assert.deepEqual([name, daemon], ["another", true]);
  await process.join(bound);
});
