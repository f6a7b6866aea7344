// The globals of a sealed process, and the effect of the attempts of hostile code in support/hostile.ts:
// by source and by reference, with no limit, with each, and in a sandbox in a sandbox. Each kind is one program, which
// lives on; the longest time that no timer of it ran is printed with SHOW_STALLS=1, and decides nothing.

import assert from "node:assert/strict";
import { Process, type ProcessError, type ProcessOptions } from "../../mod.ts";
import * as targets from "../support/targets/sealed_targets.ts";
import { testInFull } from "../support/length.ts";

const ignore = (["run", "read", "net"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);
const needs = "(needs --allow-all)";
const bound = { timeout: 60_000 };

/** Starts a sealed process by source and waits for its result. */
async function inSandbox<A extends unknown[], R>(
  target: (...args: A) => R | PromiseLike<R>,
  args: A,
  more: Pick<ProcessOptions, "permissions" | "sealed" | "timeLimit" | "memoryLimitMb"> = {},
): Promise<R> {
  const process = new Process(
    { target, args, by: "source", permissions: "none", ...more } as never,
  );
  process.start();
  return await process.result(bound) as R;
}

testInFull("nothing that is reachable in a sealed realm leads out of it", async () => {
  for (const limits of [{}, { timeLimit: 60_000, memoryLimitMb: 200 }]) {
    const { looked, found } = await inSandbox(targets.walk, [], limits);
    assert.ok(looked > 2000, `only ${looked} objects were looked at`);
    assert.deepEqual(found, []);
  }
});

Deno.test("a sealed process has what needs no permission, and it works", async () => {
  for (const limits of [{}, { timeLimit: 60_000, memoryLimitMb: 200 }]) {
    assert.deepEqual(await inSandbox(targets.useHarmless, [], limits), {
      text: "text in a stream",
      digest: 32,
      url: "https://example.com/b?c=1",
      clone: new Map([[1, new Date(0)]]),
      timers: "fired, not cleared",
      typed: "true 1,2 3 Uint8Array",
      pipe: "through a pipe",
      child: 49,
    });
  }
});

Deno.test("sealed: false leaves what Deno's permissions don't forbid", async () => {
  const target = () => [typeof globalThis.process, typeof BroadcastChannel, typeof WebAssembly];
  const all = ["object", "function", "object"];
  assert.deepEqual(await inSandbox(target, [], { sealed: false }), all);
  assert.deepEqual(await inSandbox(target, []), ["undefined", "undefined", "undefined"]);
  const kept = await inSandbox(target, [], { sealed: { keep: ["WebAssembly"] } });
  assert.deepEqual(kept, ["undefined", "undefined", "object"]);
});

testInFull("what a sealed process starts is sealed as well", async () => {
  const target = async (permissions: "inherit" | "none", sealed: boolean | undefined) => {
    const process = new Process({
      target: () => typeof globalThis.process,
      ...{ by: "source" as const, permissions, sealed },
    });
    try {
      process.start();
    } catch (error) {
      return `${error}`;
    }
    return await process.result();
  };
  const results = await Promise.all([
    inSandbox(target, ["inherit", undefined]),
    inSandbox(target, ["none", undefined]),
    inSandbox(target, ["none", true]),
    inSandbox(target, ["none", false]),
  ]);
  assert.deepEqual(results.slice(0, 3), ["undefined", "undefined", "undefined"]);
  assert.match(results[3], /^NotCapable: Process-\d+:1 is not to be sealed, and the process that/);
});

Deno.test("options of sealed processes that are none are refused", () => {
  const make = (options: Record<string, unknown>) => () =>
    new Process({ target: () => 1, permissions: "none", ...options } as never);
  const wrong: [options: Record<string, unknown>, message: RegExp][] = [
    [{ sealed: 1 }, /^TypeError: sealed is a number\. Give true, false or/],
    [{ sealed: "yes" }, /^TypeError: sealed is a string, "yes"/],
    [{ sealed: null }, /^TypeError: sealed is null/],
    [{ sealed: { keep: "WebAssembly" } }, /^TypeError: sealed\.keep is a string, "WebAssembly"/],
    [
      { sealed: { keep: ["process"] } },
      /^TypeError: sealed\.keep\[0\] is a string, "process", which can't/,
    ],
    [{ sealed: { kept: [] } }, /kept/],
    [{ sealed: true, permissions: "inherit" }, /^TypeError: sealed is for a process with permiss/],
    [{ maxResultBytes: "1" }, /^TypeError: maxResultBytes is a string, "1", not a number/],
    [{ maxResultBytes: 0 }, /^RangeError: maxResultBytes is 0/],
    [{ maxResultBytes: 1.5 }, /^RangeError: maxResultBytes is 1\.5/],
    [{ maxResultBytes: NaN }, /^RangeError: maxResultBytes is NaN/],
    [{ maxResultBytes: 2 ** 31 }, /^RangeError: maxResultBytes is 2147483648/],
    [{ maxResultBytes: 9, permissions: undefined }, /^TypeError: maxResultBytes is for a process/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(make(options), (error) => message.test(`${error}`), JSON.stringify(options));
  }
  for (const sealed of [undefined, true, false, { keep: [] }]) make({ sealed })();
});

Deno.test("a result that is too large is an error, and maxResultBytes allows for more", async () => {
  const target = (size: number) => new Uint8Array(size);
  const start = (size: number, maxResultBytes?: number) => {
    const options = { target, args: [size] as [number], by: "source" as const, maxResultBytes };
    const process = new Process({ ...options, permissions: "none" });
    process.start();
    return process.result(bound);
  };
  assert.equal((await start(1_000_000)).length, 1_000_000);
  assert.equal((await start(3_000_000, 4_000_000)).length, 3_000_000);
  await assert.rejects(start(2 ** 20), (error: ProcessError) => {
    assert.match(`${error.cause}`, /^RangeError: result takes \d+ bytes, .*larger maxResultBytes/);
    return true;
  });
  await assert.rejects(start(100, 50), /returns at most 50/);
});

testInFull("a time limit is kept while its starter computes without a pause", async () => {
  const { SharedArray } = await import("../../mod.ts");
  const beat = new SharedArray("i32", 1);
  const target = (beat: { [index: number]: number }) => {
    for (;;) beat[0]++;
  };
  const options = { target, args: [beat] as [typeof beat], by: "source" as const };
  const process = new Process({ ...options, permissions: "none", timeLimit: 300 });
  process.start();
  while (beat[0] === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  // Nobody's event loop turns here until the other one has stood still for long.
  const began = performance.now();
  let last = beat[0], since = performance.now();
  while (performance.now() - since < 500 && performance.now() - began < 20_000) {
    if (beat[0] === last) continue;
    last = beat[0];
    since = performance.now();
  }
  assert.ok(performance.now() - began < 20_000, "it goes on");
  const error = await process.result(bound).catch((error) => error);
  assert.equal(error.limit, "timeLimit");
});

Deno.test({
  name: `what the target's module imports statically is there, and nothing else ${needs}`,
  ignore,
  fn: async () => {
    for (const limits of [{}, { timeLimit: 60_000 }]) {
      const options = { target: targets.useStaticImports, by: "reference" as const };
      const process = new Process({ ...options, permissions: "none", ...limits });
      process.start();
      assert.deepEqual(await process.result(bound), {
        there: ["function", "function"],
        while: "refused",
        later: "refused",
      });
    }
  },
});
