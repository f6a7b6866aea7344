// Results in cells: lib/pool/cells.ts, with both sides in one thread; and what a pool does with them.

import assert from "node:assert/strict";
import { Board, newBoardMemory } from "../../lib/pool/board.ts";
import { Cells, newCellMemory, NO_CELLS, NO_RESULT } from "../../lib/pool/cells.ts";
import { Pool, TaskError, transfer } from "../../mod.ts";

export const same = (value: unknown): unknown => value;

export function exitAt(n: number): number {
  if (n === 700) Deno.exit(3);
  return -n;
}

export function failAt(n: number): number | string {
  if (n % 5 === 3) throw new RangeError(`${n}`);
  return n % 5 === 4 ? `${n}` : n;
}

export function lengthOf(bytes: Uint8Array): number {
  return bytes.length;
}

export function back(bytes: Uint8Array): Uint8Array {
  return transfer(bytes, [bytes.buffer as ArrayBuffer]);
}

Deno.test("a cell keeps what is no object and no text as it is", () => {
  const memory = newCellMemory(), pool = new Cells(memory), worker = new Cells(memory);
  const values = [0, -0, NaN, Infinity, 1.5, undefined, null, true, false];
  const at = pool.take(3, values.length);
  values.forEach((_, i) => assert.equal(pool.read(at + i), NO_RESULT));
  values.forEach((value, i) => assert.ok(worker.write(at + i, value)));
  values.forEach((value, i) => assert.ok(Object.is(pool.read(at + i), value)));
  for (const value of ["", {}, 1n, Symbol.iterator, () => 1]) {
    assert.equal(worker.write(at, value), false);
    assert.equal(pool.read(at), NO_RESULT);
  }
});

Deno.test("a page of cells has one unit at a time, and is empty for the next one", () => {
  const memory = newCellMemory(), pool = new Cells(memory), worker = new Cells(memory);
  const pages = Array.from({ length: 8 }, () => pool.take(0, 2));
  assert.equal(new Set(pages).size, 8);
  assert.equal(pool.take(0, 2), NO_CELLS);
  assert.equal(pool.take(0, 1_000_000), NO_CELLS);
  worker.write(pages[5], 1);
  pool.give(pages[5]);
  assert.equal(pool.take(0, 2), pages[5]);
  assert.equal(pool.read(pages[5]), NO_RESULT);
});

Deno.test("the pool is told once of what it has not heard", () => {
  const memory = newCellMemory(), pool = new Cells(memory), worker = new Cells(memory);
  assert.deepEqual([worker.mustTell(), worker.mustTell()], [true, false]);
  pool.heard();
  assert.deepEqual([worker.mustTell(), worker.mustTell()], [true, false]);
});

Deno.test("a revoked unit doesn't claim the unit that has its slot now", () => {
  const board = new Board(newBoardMemory(), Date.now());
  const revoked = board.offer(0);
  assert.ok(board.revoke(0));
  const number = board.offer(0);
  assert.equal(board.claim(0, revoked), false);
  assert.equal(board.over(0, 5), 0);
  assert.ok(board.claim(0, number));
  assert.equal(board.revoke(0), false);
  assert.ok(board.advance(0, 0));
  assert.equal(board.over(0, 5), 1);
  assert.ok(board.finish(0, 1));
  assert.equal(board.over(0, 5), 5);
});

Deno.test("results of all kinds, mixed in one chunk, arrive in their places", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = Array.from(
    { length: 3000 },
    (_, n) => [n, -0, undefined, null, true, `${n}`, { n }, [n], NaN, 1n][n % 10],
  );
  assert.deepEqual(await pool.map(same, items, { chunkSize: 700 }), items);
  assert.deepEqual(await pool.map(same, items), items);
});

Deno.test("errors and texts between numbers arrive in their places", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = Array.from({ length: 1000 }, (_, n) => n);
  const results = await pool.map(failAt, items, { chunkSize: 100, returnExceptions: true });
  results.forEach((result, n) => {
    if (n % 5 === 3) assert.equal((result as TaskError).index, n);
    else assert.equal(result, n % 5 === 4 ? `${n}` : n);
  });
});

Deno.test("a worker that ends in a chunk of tiny items costs one item, and none runs twice", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = Array.from({ length: 2000 }, (_, n) => n);
  const results = await pool.map(exitAt, items, { chunkSize: 1000, returnExceptions: true });
  const failed = results.flatMap((result, n) => result instanceof TaskError ? [n] : []);
  assert.deepEqual(failed, [700]);
  assert.ok(results.every((result, n) => n === 700 || result === -n));
  assert.equal(pool.statistics().completed, 1999);
});

Deno.test("many calls whose buffers move: each moves once, and large ones that don't are copied", async () => {
  await using pool = new Pool({ processes: 2 });
  await Promise.all(Array.from({ length: 200 }, () => pool.apply(lengthOf, [new Uint8Array(1)])));
  const calls = Array.from({ length: 300 }, (_, n) => {
    const bytes = new Uint8Array(n + 1);
    return pool.apply(back, [bytes], { transfer: [bytes.buffer] });
  });
  const all = await Promise.all(calls);
  assert.ok(all.every((bytes, n) => bytes.length === n + 1));
  const large = new Uint8Array(100_000).fill(7);
  const same = await Promise.all(Array.from({ length: 20 }, () => pool.apply(back, [large])));
  assert.equal(large.length, 100_000);
  assert.ok(same.every((bytes) => bytes.length === 100_000 && bytes[99_999] === 7));
});
