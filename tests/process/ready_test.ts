// Process.ready(): what it answers in each state of a process.

import assert from "node:assert/strict";
import {
  Event,
  InvalidStateError,
  Process,
  ProcessError,
  type ProcessOptions,
  TimeoutError,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { granted, needs } from "../support/programs.ts";

const bound = { timeout: 20_000 };

const KINDS: [name: string, options: Partial<ProcessOptions>][] = [
  ["a thread", {}],
  ["a sandbox", { permissions: "none" }],
  ["a sandboxed thread", { permissions: "none", timeLimit: 60_000, memoryLimitMb: 64 }],
];

/** A process that runs until the event is set. */
function waiting(options: Partial<ProcessOptions> = {}) {
  const end = new Event();
  const process = new Process<[Event], boolean>({
    target: (end) => end.wait({ timeout: 60_000 }),
    args: [end],
    by: "source",
    ...options as object,
  });
  return { process, end };
}

for (const [kind, options] of KINDS) {
  const test = kind === "a thread" ? Deno.test : testInFull;

  test(`${kind} is ready while its target runs, and after it`, async () => {
    const { process, end } = waiting(options);
    process.start();
    assert.equal(await process.ready({ timeout: 0 }), false);
    assert.equal(await process.ready(bound), true);
    assert.equal(process.exitCode, null);
    end.set();
    assert.equal(await process.result(bound), true);
    assert.equal(await process.ready(), true);
  });

  testInFull(`readySync() waits for ${kind}`, async () => {
    const { process, end } = waiting(options);
    process.start();
    assert.equal(process.readySync({ timeout: 0 }), false);
    assert.equal(process.readySync(bound), true);
    end.set();
    assert.equal(await process.join(bound), true);
    assert.equal(process.readySync(), true);
  });

  testInFull(`${kind} that was killed before it was ready never is`, async () => {
    const { process } = waiting(options);
    process.start();
    const isReady = process.ready(bound);
    process.kill();
    await assert.rejects(
      isReady,
      (error) => error instanceof ProcessError && error.exitCode === -9,
    );
    await assert.rejects(process.ready(), ProcessError);
    assert.throws(() => process.readySync(), ProcessError);
  });
}

Deno.test({
  name: `a process is not ready where its module throws, and ready() says why ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const warm of [false, true]) {
      const process = new Process({
        target: "nothing",
        module: new URL("../support/targets/failing_module.ts", import.meta.url),
        warm,
      });
      process.start();
      await assert.rejects(process.ready(bound), (error: ProcessError) => {
        return error instanceof ProcessError && (error.cause as Error).message === "no module";
      });
      assert.equal(await process.join(bound), true);
    }
  },
});

testInFull("many may wait until a process is ready; one may give up", async () => {
  const { process, end } = waiting();
  process.start();
  const controller = new AbortController();
  const all = [process.ready(bound), process.ready(bound)];
  const aborted = process.ready({ signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assert.rejects(aborted, RangeError);
  assert.deepEqual(await Promise.all(all), [true, true]);
  await assert.rejects(process.result({ timeout: 0 }), TimeoutError);
  end.set();
  assert.equal(await process.result(bound), true);
});

Deno.test("ready() of a process that wasn't started, or was closed, is refused", async () => {
  const { process } = waiting();
  await assert.rejects(process.ready(), InvalidStateError);
  assert.throws(() => process.readySync(), InvalidStateError);
  await assert.rejects(process.ready({ timeout: -1 }), InvalidStateError);
  process.close();
  await assert.rejects(process.ready(), InvalidStateError);
});

testInFull("ready() refuses a timeout that is none", async () => {
  await using process = waiting().process;
  process.start();
  await assert.rejects(process.ready({ timeout: NaN }), RangeError);
  await assert.rejects(process.ready({ timeout: -1 }), RangeError);
});
