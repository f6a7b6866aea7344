// Naps: tasks that block their thread for a moment before they sleep. No wake-up is lost where a task is woken in
// its nap, nor where its nap ends just as it is woken.

import { Lock } from "../../../lib/sync/lock.ts";
import type { Scenario } from "../kernel/scenario.ts";
import { enter, exit, finishes, init, type Program, scenario } from "./base.ts";
import { exactlyOnce, get, getsSync, of, put, putsSync, queueOf, type Queues } from "./queue.ts";
import { objectOf, type Sharing, sharing, takeAsync } from "./shared_object.ts";

export { init };

type S = Program & Queues;

const gets = (count: number) => async (s: S) => {
  const store = of(s);
  for (let i = 0; i < count; i++) await get(store);
};

const puts = (...items: string[]) => async (s: S) => {
  const store = of(s);
  for (const item of items) await put(store, item);
};

const works = async (s: Program & Sharing) => {
  const lock = objectOf<Lock>(s);
  await takeAsync(lock);
  enter();
  exit();
  lock.release();
};

export const scenarios: Record<string, Scenario> = {
  naps_queue: scenario(queueOf(1), {
    about: "maxSize 1: a put and a get wait for each other",
    processes: [gets(2), puts("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
  }),
  naps_faces: scenario(queueOf(0), {
    about: "one getter naps, one blocks",
    processes: [gets(1), getsSync(1), putsSync("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
    bounds: { preemptions: 1 },
  }),
  naps_end: scenario(queueOf(0), {
    about: "the nap of a getter ends just as an item comes",
    processes: [gets(1), getsSync(1), putsSync("a1", "a2")],
    early: [0],
    check: exactlyOnce(["a1", "a2"]),
    bounds: { preemptions: 1, timeouts: 1 },
  }),
  naps_lock: scenario(sharing(() => new Lock(), "lock"), {
    about: "3 processes acquire a lock, and the nap of one ends early",
    processes: [works, works, works],
    early: [0],
    check: finishes,
    bounds: { preemptions: 1, timeouts: 1 },
  }),
};
