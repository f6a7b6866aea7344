// The host of a process, from its start to its end: no process is stopped in a critical section, its end
// is seen by the processes that wait for it or share something with it, and its exit code is true.
// P0 is the host and runs lib/host/supervisor.ts; P1 is the process; the worker is a model.

import { ControlBlock, ownControl } from "../../../lib/liveness/control_block.ts";
import { runExitHooks } from "../../../lib/liveness/exit_hooks.ts";
import { ownProcessTable, ownRef } from "../../../lib/liveness/membership.ts";
import { Supervisor, TERMINATED } from "../../../lib/host/supervisor.ts";
import { exitEvent } from "../../../lib/protocol/exit_event.ts";
import type { SpawnRequest, WorkerData } from "../../../lib/protocol/spawn_request.ts";
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
function host({ refs, controls }: Program): Supervisor {
  const { port2 } = new MessageChannel();
  const identity = { name: "P1", pid: CHILD, lineage: [CHILD], daemon: false };
  const child = { identity, self: refs[CHILD], control: controls[CHILD] };
  const request: SpawnRequest = {
    child: child as unknown as SpawnRequest["child"],
    port: port2 as unknown as SpawnRequest["port"],
    owner: 0,
    exit: controls[CHILD],
    crashReport: new SharedArrayBuffer(4),
    main: "",
    grants: undefined,
  };
  const supervisor = new Supervisor(request, () => {});
  noteEnd(new ControlBlock(controls[CHILD]));
  return supervisor;
}

/** Notes the end as a starter does. */
async function noteEnd(control: ControlBlock): Promise<void> {
  await control.exitRecord().untilExited();
  sim.log("ended");
}

/** Waits until P1 has ended; its exit code. */
function joining({ controls }: Program): Operation<number | null> {
  const record = new ControlBlock(controls[CHILD]).exitRecord();
  return {
    eventcount: exitEvent(record),
    attempt: () => record.exitCode() ?? WAIT,
    onTimeout: () => null,
  };
}

/** What P1 does before its target, and after it: as lib/child/boot.ts and child/exit.ts do. */
function child<T extends Program>(target: (shared: T) => void): (shared: T) => void {
  return (shared) => {
    const data = sim.objects[`worker data ${CHILD}`] as WorkerData;
    sim.adopt(data.host);
    sim.adopt(data.port);
    const control = ownControl();
    control.markBooted();
    beat(control);
    control.markLoaded();
    target(shared);
    runExitHooks(0);
    ownProcessTable().reap(ownRef());
    if (control.finish(0)) exitEvent(control.exitRecord()).notify(Infinity);
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
    finished = new ControlBlock(outcome.shared.controls[CHILD]).finishedCode();
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
        const supervisor = host(s), control = new ControlBlock(s.controls[CHILD]);
        while (!control.isLoaded()) await control.untilLoaded();
        supervisor.stop(TERMINATED);
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
