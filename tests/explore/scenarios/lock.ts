// Lock and RLock: one holder at a time, no wake-up is lost, and exactly one process is told of a holder's death.

import { Lock } from "../../../lib/sync/lock.ts";
import { RLock } from "../../../lib/sync/rlock.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import {
  enter,
  exit,
  finishes,
  init,
  lostWakeUp,
  type Program,
  reap,
  scenario,
  unfinished,
} from "./base.ts";
import { objectOf, type Sharing, sharing, take, takeAsync } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;
const of = objectOf<Lock>;
const newLock = sharing(() => new Lock(), "lock");
const newRLock = sharing(() => new RLock(), "rlock");

const works = (times = 1) => (s: S) => {
  const lock = of(s);
  for (let i = 0; i < times; i++) {
    take(lock);
    enter();
    exit();
    lock.release();
  }
};

async function work(lock: Lock): Promise<void> {
  await takeAsync(lock);
  enter();
  exit();
  lock.release();
}

const worksAsync = async (s: S) => await work(of(s));

const worksWithTimeout = async (s: S) => {
  const lock = of(s);
  if (await takeAsync(lock, 10)) {
    enter();
    exit();
    lock.release();
  } else sim.log("timeout");
};

/** Takes it twice, one in the other. */
const worksTwice = (s: S) => {
  const lock = objectOf<RLock>(s);
  take(lock);
  enter();
  take(lock);
  lock.release();
  exit();
  lock.release();
};

const reapsAndWorks = (s: S) => {
  reap(s);
  works()(s);
};

/** Where the victim died inside, exactly one is told; where it died outside, at most one. */
function toldOnce(outcome: Outcome): string | undefined {
  const wrong = unfinished(outcome) ?? lostWakeUp(outcome);
  if (wrong !== undefined) return wrong;
  const told = outcome.of(undefined, "told").length;
  if (outcome.killed.length === 0) return told > 0 ? "told of a death that wasn't" : undefined;
  const [victim] = outcome.killed;
  const isInside = outcome.of(victim, "enter").length > outcome.of(victim, "leave").length;
  if (isInside && told === 0) return "the holder died, and nobody was told";
  if (told > 1) return `one holder died, and ${told} were told`;
}

const onTime = (outcome: Outcome): string | undefined =>
  unfinished(outcome) ?? (outcome.of(0, "timeout").length > 0 ? undefined : lostWakeUp(outcome));

export const scenarios: Record<string, Scenario> = {
  lock_2: scenario(newLock, {
    about: "2 processes take it twice each",
    processes: [works(2), works(2)],
    check: finishes,
    bounds: { preemptions: 3 },
  }),
  lock_3: scenario(newLock, {
    about: "3 processes",
    processes: [works(), works(), works()],
    check: finishes,
  }),
  lock_async: scenario(newLock, {
    about: "two tasks of one process, one of another, and one that blocks",
    processes: [worksAsync, async (s: S) => {
      const lock = of(s);
      await Promise.all([work(lock), work(lock)]);
    }, works()],
    check: finishes,
    bounds: { preemptions: 1 },
  }),
  lock_timeout: scenario(newLock, {
    about: "a waiter's time is up, another waits blocking, the holder takes it again",
    processes: [worksWithTimeout, works(), works(2)],
    early: [0],
    check: onTime,
    bounds: { timeouts: 1 },
  }),
  lock_timeout_async: scenario(newLock, {
    about: "the same where the other waits asynchronously",
    processes: [worksWithTimeout, worksAsync, works(2)],
    early: [0],
    check: (outcome) => unfinished(outcome) ?? lostWakeUp(outcome),
    bounds: { timeouts: 1 },
  }),
  lock_reserved: scenario(newLock, {
    about: "the clock jumps, so that waiters reserve it",
    processes: [works(2), works(), works()],
    check: finishes,
    bounds: { preemptions: 1, jumps: 2 },
  }),
  lock_reserved_async: scenario(newLock, {
    about: "the same, two of the waiters asynchronous",
    processes: [worksAsync, worksAsync, works(2)],
    check: finishes,
    bounds: { preemptions: 1, jumps: 2 },
  }),
  lock_kill: scenario(newLock, {
    about: "one of 2 is killed; the reaper takes it, too",
    processes: [works(), works(), reapsAndWorks],
    victims: [1],
    reaper: 2,
    check: toldOnce,
  }),
  lock_kill_async: scenario(newLock, {
    about: "the same, asynchronously",
    processes: [worksAsync, worksAsync, async (s: S) => {
      reap(s);
      await work(of(s));
    }],
    victims: [1],
    reaper: 2,
    check: toldOnce,
  }),
  lock_kill_3: scenario(newLock, {
    about: "one of 3 is killed",
    processes: [works(), works(), works(), reapsAndWorks],
    victims: [1],
    reaper: 3,
    check: toldOnce,
    bounds: { preemptions: 1 },
  }),
  lock_reclaim: scenario(newLock, {
    about: "the holder is killed, and then the one that finds it dead: somebody alive is told",
    processes: [
      works(),
      (s: S) => {
        const lock = of(s);
        take(lock);
        sim.log("took");
        lock.release();
      },
      (s: S) => {
        reap(s);
        sim.log("reaped");
      },
      (s: S) => {
        const never = new Int32Array(new SharedArrayBuffer(4));
        while (sim.killed().length < 2) Atomics.wait(never, 0, 0, 10);
        reap(s);
        const lock = of(s);
        take(lock);
        sim.log("last");
        lock.release();
      },
    ],
    victims: [0, 1],
    reaper: 2,
    polls: 12,
    bounds: { preemptions: 1, kills: 2 },
    check(outcome) {
      if (outcome.killed.length < 2) return;
      if (!outcome.processes[3].done) return "P3 hangs";
      const told = [2, 3].flatMap((id) => outcome.of(id, "told")).length;
      const isInside = outcome.of(0, "enter").length > outcome.of(0, "leave").length;
      // Who was told and has then had the lock has put right what it protects, or dies as its holder.
      const knew = outcome.of(1, "told").length > 0 && outcome.of(1, "took").length > 0;
      if (isInside && told === 0 && !knew) {
        return "a holder died, its burier died, and nobody alive was told";
      }
      if (told > 2) return `two died, and ${told} were told`;
    },
  }),
  rlock_2: scenario(newRLock, {
    about: "2 processes, each takes it twice, one in the other",
    processes: [worksTwice, worksTwice],
    check: finishes,
  }),
  rlock_timeout: scenario(newRLock, {
    about: "a waiter's time is up, another waits, the holder takes it again",
    processes: [worksWithTimeout, worksAsync, works(2)],
    early: [0],
    check: (outcome) => unfinished(outcome) ?? lostWakeUp(outcome),
    bounds: { timeouts: 1 },
  }),
  rlock_kill: scenario(newRLock, {
    about: "one is killed that has taken it once or twice",
    processes: [worksTwice, worksTwice, reapsAndWorks],
    victims: [1],
    reaper: 2,
    check: toldOnce,
  }),
};
