// A process's information about itself and its parent, and its wait for the parent's end.

import assert from "node:assert/strict";
import {
  currentProcess,
  parentProcess,
  Process,
  type ProcessParameters,
  Queue,
  waitNowait,
} from "../../mod.ts";
import { hosted } from "../../lib/host/supervisor.ts";
import { testInFull } from "../support/length.ts";
import * as targets from "../support/targets/process_targets.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** Starts a parent that children watch, and waits until all do. */
async function startWatched(role: targets.Watched, options: { daemon?: boolean } = {}) {
  const said = new Queue<string>();
  const parent = new Process({
    target: targets.watch,
    args: [said, new Queue<string>(), role],
    module,
    name: "the parent",
    ...options,
  });
  parent.start();
  assert.equal(await said.get(bound), "all are watching");
  const count = [...hosted.values()].filter(({ owner }) => owner === parent.pid).length;
  return { parent, said, count };
}

/**
 * What the children say in the end, all that main runs. On a very slow machine the parent may have
 * started one in its own worker: that one ends with it.
 */
async function checkAllNotice(said: Queue<string>, count: number) {
  const lines: string[] = [];
  while (lines.length < count) lines.push(await said.get(bound));
  for (const role of ["join", "joinSync", "wait", "waitSync"]) {
    const line = lines.find((line) => line.startsWith(`${role}:`));
    if (line === undefined && count < 4) continue;
    assert.equal(line, `${role}: the parent lives, false, null; the parent has ended, true`);
  }
}

for (const how of ["kill", "terminate"] as const) {
  for (const role of ["rest", "spin"] as const) {
    testInFull(`children notice that a parent that ${role}s was ended by ${how}()`, async () => {
      const { parent, said, count } = await startWatched(role);
      parent[how]();
      await checkAllNotice(said, count);
      await parent.join(bound);
    });
  }
}

Deno.test("children notice that their parent has called Deno.exit()", async () => {
  const { parent, said, count } = await startWatched("exit");
  await checkAllNotice(said, count);
  await parent.join(bound);
  assert.equal(parent.exitCode, 0);
});

Deno.test("a process whose parent is main sees it live, and how both are printed", async () => {
  const process = new Process({ target: targets.printSelf, module, name: "the child" });
  process.start();
  const main = currentProcess().pid;
  const { errors, ...rest } = await process.result(bound);
  assert.deepEqual(rest, {
    me: `CurrentProcess { name: "the child", pid: ${process.pid}, daemon: false, exitCode: null }`,
    parent:
      `[\n  ParentProcess { name: "MainProcess", pid: ${main}, daemon: false, alive: true }\n]`,
    exitCodes: [null, null],
    same: [true, true],
    joined: false,
    refused: "RangeError",
  });
  assert.match(
    `${errors}`,
    /item\.object is what currentProcess\(\) returns.*,.*parentProcess\(\)/,
  );
});

Deno.test("currentProcess() in main has no exit code, shows no internals and is alive", () => {
  const me = currentProcess();
  assert.equal(me.exitCode, null);
  assert.equal(me.isAlive(), true);
  assert.equal(parentProcess(), null);
  const printed = Deno.inspect(me);
  assert.equal(
    printed,
    `CurrentProcess { name: "MainProcess", pid: ${me.pid}, daemon: false, exitCode: null }`,
  );
  assert.equal(Deno.inspect(me, { colors: true }).includes("\x1b["), true);
  assert.throws(() => structuredClone({ me, f() {} }));
  assert.throws(() => waitNowait([me]), /can't be waited for/);
  const parameters = [{ target: targets.give, args: [{ me }], module }];
  const process = new Process(...parameters as unknown as ProcessParameters<unknown[], unknown>);
  assert.throws(() => process.start(), /args\[0\]\.me is what currentProcess\(\) returns/);
});

Deno.test({
  name:
    "an object of a subclass is alive in its own run(), and can't do to itself what its starter can (needs --allow-read)",
  ignore: !canRead,
  fn: async () => {
    const process = new targets.Introvert();
    process.start();
    const { refusals, ...rest } = await process.result(bound) as Record<string, unknown>;
    assert.deepEqual(rest, {
      printed:
        `Introvert { name: "${process.name}", pid: ${process.pid}, daemon: false, exitCode: null }`,
      alive: true,
      exitCode: null,
      daemon: false,
    });
    for (const refusal of refusals as string[]) {
      assert.match(
        refusal,
        new RegExp(`was called on ${process.name}, the process this code runs in\\. `),
      );
    }
    assert.equal((refusals as string[]).length, 8);
  },
});

Deno.test({
  name:
    "an end of a pipe in a private field of a subclass stays, one in a property goes with it (needs --allow-read)",
  ignore: !canRead,
  fn: async () => {
    const upperCaser = new targets.UpperCaser();
    upperCaser.start();
    assert.equal(await upperCaser.submit("hello"), "HELLO");
    assert.equal(await upperCaser.submit("world"), "WORLD");
    assert.equal(upperCaser.end.closed, true);
    upperCaser.stop();
    await upperCaser.join(bound);
    assert.equal(upperCaser.exitCode, 0);
  },
});
