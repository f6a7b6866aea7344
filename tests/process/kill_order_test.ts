// Which process ends another one, when and how often; in whole programs too.

import assert from "node:assert/strict";
import {
  activeChildren,
  type Connection,
  EOFError,
  Event,
  Pipe,
  Process,
  Queue,
  sleep,
} from "../../mod.ts";
import {
  bound,
  checkEnded,
  checkUsable,
  type End,
  ends,
  fewAtOnce,
  kinds,
  makeThings,
  type Things,
} from "../support/kill.ts";
import { both, granted, needs, prints, run } from "../support/programs.ts";
import { testInFull } from "../support/length.ts";

// By whom, when and how often

Deno.test("of terminate() and kill() the first counts, and the signal's abort is one of them", async () => {
  const orders: [("terminate" | "kill" | "abort")[], number][] = [
    [["terminate", "kill"], -15],
    [["kill", "terminate"], -9],
    [["kill", "abort", "kill"], -9],
    [["abort", "kill"], -15],
  ];
  await fewAtOnce(orders.map(([order, code]) => async () => {
    const controller = new AbortController(), ready = new Queue<string>();
    const process = new Process({
      target: (ready: Queue<string>) => {
        ready.putSync("ready");
        for (;;);
      },
      args: [ready],
      by: "source",
      signal: controller.signal,
    });
    process.start();
    await ready.get(bound);
    for (const end of order) end === "abort" ? controller.abort() : process[end]();
    await checkEnded(process, code);
    for (const end of order) end === "abort" ? controller.abort() : process[end]();
    assert.equal(process.exitCode, code);
  }));
});

Deno.test("a process that has ended keeps its exit code and its result", async () => {
  const own: [(code: number) => unknown, number][] = [
    [() => "returned", 0],
    [() => {
      throw new RangeError("its own");
    }, 1],
    [(code) => Deno.exit(code), 7],
  ];
  const cases = Object.values(kinds).flatMap((options) =>
    own.map(([target, code]) => async () => {
      const controller = new AbortController(), { signal } = controller;
      const process = new Process({ target, args: [code], by: "source", signal, ...options });
      process.start();
      const outcome = () =>
        process.result(bound).catch((error) => `${error.exitCode} ${error.cause}`);
      const first = await outcome();
      await process.join(bound);
      process.terminate();
      process.kill();
      controller.abort();
      await process[Symbol.asyncDispose]();
      assert.equal(process.exitCode, code);
      assert.equal(await outcome(), first);
      assert.equal(process.isAlive(), false);
      assert.ok(!activeChildren().includes(process as unknown as Process));
    })
  );
  await fewAtOnce(cases);
});

Deno.test("a process in an unload listener of its Deno.exit(3) has not ended, and is ended", async () => {
  const cases = (Object.keys(ends) as End[]).map((end) => async () => {
    const all = makeThings(), { ready } = all.things;
    const process = new Process({
      target: ({ ready }: Things) => {
        globalThis.addEventListener("unload", () => {
          ready.putSync("ready");
          for (;;);
        });
        Deno.exit(3);
      },
      args: [all.things],
      by: "source",
    });
    process.start();
    await ready.get(bound);
    assert.ok(process.isAlive());
    process[end]();
    await checkEnded(process, ends[end]);
    await checkUsable(all);
  });
  await fewAtOnce(cases);
});

Deno.test("a process is ended where its block is left, by finally and by await using", async () => {
  const ready = new Queue<string>();
  const make = () =>
    new Process({
      target: (ready: Queue<string>) => {
        ready.putSync("ready");
        for (;;);
      },
      args: [ready],
      by: "source",
    });
  const killed = make();
  try {
    killed.start();
    await ready.get(bound);
    throw new RangeError("the block is left");
  } catch (error) {
    assert.ok(error instanceof RangeError, `${error}`);
  } finally {
    killed.kill();
  }
  await checkEnded(killed, -9);
  const terminated = await (async () => {
    await using process = make();
    process.start();
    await ready.get(bound);
    return process;
  })();
  await checkEnded(terminated, -15);
});

testInFull("a child ends its own child, and the program has all of them at their end", async () => {
  for (const daemon of [false, true]) {
    const told = new Queue<string>(), over = new Event(), [here, there] = Pipe<never>();
    const process = new Process({
      target: async (
        told: Queue<string>,
        over: Event,
        there: Connection<never>,
        daemon: boolean,
      ) => {
        const child = new Process({
          target: (
            told: Queue<string>,
            over: Event,
            there: Connection<never>,
            daemon: boolean,
          ) => {
            new Process({
              target: async (told: Queue<string>, over: Event, _there: Connection<never>) => {
                await told.put("grandchild");
                await over.wait();
              },
              args: [told, over, there],
              by: "source",
              daemon,
            }).start();
            for (;;);
          },
          args: [told, over, there, daemon],
          by: "source",
        });
        child.start();
        await told.get();
        child.kill();
        const joined = await child.join();
        return [joined, child.exitCode, child.isAlive(), activeChildren().length];
      },
      args: [told, over, there, daemon],
      by: "source",
    });
    process.start();
    assert.deepEqual(await process.result(bound), [true, -9, false, 0]);
    await process.join(bound);
    assert.equal(process.exitCode, 0);
    // A daemon ends with who started it.
    if (!daemon) over.set();
    await assert.rejects(here.recv(bound), EOFError);
    assert.deepEqual(activeChildren(), []);
  }
});

testInFull("a process can be ended while it starts children", async () => {
  const cases = [0, 3, 10, 40].map((ms, i) => async () => {
    const end: End = i % 2 ? "kill" : "terminate", done = new Queue<string>();
    const process = new Process({
      target: async (done: Queue<string>) => {
        for (;;) {
          const children = [1, 2].map(() =>
            new Process({
              target: (done: Queue<string>) => done.putSync("done"),
              args: [done],
              by: "source",
            })
          );
          done.putSync("starting");
          for (const child of children) child.start();
          for (const child of children) await child.join();
        }
      },
      args: [done],
      by: "source",
    });
    process.start();
    assert.equal(await done.get(bound), "starting");
    await sleep(ms);
    process[end]();
    await checkEnded(process, ends[end]);
    const after = new Process({ target: () => "as ever", by: "source" });
    after.start();
    assert.equal(await after.result(bound), "as ever");
  });
  await fewAtOnce(cases);
});

testInFull("a process can be ended while it hands over ends of pipes", async () => {
  const cases = [0, 1, 5, 20].map((ms, i) => async () => {
    const end: End = i % 2 ? "kill" : "terminate";
    const [here, there] = Pipe<Connection<string>>();
    const process = new Process({
      target: async (there: Connection<Connection<string>>) => {
        for (;;) {
          const [one, other] = Pipe<string>();
          await there.send(other);
          await one.send("through it");
        }
      },
      args: [there],
      by: "source",
    });
    process.start();
    await here.poll(bound);
    await sleep(ms);
    process[end]();
    await checkEnded(process, ends[end]);
    let count = 0;
    for await (const connection of here) {
      const got: string[] = [];
      for await (const message of connection) got.push(message);
      assert.ok(got.length <= 1 && got.every((message) => message === "through it"), `${got}`);
      count++;
    }
    assert.ok(count > 0);
  });
  await fewAtOnce(cases);
});

// Whole programs

const programs: Record<string, [program: string, args: string[], flags: string[], out: string[]]> =
  {
    "a listener for a signal of the operating system kills a process": [
      "kill_on_signal.ts",
      [],
      ["--allow-run"],
      ["signal: SIGUSR2", "killed: -9"],
    ],
    "a FinalizationRegistry kills the process of an object that is gone": [
      "kill_at_collection.ts",
      [],
      ["--v8-flags=--expose-gc"],
      ["killed: -9"],
    ],
    "a process that computes and catches everything is killed, and the program ends": [
      "killed_catching.ts",
      [],
      [],
      ["killed: -9", "main done"],
    ],
  };
for (const [name, [program, args, flags, out]] of Object.entries(programs)) {
  Deno.test({
    name: `${name} ${needs}`,
    ignore: !granted,
    fn: async () => {
      assert.deepEqual(await run(program, args, flags), { code: 0, out, errors: "" });
    },
  });
}

const ended = ["true -15 false", "0"];
both(
  "a process in a sandbox that only the end of the program can stop has ended, and the program ends",
  "sandboxed_loop.ts",
  [],
  prints(0, ...ended, ...ended, ...ended, "main done"),
);
