// A wake-up that its receiver doesn't use goes on to the next waiter, by itself or by the next notify.

import assert from "node:assert/strict";
import { newSharedState, type SharedState } from "../../lib/shm/shared_state.ts";
import { LOCK_WORDS, LockWord } from "../../lib/sync/lock_word.ts";
import { newSemaphoreState, SemaphoreState } from "../../lib/sync/semaphore_state.ts";
import { SLOT_TABLE_WORDS } from "../../lib/shm/slot_table.ts";
import { blocking, eventually, type Operation } from "../../lib/wait/operation.ts";
import { EventCount, EVENTCOUNT_WORDS, WAIT } from "../../lib/wait/eventcount.ts";
import { turn } from "../support/sync.ts";

/** The views that so many processes have of one lock, all in this isolate. */
function views(count: number): { locks: LockWord[]; words: Int32Array } {
  const shared = newSharedState(LOCK_WORDS), { processTable } = shared;
  const locks = Array.from({ length: count }, (_, i) => {
    const token = processTable.token(processTable.registerProcess(`P${i}`));
    const view: SharedState = { ...shared, token };
    return new LockWord(view, "Lock");
  });
  return { locks, words: shared.words };
}

/** HOLDER is the first word of a lock, WAITED one of its bits, RESERVED the third word. */
const WAITED = 1 << 30, FREE_MARKED = -1, RESERVED = 2;
/** Words of a reservation. */
const UNTIL = 1, LASTS = 2;

for (const how of ["is aborted", "is aborted and another task of its process waits"] as const) {
  Deno.test(`a lock is marked again when the waiter that was woken ${how}, and another holds it`, async () => {
    const { locks: [first, second, holder], words } = views(3);
    assert.ok(holder.tryTake());
    const controller = new AbortController(), { signal } = controller;
    const aborted = assert.rejects(eventually(first.taking(), { signal }));
    const companion = how === "is aborted" ? undefined : eventually(first.taking());
    const patient = eventually(second.taking());
    words[RESERVED] = 0; // on a slow machine one has asked for it
    // Released and taken again before anybody that waits can act; the first one leaves.
    holder.release();
    assert.ok(holder.tryTake());
    assert.equal(words[0] & WAITED, 0);
    controller.abort();
    await aborted;
    await turn();
    assert.notEqual(words[0] & WAITED, 0, "a waiter sleeps, and nothing has its holder wake it");
    holder.release();
    if (companion !== undefined) {
      await companion;
      await turn();
      assert.notEqual(words[0] & WAITED, 0);
      first.release();
    }
    await patient;
    second.release();
    assert.equal(words[0], 0);
  });
}

Deno.test("a lock is marked again by a thread that blocks elsewhere when it was woken", async () => {
  const { locks: [first, second, holder, other], words } = views(4);
  assert.ok(holder.tryTake());
  // The sleeper of a wait that has ended stays.
  assert.equal(await eventually(first.taking(), { timeout: 1 }), false);
  const patient = eventually(second.taking());
  words[RESERVED] = 0;
  holder.release();
  assert.ok(holder.tryTake());
  const elsewhere = new EventCount(
    new Int32Array(new SharedArrayBuffer(EVENTCOUNT_WORDS * 4)),
    0,
    () => false,
  );
  const never: Operation<boolean> = {
    eventcount: elsewhere,
    attempt: () => WAIT,
    onTimeout: () => false,
  };
  assert.equal(blocking(never, { timeout: 45 }), false);
  assert.notEqual(words[0] & WAITED, 0, "a waiter sleeps, and nothing has its holder wake it");
  holder.release();
  await patient;
  second.release();
  assert.ok(other.tryTake());
  other.release();
});

for (const face of ["a task", "a blocked thread"] as const) {
  Deno.test(`a free lock is taken by ${face} when the reservation of another runs out`, async () => {
    const { locks: [absent, waiter], words } = views(2);
    // One that has waited long reserves it and never comes; it is free.
    assert.ok(absent.tryTake());
    const token = words[0];
    absent.release();
    words[0] = FREE_MARKED;
    words[RESERVED] = token;
    words[RESERVED + 1] = (Date.now() + 4) | 0;
    // Fires after what is due before it, however late either is.
    let isLate = false;
    const timer = setTimeout(() => isLate = true, 900);
    if (face === "a task") await eventually(waiter.taking());
    else assert.ok(blocking(waiter.taking(), { timeout: 5000 }));
    assert.ok(!isLate, "it was had only when the waiter looked by itself");
    clearTimeout(timer);
    waiter.release();
    assert.equal(words[0], 0);
  });
}

Deno.test("of a free permit that is reserved, those who wait look again when that runs out", async () => {
  const shared = newSemaphoreState(1);
  const permits = new SemaphoreState(shared, "Semaphore");
  const { words } = shared;
  const other = shared.processTable.token(shared.processTable.registerProcess("other"));
  const at = SLOT_TABLE_WORDS + 3; // RESERVED
  words[at] = other;
  words[at + 1] = (Date.now() + 4) | 0;
  let isLate = false;
  const timer = setTimeout(() => isLate = true, 900);
  assert.equal(await eventually(permits.taking()), true);
  assert.ok(!isLate, "it was had only when the waiter looked by itself");
  clearTimeout(timer);
  permits.release(1);
});

/** Lets so many ms pass at least. */
function pass(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** A lock and a semaphore, as two processes see each. */
const HELD_FOR_LONG: Record<
  string,
  () => [holder: Takeable, waiter: Takeable, reserved: Int32Array]
> = {
  "a lock"() {
    const { locks: [holder, waiter], words } = views(2);
    return [holder, waiter, words.subarray(RESERVED)];
  },
  "a permit"() {
    const shared = newSemaphoreState(1), { processTable, words } = shared;
    const [holder, waiter] = ["holder", "waiter"].map((name) => {
      const token = processTable.token(processTable.registerProcess(name));
      return new SemaphoreState({ ...shared, token }, "Semaphore");
    });
    return [holder, waiter, words.subarray(SLOT_TABLE_WORDS + 3)];
  },
};

interface Takeable {
  tryTake(): boolean;
  taking(): Operation<boolean>;
  release(most: number): unknown;
}

for (const [what, make] of Object.entries(HELD_FOR_LONG)) {
  Deno.test(`${what} that is held for longer than a reservation lasts goes to the waiter`, () => {
    const [holder, waiter, reserved] = make();
    assert.ok(holder.tryTake());
    const { attempt } = waiter.taking();
    assert.equal(attempt(), WAIT);
    pass(3);
    assert.equal(attempt(), WAIT); // reserves
    pass(20);
    const before = Date.now() | 0;
    holder.release(1);
    const left = (reserved[UNTIL] - before) | 0;
    assert.ok(left >= reserved[LASTS], `the process that held it may take it again in ${left} ms`);
    assert.equal(attempt(), true);
    waiter.release(1);
    assert.ok(holder.tryTake(), "the reservation has ended");
    holder.release(1);
  });

  Deno.test(`${what} is reserved the longer the longer its waiter has waited`, () => {
    const [holder, waiter, reserved] = make();
    assert.ok(holder.tryTake());
    const { attempt } = waiter.taking();
    assert.equal(attempt(), WAIT);
    const lasts: number[] = [];
    for (let waited = 3; lasts.length < 4; waited *= 5) {
      pass(waited);
      assert.equal(attempt(), WAIT);
      lasts.push(reserved[LASTS]);
    }
    assert.ok(lasts[0] < lasts[3] || lasts[0] === 500, `${lasts} ms`);
    assert.ok(lasts.every((ms) => ms >= 5 && ms <= 500), `${lasts} ms`);
    holder.release(1);
  });
}

Deno.test("the wake-up of a blocked thread whose attempt throws goes on to the next waiter", async () => {
  // A number of things to take, as a queue has; the first is damaged.
  const words = new Int32Array(new SharedArrayBuffer(32 * 4));
  const COUNT = 16;
  const eventcounts = [0, 1].map(() =>
    new EventCount(words, 0, () => Atomics.load(words, COUNT) > 0)
  );
  const taking = (eventcount: EventCount, then: () => void): Operation<boolean> => ({
    eventcount,
    attempt: () => {
      const count = Atomics.load(words, COUNT);
      if (count === 0) return WAIT;
      Atomics.store(words, COUNT, count - 1);
      then();
      return true;
    },
    onTimeout: () => false,
  });
  let served = false;
  const patient = eventually(taking(eventcounts[1], () => served = true));
  const damaged = taking(eventcounts[0], () => {
    throw new Error("damaged");
  });
  let looks = 0;
  const attempt = () => {
    if (looks++ === 0) return WAIT;
    // Both were put while this thread watched, and so no sleeper was woken.
    if (looks === 2) Atomics.store(words, COUNT, 2);
    return damaged.attempt();
  };
  assert.throws(() => blocking({ ...damaged, attempt }, { timeout: 1000 }), /damaged/);
  await turn();
  assert.ok(served, "the next waiter sleeps, and there is something for it");
  await patient;
});
