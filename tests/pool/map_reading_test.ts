// How far a map reads ahead in its source: in turns, and as far as the backlog has room.

import assert from "node:assert/strict";
import { Pool } from "../../mod.ts";
import { MapCall, type MapOwner, type MapSink } from "../../lib/pool/map.ts";
import { checkMap, checkPool } from "../../lib/pool/options.ts";
import { CallSite } from "../../lib/wait/call_site.ts";
import { testInFull } from "../support/length.ts";

const next = (n: number) => n + 1;

testInFull("a map reads on after a turn in which it has read very many items", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = Array.from({ length: 300_000 }, (_, i) => i), chunkSize = 60_000;
  assert.deepEqual((await pool.map(next, items, { chunkSize })).slice(-2), [299_999, 300_000]);
  assert.equal(pool.mapSync(next, items, { chunkSize }).length, items.length);
  let count = 0;
  for await (const _ of pool.imap(next, items, { chunkSize })) count++;
  assert.equal(count, items.length);
});

testInFull("a map reads on where none of very many items can be sent", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = Array.from({ length: 101_000 }, () => () => 1);
  const all = await pool.map((item: unknown) => item, items, {
    returnExceptions: true,
    chunkSize: 1,
  });
  assert.equal(all.length, items.length);
});

/** A map, of a pool without workers. */
function mapOf(owner: object, items: Iterable<unknown> | AsyncIterable<unknown>, sink: object) {
  const executor = { size: 2, submit() {}, drop: () => [], cancel() {}, settled() {} };
  return new MapCall(
    { executor, takeIds: () => 1, hasRoom: true, ...owner } as unknown as MapOwner,
    { id: 1, name: "next" } as ConstructorParameters<typeof MapCall>[1],
    items,
    false,
    checkMap({ chunkSize: 2 }, checkPool({}, 2)),
    { untaken: 0, isIterated: true, ...sink } as unknown as MapSink,
    new CallSite(mapOf),
  );
}

Deno.test("a map that waits for room in the backlog waits once, however often it tries to read on", () => {
  const waits = new Set<() => void>();
  const owner = { hasRoom: false, whenRoom: (call: () => void) => waits.add(call) };
  const call = mapOf(owner, [1, 2], {});
  for (let i = 0; i < 3; i++) call.feed();
  assert.equal(waits.size, 1);
});

Deno.test("a map over an asynchronous source ends when no more items can be submitted", async () => {
  const gone = new Error("the pool is gone");
  const executor = { size: 2, submit: () => assert.fail(gone) };
  const source = async function* () {
    yield 1;
  };
  const reason = await new Promise((broken) => mapOf({ executor }, source(), { broken }).feed());
  assert.equal(reason, gone);
});
