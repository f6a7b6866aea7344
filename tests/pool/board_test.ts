// The claim board: lib/pool/board.ts.

import assert from "node:assert/strict";
import { Board, newBoardMemory } from "../../lib/pool/board.ts";

function sides(): [pool: Board, worker: Board] {
  const memory = newBoardMemory(), epoch = performance.timeOrigin;
  return [new Board(memory, epoch), new Board(memory, epoch)];
}

Deno.test("a unit is claimed once, and one that was revoked never", () => {
  const [pool, worker] = sides();
  const first = pool.offer(0), second = pool.offer(1);
  assert.ok(worker.claim(0, first));
  assert.equal(worker.claim(0, first), false);
  assert.equal(pool.revoke(0), false);
  assert.ok(pool.revoke(1));
  assert.equal(worker.claim(1, second), false);
});

Deno.test("the message of a revoked unit doesn't claim the next unit in its slot", () => {
  const [pool, worker] = sides();
  const revoked = pool.offer(5);
  assert.ok(pool.revoke(5));
  const next = pool.offer(5);
  assert.equal(worker.claim(5, revoked), false);
  assert.deepEqual(pool.look(5), { claim: "pending", item: 0 });
  assert.ok(worker.claim(5, next));
});

Deno.test("a unit is stopped at an item only while that one runs, and takes no step then", () => {
  const [pool, worker] = sides();
  worker.claim(0, pool.offer(0));
  assert.ok(worker.advance(0, 0, performance.now()));
  assert.equal(pool.stop(0, 0), false);
  assert.ok(pool.stop(0, 1));
  assert.equal(worker.advance(0, 1), false);
  assert.equal(worker.finish(0, 1), false);
  assert.deepEqual(pool.look(0), { claim: "stopped", item: 1 });
});
