// The user's recursion has filled the stack at the first call of its kind in a process, where V8 has compiled nothing of
// it yet: what says that it was done was done, and what throws did nothing.

import assert from "node:assert/strict";
import { type Connection, Lock, Pipe, Process, Queue, Semaphore } from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";

interface Things {
  queue: Queue<number>;
  sender: Connection<number>;
  receiver: Connection<number>;
  lock: Lock;
  semaphore: Semaphore;
}

const ITEMS = 20;

/** By the kind of call: one call, which returns how many items it says it has moved. */
const calls: Record<string, (things: Things) => number> = {
  putNowait: ({ queue }) => (queue.putNowait(7), 1),
  putManyNowait: ({ queue }) => queue.putManyNowait([7, 8, 9]) ?? 3,
  sendNowait: ({ sender }) => (sender.sendNowait(7), 1),
  recvNowait: ({ receiver }) => (receiver.recvNowait(), 1),
  "lock.tryAcquire": ({ lock }) => (lock.tryAcquire() && lock.release(), 0),
  "semaphore.tryAcquire": ({ semaphore }) => (semaphore.tryAcquire() && semaphore.release(), 0),
};

/** Calls it at the bottom of a full stack and again on the levels above; returns how many items were moved. */
function dive(things: Things, call: (things: Things) => number): number {
  let moved = 0, left = 20;
  const down = () => {
    try {
      down();
    } catch {
      // On this level there is a little more room.
    }
    if (left === 0) return;
    moved += call(things);
    left--;
  };
  try {
    down();
  } catch {
    // On the first level, too.
  }
  return moved;
}

for (const [name, call] of Object.entries(calls)) {
  testInFull(
    `the first ${name}() of a process keeps its word where the stack is too full`,
    async () => {
      for (let i = inFull(8, 1); i > 0; i--) {
        const queue = new Queue<number>(), [sender, receiver] = Pipe<number>();
        const things = { queue, lock: new Lock(), semaphore: new Semaphore(1) };
        const isReceiver = name === "recvNowait";
        if (isReceiver) { for (let n = 0; n < ITEMS; n++) sender.sendNowait(n); }
        const end = isReceiver ? receiver : sender;
        const process = new Process({
          target: async (things: object, end: unknown, dive: string, call: string) => {
            const run = new Function("things", `return (${dive})(things, ${call});`);
            const moved = run({ ...things, sender: end, receiver: end });
            if (!call.includes("recv")) return [moved, 0];
            let rest = 0;
            const receiver = end as Connection<number>;
            while (await receiver.poll({ timeout: 0 })) {
              receiver.recvNowait();
              rest++;
            }
            return [moved, rest];
          },
          args: [things, end, String(dive), String(call)],
          by: "source",
        });
        process.start();
        const [moved, rest] = await process.result() as number[];
        if (isReceiver) assert.equal(moved + rest, ITEMS);
        else if (name === "sendNowait") {
          const arrived = (await Array.fromAsync(receiver)).length; // until the process, which has ended, is missed
          assert.equal(arrived, moved);
        } else assert.equal(queue.qsize(), moved);
        assert.ok(things.lock.tryAcquire() && things.semaphore.tryAcquire());
        things.lock.release();
        things.semaphore.release();
        for (const each of [sender, receiver]) each.close();
        queue.close();
      }
    },
  );
}
