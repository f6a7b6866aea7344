// The listeners for a process's end and for uncaught errors, Deno's and node's: they run in a child as they would in
// main, and the exit code they set and the default they prevent count.

import assert from "node:assert/strict";
import { Process, ProcessError, Queue } from "../../mod.ts";
import * as targets from "../support/targets/exit_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;
const bound = { timeout: 20_000 };

interface Ended {
  log: string[];
  /** What it returned, or why not. */
  result: unknown;
  exitCode: number | null;
}

async function run<A extends unknown[]>(
  target: (...args: [...A, Queue<string>]) => Promise<string>,
  args: A,
  permissions?: "none",
): Promise<Ended> {
  const log = new Queue<string>();
  // A sandbox by source: by reference `deno test` type-checks each one.
  const options = permissions && { permissions, sealed: false, by: "source" as const };
  const process = new Process({ target, args: [...args, log] as never, module, ...options });
  process.start();
  const result = await process.result(bound).catch((error) => error);
  await process.join(bound);
  log.shutdown();
  const logged: string[] = [];
  for await (const line of log) logged.push(line);
  return { log: logged, result, exitCode: process.exitCode };
}

const returned = ["beforeExit 0", "flushed", "exit 0"];
const ends: [targets.End, targets.Deed, number, string[], RegExp][] = [
  ["returns", "nothing", 0, returned, /^returned$/],
  ["returns", "set process.exitCode", 7, returned, /^returned$/],
  ["returns", "set Deno.exitCode", 8, returned, /^returned$/],
  ["returns", "throw", 1, returned, /^returned$/],
  [
    "returns with process.exitCode",
    "nothing",
    3,
    ["beforeExit 3", "flushed", "exit 3"],
    /^returned$/,
  ],
  ["throws", "nothing", 1, ["exit 1"], /failed: RangeError: thrown/],
  ["throws", "set process.exitCode", 7, ["exit 1"], /failed: RangeError: thrown/],
  ["throws", "throw", 1, ["exit 1"], /failed: RangeError: thrown/],
  ["rejects nobody's promise", "nothing", 1, ["exit 1"], /failed: RangeError: rejected/],
  ["throws in a timer", "set Deno.exitCode", 8, ["exit 1"], /failed: RangeError: late/],
  ["calls Deno.exit", "nothing", 4, ["exit 4"], /exited with code 4/],
  ["calls Deno.exit", "set process.exitCode", 7, ["exit 4"], /exited with code 7/],
  ["calls process.exit", "nothing", 5, ["exit 5"], /exited with code 5/],
  ["calls process.exit", "set process.exitCode", 7, ["exit 5"], /exited with code 7/],
  ["calls Deno.exit in a timer", "nothing", 6, ["exit 6"], /exited with code 6/],
];

for (const permissions of [undefined, "none"] as const) {
  const where = permissions === undefined ? "" : ", in a sandbox too";
  testInFull(
    `node's "exit" runs however a process ends, and sets its exit code${where}`,
    async () => {
      const chosen = permissions === undefined ? ends : ends.filter((_, index) => index % 3 === 0);
      const all = await Promise.all(
        chosen.map(([how, deed]) => run(targets.end, [how, deed], permissions)),
      );
      for (const [index, [how, deed, exitCode, log, result]] of chosen.entries()) {
        const ended = all[index], what = `${how}, ${deed}`;
        assert.deepEqual(ended.log, log, what);
        assert.equal(ended.exitCode, exitCode, what);
        assert.match(String(ended.result), result, what);
        if (ended.result instanceof ProcessError) {
          assert.equal(ended.result.exitCode, exitCode, what);
        }
      }
    },
  );
}

Deno.test(`no "exit" runs in a process that is terminated`, async () => {
  const log = new Queue<string>();
  const process = new Process({
    target: async function wait(log: Queue<string>) {
      const { default: process } = await import("node:process");
      process.on("exit", () => log.putNowait("exit"));
      log.putNowait("ready");
      await new Promise(() => setInterval(() => {}, 1000));
    },
    args: [log],
    by: "source",
  });
  process.start();
  assert.equal(await log.get(bound), "ready");
  process.terminate();
  await process.join(bound);
  assert.equal(process.exitCode, -15);
  assert.equal(log.qsize(), 0);
});

// As the main isolate of Deno 2.9.6 does it. What isn't here ends the process.
const goesOn: [targets.Uncaught, targets.Listener[], string[]][] = [
  ["rejection", ["unhandledRejection"], ["unhandledRejection: uncaught, a promise"]],
  ["async rejection", ["unhandledRejection"], ["unhandledRejection: uncaught, a promise"]],
  ["rejection", ["uncaughtException"], ["uncaughtException: uncaught, unhandledRejection"]],
  [
    "rejection",
    ["unhandledRejection", "uncaughtException", "uncaughtExceptionMonitor"],
    ["unhandledRejection: uncaught, a promise"],
  ],
  [
    "rejection",
    ["uncaughtExceptionMonitor", "uncaughtException"],
    [
      ...["monitor: uncaught, unhandledRejection"],
      ...["uncaughtException: uncaught, unhandledRejection"],
    ],
  ],
  ["rejection", ["unhandledrejection!"], ["event unhandledrejection: uncaught"]],
  [
    "rejection",
    ["unhandledrejection", "unhandledRejection"],
    ["event unhandledrejection: uncaught", "unhandledRejection: uncaught, a promise"],
  ],
  [
    "rejection",
    ["unhandledrejection!", "unhandledRejection", "uncaughtException"],
    ["event unhandledrejection: uncaught"],
  ],
  ["error", ["uncaughtException"], ["uncaughtException: uncaught, uncaughtException"]],
  ["reported error", ["uncaughtException"], ["uncaughtException: uncaught, uncaughtException"]],
  ["error", ["error!"], ["event error: uncaught"]],
  ["reported error", ["error!"], ["event error: uncaught"]],
  [
    "error",
    ["error", "uncaughtException"],
    ["event error: uncaught", "uncaughtException: uncaught, uncaughtException"],
  ],
];
const ending: [targets.Uncaught, targets.Listener[], string[], RegExp][] = [
  ["rejection", [], [], /RangeError: uncaught/],
  ["rejection", ["unhandledrejection"], ["event unhandledrejection: uncaught"], /RangeError: unc/],
  ["rejection", ["error!"], [], /RangeError: uncaught/],
  [
    "rejection",
    ["uncaughtExceptionMonitor"],
    ["monitor: uncaught, unhandledRejection"],
    /RangeError: uncaught/,
  ],
  ["rejected text", [], [], /failed: a text/],
  [
    "rejection",
    ["unhandledRejection!"],
    ["unhandledRejection: uncaught, a promise"],
    /Error: in a listener/,
  ],
  ["error", [], [], /RangeError: uncaught/],
  ["error", ["unhandledRejection"], [], /RangeError: uncaught/],
  ["error", ["error"], ["event error: uncaught"], /RangeError: uncaught/],
  [
    "error",
    ["uncaughtExceptionMonitor"],
    ["monitor: uncaught, uncaughtException"],
    /RangeError: uncaught/,
  ],
];

const sorted = (lines: string[]) => [...lines].sort();

for (const permissions of [undefined, "none"] as const) {
  const where = permissions === undefined ? "" : ", in a sandbox too";
  testInFull(
    `listeners for uncaught errors that handle them let a process go on${where}`,
    async () => {
      const chosen = permissions === undefined ? goesOn : goesOn.slice(0, 4);
      const all = await Promise.all(
        chosen.map(([what, listeners]) => run(targets.letHappen, [what, listeners], permissions)),
      );
      for (const [index, [what, listeners, log]] of chosen.entries()) {
        const { result, exitCode, ...ended } = all[index];
        assert.deepEqual([result, exitCode], ["went on", 0], `${what}, ${listeners}`);
        assert.deepEqual(sorted(ended.log), sorted(log), `${what}, ${listeners}`);
      }
    },
  );
}

testInFull("an uncaught error that no listener handles ends the process", async () => {
  const all = await Promise.all(
    ending.map(([what, listeners]) => run(targets.letHappen, [what, listeners])),
  );
  for (const [index, [what, listeners, log, message]] of ending.entries()) {
    const { result, exitCode, ...ended } = all[index];
    assert.ok(result instanceof ProcessError, `${what}, ${listeners}: ${result}`);
    assert.match(result.message, message);
    assert.equal(exitCode, 1);
    assert.deepEqual(ended.log, log, `${what}, ${listeners}`);
  }
});
