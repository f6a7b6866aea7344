// A barrier of which one party is killed: the others learn of it, and go on when it was repaired. An Event
// tells them.
//
// A process that has passed a round, or waits, is a party, and its death breaks the barrier. A process that has not
// arrived yet isn't. Whether a process that was just arriving is a party can't be known, so main arrives in the place
// of the dead process, and either passes or is told that the barrier is broken.

import { Barrier, BrokenBarrierError, Event, Semaphore } from "../../../mod.ts";
import { at } from "../states.ts";
import type { Member, Room } from "../room.ts";
import { pass } from "./lock_targets.ts";

const KILLS = 20;

/** Barriers until the time is over. */
export async function barriers(room: Room): Promise<void> {
  while (!room.isOver) await oneBarrier(room);
}

async function oneBarrier(room: Room): Promise<void> {
  const barrier = new Barrier(3), broken = new Semaphore(0);
  const repaired: [Event, Event] = [new Event(), new Event()];
  // The era, and how many have arrived in each.
  const arrived = new Int32Array(new SharedArrayBuffer(4 * (KILLS + 3)));
  const args = [barrier, arrived, broken, repaired] as const;
  const survivors = [
    await room.survivor(pass, ...args, true, 4),
    await room.survivor(pass, ...args, false, 4),
  ];
  const victims: Member[] = [];
  let era = 0;
  const repair = async (isOver: boolean) => {
    room.step("waits until all parties know that the barrier is broken");
    for (const _ of survivors) room.check(await broken.acquire(), "acquire() was not true");
    barrier.reset();
    repaired[(era + 1) % 2].clear();
    for (const { words } of survivors) Atomics.store(words, at.over, isOver ? 1 : 0);
    Atomics.store(arrived, 0, era + 1);
    repaired[era++ % 2].set();
  };
  for (let kills = 0; kills < KILLS && !room.isOver; kills++) {
    const victim = await room.victim(pass, [...args, room.chance(0.5), 100]);
    await room.live(victim, 6);
    await room.kill(victim);
    victims.push(victim);
    const { [at.begun]: begun, [at.done]: done } = victim.words;
    room.step(`arrives at the barrier in the place of ${victim.name}`);
    Atomics.add(arrived, 1 + era, 1);
    try {
      await barrier.wait();
      room.check(done === 0, `the death of ${victim.name}, a party, did not break the barrier`);
    } catch (error) {
      if (!(error instanceof BrokenBarrierError)) throw error;
      room.check(begun > 0, `${victim.name} died before it came, and broke the barrier: ${error}`);
      await repair(false);
    }
  }
  barrier.abort();
  await repair(true);
  for (const survivor of survivors) await room.result(survivor);
  let rounds = 0;
  for (const { name, words } of [...survivors, ...victims]) {
    room.check(words[at.wrong] === 0, `${name} passed before all had arrived`);
    rounds = Math.max(rounds, words[at.extra]);
  }
  room.count("barrier: rounds", rounds);
}
