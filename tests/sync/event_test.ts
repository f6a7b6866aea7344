// Event: waiters for the flag go on when it is set, and only then.

import assert from "node:assert/strict";
import { Event, Semaphore } from "../../mod.ts";
import { bound, start } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";
import { testInFull } from "../support/length.ts";

Deno.test("an event is down until it is set, and down again when it was cleared", async () => {
  const event = new Event();
  assert.equal(event.isSet(), false);
  assert.equal(event.waitNowait(), false);
  assert.equal(await event.wait({ timeout: 0 }), false);
  assert.equal(await event.wait({ timeout: 5 }), false);
  assert.equal(event.waitSync({ timeout: 5 }), false);
  event.set();
  event.set();
  assert.equal(event.isSet(), true);
  assert.equal(event.waitNowait(), true);
  assert.equal(await event.wait(), true);
  assert.equal(event.waitSync(), true);
  event.clear();
  event.clear();
  assert.equal(await event.wait({ timeout: 0 }), false);
});

Deno.test("who waited when an event was set goes on, even if it is cleared at once", async () => {
  const event = new Event();
  const before = [event.wait(), event.wait(bound)];
  event.set();
  event.clear();
  const after = event.wait({ timeout: 5 });
  assert.deepEqual(await Promise.all(before), [true, true]);
  assert.equal(await after, false);
});

Deno.test("a wait for an event can be aborted, and others wait on", async () => {
  const event = new Event();
  const controller = new AbortController(), signal = controller.signal;
  const aborted = event.wait({ signal }), patient = event.wait();
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(aborted, /no longer wanted/);
  event.set();
  assert.equal(await patient, true);
  await assert.rejects(event.wait({ signal }), /no longer wanted/);
});

testInFull("one set wakes all who wait in all processes, in both faces", async () => {
  const event = new Event(), waiting = new Semaphore(0);
  const faces = ["async", "sync", "async", "sync"] as const;
  const all = faces.map((face) => start(targets.awaitEvent, event, waiting, face));
  for (const _ of all) await waiting.acquire(bound);
  const mine = event.wait();
  event.set();
  event.clear();
  assert.equal(await mine, true);
  // One that had not quite begun to wait waits for the next.
  event.set();
  for (const process of all) assert.equal(await process.result(bound), true);
});

testInFull("two processes alternate by two events", async () => {
  for (const face of ["async", "sync"] as const) {
    const ping = new Event(), pong = new Event();
    const both = [
      start(targets.pingPong, ping, pong, 2_000, face),
      start(targets.pingPong, pong, ping, 2_000, face),
    ];
    ping.set();
    for (const process of both) await process.result(bound);
    assert.deepEqual([ping.isSet(), pong.isSet()], [true, false]);
  }
});

Deno.test("a blocking wait sees an event that another process sets", async () => {
  const mine = new Event(), other = new Event();
  const process = start(targets.pingPong, other, mine, 3, "sync");
  for (let i = 0; i < 3; i++) {
    other.set();
    assert.equal(mine.waitSync(bound), true);
    mine.clear();
  }
  await process.result(bound);
});
