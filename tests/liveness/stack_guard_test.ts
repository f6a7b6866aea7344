// The user's recursion has filled the stack at the call: a call without room for its work does nothing. Alone in this
// file, because it has to begin in code that V8 has not yet optimised.

import assert from "node:assert/strict";
import { ownControl } from "../../lib/liveness/control_block.ts";
import { HEAD_LOCK, MpmcRing, newMpmcRing, TAIL_LOCK } from "../../lib/shm/mpmc_ring.ts";
import type { Scratch } from "../../lib/shm/scratch.ts";
import { testInFull } from "../support/length.ts";

function newScratch(bytes: number): Scratch {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

/**
 * Does something at the bottom of a full stack, and again on each level above, until it doesn't throw.
 * Returns how often it threw, all that was in the lock words after it had, and how often it was still critical.
 */
function atBottom(header: Int32Array, act: () => void) {
  let isDone = false, refused = 0, held = 0, critical = 0;
  const control = ownControl();
  const dive = () => {
    try {
      dive();
    } catch {
      // Back on this level there is a little more of the stack.
    }
    if (isDone) return;
    try {
      act();
      isDone = true;
    } catch {
      refused++;
      held |= header[TAIL_LOCK] | header[HEAD_LOCK];
      if (control.isCritical()) critical++;
    }
  };
  dive();
  return { refused, held, critical };
}

testInFull(
  "a put or take for which the stack is too full does nothing, and leaves no lock held",
  () => {
    const ring = new MpmcRing(newMpmcRing(0, 1_000_000, 96)), { header } = ring;
    const source = newScratch(4096), into = newScratch(64 * 1024);
    const begins: number[] = [], lengths: number[] = [];
    let put = 0, got = 0, refused = 0;
    const attempt = (act: () => void) => {
      const came = atBottom(header, act);
      assert.equal(came.held, 0, "a lock is held");
      assert.equal(came.critical, 0, "a critical section has no end");
      refused += came.refused;
    };
    for (let round = 0; round < 40; round++) {
      for (const length of [8, 40, 600, 4000, 8, 40, 600, 4000]) {
        source.words[1] = put++;
        attempt(() => ring.tryPut(source, 0, length));
        assert.equal(ring.size, put - got);
      }
      while (!ring.isEmpty) {
        let count = 1;
        begins[0] = 0;
        if (ring.size % 2 === 0) attempt(() => ring.tryTake(into));
        else {
          attempt(() => {
            count = ring.tryTakeMany(into, 3, begins, lengths);
          });
        }
        for (let i = 0; i < count; i++) assert.equal(into.words[(begins[i] >> 2) + 1], got++);
        assert.equal(ring.size, put - got);
      }
      assert.equal(ring.unfinished, put);
    }
    assert.ok(refused > 1000, `only ${refused} were refused`);
  },
);
