// deno task test:crowd: hostile sandboxes, 200 at once, and 2,000 one after another; the number of each as arguments.
// Prints the longest time that the program's event loop stood still, and its threads, descriptors and memory before and
// after. Fails where one of them has no end with a name, or something stays. Linux only.

import { Process, type ProcessError } from "@multiproc/multiprocessing";
import { ownTime } from "../support/own_time.ts";

const snippets = [
  "for (;;);",
  "const all = []; for (;;) all.push({ x: all.length });",
  "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
  'return import("node:fs")',
  "for (;;) await 0;",
  'throw new Error("x".repeat(1e6))',
  "return new Uint8Array(2 ** 22)",
  "for (;;) new Process({ target: () => 1, by: 'source' }).start()",
  "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
  "return /(a*)*b/.test('a'.repeat(60))",
];

const execute = async (code: string): Promise<unknown> => {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  return await new AsyncFunction("Process", code)(Process);
};

function use() {
  const status = Deno.readTextFileSync("/proc/self/status");
  const number = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]);
  return {
    threads: number("Threads"),
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length - 1,
    megabytes: Math.round(number("VmRSS") / 1024),
  };
}

async function one(i: number): Promise<string> {
  const process = new Process({
    target: execute,
    args: [snippets[i % snippets.length]],
    by: "source",
    permissions: "none",
    memoryLimitMb: 64,
    timeLimit: 300,
  });
  process.start();
  try {
    await process.result({ timeout: 120_000 });
    return "returned";
  } catch (error) {
    const { limit, name } = error as ProcessError;
    return limit ?? name;
  } finally {
    await process.join({ timeout: 10_000 });
  }
}

async function measure(what: string, work: () => Promise<string[]>): Promise<boolean> {
  const before = use();
  let last = ownTime(), stall = 0, peak = before.megabytes;
  const timer = setInterval(() => {
    const now = ownTime();
    stall = Math.max(stall, now - last);
    last = now;
  }, 5);
  const sizes = setInterval(() => peak = Math.max(peak, use().megabytes), 100);
  const began = performance.now();
  const ends: Record<string, number> = {};
  for (const end of await work()) ends[end] = (ends[end] ?? 0) + 1;
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  clearInterval(sizes);
  // What V8 can't interrupt goes on for some seconds.
  await new Promise((done) => setTimeout(done, 5000));
  const after = use();
  console.log(
    JSON.stringify({
      what,
      seconds: Math.round(seconds),
      stall: Math.round(stall),
      before,
      peak,
      after,
      ends,
    }),
  );
  return ends["TimeoutError"] === undefined && after.threads <= before.threads + 8 &&
    after.descriptors <= before.descriptors + 16;
}

if (import.meta.main) {
  const [atOnce = 200, inRow = 2000] = Deno.args.map(Number);
  const isWell = [
    await measure("warming up", async () => [await one(3)]),
    await measure(
      `${atOnce} at once`,
      () => Promise.all(Array.from({ length: atOnce }, (_, i) => one(i))),
    ),
    await measure(`${inRow} in a row, two at a time`, async () => {
      const ends: string[] = [];
      let next = 0;
      const take = async () => {
        while (next < inRow) {
          if (next % 200 === 0) console.error(`${next}: ${JSON.stringify(use())}`);
          ends.push(await one(next++));
        }
      };
      await Promise.all([take(), take()]);
      return ends;
    }),
  ];
  Deno.exit(isWell.every((well) => well) ? 0 : 1);
}
