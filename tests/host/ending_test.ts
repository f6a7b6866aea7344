// The end of a process, as other processes see it: none takes it for dead while it can still take a step, and
// all learn of the end when it is gone, also with their threads blocked.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  Lock,
  Process,
  type ProcessOptions,
  Queue,
  SharedArray,
  sleep,
} from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 60_000 };
const by = "source";

/** Acquires a lock that somebody may have died with; whether he has. */
async function acquire(lock: Lock): Promise<boolean> {
  let isAbandoned = false;
  for (let got = false; !got;) {
    try {
      got = await lock.acquire(bound);
      assert.ok(got, "it can't be acquired");
    } catch (error) {
      assert.ok(error instanceof AbandonedLockError);
      isAbandoned = true;
    }
  }
  return isAbandoned;
}

testInFull(
  "a process whose starter exits as it has started it is alive and holds what it holds",
  async () => {
    const target = (lock: Lock, said: Queue<string>) => {
      const target = async (lock: Lock, said: Queue<string>) => {
        await lock.acquire();
        said.putNowait("held");
        await new Promise((resolve) => setTimeout(resolve, 200));
        said.putNowait("ends");
        lock.release();
      };
      new Process({ target, args: [lock, said], by: "source" }).start();
      Deno.exit(0);
    };
    const lock = new Lock(), said = new Queue<string>();
    const starter = new Process({ target, args: [lock, said], by });
    starter.start();
    assert.equal(await said.get(bound), "held");
    assert.equal(await acquire(lock), false);
    assert.equal(said.getNowait(), "ends");
    lock.release();
    await starter.join(bound);
  },
);

/** Fills its heap in a timer, where Deno ends it without a word of its own. */
const fill = (lock: Lock, said: Queue<string>) => {
  lock.acquireSync();
  said.putSync("held");
  setTimeout(() => {
    const all: unknown[] = [];
    for (;;) all.push(new Array(1000).fill({}).map((_, i) => ({ i })));
  }, 1);
  return new Promise(() => {});
};

testInFull("a blocked thread learns of a process that has run out of memory", async () => {
  for (const how of ["join", "lock"]) {
    const lock = new Lock(), said = new Queue<string>();
    const process = new Process({ target: fill, args: [lock, said], by, memoryLimitMb: 24 });
    process.start();
    said.getSync(bound);
    if (how === "join") assert.ok(process.joinSync(bound));
    else assert.throws(() => lock.acquireSync(bound), AbandonedLockError);
    await process.join(bound);
    assert.equal(process.exitCode, -9);
  }
});

const sandboxes: Pick<ProcessOptions, "permissions" | "timeLimit">[] = [
  { permissions: "none" },
  { permissions: "none", timeLimit: 60_000 },
];

testInFull("a blocked thread learns of a process in a sandbox that has closed itself", () => {
  for (const sandbox of sandboxes) {
    const target = () => {
      Reflect.get(globalThis, "close")?.();
      Deno.exit();
    };
    const process = new Process({ target, by, ...sandbox });
    process.start();
    assert.ok(process.joinSync(bound));
    assert.equal(process.exitCode, 0);
  }
});

testInFull(
  "a process that was ended in one long call holds what it holds until that returns",
  async () => {
    const target = (numbers: Float64Array, lock: Lock, said: Queue<string>) => {
      lock.acquireSync();
      said.putSync("held");
      for (;;) numbers.sort();
    };
    for (const face of ["async", "sync"]) {
      const numbers = new SharedArray("f64", 2_000_000), lock = new Lock();
      for (let i = 0; i < numbers.length; i++) numbers[i] = (i * 7919) % 1_000_003;
      const said = new Queue<string>();
      const process = new Process({ target, args: [numbers, lock, said], by });
      process.start();
      assert.equal(await said.get(bound), "held");
      await sleep(20);
      process.terminate();
      if (face === "async") assert.ok(await acquire(lock));
      else assert.throws(() => lock.acquireSync(bound), AbandonedLockError);
      for (let i = 0; i < numbers.length; i++) numbers[i] = -i;
      // It sorts a copy, and writes that back in the end.
      await sleep(700);
      assert.ok(numbers.every((n, i) => n === -i), "it goes on");
      await process.join(bound);
    }
  },
);

testInFull("a process that prints, or inspects, without end can be killed", async () => {
  const target = (rounds: Int32Array, lock: Lock, said: Queue<string>) => {
    lock.acquireSync();
    said.putSync("held");
    for (;;) {
      Deno.inspect({ rounds: Atomics.add(rounds, 0, 1), more: [{}] });
      console.assert(true, { rounds });
    }
  };
  for (let i = 0; i < inFull(10, 5); i++) {
    const rounds = new SharedArray("i32", 1), lock = new Lock(), said = new Queue<string>();
    const process = new Process({ target, args: [rounds, lock, said], by });
    process.start();
    assert.equal(await said.get(bound), "held");
    await sleep(10 + i);
    process.kill();
    assert.ok(await process.join(bound));
    assert.ok(await acquire(lock));
    const [before] = rounds;
    await sleep(10);
    assert.equal(rounds[0], before, "it goes on");
  }
});

Deno.test("what a process does in its unload listeners it does before its end", async () => {
  const target = (lock: Lock, inside: Int32Array, said: Queue<string>) => {
    lock.acquireSync();
    inside[0] = 1;
    said.putSync("held");
    globalThis.addEventListener("unload", () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      inside[0] = 0;
      lock.release();
    });
    Deno.exit(3);
  };
  const lock = new Lock(), inside = new SharedArray("i32", 1), said = new Queue<string>();
  const process = new Process({ target, args: [lock, inside, said], by });
  process.start();
  assert.equal(said.getSync(bound), "held");
  assert.ok(lock.acquireSync(bound));
  assert.equal(inside[0], 0);
  lock.release();
  assert.ok(await process.join(bound));
  assert.equal(process.exitCode, 3);
});

testInFull(
  "a process in a sandbox that is ended in the middle of an update doesn't make it afterwards",
  async () => {
    const target = (numbers: SharedArray<"i32">, said: Queue<string>) => {
      numbers.update(0, () => {
        said.putSync("updates");
        while (Atomics.load(numbers, 1) === 0);
        return 1;
      });
    };
    const numbers = new SharedArray("i32", 2), said = new Queue<string>();
    const process = new Process({ target, args: [numbers, said], by, permissions: "none" });
    process.start();
    assert.equal(await said.get(bound), "updates");
    process.kill();
    assert.ok(await process.join(bound));
    await assert.rejects(numbers.lock.acquire(bound), AbandonedLockError);
    numbers[0] = 1000;
    Atomics.store(numbers, 1, 1);
    await sleep(300);
    assert.equal(numbers[0], 1000);
  },
);
