// Processes killed while they are busy, while they load, and in the very turn in which they are started;
// and a flood of an unrelated channel beside all rooms.

import { type Connection, EOFError, Lock, Pipe, sleep } from "../../../mod.ts";
import { at } from "../states.ts";
import { type Member, type Room, sandbox, SANDBOXED, thread } from "../room.ts";
import { beBusy, type Business, flood, idle } from "./busy_targets.ts";

const businesses: readonly Business[] = [
  "loop",
  "microtasks",
  "sleep",
  "garbage",
  "builtins",
  "turns",
  "crypto",
];

/** Busy processes until the time is over. */
export async function busy(room: Room): Promise<void> {
  const { stage, places } = room.program;
  while (!room.isOver) {
    const [here, there] = Pipe<never>(), lock = new Lock();
    let victim: Member;
    let ending: Promise<void>;
    // It takes a whole processor: nobody else is started meanwhile.
    room.step("waits for its turn to start a process");
    await places.take();
    await stage.take();
    try {
      victim = room.victimNow(beBusy, [room.pick(businesses), lock, there], thread);
      await room.live(victim, 5);
      ending = room.kill(victim);
    } finally {
      stage.give();
    }
    await ending;
    await learn(room, here, victim);
    let reports = 0;
    await room.acquire(lock, () => reports++);
    const isHolder = victim.words[at.state] !== 0;
    room.check(
      reports === 1 || reports === 0 && !isHolder,
      `the death of ${victim.name}, which held a lock, was reported ${reports} times`,
    );
    lock.release();
  }
}

/** Early kills until the time is over. */
export async function early(room: Room): Promise<void> {
  const { stage, places } = room.program;
  while (!room.isOver) {
    const [here, there] = Pipe<never>();
    const given = room.chance(0.2) ? new Uint8Array(1 << 21) : undefined;
    const controller = room.chance(0.2) ? new AbortController() : undefined;
    room.step("waits for its turn to start a process");
    await places.take();
    await stage.take();
    let victim: Member;
    let ending: Promise<void>;
    try {
      const limits = room.chance(SANDBOXED) ? sandbox : thread;
      const signal = controller?.signal;
      victim = room.victimNow(idle, [there, given], { ...limits, signal });
      const isAtOnce = room.chance(0.3);
      // Nobody else may start something now: that would take longer than the loading.
      if (!isAtOnce) await sleep(room.moment(8));
      const state = isAtOnce ? "in the turn it was started" : undefined;
      controller?.abort();
      ending = controller === undefined
        ? room.kill(victim, state)
        : room.endsBy(victim, -15, "an aborted signal");
    } finally {
      stage.give();
    }
    await ending;
    await learn(room, here, victim);
  }
}

/** In ms: the time between two processes with limits, and how long they may live. */
const REST = 5000, LIFE = 60;

/** Processes that their limits end, until the time is over. */
export async function limits(room: Room): Promise<void> {
  while (!room.isOver) {
    const timeLimit = room.between(1, LIFE);
    const [limit, options] = room.pick(
      [
        ["its time limit", { timeLimit }],
        ["its time limit", { timeLimit }],
        ["its time limit in a sandbox", { timeLimit, permissions: "none" }],
        ["its memory limit", { memoryLimitMb: 24 }],
      ] as const,
    );
    const [here, there] = Pipe<never>(), lock = new Lock();
    const business = limit === "its memory limit" ? "hoard" : room.pick(businesses);
    const victim = await room.victim(beBusy, [business, lock, there], options);
    await room.endsBy(victim, -9, limit);
    await learn(room, here, victim);
    room.step("rests");
    await sleep(REST);
  }
}

async function learn(room: Room, connection: Connection<never>, { name }: Member): Promise<void> {
  room.step(`learns of the end of ${name}`);
  const error = await connection.recv().catch((error) => error);
  room.check(error instanceof EOFError, `recv() gave ${error} instead of EOFError`);
  connection.close();
}

/** In ms: how long there is a flood, and how long there is none. */
const FLOOD = 250, CALM = 12_000;

/** Floods at intervals. */
export async function floods(room: Room): Promise<void> {
  while (!room.isOver) {
    const victim = await room.victim(flood, [], thread);
    await room.until(() => victim.words[at.done] > 0, "waits for the flood to begin");
    await sleep(FLOOD);
    await room.kill(victim);
    room.count("messages of the unrelated flood", victim.words[at.done]);
    for (const end = performance.now() + CALM; performance.now() < end && !room.isOver;) {
      room.step("rests");
      await sleep(200);
    }
  }
}
