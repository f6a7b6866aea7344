// The process table against a model: an array of entries, each with an owner, or none.

import assert from "node:assert/strict";
import type { Ref } from "../../lib/liveness/process_table.ts";
import { SharedProcessTable } from "../../lib/liveness/shared_table.ts";
import { between, withSeeds } from "../support/seed.ts";

/** One who was entered. */
interface Entry {
  ref: Ref;
  removed: boolean;
  owner: Entry | undefined;
  /** Of processes. */
  name: string | undefined;
}

const isAlive = ({ removed, owner }: Entry): boolean =>
  !removed && (owner === undefined || isAlive(owner));

const depthOf = ({ owner }: Entry): number => owner === undefined ? 0 : 1 + depthOf(owner);

function pick<T>(random: () => number, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}

Deno.test("who is alive, and under which name, is what a model says", async () => {
  await withSeeds(Array.from({ length: 12 }, (_, i) => i + 1), (random) => {
    const first = SharedProcessTable.make();
    // Two views, as two processes have them; one sees only later that the memory grew.
    const views = [first, new SharedProcessTable(first.shares)];
    const view = () => views[between(random, 0, 1)];
    let entries: Entry[] = [];
    const ended: Entry[] = [];
    const enter = (owner: Entry | undefined, name: string | undefined) => {
      const ref = name === undefined
        ? view().register(owner!.ref)
        : view().registerProcess(name, owner?.ref);
      entries.push({ ref, removed: false, owner, name });
    };
    const remove = (entry: Entry) => {
      entry.removed = true;
      ended.push(entry);
    };
    enter(undefined, "main");
    for (let step = 0; step < 4000; step++) {
      const some = pick(random, entries), other = pick(random, entries);
      const kind = random();
      if (kind < 0.35 || some === undefined || other === undefined) {
        const isProcess = some === undefined || random() < 0.3;
        const name = isProcess ? `process ${step} ${"é".repeat(step % 30)}` : undefined;
        if (some === undefined || depthOf(some) < 20) enter(isProcess ? undefined : some, name);
      } else if (kind < 0.55) {
        view().remove(some.ref);
        remove(some);
      } else if (kind < 0.65) {
        view().reap(some.ref);
        remove(some);
        // And all that is lost, whoever it was that had it.
        const isLost = ({ removed, owner }: Entry) => !removed && owner?.removed === true;
        for (let lost; (lost = entries.find(isLost)) !== undefined;) remove(lost);
      } else if (some.name === undefined && depthOf(other) < 20) {
        // Nobody is given to who belongs to him.
        let above: Entry | undefined = other;
        while (above !== undefined && above !== some) above = above.owner;
        if (above === undefined) {
          view().reparent(some.ref, other.ref);
          some.owner = other;
        }
      }
      entries = entries.filter(({ removed }) => !removed);
      const asked = pick(random, random() < 0.7 ? entries : ended);
      if (asked === undefined) continue;
      assert.equal(view().isAlive(asked.ref), isAlive(asked), `step ${step}`);
    }
    for (const processTable of views) {
      for (const entry of [...entries, ...ended]) {
        assert.equal(processTable.isAlive(entry.ref), isAlive(entry));
        if (entry.name === undefined) continue;
        const token = processTable.token(entry.ref);
        assert.ok(token > 0 && token < 2 ** 30);
        assert.equal(processTable.isTokenAlive(token), !entry.removed);
        if (!entry.removed) {
          assert.ok(entry.name.startsWith(processTable.nameOf(token).slice(0, 20)));
        }
      }
    }
  });
});

Deno.test("an entry that is taken again doesn't bring back who had it before", () => {
  const processTable = SharedProcessTable.make();
  const owner = processTable.registerProcess("owner");
  const gone: Ref[] = [];
  const bytes: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const ref = i % 2 ? processTable.register(owner) : processTable.registerProcess(`process ${i}`);
    processTable.remove(ref);
    gone.push(ref);
    bytes.push(processTable.shares.byteLength);
  }
  assert.ok(gone.every((ref) => !processTable.isAlive(ref)));
  assert.ok(processTable.isAlive(owner));
  assert.ok(new Set(gone.map(({ index }) => index)).size < 5000, "entries are taken again");
  assert.ok(bytes[19_999] < 2 ** 20, `${bytes[19_999]} bytes`);
});

Deno.test("removing an entry that was removed before does nothing to the next owner of its place", () => {
  const processTable = SharedProcessTable.make();
  const owner = processTable.registerProcess("owner");
  const first = processTable.register(owner);
  processTable.remove(first);
  let again = first;
  for (let i = 0; i < 5000 && (i === 0 || again.index !== first.index); i++) {
    if (i > 0) processTable.remove(again);
    again = processTable.register(owner);
  }
  assert.equal(again.index, first.index);
  processTable.remove(first);
  processTable.reparent(first, first);
  assert.ok(processTable.isAlive(again));
  assert.ok(!processTable.isAlive(first));
});

Deno.test("what belongs to each other in a ring is lost", () => {
  const processTable = SharedProcessTable.make();
  const owner = processTable.registerProcess("owner");
  const ring = [
    processTable.register(owner),
    processTable.register(owner),
    processTable.register(owner),
  ];
  for (let i = 0; i < 3; i++) processTable.reparent(ring[i], ring[(i + 1) % 3]);
  for (const ref of ring) assert.equal(processTable.isAlive(ref), false);
  processTable.reparent(ring[0], ring[0]);
  assert.equal(processTable.isAlive(ring[0]), false);
});

Deno.test("pids and process tables are told apart", () => {
  const processTables = [SharedProcessTable.make(), SharedProcessTable.make()];
  assert.notEqual(processTables[0].id, processTables[1].id);
  assert.equal(new SharedProcessTable(processTables[0].shares).id, processTables[0].id);
  const pids = Array.from(
    { length: 100 },
    (_, i) => new SharedProcessTable(processTables[0].shares).newPid() - i,
  );
  // Above those of the operating system, and below 2 ** 31, where Deno takes a pid for another.
  assert.deepEqual(pids, Array.from({ length: 100 }, () => 2 ** 30 + 1));
});
