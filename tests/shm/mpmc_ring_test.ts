// The MPMC ring against a model: an array with the same operations. (Assertions come from node:, which
// Deno ships, because JSR can't be reached on every machine these tests run on.)

import assert from "node:assert/strict";
import { EMPTY, FULL, MpmcRing, newMpmcRing, SHUT_DOWN } from "../../lib/shm/mpmc_ring.ts";
import { ensureScratch, LENGTH_BYTES, type Scratch } from "../../lib/shm/scratch.ts";
import { between, withSeeds } from "../support/seed.ts";

function newScratch(bytes = 256): Scratch {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

/** A record of `length` bytes (its own length included) that shows which one it is. */
function fill(scratch: Scratch, at: number, length: number, stamp: number): void {
  for (let i = LENGTH_BYTES; i < length; i++) scratch.bytes[at + i] = (stamp + i) & 0xff;
}

function check(scratch: Scratch, at: number, length: number, stamp: number): void {
  for (let i = LENGTH_BYTES; i < length; i++) {
    if (scratch.bytes[at + i] !== ((stamp + i) & 0xff)) {
      assert.fail(`byte ${i} of record ${stamp} (${length} bytes) is ${scratch.bytes[at + i]}`);
    }
  }
}

Deno.test("a ring gives back what an array would, through wrap-arounds and growth", async () => {
  await withSeeds(Array.from({ length: 60 }, (_, i) => i + 1), (random) => {
    const maxSize = random() < 0.5 ? 0 : between(random, 1, 40);
    const maxBytes = between(random, 64, 20_000);
    const shares = newMpmcRing(maxSize, maxBytes, 96);
    // Two views of one ring, as two processes have them.
    const putter = new MpmcRing(shares), taker = new MpmcRing(shares);
    const model: { stamp: number; length: number }[] = [];
    const source = newScratch(), into = newScratch(8);
    const longest = Math.min(maxBytes, random() < 0.3 ? 2000 : 60) + LENGTH_BYTES;
    let stamp = 0;
    for (let step = 0; step < 3000; step++) {
      if (random() < 0.5 + 0.2 * Math.sin(step / 200)) {
        const length = between(random, LENGTH_BYTES, longest);
        ensureScratch(source, length);
        fill(source, 0, length, stamp);
        const answer = putter.tryPut(source, 0, length);
        const used = model.reduce((sum, record) => sum + ((record.length + 7) >>> 3), 0);
        const units = Math.ceil((maxBytes + LENGTH_BYTES) / 8);
        const fits = (maxSize === 0 || model.length < maxSize) &&
          used + ((length + 7) >>> 3) <= units;
        assert.equal(answer, fits ? 1 : FULL);
        if (fits) model.push({ stamp, length });
        stamp++;
      } else {
        const length = taker.tryTake(into);
        const expected = model.shift();
        assert.equal(length, expected?.length ?? EMPTY);
        if (expected) check(into, 0, length, expected.stamp);
      }
      assert.equal(taker.size, model.length);
      assert.equal(putter.isEmpty, model.length === 0);
    }
  });
});

Deno.test("records put and taken in batches keep their order and their bytes", async () => {
  await withSeeds(Array.from({ length: 30 }, (_, i) => i + 1), (random) => {
    const shares = newMpmcRing(random() < 0.5 ? 0 : 50, between(random, 500, 100_000), 96);
    const putter = new MpmcRing(shares), taker = new MpmcRing(shares);
    const model: { stamp: number; length: number }[] = [];
    const source = newScratch(1 << 18), into = newScratch(8);
    const begins: number[] = [], lengths: number[] = [];
    let stamp = 0;
    for (let step = 0; step < 200; step++) {
      const count = between(random, 1, 300);
      const putBegins: number[] = [], putLengths: number[] = [];
      let at = 0;
      for (let i = 0; i < count; i++) {
        const length = between(random, LENGTH_BYTES, random() < 0.02 ? 400 : 30);
        fill(source, at, length, stamp + i);
        putBegins.push(at);
        putLengths.push(length);
        at += (length + 7) & ~7;
      }
      let put = 0;
      for (;;) {
        const more = put < count ? putter.tryPutMany(source, putBegins, putLengths, put) : 0;
        if (more === 0) break;
        put += more;
      }
      for (let i = 0; i < put; i++) model.push({ stamp: stamp + i, length: putLengths[i] });
      stamp += count;
      const most = between(random, 1, 400);
      let taken = 0;
      while (taken < most) {
        const got = taker.tryTakeMany(into, most - taken, begins, lengths);
        if (got === 0) break;
        for (let i = 0; i < got; i++) {
          const expected = model.shift();
          assert.equal(lengths[i], expected?.length);
          check(into, begins[i], lengths[i], expected!.stamp);
        }
        taken += got;
      }
      assert.ok(taken === most || model.length === 0);
    }
  });
});

Deno.test("an item as large as the ring allows always finds room once the ring is empty", async () => {
  await withSeeds([1, 2, 3, 4, 5], (random) => {
    for (const maxBytes of [64, 100, 1000, 5000]) {
      const shares = newMpmcRing(0, maxBytes, 96);
      const putter = new MpmcRing(shares), taker = new MpmcRing(shares);
      const source = newScratch(8192), into = newScratch(8192);
      for (let i = 0; i < 500; i++) {
        const small = between(random, LENGTH_BYTES, maxBytes / 2);
        assert.equal(putter.tryPut(source, 0, small), 1);
        assert.equal(taker.tryTake(into), small);
        assert.equal(putter.tryPut(source, 0, maxBytes + LENGTH_BYTES), 1, `round ${i}`);
        assert.equal(putter.tryPut(source, 0, 8 + maxBytes), FULL);
        assert.equal(taker.tryTake(into), maxBytes + LENGTH_BYTES);
      }
    }
  });
});

Deno.test("after shut() nothing is put, and what was put before is taken", () => {
  const ring = new MpmcRing(newMpmcRing(0, 1000, 96));
  const source = newScratch(), into = newScratch();
  assert.equal(ring.tryPut(source, 0, 20), 1);
  ring.shut();
  assert.equal(ring.tryPut(source, 0, 20), SHUT_DOWN);
  assert.equal(ring.tryTake(into), 20);
  assert.equal(ring.tryTake(into), EMPTY);
});

Deno.test("clear() drops the records, counts them as finished, and shuts the ring", () => {
  const ring = new MpmcRing(newMpmcRing(0, 1000, 96));
  const source = newScratch(), into = newScratch();
  for (let i = 0; i < 5; i++) ring.tryPut(source, 0, 20);
  ring.tryTake(into);
  ring.clear();
  assert.equal(ring.size, 0);
  assert.equal(ring.unfinished, 1);
  assert.equal(ring.finishOne(), 0);
  assert.equal(ring.finishOne(), -1);
  assert.equal(ring.tryTake(into), EMPTY);
  assert.equal(ring.usedBytes, 0);
  assert.equal(ring.tryPut(source, 0, 20), SHUT_DOWN);
});
