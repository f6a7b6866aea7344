// The host of a process, from its start to its end: nobody is stopped in a critical section, its end
// is seen by those who wait for it and by those who share something with it, and its exit code is true.
// P0 is the host and runs lib/host/supervisor.ts; P1 is the process; the worker is a model.

import {
  EXIT,
  FINISHED,
  LOADED,
  ownControl,
  readCode,
  writeCode,
} from "../../../lib/liveness/control_block.ts";
import { runExitHooks } from "../../../lib/liveness/exit_hooks.ts";
import { ownRef, ownRoster } from "../../../lib/liveness/membership.ts";
import { endGate, Hosted, TERMINATED } from "../../../lib/host/supervisor.ts";
import type { Birth, Launch } from "../../../lib/protocol/messages.ts";
import { beat } from "../../../lib/protocol/heartbeat.ts";
import { Store, type StoreContent } from "../../../lib/queue/shared/store.ts";
import { Lock } from "../../../lib/sync/lock.ts";
import { WAIT } from "../../../lib/wait/eventcount.ts";
import { blocking, eventually, now, type Operation } from "../../../lib/wait/operation.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { enter, exit, init, type Program, scenario, unfinished } from "./base.ts";
import { objectOf, type Sharing, sharing, take } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

const CHILD = 1;
type S = Program & Sharing;

/** Starts P1. */
function host({ refs, controls }: Program): Hosted {
  const { port2 } = new MessageChannel();
  const launch: Launch = {
    identity: { name: "P1", pid: CHILD, lineage: [CHILD], daemon: false },
    ref: refs[CHILD],
    owner: 0,
    control: controls[CHILD],
    fate: controls[CHILD],
    main: "",
    port: port2 as unknown as Launch["port"],
    grants: undefined,
    giveUp: [],
    memoryLimitMb: undefined,
    timeLimit: undefined,
    desk: undefined,
  };
  return new Hosted(launch, { serve() {}, whenEnded: () => sim.log("ended") });
}

/** Waits until P1 has ended; its exit code. */
function joining({ controls }: Program): Operation<number | null> {
  const fate = controls[CHILD];
  return {
    eventcount: endGate(fate),
    attempt: () => readCode(fate, EXIT) ?? WAIT,
    onTimeout: () => null,
  };
}

/** What P1 does before its target, and after it: as lib/child/boot.ts and child/exit.ts do. */
function child<T extends Program>(target: (shared: T) => void): (shared: T) => void {
  return (shared) => {
    const birth = sim.objects[`birth ${CHILD}`] as Birth;
    sim.adopt(birth.host);
    sim.adopt(birth.port);
    const control = ownControl();
    beat(control);
    Atomics.store(control, LOADED, 1);
    Atomics.notify(control, LOADED);
    target(shared);
    runExitHooks(0);
    ownRoster().reap(ownRef());
    if (writeCode(control, FINISHED, 0)) endGate(control).notify(Infinity);
    sim.terminate(sim.id);
  };
}

const works = (s: S) => {
  const lock = objectOf<Lock>(s);
  take(lock);
  // Only one that has the lock after the worker can be told of its end.
  if (sim.id === CHILD) sim.set("had", 1);
  else if (sim.get("had") === 1) sim.log("follows");
  enter();
  exit();
  lock.release();
};

const newLock = sharing(() => new Lock(), "lock");

/** The exit code is that of the signal, or 0 where the process was quicker; the others go on. */
function ends(outcome: Outcome): string | undefined {
  const wrong = unfinished(outcome);
  if (wrong !== undefined) return wrong;
  if (!outcome.processes[CHILD].dead) return "the worker was not ended";
  const [code] = outcome.of(0, "exit code"),
    finished = readCode(outcome.shared.controls[CHILD], FINISHED);
  const expected = finished ?? -TERMINATED;
  if (code !== expected) return `the exit code is ${code} instead of ${expected}`;
  const ended = outcome.of(0, "ended").length;
  if (ended !== 1) return `the end was told ${ended} times`;
  const told = outcome.of(undefined, "told").length;
  const isInside = outcome.of(CHILD, "enter").length > outcome.of(CHILD, "leave").length;
  if (isInside && told !== 1 && outcome.of(2, "follows").length > 0) {
    return `it ended with the lock, and ${told} were told`;
  }
}

interface Queue {
  queue: StoreContent;
}

export const scenarios: Record<string, Scenario> = {
  host_terminate: scenario(newLock, {
    about: "a host terminates a process that takes a lock; another waits for the lock",
    processes: [
      async (s: S) => {
        host(s).stop(TERMINATED);
        sim.log("exit code", await eventually(joining(s)));
      },
      child(works),
      works,
    ],
    startedByOthers: [CHILD],
    early: [0],
    polls: 40,
    check: ends,
    bounds: { preemptions: 2, timeouts: 1 },
  }),
  host_loaded: scenario(newLock, {
    about: "the same once the process has loaded: the order goes out at once",
    processes: [
      async (s: S) => {
        const hosted = host(s), control = s.controls[CHILD];
        while (Atomics.load(control, LOADED) === 0) {
          const loading = Atomics.waitAsync(control, LOADED, 0);
          if (loading.async) await loading.value;
        }
        hosted.stop(TERMINATED);
        sim.log("exit code", await eventually(joining(s)));
      },
      child(works),
      works,
    ],
    startedByOthers: [CHILD],
    polls: 40,
    check: ends,
  }),
  host_blocked: scenario(newLock, {
    about: "the same with the thread of the host blocked: it looks by itself",
    processes: [
      (s: S) => {
        host(s).stop(TERMINATED);
        sim.log("exit code", blocking(joining(s)));
      },
      child(works),
      works,
    ],
    startedByOthers: [CHILD],
    polls: 60,
    check: ends,
    bounds: { preemptions: 1 },
  }),
  host_exit: scenario(newLock, {
    about: "a process ends by itself: its exit code is 0 and nothing is abandoned",
    processes: [
      async (s: S) => {
        host(s);
        sim.log("exit code", await eventually(joining(s)));
      },
      child(works),
      works,
    ],
    startedByOthers: [CHILD],
    polls: 40,
    check: (outcome) =>
      ends(outcome) ?? (outcome.of(undefined, "told").length > 0 ? "told of nothing" : undefined),
  }),
  host_queue: scenario(() => {
    const queue = Store.make<string>(0, 1 << 20, undefined).content;
    sim.label(queue.ring.header, "ring");
    return { queue };
  }, {
    about: "a host terminates a process that puts: the queue works, and has whole items",
    processes: [
      async (s: Program & Queue) => {
        host(s).stop(TERMINATED);
        sim.log("exit code", await eventually(joining(s)));
        const store = Store.arrived<string>(s.queue);
        store.tryPut("b1");
        const items: string[] = [];
        while (store.size > 0) items.push(now(store.get));
        sim.log("items", items.join());
      },
      child(({ queue }: Program & Queue) => {
        const store = Store.arrived<string>(queue);
        store.tryPut("v1");
        store.tryPut("v2");
      }),
    ],
    startedByOthers: [CHILD],
    early: [0],
    polls: 40,
    check: (outcome) =>
      ends(outcome) ??
        (["b1", "v1,b1", "v1,v2,b1"].includes(String(outcome.of(0, "items")[0]))
          ? undefined
          : `got ${outcome.of(0, "items")}`),
    bounds: { preemptions: 2, timeouts: 1 },
  }),
};
