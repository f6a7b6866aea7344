// A holder dies, and the process that is told of it dies as well, at once: a live process is told next.

import assert from "node:assert/strict";
import { AbandonedLockError } from "../../lib/errors.ts";
import { ownProcessTable } from "../../lib/liveness/membership.ts";
import type { Ref } from "../../lib/liveness/process_table.ts";
import { LOCK_WORDS, LockWord } from "../../lib/sync/lock_word.ts";
import { newSemaphoreState, SemaphoreState } from "../../lib/sync/semaphore_state.ts";
import { newSharedState, type SharedState } from "../../lib/shm/shared_state.ts";
import { eventually, now } from "../../lib/wait/operation.ts";
import { turn } from "../support/sync.ts";

/** One of several processes, all in this isolate. */
interface Party {
  readonly take: () => boolean;
  readonly takeLater: () => Promise<boolean>;
  readonly release: () => void;
  readonly die: () => void;
}

const kinds: Record<string, () => (shared: SharedState) => Omit<Party, "die">> = {
  Lock: () => (shared) => {
    const lock = new LockWord(shared, "Lock");
    return {
      take: () => now(lock.taking()),
      takeLater: () => eventually(lock.taking()),
      release: () => lock.release(),
    };
  },
  Semaphore: () => (shared) => {
    const permits = new SemaphoreState(shared, "Semaphore");
    return {
      take: () => now(permits.taking()),
      takeLater: () => eventually(permits.taking()),
      release: () => permits.release(2),
    };
  },
};

function parties(kind: string, count: number): Party[] {
  const processTable = ownProcessTable();
  const make = kinds[kind]();
  const shared = kind === "Lock" ? newSharedState(LOCK_WORDS) : newSemaphoreState(1);
  return Array.from({ length: count }, (_, i) => {
    const ref: Ref = processTable.registerProcess(`P${i}`);
    const view: SharedState = { ...shared, token: processTable.token(ref) };
    return { ...make(view), die: () => processTable.reap(ref) };
  });
}

function told(of: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof AbandonedLockError, `${error}`);
    assert.ok(error.message.startsWith(`${of} has ended while it held `), error.message);
    return true;
  };
}

for (const kind of Object.keys(kinds)) {
  Deno.test(`of a ${kind} another is told in place of one that died before its code had the error`, async () => {
    const [holder, first, second, third] = parties(kind, 4);
    assert.ok(holder.take());
    holder.die();
    assert.throws(() => first.take(), told("P0"));
    first.die();
    assert.throws(() => second.take(), told("P0"));
    assert.ok(third.take(), "the one that was told lives: it is free for others");
    third.release();
    await turn();
    second.die();
    assert.ok(third.take(), "it has acknowledged that");
    third.release();
  });

  Deno.test(`of a ${kind} nobody is told again once the code of one had the error`, async () => {
    const [holder, first, second] = parties(kind, 3);
    assert.ok(holder.take());
    holder.die();
    await assert.rejects(first.takeLater(), told("P0"));
    await turn();
    first.die();
    assert.ok(await second.takeLater());
    second.release();
  });
}

Deno.test("of a Lock nobody is told again once one that was told has had it", () => {
  const [holder, first, second] = parties("Lock", 3);
  assert.ok(holder.take());
  holder.die();
  assert.throws(() => first.take(), told("P0"));
  assert.ok(first.take());
  first.release();
  first.die();
  assert.ok(second.take());
  second.release();
});
