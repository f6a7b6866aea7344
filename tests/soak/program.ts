// One program of the soak: all rooms at the same time, for as long as main.ts says, and a report to main.ts
// every second, as a line of JSON. When all rooms are done it must end by itself.

import { sleep } from "../../mod.ts";
import type { Numbers } from "./counts.ts";
import { alive, Room, Turns, useTargets, Violation } from "./room.ts";
import { barriers } from "./rooms/barrier.ts";
import { badInput } from "./rooms/bad_input.ts";
import { busy, early, floods, limits } from "./rooms/busy.ts";
import { conditions } from "./rooms/condition.ts";
import { counters, locks } from "./rooms/lock.ts";
import { nested } from "./rooms/nested.ts";
import { ends, pipes } from "./rooms/pipe.ts";
import { queues } from "./rooms/queue.ts";
import * as targets from "./targets.ts";

/** What main.ts asks for. */
export interface Order {
  seed: number;
  milliseconds: number;
  /** How many programs share the rooms; their seeds follow each other. */
  programs: number;
  /** The names of the rooms to use instead. */
  rooms: string[];
}

/** What this program says to main.ts. */
export type Report =
  | { type: "numbers"; numbers: Numbers; doing: Record<string, string> }
  | { type: "violation"; room: string; doing: string; what: string }
  | { type: "done"; numbers: Numbers; alive: string[] };

/** Victims that may be alive at the same time. */
const PLACES = 2;
/** Seconds without a step of a room in which this program ran: a machine that is merely slow takes fewer. */
const HANG = 30;
/** In ms: how long it does nothing before and after. */
const REST = 500;

/** Each in one of the programs, by turns. */
const shared: Record<string, (room: Room) => Promise<void>> = {
  queueA: queues,
  queueB: queues,
  lockA: locks,
  lockB: locks,
  pipe: pipes,
  ends,
  counter: counters,
  condition: conditions,
  early,
  barrier: barriers,
  nested,
  busy,
};

/** These in every program. */
const everywhere: Record<string, (room: Room) => Promise<void>> = {
  limits,
  flood: floods,
  badInput,
};

const bodies = { ...shared, ...everywhere };

function say(report: Report): void {
  console.log(JSON.stringify(report));
}

function fail(room: string, doing: string, error: unknown): never {
  const what = error instanceof Violation
    ? error.message
    : error instanceof Error
    ? error.stack ?? `${error}`
    : `${error}`;
  say({ type: "violation", room, doing, what });
  Deno.exit(1);
}

if (import.meta.main) {
  const { seed, milliseconds, rooms: wanted, programs }: Order = JSON.parse(Deno.args[0]);
  const end = performance.now() + milliseconds;
  const numbers: Numbers = {};
  const read = await Deno.permissions.query({ name: "read" });
  useTargets(targets.here);
  const program = {
    numbers,
    mayRead: read.state === "granted",
    get isOver() {
      return performance.now() > end;
    },
    stage: new Turns(1),
    places: new Turns(PLACES),
  };
  const turn = (i: number) => (i + seed) % programs === 0;
  const usual = [...Object.keys(shared).filter((_, i) => turn(i)), ...Object.keys(everywhere)];
  const names = wanted.length > 0 ? wanted : usual;
  const rooms = names.map((name) => new Room(name, seed, program));
  const working = new Set(rooms);
  globalThis.addEventListener("unhandledrejection", ({ reason }) => {
    fail("unknown", rooms.map(({ name, doing }) => `${name} ${doing}`).join("; "), reason);
  });
  const watch = setInterval(() => {
    const doing = Object.fromEntries([...working].map(({ name, doing }) => [name, doing]));
    say({ type: "numbers", numbers, doing });
    for (const { name, doing, idle } of working) {
      if (idle >= HANG) fail(name, doing, new Violation(`no step for ${idle} s: a hang`));
    }
    for (const room of working) room.idle++;
  }, 1000);
  say({ type: "numbers", numbers, doing: {} });
  await sleep(REST);
  await Promise.all(rooms.map(async (room) => {
    try {
      await bodies[room.name](room);
    } catch (error) {
      fail(room.name, room.doing, error);
    }
    working.delete(room);
  }));
  clearInterval(watch);
  await sleep(REST);
  // For who looks at its memory and threads.
  say({ type: "numbers", numbers, doing: {} });
  await sleep(REST);
  say({ type: "done", numbers, alive: alive() });
}
