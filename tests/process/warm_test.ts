// Warm starts: a process that starts in a thread which was made ahead is like any other.

import assert from "node:assert/strict";
import { activeChildren, Process, type ProcessOptions, sleep } from "../../mod.ts";
import { granted, needs, run } from "../support/programs.ts";
import { testInFull } from "../support/length.ts";
import * as targets from "../support/targets/warm_targets.ts";

const bound = { timeout: 20_000 };

type Options = Pick<ProcessOptions, "by" | "warm" | "name" | "timeLimit">;

/** Starts a process; whether its isolate is older than that start. */
async function startsWarm(options: Options = {}): Promise<boolean> {
  const process = new Process<[], number>({
    target: targets.tellOrigin,
    module: targets.here,
    ...options,
  });
  const before = performance.timeOrigin + performance.now();
  process.start();
  const origin = await process.result(bound);
  assert.equal(await process.join(bound), true);
  return origin < before;
}

/** Waits until there is a spare, by starting processes until one of them starts warm; then for the next spare. */
async function untilSpare(options: Options = {}): Promise<void> {
  for (const end = performance.now() + 20_000; !await startsWarm(options);) {
    assert.ok(performance.now() < end, "no process has started warm");
    await sleep(100);
  }
  await sleep(300);
}

for (const by of ["source", "reference"] as const) {
  testInFull(`by ${by}, a process starts warm some time after another one has ended`, async () => {
    await untilSpare({ by });
    assert.equal(await startsWarm({ by, warm: false }), false);
  });

  testInFull(`by ${by}, a process that started warm sees what another one sees`, async () => {
    const looks = [];
    for (const warm of [false, true]) {
      await untilSpare({ by });
      const process = new Process({
        target: targets.look,
        module: targets.here,
        ...{ by, warm, name: "looking" },
      });
      process.start();
      looks.push(await process.result(bound));
    }
    assert.deepEqual(looks[1], looks[0]);
  });
}

testInFull("a child of a process starts warm, too", async () => {
  const process = new Process({ target: targets.startUntilWarm, module: targets.here });
  process.start();
  await process.result({ timeout: 60_000 });
});

testInFull("a spare is no child", async () => {
  await untilSpare();
  assert.deepEqual(activeChildren(), []);
  const first = new Process({ target: targets.tellOrigin }), name = first.name;
  await untilSpare();
  const next = new Process({ target: targets.tellOrigin });
  assert.ok(Number(next.name.split("-")[1]) > Number(name.split("-")[1]));
  first.close();
  next.close();
});

for (const [how, code] of [["terminate", -15], ["kill", -9]] as const) {
  testInFull(`${how}() ends a process that starts warm, at once and in a loop`, async () => {
    for (const pause of [0, 0, 1, 5, 20]) {
      await untilSpare({ by: "source" });
      const process = new Process({ target: targets.spin, by: "source" });
      process.start();
      if (pause > 0) await sleep(pause);
      process[how]();
      assert.equal(await process.join(bound), true);
      assert.equal(process.exitCode, code);
    }
  });
}

testInFull("the time limit of a process that starts warm counts from its own start", async () => {
  await untilSpare({ by: "source" });
  await sleep(1000);
  await startsWarm({ by: "source", timeLimit: 1000 });
});

testInFull("an error of a process that starts warm is as any other", async () => {
  const errors = [];
  for (const warm of [false, true]) {
    await untilSpare({ by: "source" });
    const process = new Process({
      target: () => {
        throw new TypeError("no", { cause: [1] });
      },
      ...{ by: "source", warm, name: "failing" },
    });
    process.start();
    const error = await process.result(bound).then(() => undefined, (error) => error);
    errors.push([error.message, error.exitCode, error.cause.name, error.cause.cause]);
  }
  assert.deepEqual(errors[1], errors[0]);
});

Deno.test({
  name: `a program with a spare ends at once ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const flags of [[], ["--allow-all"]]) {
      const { code, out, errors } = await run("warm.ts", [], flags);
      assert.deepEqual([code, errors, out[0]], [0, "", "a process has started warm"]);
      // A spare that nothing takes waits for 8 s.
      assert.ok(Date.now() - Number(out[1]) < 5000, "the program waited for the spare");
    }
  },
});

Deno.test({
  name: `a process that starts warm lacks what was revoked after its thread was made ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("warm.ts", ["revoke"], ["--allow-all"]);
    assert.deepEqual([code, errors, out], [0, "", ["a process has started warm", "true prompt"]]);
  },
});
