// What becomes of the units of a worker that has ended: lib/pool/lost_units.ts, on a claim board made by hand.

import assert from "node:assert/strict";
import { Board, newBoardMemory } from "../../lib/pool/board.ts";
import { Cells, newCellMemory, NO_CELLS } from "../../lib/pool/cells.ts";
import type { Ending } from "../../lib/pool/ending.ts";
import { type EndedWorker, settleLost } from "../../lib/pool/lost_units.ts";
import { SentUnits } from "../../lib/pool/sent_units.ts";
import type { ItemFailure, Unit } from "../../lib/pool/unit.ts";

/** As much of a unit as settleLost() needs; it is run anew wherever that may be. */
function unitOf(name: string): Unit {
  const unit = {
    name,
    ...{ isDropped: false, losses: 0, settled: 0, items: [0], attempt: 1, first: 0 },
    options: { retries: 1, transfer: [] },
    slice: () => unit,
  };
  return unit as unknown as Unit;
}

function ended(): EndedWorker {
  return { name: "Pool-1-1", hasBegun: false, failed: () => assert.fail("an item has failed") };
}

/** The worker ends, with the first unit claimed or not. */
function end(units: Unit[], isClaimed: boolean): { worker: EndedWorker; rest: Unit[] } {
  const board = new Board(newBoardMemory(), Date.now());
  const sent = new SentUnits(board, new Cells(newCellMemory())), worker = ended();
  const numbers: number[] = [];
  for (const unit of units) {
    const slot = sent.freeSlot();
    numbers.push(sent.board.offer(slot));
    sent.add(slot, unit, NO_CELLS);
  }
  if (isClaimed) assert.ok(sent.board.claim(0, numbers[0]));
  return { worker, rest: settleLost(worker, sent.units.entries, sent, {} as Ending) };
}

Deno.test("a unit that waited behind another goes on, however many workers have ended with it", () => {
  const waiting = unitOf("waiting");
  for (let i = 0; i < 20; i++) {
    const running = unitOf(`running ${i}`);
    const { worker, rest } = end([running, waiting], true);
    assert.deepEqual(rest, [running, waiting]);
    assert.equal(worker.hasBegun, true);
  }
  assert.equal(waiting.losses, 0);
});

Deno.test("of units that none had begun only the next one is to blame, after the third worker", () => {
  const next = unitOf("next"), behind = unitOf("behind");
  for (let i = 0; i < 2; i++) {
    const { worker, rest } = end([next, behind], false);
    assert.deepEqual(rest, [next, behind]);
    assert.equal(worker.hasBegun, false);
  }
  const { worker } = end([next, behind], false);
  assert.equal(worker.hasBegun, true);
  assert.deepEqual([next.losses, next.settled, behind.losses, behind.settled], [3, 1, 0, 0]);
});

Deno.test("items that are lost with their buffers fail each as itself", () => {
  const failures: [index: number, item: unknown][] = [];
  const unit = unitOf("moved");
  Object.assign(unit, {
    items: ["a", "b", "c"],
    options: { retries: 0, transfer: [new ArrayBuffer(1)] },
    client: { failed: (index: number, { item }: ItemFailure) => failures.push([index, item]) },
  });
  const board = new Board(newBoardMemory(), Date.now());
  const sent = new SentUnits(board, new Cells(newCellMemory())), counted: number[] = [];
  const slot = sent.freeSlot(), number = sent.board.offer(slot);
  sent.add(slot, unit, NO_CELLS);
  assert.ok(sent.board.claim(slot, number));
  const worker = { ...ended(), failed: (_: Unit, item: number) => counted.push(item) };
  assert.deepEqual(settleLost(worker, sent.units.entries, sent, {} as Ending), []);
  assert.deepEqual(failures, [[0, "a"], [1, "b"], [2, "c"]]);
  assert.deepEqual(counted, [0, 1, 2]);
});
