// Conditions whose waiters are killed as they are notified: no notification is lost with them, not even when
// they have the lock again. The items there are to consume are consumed with no further notification.

import { AbandonedLockError, Condition, Lock } from "../../../mod.ts";
import { at } from "../states.ts";
import type { Member, Room } from "../room.ts";
import { consumeUnder } from "./lock_targets.ts";

const KILLS = 20;

/** Conditions until the time is over. */
export async function conditions(room: Room): Promise<void> {
  while (!room.isOver) {
    const condition = new Condition(room.chance(0.5) ? new Lock() : undefined);
    const items = new Int32Array(new SharedArrayBuffer(4));
    const acquire = () =>
      room.acquire(condition, () => room.count("locks: holders killed and reported"));
    const survivor = await room.survivor(consumeUnder, condition, items, room.chance(0.5));
    const ended: Member[] = [survivor];
    let made = 0, consumed = 0;
    for (let kills = 0; kills < KILLS && !room.isOver; kills++) {
      const victim = await room.victim(consumeUnder, [condition, items, room.chance(0.5)]);
      await room.live(victim, 1);
      await acquire();
      const count = room.between(1, 2);
      items[0] += count;
      made += count;
      if (room.chance(0.5)) condition.notify(count);
      else condition.notifyAll();
      const isHeld = room.chance(0.5);
      if (!isHeld) condition.release();
      for (const end = performance.now() + room.random() * 0.3; performance.now() < end;);
      const killing = room.kill(victim);
      if (isHeld) condition.release();
      await killing;
      ended.push(victim);
      await room.until(() => items[0] === 0, "waits until what was notified of is consumed");
    }
    Atomics.store(survivor.words, at.over, 1);
    await acquire();
    condition.notifyAll();
    condition.release();
    await room.result(survivor);
    for (const { words } of ended) consumed += words[at.done];
    // Who is killed between taking an item and saying so has consumed it, too.
    room.check(
      consumed <= made && made - consumed <= ended.length - 1,
      `${made} items were made, ${consumed} consumed`,
    );
    room.count("condition: notified and consumed", made);
    await none(condition);
  }
}

/** Nobody is left with the lock. */
async function none(condition: Condition): Promise<void> {
  for (;;) {
    try {
      await condition.acquire();
      condition.release();
      return;
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
    }
  }
}
