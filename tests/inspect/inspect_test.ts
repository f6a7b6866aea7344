// inspect(): what every process of the program waits for, as a value and as text.

import assert from "node:assert/strict";
import {
  Barrier,
  Condition,
  Event,
  inspect,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  SimpleQueue,
  sleep,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { bound } from "../support/sync.ts";
import { starterOf } from "../support/starter.ts";
import * as targets from "../support/targets/inspect_targets.ts";

const start = starterOf(import.meta.resolve("../support/targets/inspect_targets.ts"));
const mayConfine = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** The state of a process, once `is` holds for it. */
async function stateOf(name: string, is: (state: ReturnType<typeof look>) => boolean) {
  for (;;) {
    const state = look(name);
    if (is(state)) return state!;
    await sleep(5);
  }
}

function look(name: string) {
  return inspect().processes.findLast((process) => process.name === name);
}

function mine() {
  return inspect().processes.find(({ parent }) => parent === null)!;
}

Deno.test("a wait that goes on is shown with its place, and not after it has ended", async () => {
  const queue = new Queue<number>({ name: "lines\u001b[31m\n" });
  const stop = new AbortController();
  const waiting = queue.get({ timeout: 60_000, signal: stop.signal });
  const [wait] = mine().waits.filter(({ on }) => on.kind === "Queue");
  assert.equal(wait.call, "Queue.get");
  assert.equal(wait.on.name, "lines\ufffd[31m\ufffd");
  assert.equal(wait.on.detail, "empty");
  assert.match(wait.at!, /inspect_test\.ts:\d+:\d+$/);
  assert.ok(wait.until! > Date.now() + 50_000);
  assert.equal(wait.abortable, true);
  assert.match(`${inspect()}`, /Queue\.get of queue \d+ "lines\ufffd\[31m\ufffd" \(empty\)/);
  stop.abort("enough");
  await assert.rejects(waiting, (reason) => reason === "enough");
  assert.equal(mine().waits.filter(({ on }) => on.kind === "Queue").length, 0);
});

Deno.test("each primitive says what it waits for", async () => {
  const lock = new Lock(), rlock = new RLock(), semaphore = new Semaphore(0), event = new Event();
  const barrier = new Barrier(2), full = new Queue<number>({ maxSize: 1 }), [end] = Pipe<number>();
  const condition = new Condition(), joinable = new JoinableQueue<number>();
  lock.acquireSync();
  full.putNowait(1);
  joinable.putNowait(1);
  await condition.acquire();
  const stop = new AbortController(), options = { signal: stop.signal };
  const waits = [
    lock.acquire(options),
    semaphore.acquire(options),
    event.wait(options),
    barrier.wait(options),
    full.put(2, options),
    end.recv(options),
    condition.wait(options),
    joinable.join(options),
  ];
  void rlock;
  await sleep(0);
  const seen = mine().waits.map(({ call, on }) => `${call}: ${on.detail ?? ""}`).sort();
  const expected = [
    "Barrier.wait: 1 of 2 have come",
    "Condition.wait: ",
    "Connection.recv: empty",
    "Event.wait: not set",
    "Lock.acquire: ",
    "Queue.join: ",
    "Queue.put: full, 1 of 1",
    "Semaphore.acquire: 0 of 0 permits free",
  ];
  assert.deepEqual(seen.filter((it) => expected.includes(it)), expected);
  stop.abort("enough");
  for (const wait of waits) await assert.rejects(wait);
  assert.deepEqual(mine().waits.filter(({ call }) => call !== ""), []);
});

Deno.test("a blocked process and a killed one", async () => {
  const queue = new Queue<number>();
  const child = start(targets.getBlocked, [queue], { name: "blocked one" });
  const state = await stateOf("blocked one", (state) => state?.waits[0]?.at !== undefined);
  assert.equal(state.state, "blocked");
  assert.equal(state.waits[0].call, "Queue.getSync");
  // Without the right to read, the target goes by source.
  assert.match(state.waits[0].at!, mayConfine ? /inspect_targets\.ts:\d+/ : /:\d+:\d+$/);
  assert.equal(state.waits[0].by, "getBlocked");
  assert.equal(state.pid, child.pid);
  child.kill();
  await child.join(bound);
  const after = look("blocked one")!;
  assert.deepEqual([after.state, after.exitCode, after.waits], ["ended", -9, []]);
  assert.match(`${inspect()}`, /blocked one {2}\(pid \d+\) {2}was killed/);
});

testInFull("a lock's holder is named, and what it does itself", async () => {
  const lock = new Lock(), ready = new Queue<string>();
  const keeper = start(targets.holdFor, [lock, 60_000, ready], { name: "keeper" });
  await ready.get(bound);
  const waiting = lock.acquire();
  assert.equal(mine().waits.find(({ on }) => on.kind === "Lock")!.heldBy, keeper.pid);
  assert.match(`${inspect()}`, /is held by keeper, which runs: no wait of it is known/);
  keeper.terminate();
  await assert.rejects(waiting, /keeper/);
});

Deno.test({
  name: "a process with permissions of its own sees itself alone (needs --allow-read)",
  ignore: !mayConfine,
  fn: async () => {
    const queue = new Queue<number>(), waiting = queue.get();
    const child = start(targets.see, [], { name: "confined", permissions: "none" });
    assert.deepEqual((await child.result(bound)).names, ["confined"]);
    queue.putNowait(1);
    await waiting;
    const evil = start(targets.getBlocked, [queue], {
      name: "ev\u001b[2Jil",
      permissions: "none",
    });
    const state = await stateOf("ev\ufffd[2Jil", (state) => state?.waits[0]?.at !== undefined);
    assert.deepEqual([state.state, state.sandboxed], ["blocked", true]);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(`${inspect()}`, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    queue.putNowait(1);
    await evil.join(bound);
  },
});

testInFull("64 processes and 10,000 queues", async () => {
  const queue = new Queue<number>(), ready = new Queue<string>();
  const queues = Array.from({ length: 10_000 }, () => new SimpleQueue<number>());
  const waits = queues.map((queue) => queue.get());
  const processes = Array.from(
    { length: 64 },
    (_, i) => start(targets.getAwaited, [queue, ready], { name: `getter-${i}` }),
  );
  for (const _ of processes) await ready.get(bound);
  assert.match(`${inspect()}`, /^65 processes/);
  const state = mine();
  assert.ok(state.waits.length + state.moreWaits >= 10_000);
  for (const queue of queues) await queue.put(1);
  await Promise.all(waits);
  for (const _ of processes) await queue.put(1);
  for (const process of processes) await process.join(bound);
  assert.equal(mine().waits.length + mine().moreWaits, 0);
});
