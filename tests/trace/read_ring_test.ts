// Reading a ring: the times of events, and what a hostile process may have written.

import assert from "node:assert/strict";
import {
  EVENTS,
  headerOf,
  newConfinedRings,
  ON,
  PUT,
  Ring,
  TYPES,
  WRITTEN,
} from "../../lib/liveness/event_rings.ts";
import { Recorder } from "../../lib/liveness/recorder.ts";
import { ChromeEvents } from "../../lib/trace/chrome_events.ts";
import { TracedProcesses } from "../../lib/trace/processes.ts";
import { RingReader } from "../../lib/trace/read_ring.ts";
import { withSeeds } from "../support/seed.ts";

function newRing() {
  const rings = newConfinedRings(), ring = new Ring(rings, 0);
  headerOf(rings)[ON] = 1;
  ring.clear(1);
  const origin = performance.timeOrigin + performance.now();
  return {
    ring,
    recorder: new Recorder(ring, headerOf(rings), 1, origin),
    now: () => performance.timeOrigin + performance.now() - origin,
  };
}

Deno.test("times never go back, and a pause between items is where it was", async () => {
  const { ring, recorder, now } = newRing(), reader = new RingReader(ring, 1, false);
  for (let i = 0; i < 100; i++) recorder.items(PUT, 1, 1, 2 * i, 1);
  const before = now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 100; i++) recorder.items(PUT, 1, 1, 1000 + 2 * i, 1);
  const events = reader.read(now());
  assert.equal(events.length, 200);
  for (let i = 1; i < 200; i++) assert.ok(events[i].time > events[i - 1].time);
  assert.ok(events[99].time <= before + 1, "what came before the pause is shown before it");
  assert.ok(events[101].time >= before + 15, "and what came after it, after it");
});

Deno.test("items that follow each other quickly are one event, and none is lost", () => {
  const { ring, recorder, now } = newRing(), reader = new RingReader(ring, 1, false);
  for (let i = 0; i < 1000; i++) recorder.items(PUT, 1, 7, i, 1);
  const events = reader.read(now());
  let next = 0;
  for (const { b, c, d } of events) {
    assert.deepEqual([b, c], [7, next]);
    next += d;
  }
  assert.equal(next, 1000);
});

Deno.test("whatever stands in a ring, the trace is whole, and says nothing of others", () =>
  withSeeds(Array.from({ length: 15 }, (_, i) => i), (random, seed) => {
    const { ring } = newRing(), reader = new RingReader(ring, 5, true);
    const whole = () => (random() * 2 ** 32) | 0;
    for (let i = 0; i < EVENTS * 8; i += 1 + Math.floor(random() * 50)) {
      ring.words[i] = i % 8 === 0 ? Math.floor(random() * (TYPES + 2)) : whole();
    }
    for (let i = 0; i < ring.bytes.length; i += 7) ring.bytes[i] = whole();
    ring.header[WRITTEN] = [0, 10, EVENTS * 3, -1, whole()][seed % 5];
    const processes = new TracedProcesses();
    processes.get(5, 0).name = "confined";
    processes.get(1, 0).name = "main";
    const events = reader.read(1000);
    for (const { pid, time, type } of events) {
      assert.ok(pid === 5 && type > 0 && type < TYPES && time >= 0 && time < 1001);
    }
    const collected = events.map((event) => ({ event, text: reader.text(event.b) }));
    const chrome = new ChromeEvents(processes, 1);
    for (const event of [...chrome.add(collected, 1000), ...chrome.finish(1001)]) {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(JSON.stringify(event), /\\u00[01]|[\u0000-\u001f]/);
    }
  }));
