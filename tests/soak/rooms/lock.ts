// Locks, semaphores and counters whose holders are killed.
//
// The death of a holder is reported once, and no other death is: a victim that had said that it holds the lock, and
// not yet that it will release it, must be reported; a victim that was just acquiring or releasing may be;
// any other must not. One victim at a time uses it, beside a survivor and main, and main acquires it
// after each kill: so the traces of a victim are found before the next one comes, and no report is made to a
// victim, which could die with it.

import {
  BoundedSemaphore,
  Condition,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  sleep,
  Value,
} from "../../../mod.ts";
import { at, states } from "../states.ts";
import type { Member, Room } from "../room.ts";
import { type Acquirable, contend, countUp } from "./lock_targets.ts";

const KILLS = 20;

const kinds = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  Semaphore: () => new Semaphore(2),
  BoundedSemaphore: () => new BoundedSemaphore(1),
  Condition: () => new Condition(),
} satisfies Record<string, () => Acquirable>;

/** Reports by the numbers of those who died: who counts them, and what main was told. */
class Reports {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly add = (name: string): void => {
    Atomics.add(this.words, numberOf(name), 1);
  };

  constructor(room: Room) {
    this.words = new Int32Array(new SharedArrayBuffer(4 * (room.nextNumber + 2 * KILLS)));
  }

  /** Once all who might report have ended. */
  check(room: Room, victims: readonly { name: string; state: number }[]): void {
    let reported = 0;
    for (const { name, state } of victims) {
      const times = this.words[numberOf(name)];
      const most = state === states.loading ? 0 : 1, least = state === states.holding ? 1 : 0;
      room.check(
        least <= times && times <= most,
        `${name}, killed in state ${state}, was reported ${times} times as a dead holder`,
      );
      reported += times;
    }
    const all = this.words.reduce((sum, n) => sum + n, 0);
    room.check(all === reported, "one was reported as a dead holder who was not killed");
    room.count("locks: holders killed and reported", reported);
  }
}

function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}

/** Locks and semaphores until the time is over. */
export async function locks(room: Room): Promise<void> {
  while (!room.isOver) {
    const kind = room.pick(Object.keys(kinds) as (keyof typeof kinds)[]);
    const what = kinds[kind](), permits = kind === "Semaphore" ? 2 : 1;
    const reports = new Reports(room), inside = new Int32Array(new SharedArrayBuffer(4));
    const isAlone = permits === 1;
    const start = [what, inside, reports.words] as const;
    const isSync = room.chance(0.5);
    const survivor = await room.survivor(contend, ...start, -2, isAlone, isSync, 2, 5);
    const victims: { name: string; state: number; words: Int32Array }[] = [];
    for (let kills = 0; kills < KILLS && !room.isOver; kills++) {
      const isSync = room.chance(0.5), pace = room.pick([3, 20, 100]);
      const victim = await room.victim(contend, [...start, kills, isAlone, isSync, pace, 0]);
      await room.live(victim, 6);
      await room.kill(victim);
      victims.push({ name: victim.name, state: victim.words[at.state], words: victim.words });
      for (let held = 0; held < permits; held++) await room.acquire(what, reports.add);
      if (isAlone) {
        Atomics.store(inside, 0, -1);
        await sleep(0);
        room.check(Atomics.load(inside, 0) === -1, `another holds the ${kind} that main holds`);
      }
      // An RLock is the process's, which may acquire it once more.
      if (what instanceof Semaphore) {
        room.check(!what.tryAcquire(), `there are more than ${permits} permits`);
      }
      for (let held = 0; held < permits; held++) what.release();
    }
    await end(room, survivor);
    reports.check(room, victims);
    let rounds = 0;
    for (const { words } of [survivor, ...victims]) {
      room.check(words[at.wrong] === 0, `two held the ${kind} at the same time`);
      rounds += words[at.done];
    }
    room.count("locks: rounds", rounds);
  }
}

async function end(room: Room, survivor: Member): Promise<void> {
  Atomics.store(survivor.words, at.over, 1);
  await room.result(survivor);
}

/**
 * Values and arrays until the time is over. A counter's value is what those who counted have `done`, and of
 * what was begun when its counter was killed, one at most each, as much as was stored before.
 */
export async function counters(room: Room): Promise<void> {
  while (!room.isOver) {
    const value = room.chance(0.5) ? new Value("f64") : undefined;
    const array = value === undefined ? new SharedArray("i32", 3) : undefined;
    const counter = (value ?? array)!;
    const reports = new Reports(room);
    const survivor = await room.survivor(countUp, counter, reports.words, 3, 5);
    const members: Member[] = [survivor], victims: { name: string; state: number }[] = [];
    for (let kills = 0; kills < KILLS && !room.isOver; kills++) {
      const args = [counter, reports.words, room.pick([3, 20, 100]), 0] as const;
      const victim = await room.victim(countUp, [...args]);
      await room.live(victim, 6);
      await room.kill(victim);
      members.push(victim);
      victims.push({ name: victim.name, state: victim.words[at.state] });
      await room.acquire(counter.lock, reports.add);
      counter.lock.release();
    }
    await end(room, survivor);
    // Whether fn was running or its result was being stored isn't known.
    const lenient = victims.map(({ name, state }) => {
      return { name, state: state === states.holding ? states.sync : state };
    });
    reports.check(room, lenient);
    const total = value?.value ?? array![1];
    let done = 0, uncertain = 0;
    for (const { words } of members) {
      done += words[at.done];
      uncertain += words[at.begun] - words[at.done];
    }
    room.check(uncertain <= KILLS, "the victims' words are wrong");
    room.check(
      done <= total && total <= done + uncertain,
      `the counter is ${total}; ${done} is certain, ${uncertain} uncertain`,
    );
    if (array !== undefined) {
      room.check(array[0] === 0 && array[2] === 0, "another element changed");
    }
    room.count("counters: updates", total);
    room.count("counters: updates uncertain", uncertain);
  }
}
