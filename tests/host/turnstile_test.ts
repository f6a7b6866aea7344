// Sandboxes that are made in their turn: many started at once all run, and end, in the order in which they were asked to.

import assert from "node:assert/strict";
import { Process } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { granted, needs } from "../support/programs.ts";

const bound = { timeout: 60_000 };
const limits = { permissions: "none", timeLimit: 30_000, memoryLimitMb: 64 } as const;

function sandbox(i: number): Process<[number], number> {
  const process = new Process({
    target: (i: number) => i * i,
    args: [i],
    by: "source",
    ...limits,
  });
  process.start();
  return process;
}

/** More than are made at once on this machine. */
const many = 4 * navigator.hardwareConcurrency + 12;

testInFull("more sandboxes than are made at once all give their results", async () => {
  const all = Array.from({ length: many }, (_, i) => sandbox(i));
  assert.deepEqual(
    await Promise.all(all.map((process) => process.result(bound))),
    all.map((_, i) => i * i),
  );
});

testInFull("a sandbox that was not made yet is killed at once", async () => {
  const all = Array.from({ length: many }, (_, i) => sandbox(i));
  for (const process of all.toReversed()) process.kill();
  for (const process of all) {
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, -9);
  }
});

testInFull("sandboxes are made in their turn while the thread is blocked", () => {
  const all = Array.from({ length: many }, (_, i) => sandbox(i));
  for (const [i, process] of all.entries()) assert.equal(process.resultSync(bound), i * i);
});

Deno.test({
  name: `a program waits for the sandboxes that were not made yet ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--unstable-worker-options"],
        new URL("../support/programs/sandboxes.ts", import.meta.url).href,
      ],
    }).output();
    assert.equal(code, 0);
    assert.equal(new TextDecoder().decode(stdout).split("\n").filter(Boolean).length, 16);
  },
});
