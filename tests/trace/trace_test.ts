// trace(): what the processes do as Chrome trace events.

import assert from "node:assert/strict";
import { inspect, Lock, Pipe, Pool, Queue, sleep, trace } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { bound } from "../support/sync.ts";
import { starterOf } from "../support/starter.ts";
import * as targets from "../support/targets/trace_targets.ts";
import { memory, pidOf } from "./read_trace.ts";

const module = import.meta.resolve("../support/targets/trace_targets.ts");
const start = starterOf(module);
const mayConfine = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Until a process waits, in a wait that has begun after a time. */
async function untilItWaits(pid: number, since: number): Promise<void> {
  const isWaiting = () =>
    inspect().processes.find((it) => it.pid === pid)!.waits.some((it) => it.since > since);
  while (!isWaiting()) await sleep(1);
}

Deno.test("each item has an arrow from the put that put it to the get that got it", async () => {
  const to = memory(), running = trace(to.options);
  const queue = new Queue<number>({ name: "numbers", maxSize: 20 });
  const getters = ["one", "two"].map((name) => start(targets.get, [queue], { name }));
  const putters = [0, 1000].map((from) =>
    start(targets.put, [queue, from, 100], { name: `from ${from}` })
  );
  for (const putter of putters) await putter.result(bound);
  queue.shutdown();
  for (const getter of getters) await getter.join(bound);
  await running.stop();
  const file = to.read(), { traceEvents, otherData } = file;
  assert.equal(otherData.droppedEvents, 0);
  const ends = traceEvents.filter(({ ph, cat }) => ph === "f" && cat === "item");
  assert.equal(ends.length, 200);
  assert.equal(new Set(ends.map(({ id }) => id)).size, 200);
  const begins = traceEvents.filter(({ ph, cat }) => ph === "s" && cat === "item");
  for (
    const [events, names] of [[ends, ["one", "two"]], [begins, ["from 0", "from 1000"]]] as const
  ) {
    const pids = names.map((name) => pidOf(file, name));
    assert.ok(events.every(({ pid }) => pids.includes(pid)));
  }
  const lengths = traceEvents.filter(({ ph, name }) => ph === "C" && name.includes("numbers"));
  assert.ok(lengths.length > 10);
  for (const { args } of lengths) {
    // Where items come quickly, only one in 32 of a process has its time.
    const items = args!.items as number;
    assert.ok(items >= 0 && items <= 20 + 4 * (32 + 20), `${items}`);
  }
  assert.equal(lengths.at(-1)!.args!.items, 0);
});

Deno.test("messages have arrows, waits and locks begin and end, and processes are loaded", async () => {
  const to = memory();
  {
    await using _running = trace(to.options);
    const [here, there] = Pipe<number>(), lock = new Lock();
    const echo = start(targets.echo, [there], { name: "echo" });
    await untilItWaits(echo.pid!, 0);
    for (let i = 0; i < 10; i++) {
      await here.send(i);
      assert.equal(await here.recv(), 2 * i);
    }
    here.close();
    await echo.join(bound);
    await lock.acquire();
    const holder = start(targets.holdFor, [lock, 5], { name: "holder" });
    await holder.ready(bound);
    lock.release();
    await holder.join(bound);
  }
  const file = to.read(), { traceEvents } = file, echo = pidOf(file, "echo");
  const arrows = traceEvents.filter(({ ph, cat }) => ph === "f" && cat === "item");
  assert.equal(arrows.filter(({ pid }) => pid === echo).length, 10);
  assert.equal(arrows.filter(({ pid }) => pid === Deno.pid).length, 10);
  const holds = traceEvents.filter(({ ph, cat }) => ph === "b" && cat === "lock");
  assert.deepEqual(holds.map(({ pid }) => pid), [Deno.pid, pidOf(file, "holder")]);
  assert.match(holds[0].name, /^lock \d+$/);
  assert.ok(
    traceEvents.some(({ name, ph, pid }) =>
      name === "Connection.recv" && ph === "b" && pid === echo
    ),
  );
  const run = traceEvents.find(({ name, ph }) => name === "echo" && ph === "X")!;
  const loading = traceEvents.find(({ name, pid }) => name === "loading" && pid === echo)!;
  assert.ok(loading.dur! > 0 && loading.dur! < run.dur!);
  assert.equal(run.args!.exitCode, 0);
  assert.ok(
    traceEvents.some(({ ph, id, pid }) => ph === "s" && id === `start.${echo}` && pid === Deno.pid),
  );
});

Deno.test("what a process did before it was killed is there, and so is the kill", async () => {
  const to = memory(), running = trace(to.options);
  const lock = new Lock(), queue = new Queue<string>();
  const spinning = start(targets.spinWithLock, [lock, queue], { name: "spinning" });
  await queue.get(bound);
  spinning.kill();
  await spinning.join(bound);
  const { processes } = await running.stop();
  assert.equal(processes, 2);
  const file = to.read(), { traceEvents } = file, pid = pidOf(file, "spinning");
  const of = traceEvents.filter((event) => event.pid === pid);
  assert.ok(of.some(({ name, ph }) => name === "put" && ph === "X"));
  const kill = of.find(({ name }) => name === "kill")!;
  assert.deepEqual([kill.ph, kill.args], ["i", { signal: 9 }]);
  const held = of.find(({ ph, cat }) => ph === "e" && cat === "lock")!;
  assert.deepEqual(held.args, { outcome: "the process has ended" });
  const run = of.find(({ ph, name }) => ph === "X" && name === "spinning")!;
  assert.equal(run.args!.exitCode, -9);
  assert.ok(run.ts! <= kill.ts! && kill.ts! <= run.ts! + run.dur! + 1);
});

Deno.test("tasks of a pool are shown in its workers, and the pool's own messages are not", async () => {
  const to = memory(), running = trace(to.options);
  {
    await using pool = new Pool({ processes: 1, module });
    await pool.map(targets.half, [2, 4], { chunkSize: 2 });
    await assert.rejects(pool.apply(targets.half, [3]));
  }
  await running.stop();
  const { traceEvents } = to.read();
  const tasks = traceEvents.filter(({ cat }) => cat === "task");
  assert.deepEqual(tasks.map(({ ph, name, args }) => [ph, name, args!.index ?? args!.outcome]), [
    ["b", "half", 0],
    ["e", "half", "returned"],
    ["b", "half", 1],
    ["e", "half", "returned"],
    ["b", "half", 0],
    ["e", "half", "threw"],
  ]);
  assert.ok(!traceEvents.some(({ cat }) => cat === "item"));
});

Deno.test("a process that runs already takes part from its next wait, in each trace anew", async () => {
  const numbers = new Queue<number>(), answers = new Queue<number>();
  const worker = start(targets.answer, [numbers, answers], { name: "early" });
  await numbers.put(0);
  await answers.get(bound);
  for (let round = 0; round < 2; round++) {
    const to = memory(), running = trace(to.options), since = Date.now();
    await sleep(2); // a wait that has begun before the trace is older
    await numbers.put(1);
    await answers.get(bound);
    await untilItWaits(worker.pid!, since);
    await numbers.put(2);
    await answers.get(bound);
    await running.stop();
    const file = to.read(), pid = pidOf(file, "early");
    const got = file.traceEvents.filter((it) => it.pid === pid && it.name === "get");
    assert.ok(got.length === 1 || got.length === 2);
  }
  numbers.shutdown();
  await worker.join(bound);
});

testInFull("what is overwritten is counted, and flush() keeps it", async () => {
  const queue = new Queue<number>();
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      queue.putNowait(i);
      queue.getNowait();
    }
  };
  const to = memory(), running = trace(to.options);
  rounds(17_000);
  const { events, dropped } = await running.stop();
  assert.ok(events > 32_000 && events < 32_768 && dropped > 1_000, `${events}, ${dropped}`);
  const { otherData } = to.read();
  assert.equal(otherData.droppedEvents, dropped);
  assert.deepEqual(otherData.droppedByProcess, { [Deno.pid]: dropped });

  const flushed = memory(), second = trace(flushed.options);
  for (let i = 0; i < 3; i++) {
    rounds(12_000);
    await second.flush();
  }
  const summary = await second.stop();
  assert.equal(summary.dropped, 0);
  assert.deepEqual(await second.stop(), summary);
  const ends = flushed.read().traceEvents.filter(({ ph }) => ph === "f");
  assert.equal(ends.length, 36_000);
});

Deno.test("a trace needs a place, only one runs, and one that can't be opened leaves none behind", async () => {
  assert.throws(() => trace({}), /neither of file and writable/);
  assert.throws(
    () => trace({ file: "a", writable: new WritableStream() }),
    /both of file and writable/,
  );
  assert.throws(() => trace({ file: 1 as never }), TypeError);
  assert.throws(() => trace({ writable: {} as never }), TypeError);
  assert.throws(() => trace({ into: 1 } as never), TypeError);
  const locked = new WritableStream<Uint8Array>();
  locked.getWriter();
  assert.throws(() => trace({ writable: locked }), /in use/);
  assert.throws(() => trace({ file: "/no/such/folder/trace.json" })); // NotFound, or NotCapable
  const running = trace(memory().options);
  assert.throws(() => trace(memory().options), /runs already/);
  await running.stop();
  await trace(memory().options).stop();
});

Deno.test("the error of the stream reaches stop(), and another trace can begin", async () => {
  const broken = new WritableStream<Uint8Array>({
    write: () => {
      throw new RangeError("the disk is full");
    },
  });
  await assert.rejects(trace({ writable: broken }).stop(), /the disk is full|errored/);
  await trace(memory().options).stop();
});

Deno.test({
  name:
    "a process with permissions of its own shows what it does, and can't trace others (needs --allow-read)",
  ignore: !mayConfine,
  fn: async () => {
    const to = memory(), running = trace(to.options);
    const queue = new Queue<number>({ name: "evil\u001b[31m\n" });
    const confined = start(targets.get, [queue], {
      name: "con\u001b[2Jfined",
      permissions: "none",
    });
    await queue.putMany([1, 2, 3, 4, 5, 6]);
    queue.shutdown();
    await confined.result(bound);
    await running.stop();
    const file = to.read(), { traceEvents } = file;
    const run = traceEvents.find(({ ph, args }) => ph === "X" && args?.sandboxed === true)!;
    assert.match(run.name, /^con\ufffd\[2Jfined$/);
    const ends = traceEvents.filter(({ ph, pid, cat }) =>
      ph === "f" && pid === run.pid && cat === "item"
    );
    assert.equal(ends.length, 6);
  },
});
