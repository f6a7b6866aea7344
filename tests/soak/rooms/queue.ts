// One queue after the other, with producers and consumers of which some are killed.
//
// The account of a queue is exact. Let a producer store `begun` before a put and `done` after it, each
// item carry its producer and number, and a consumer add 1 to the item's place in `seen` after it
// got it. When all have ended and the queue is empty, then
//
// - of each producer the items below `done` were put: the put of each returned. Those from `done` to
//   `begun`, one at most (or one call of putMany), are uncertain, and none beyond was ever begun.
//   A survivor, and a process that was killed between two puts, leaves none uncertain.
// - every item that was put was got, as the queue is empty. A place in `seen` is 1 if its consumer lived to
//   mark it. A consumer stores how many it may get before each call and how many it has marked after:
//   the difference, one at most (or one call of getMany), is the most that can be lost with it.
// - so an item below `done` whose place is 0 was lost with a consumer, and there are no more of those than
//   killed consumers were about to mark, which is none where no consumer was killed. A place that is
//   2 or more is an item doubled; and one at `begun` or beyond was never put.
// - the queue's own count of puts must be the sum of `done` and of so many of the uncertain as were put.
//   With it the number of lost items is known exactly: puts less marks.
//
// So in the rounds in which only producers are killed a single lost item is detected, be it by a kill or by a wait
// that timed out or was aborted; in the other rounds, one more than consumers were about to mark.

import { JoinableQueue, Queue } from "../../../mod.ts";
import { at } from "../states.ts";
import type { Member, Room } from "../room.ts";
import { consume, type Face, type Item, produce } from "./queue_targets.ts";

const KILLS = 20, MOST = 4096;

const faces: readonly Face[] = ["async", "sync", "many", "manySync", "timid", "timidSync"];
const consumerFaces = [...faces, "iterate"] as const;

/** Queues until the time is over. */
export async function queues(room: Room): Promise<void> {
  while (!room.isOver) await oneQueue(room);
}

async function oneQueue(room: Room): Promise<void> {
  const killed = room.pick(["producers", "consumers", "both", "both"] as const);
  const isJoinable = killed === "producers" && room.chance(0.4);
  const isBig = room.chance(0.2);
  const maxSize = isBig ? 2 : room.pick([0, 1, 2, 4, 16]);
  const queue = isJoinable ? new JoinableQueue<Item>({ maxSize }) : new Queue<Item>({ maxSize });
  const seen = new Uint8Array(new SharedArrayBuffer((KILLS + 1) * MOST));
  const producers: Member[] = [], consumers: Member[] = [];

  const survivor = await room.survivor(
    consume,
    queue,
    seen,
    MOST,
    room.pick(consumerFaces),
    room.pick([1, 3, 20]),
    isJoinable,
  );
  const writer = await room.survivor(
    produce,
    queue,
    0,
    MOST,
    room.pick(faces),
    room.pick([1, 2, 5]),
    false,
    false,
  );
  producers.push(writer);
  consumers.push(survivor);

  let handsFull = 0;
  for (let kills = 0; kills < KILLS - 1 && !room.isOver;) {
    const victims: Member[] = [];
    const most = room.between(1, 2);
    // Who has one doesn't wait for a place for another.
    while (victims.length === 0 || victims.length < most && room.program.places.isFree) {
      kills++;
      const isProducer = killed === "producers" || killed === "both" && room.chance(0.5);
      const pace = room.pick([1, 3, 10, 30]);
      const face = room.pick(faces);
      const victim = isProducer
        ? await room.victim(produce, [queue, producers.length, MOST, face, pace, isBig, true])
        : await room.victim(consume, [
          queue,
          seen,
          MOST,
          room.pick(consumerFaces),
          pace,
          isJoinable,
        ]);
      (isProducer ? producers : consumers).push(victim);
      victims.push(victim);
    }
    if (room.chance(0.5)) victims.reverse();
    for (const victim of victims) {
      await room.live(victim, 8);
      await room.kill(victim);
      const inHand = victim.words[at.begun] - victim.words[at.done];
      if (consumers.includes(victim)) handsFull += Math.max(0, inHand);
    }
  }

  room.step("lets the survivors come to an end");
  Atomics.store(writer.words, at.over, 1);
  await room.result(writer);
  if (isJoinable) {
    room.step("joins the queue");
    room.check(
      await (queue as JoinableQueue<Item>).join(),
      "join() without a timeout was not true",
    );
  }
  queue.shutdown();
  const marked = await room.result(survivor);
  room.check(queue.empty(), `${queue.qsize()} items are left after the last consumer`);

  // The account.
  for (const { name, words } of consumers) {
    room.check(
      words[at.wrong] === 0,
      `${name} got ${words[at.wrong]} items damaged or out of order`,
    );
    room.check(words[at.extra] === 0, `${name} got ${words[at.extra]} items that had been got`);
  }
  room.check(survivor.words[at.done] === marked, "the survivor's words are wrong");
  let certain = 0, uncertain = 0, marks = 0, missing = 0;
  for (const [id, { name, words }] of producers.entries()) {
    const begun = words[at.begun], done = words[at.done];
    certain += done;
    uncertain += begun - done;
    for (let i = 0; i < MOST; i++) {
      const times = seen[id * MOST + i];
      marks += times;
      room.check(times <= 1, `item ${i} of ${name} was got ${times} times`);
      room.check(times === 0 || i < begun, `item ${i} of ${name} was got and never put`);
      if (times === 0 && i < done) missing++;
    }
  }
  const { put, got } = queue.statistics();
  room.check(put === got, `${put} were put, ${got} got, and the queue is empty`);
  const surprises = put - certain, lost = put - marks;
  room.check(
    surprises >= 0 && surprises <= uncertain,
    `${put} items were put, of which ${certain} are certain and ${uncertain} uncertain`,
  );
  room.check(
    missing <= lost && lost <= handsFull,
    `${lost} items are lost (${missing} of them for certain), but the killed consumers ` +
      `had ${handsFull} in their hands at most`,
  );
  room.count("queue: queues");
  room.count("queue: items put", put);
  room.count("queue: items got and marked", marks);
  room.count("queue: items lost with their consumers", lost);
  room.count("queue: items that may have been lost with them", handsFull);
  room.count("queue: items doubled", 0);
  room.count("queue: puts uncertain", uncertain);
  room.count("queue: puts uncertain that were put", surprises);
}
