// Timers and clocks that a program replaces, as tests of users do, hang nothing: this library uses
// those that existed when it was loaded.

// deno-lint-ignore no-import-prefix
import FakeTimers from "npm:@sinonjs/fake-timers@15.0.0";
import { testInFull } from "../support/length.ts";
import assert from "node:assert/strict";
import { LifoQueue } from "../../local.ts";
import {
  Barrier,
  Condition,
  Event,
  Lock,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  RLock,
  Semaphore,
  sleep,
  TimeoutError,
  wait,
} from "../../mod.ts";
import * as targets from "../support/targets/fake_timers_targets.ts";

/** Whether children can import modules. */
const mayImport = Deno.permissions.querySync({ name: "read" }).state === "granted";

const real = { setTimeout, clearTimeout };

/** The result of `work`, or an error if it takes 20 s of the real clock. */
async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = real.setTimeout(() => reject(new Error(`${what} hangs`)), 20_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    real.clearTimeout(timer!);
  }
}

/** Ways to take time away from a program; each returns how to give it back. */
const fakes: Record<string, () => () => void> = {
  "fake-timers with its defaults": () => {
    const clock = FakeTimers.install();
    return () => clock.uninstall();
  },
  "fake-timers with timers of its own only": () => {
    const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "setInterval"] });
    return () => clock.uninstall();
  },
  "timers that never fire and clocks that stand still": () =>
    replace({
      setTimeout: () => 1,
      setInterval: () => 1,
      setImmediate: () => 1,
      queueMicrotask: () => {},
      clearTimeout: () => {},
      clearInterval: () => {},
      "Date.now": () => 1e12,
      "performance.now": () => 0,
      "Date.prototype.getTime": () => 1e12,
    }),
  "timers and clocks that throw": () => {
    const refuse = () => {
      throw new Error("not in a test");
    };
    const names = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate"];
    const all = [...names, "queueMicrotask", "Date.now", "performance.now"];
    return replace(Object.fromEntries(all.map((name) => [name, refuse])));
  },
  "a clock that runs backwards": () => {
    let now = 1e12;
    return replace({ "Date.now": () => --now, "performance.now": () => --now });
  },
  "a class in place of Date, and none in place of performance": () =>
    replace({ Date: class {}, performance: undefined }),
};

/** Replaces globals, and methods of globals, by what is given. */
function replace(by: Record<string, unknown>): () => void {
  const undo = Object.entries(by).map(([path, value]) => {
    const names = path.split("."), name = names.pop()!;
    let object: Record<string, unknown> = globalThis;
    for (const part of names) object = object[part] as Record<string, unknown>;
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { value, writable: true, configurable: true });
    return () => {
      if (before === undefined) delete object[name];
      else Object.defineProperty(object, name, before);
    };
  });
  return () => {
    for (const back of undo) back();
  };
}

/** What is done with faked time; each resolves in real time. */
const works: Record<string, () => Promise<void>> = {
  async "timeouts of all primitives end"() {
    const queue = new Queue<number>({ maxSize: 1 }), lock = new Lock(), rlock = new RLock();
    await assert.rejects(queue.get({ timeout: 5 }), QueueEmpty);
    assert.throws(() => queue.getSync({ timeout: 5 }), QueueEmpty);
    await assert.rejects(new LifoQueue().get({ timeout: 5 }), QueueEmpty);
    await lock.acquire();
    assert.equal(await lock.acquire({ timeout: 5 }), false);
    assert.equal(lock.acquireSync({ timeout: 5 }), false);
    await rlock.acquire();
    rlock.release();
    assert.equal(await new Semaphore(0).acquire({ timeout: 5 }), false);
    assert.equal(await new Event().wait({ timeout: 5 }), false);
    const condition = new Condition();
    await condition.acquire();
    assert.equal(await condition.wait({ timeout: 5 }), false);
    assert.equal(await condition.waitFor(() => false, { timeout: 5 }), false);
    assert.equal(condition.waitForSync(() => false, { timeout: 5 }), false);
    await assert.rejects(new Barrier(2).wait({ timeout: 5 }));
    const [here, there] = Pipe<number>();
    await assert.rejects(here.recv({ timeout: 5 }), TimeoutError);
    assert.deepEqual(await wait([there], { timeout: 5 }), []);
    here.close();
    there.close();
    await sleep(5);
  },
  async "a loop of waits that are never long lets others run"() {
    const queue = new Queue<number>();
    for (let i = 0; i < 2000; i++) {
      await queue.put(i);
      assert.equal(await queue.get(), i);
    }
  },
  async "join, terminate and kill end"() {
    const endless = () => {
      while (true);
    };
    const done = new Process({ target: () => {}, by: "source" });
    const [terminated, killed] = [1, 2].map(() => new Process({ target: endless, by: "source" }));
    for (const process of [done, terminated, killed]) process.start();
    assert.equal(await done.join(), true);
    assert.equal(await terminated.join({ timeout: 20 }), false);
    terminated.terminate();
    killed.kill();
    assert.equal(await terminated.join(), true);
    assert.equal(killed.joinSync(), true);
    assert.deepEqual([terminated.exitCode, killed.exitCode], [-15, -9]);
  },
  async "await using and timeLimit end it"() {
    const target = () => {
      while (true);
    };
    {
      await using process = new Process({ target, by: "source" });
      process.start();
    }
    const limited = new Process({ target, by: "source", timeLimit: 50 });
    limited.start();
    assert.equal(await limited.join(), true);
    assert.equal(limited.exitCode, -9);
  },
  async "a process in a sandbox is ended too"() {
    const target = () => new Promise(() => {});
    const process = new Process({ target, by: "source", permissions: "none" });
    process.start();
    assert.equal(await process.join({ timeout: 20 }), false);
    process.terminate();
    assert.equal(await process.join(), true);
  },
};

for (const [fake, install] of Object.entries(fakes)) {
  for (const [index, [work, run]] of Object.entries(works).entries()) {
    // In short each work with one of them, and with each of them one work at least.
    const isShort = index % Object.keys(fakes).length === Object.keys(fakes).indexOf(fake);
    const test = isShort ? Deno.test : testInFull;
    test(`with ${fake}, ${work}`, async () => {
      const uninstall = install();
      try {
        await within(work, run());
      } finally {
        uninstall();
      }
    });
  }
}

/** In a child: takes time away from it, and then waits as it is told. */
async function faking(how: "work" | "burn" | "wait" | "block", queue: Queue<unknown>) {
  const none = () => 1;
  Object.assign(globalThis, {
    ...{ setTimeout: none, setInterval: none, setImmediate: none, queueMicrotask: none },
    ...{ clearTimeout: none, clearInterval: none, performance: { now: () => 0 } },
  });
  Date.now = () => 0;
  if (how === "burn") { while (true); }
  if (how === "wait") await queue.get();
  if (how === "block") queue.getSync();
  const empty = await queue.get({ timeout: 5 }).catch((error) => error.name);
  for (let i = 0; i < 1000; i++) await queue.put(i);
  await queue.getMany(1000);
  return empty;
}

Deno.test("a child that has replaced timers and clocks works, and its result arrives", async () => {
  const process = new Process({ target: faking, by: "source", args: ["work", new Queue()] });
  process.start();
  assert.equal(await within("result", process.result()), "QueueEmpty");
});

for (const how of ["burn", "wait", "block"] as const) {
  Deno.test(`a child that has replaced timers and clocks is terminated, and limited (${how})`, async () => {
    const options = { target: faking, by: "source" as const };
    const one = new Process({ ...options, args: [how, new Queue()] });
    const other = new Process({ ...options, args: [how, new Queue()], timeLimit: 100 });
    one.start();
    other.start();
    assert.equal(await within("join", one.join({ timeout: 50 })), false);
    one.terminate();
    assert.equal(await within("join after terminate", one.join()), true);
    assert.equal(await within("join of the limited", other.join()), true);
    assert.deepEqual([one.exitCode, other.exitCode], [-15, -9]);
  });
}

for (const more of [{}, { permissions: "none" }, { memoryLimitMb: 256 }] as const) {
  const kind = JSON.stringify(more);
  const start = (target: typeof targets.work | typeof targets.fail, args: unknown[]) => {
    // deno-lint-ignore no-explicit-any
    const process = new Process<any[], unknown>({ target, args, ...more });
    process.start();
    return process;
  };

  Deno.test({
    name: `a child whose module installs fake timers works, fails, and its end is noticed ${kind}`,
    ignore: !mayImport,
    fn: async () => {
      const working = start(targets.work, [new Queue()]);
      const expected = ["QueueEmpty", "QueueEmpty", false, false, false, "TimeoutError"];
      assert.deepEqual(
        await within("result", working.result()),
        [...expected, false, true, -15, true, -9],
      );
      const failing = start(targets.fail, []);
      const { cause } = await within(
        "failure",
        failing.result().catch((error): Error => error) as Promise<Error & { cause: Error }>,
      );
      assert.equal(cause.message, "with faked time");
      assert.deepEqual([working.exitCode, failing.exitCode], [0, 1]);
    },
  });

  const ways = ["burn", "wait", "block", "idle"] as const;
  for (const how of ways.slice(0, "permissions" in more ? 2 : 4)) {
    Deno.test({
      name: `one whose module installs fake timers is terminated, and limited (${how}) ${kind}`,
      ignore: !mayImport,
      fn: async () => {
        const begun = new Event(), queue = new Queue<number>();
        const options = { target: targets.endless, ...more };
        const one = new Process({ ...options, args: [how, begun, queue] });
        const two = new Process({ ...options, args: [how, new Event(), queue], timeLimit: 100 });
        one.start();
        two.start();
        await within("begin", begun.wait());
        assert.equal(await within("join", one.join({ timeout: 5 })), false);
        one.terminate();
        assert.equal(await within("join after terminate", one.join()), true);
        assert.equal(await within("join of the limited", two.join()), true);
        assert.deepEqual([one.exitCode, two.exitCode], [-15, -9]);
      },
    });
  }
}
