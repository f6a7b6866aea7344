// Lock words of internal structures that are held by processes that have ended, or have not, as the table says.

import assert from "node:assert/strict";
import {
  BrokerChannel,
  BrokeredProcessTable,
  newBrokerChannel,
} from "../../lib/liveness/brokered_table.ts";
import { ownProcessTable, ownRef } from "../../lib/liveness/membership.ts";
import { Mutex } from "../../lib/liveness/mutex.ts";
import { markerOf } from "../../lib/liveness/process_table.ts";
import { SharedProcessTable } from "../../lib/liveness/shared_table.ts";
import { exposeIn } from "../../lib/liveness/tainted_memory.ts";

/** Held by the process with a marker, once or with waiters, and its first or a later lock. */
const heldBy = (marker: number) => [1, 2, 4 | 1, 0xfff0 | 2].map((low) => marker | low);

for (const isExposed of [false, true]) {
  const where = isExposed ? "where hostile code can write" : "in memory of trusted processes";
  Deno.test(`a lock whose holder has ended is had by the next, ${where}`, () => {
    const table = ownProcessTable();
    const ref = table.registerProcess("ends", ownRef());
    table.remove(ref);
    for (const word of heldBy(markerOf(ref))) {
      const words = new Int32Array(new SharedArrayBuffer(64));
      if (isExposed) exposeIn(words);
      words[3] = word;
      new Mutex(words, 3).withLockNoKill(() => {});
      assert.equal(words[3], 0);
    }
  });
}

Deno.test("several locks whose holder has ended are had without a wait for each", () => {
  const table = ownProcessTable(), ref = table.registerProcess("ends", ownRef());
  table.remove(ref);
  const words = new Int32Array(new SharedArrayBuffer(64));
  exposeIn(words);
  for (let i = 0; i < 8; i++) words[i] = markerOf(ref) | 4 * (i + 1) | 1;
  for (let i = 0; i < 8; i++) new Mutex(words, i).withLockNoKill(() => {});
  assert.deepEqual([...words.subarray(0, 8)], Array(8).fill(0));
});

Deno.test("a lock is not taken from a live holder, where hostile code can write: an error, soon", () => {
  const table = ownProcessTable(), ref = table.registerProcess("lives", ownRef());
  const words = new Int32Array(new SharedArrayBuffer(64));
  exposeIn(words);
  try {
    words[0] = markerOf(ref) | 4 | 1;
    assert.throws(() => new Mutex(words, 0).withLockNoKill(() => {}), /damaged/);
    assert.equal(words[0] & ~3, markerOf(ref) | 4);
  } finally {
    table.remove(ref);
  }
  new Mutex(words, 0).withLockNoKill(() => {});
});

Deno.test("a marker is alive as long as one process that has it, or what it belongs to", () => {
  const table = SharedProcessTable.make(), main = table.registerProcess("main");
  const refs = Array.from({ length: 1100 }, (_, i) => table.registerProcess(`${i}`, main));
  const ref = refs[3], alike = refs.filter((other) => markerOf(other) === markerOf(ref));
  assert.ok(alike.length >= 2);
  for (const other of alike) {
    assert.ok(table.isMarkerAlive(markerOf(ref)));
    table.remove(other);
  }
  assert.ok(!table.isMarkerAlive(markerOf(ref)));
  const few = SharedProcessTable.make(), parent = few.registerProcess("parent");
  const nested = few.registerProcess("nested", parent);
  assert.ok(few.isMarkerAlive(markerOf(nested)));
  few.remove(parent);
  assert.ok(!few.isMarkerAlive(markerOf(nested)));
  for (const odd of [0, 1, 2 ** 31 - 1]) assert.ok(!table.isMarkerAlive(odd));
});

Deno.test("a view from before the table grew knows the markers of later processes", () => {
  const table = SharedProcessTable.make(), before = new SharedProcessTable(table.shares);
  const refs = Array.from({ length: 600 }, (_, i) => table.registerProcess(`${i}`));
  const last = refs.at(-1)!, alike = refs.filter((ref) => markerOf(ref) === markerOf(last));
  assert.ok(before.isMarkerAlive(markerOf(last)));
  for (const ref of alike) table.remove(ref);
  assert.ok(!new SharedProcessTable(table.shares).isMarkerAlive(markerOf(last)));
});

Deno.test("a process with permissions of its own has the answer of its host", () => {
  const table = SharedProcessTable.make(), main = table.registerProcess("main");
  const self = table.registerProcess("sandbox", main), other = table.registerProcess("other", main);
  const shares = newBrokerChannel(table, 2 ** 30 + 5);
  const host = new BrokerChannel(shares), asks = new BrokeredProcessTable(shares, self, "sandbox");
  assert.ok(asks.isMarkerAlive(markerOf(self)));
  assert.ok(asks.isMarkerAlive(markerOf(other)));
  host.answer(table);
  assert.ok(asks.isMarkerAlive(markerOf(other)));
  table.remove(other);
  assert.ok(asks.isMarkerAlive(markerOf(other)));
  host.answer(table);
  assert.ok(!asks.isMarkerAlive(markerOf(other)));
});

Deno.test("a later process with the marker of one that has ended keeps its lock", () => {
  const table = ownProcessTable(), ended = table.registerProcess("ends", ownRef());
  const words = new Int32Array(new SharedArrayBuffer(64));
  exposeIn(words);
  table.remove(ended);
  words[0] = markerOf(ended) | 4 | 1;
  new Mutex(words, 0).withLockNoKill(() => {});
  const others = [];
  do others.push(table.registerProcess("later", ownRef())); while (
    markerOf(others.at(-1)!) !== markerOf(ended) && others.length < 3000
  );
  try {
    words[1] = markerOf(ended) | 8 | 1;
    assert.equal(markerOf(others.at(-1)!), markerOf(ended));
    assert.throws(() => new Mutex(words, 1).withLockNoKill(() => {}), /damaged/);
  } finally {
    for (const ref of others) table.remove(ref);
  }
});

Deno.test("what the host said of a marker doesn't hold for a later process that has it", () => {
  const table = SharedProcessTable.make(), main = table.registerProcess("main");
  const self = table.registerProcess("sandbox", main), ended = table.registerProcess("ends", main);
  const shares = newBrokerChannel(table, 2 ** 30 + 6), marker = markerOf(ended);
  const host = new BrokerChannel(shares);
  const asks = new BrokeredProcessTable(shares, self, "sandbox");
  table.remove(ended);
  asks.isMarkerAlive(marker);
  host.answer(table);
  let later = ended;
  do later = table.registerProcess("later", main); while (markerOf(later) !== marker);
  host.answer(table);
  assert.ok(asks.isMarkerAlive(marker));
  table.remove(later);
  host.answer(table);
  assert.ok(!asks.isMarkerAlive(marker));
  // The answer on a marker is none on an entry or a token with the same number.
  assert.ok(asks.isTokenAlive(marker));
  assert.ok(asks.isAlive({ index: marker, generation: 0 }));
});
