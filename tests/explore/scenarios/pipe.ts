// Pipes: messages arrive once and in order, one side sees the end of the other after all messages that were
// sent, and no wake-up is lost. The port beside the SPSC queues is a model: a posted message has arrived at once.

import {
  deserialize,
  type HandedOver,
  moved,
  serialize,
  type Serialized,
} from "../../../lib/transfer/transferable.ts";
import { withoutKill } from "../../../lib/liveness/critical_section.ts";
import type { Connection } from "../../../lib/pipe/connection.ts";
import { Pipe, type PipeOptions } from "../../../lib/pipe/pipe.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { init, lostWakeUp, type Program, reap, scenario, unfinished } from "./base.ts";

declare const sim: Simulation;
export { init };

interface Ends {
  /** Of P0, which receives, and of P1, which sends. */
  ends: Serialized[];
}
type S = Program & Ends;

/** A pipe whose ends are P0's and P1's. */
function pipe(options: PipeOptions): (program: Program) => Ends {
  return ({ refs }) => {
    const ends = Pipe<string>(options).map((end, id) => {
      const object: HandedOver = end;
      const serialized = object[serialize]();
      const { incoming, outgoing } = serialized.content as Record<
        string,
        { header: SharedArrayBuffer }
      >;
      if (incoming !== undefined) sim.label(incoming.header, id === 0 ? "queue" : "queue back");
      if (outgoing !== undefined) sim.label(outgoing.header, id === 0 ? "queue back" : "queue");
      withoutKill(() => object[moved]?.(refs[id], "given to a process"));
      return serialized;
    });
    return { ends };
  };
}

function endpointOf({ ends }: S): Connection<string> {
  const serialized = ends[sim.id];
  for (const port of serialized.ports ?? []) sim.adopt(port);
  return deserialize(serialized) as Connection<string>;
}

const sends = (...messages: string[]) => (s: S) => {
  const end = endpointOf(s);
  for (const message of messages) {
    try {
      end.sendSync(message);
    } catch (error) {
      if ((error as Error).name !== "BrokenPipeError") throw error;
      sim.log("broken");
      return;
    }
    sim.log("sent", message.slice(0, 2));
  }
};

const sendsAsync = (...messages: string[]) => async (s: S) => {
  const end = endpointOf(s);
  for (const message of messages) {
    await end.send(message);
    sim.log("sent", message.slice(0, 2));
  }
};

/** Receives so many, or until nothing more comes. */
const receives = (count: number) => (s: S) => {
  const end = endpointOf(s);
  for (let i = 0; i < count; i++) {
    try {
      sim.log("got", end.recvSync().slice(0, 2));
    } catch (error) {
      if ((error as Error).name !== "EOFError") throw error;
      sim.log("end");
      return;
    }
  }
};

const receivesAsync = (count: number) => async (s: S) => {
  const end = endpointOf(s);
  for (let i = 0; i < count; i++) sim.log("got", (await end.recv()).slice(0, 2));
};

const text = (name: string, length: number) => name + "x".repeat(length);
const SHORT = ["m1", "m2", "m3"];
/** The segments of the SPSC queue are small: it wraps around, and goes on to other segments. */
const GROWING = [text("m1", 10), text("m2", 30), text("m3", 20), "m4", text("m5", 50), "m6"];
const LONG = [text("m1", 10), text("m2", 190), text("m3", 20), text("m4", 210)];
const ONE_WAY = { duplex: false };

/** What was sent has come, in order; if the sender died, at least what it saw sent. */
const inOrder = (count: number) => (outcome: Outcome): string | undefined => {
  const { processes: [receiver, sender], killed } = outcome;
  const got = outcome.of(0, "got"), sent = outcome.of(1, "sent");
  const failed = outcome.processes.find(({ error }) => error !== undefined);
  if (failed !== undefined) return `one failed with ${failed.error}`;
  for (const [i, each] of got.entries()) if (each !== `m${i + 1}`) return `got ${got}`;
  if (killed.length === 0) {
    return unfinished(outcome) ?? lostWakeUp(outcome) ??
      (got.length === count ? undefined : `sent ${sent}, got ${got}`);
  }
  if (receiver.dead) return sender.done ? undefined : "the sender hangs";
  if (!receiver.done) return "the receiver hangs";
  if (got.length < sent.length) return `sent ${sent}, got ${got}`;
};

export const scenarios: Record<string, Scenario> = {
  pipe_bounded: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "maxSize 1, blocking",
    processes: [receives(3), sends(...SHORT)],
    check: inOrder(3),
  }),
  pipe_async: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "maxSize 1, asynchronous",
    processes: [receivesAsync(3), sendsAsync(...SHORT)],
    check: inOrder(3),
  }),
  pipe_growing: scenario(pipe(ONE_WAY), {
    about: "wraps around, skips, goes on to other segments",
    processes: [receives(6), sends(...GROWING)],
    check: inOrder(6),
  }),
  pipe_long: scenario(pipe(ONE_WAY), {
    about: "messages longer than a segment",
    processes: [receives(4), sends(...LONG)],
    check: inOrder(4),
  }),
  pipe_duplex: scenario(pipe({ maxSize: 1 }), {
    about: "both ways at once",
    processes: [
      async (s: S) => {
        const end = endpointOf(s);
        await end.send("n1");
        sim.log("got", await end.recv());
      },
      (s: S) => {
        const end = endpointOf(s);
        end.sendSync("m1");
        sim.log("sent", "m1");
        sim.log("back", end.recvSync());
      },
    ],
    check: (outcome) =>
      inOrder(1)(outcome) ?? (outcome.of(1, "back")[0] === "n1" ? undefined : "n1 didn't come"),
  }),
  pipe_close: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "the sender closes its end: the receiver gets all, and then the end",
    processes: [receives(9), (s: S) => {
      const end = endpointOf(s);
      end.sendSync("m1");
      sim.log("sent", "m1");
      end.close();
    }],
    check: (outcome) =>
      inOrder(1)(outcome) ?? (outcome.of(0, "end").length === 1 ? undefined : "no end was seen"),
  }),
  pipe_refuse: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "the receiver closes its end: the sender sees that",
    processes: [
      (s: S) => {
        const end = endpointOf(s);
        sim.log("got", end.recvSync());
        end.close();
      },
      sends("m1", "m2", "m3", "m4"),
    ],
    check: (outcome) =>
      unfinished(outcome) ?? lostWakeUp(outcome) ??
        (outcome.of(1, "broken").length === 1 ? undefined : "no end was seen"),
  }),
  pipe_timeout: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "a receiver's time is up just as a message comes: the next recv has it",
    processes: [
      async (s: S) => {
        const end = endpointOf(s);
        try {
          sim.log("got", await end.recv({ timeout: 10 }));
        } catch (error) {
          if ((error as Error).name !== "TimeoutError") throw error;
          sim.log("got", await end.recv());
        }
      },
      sends("m1"),
    ],
    early: [0],
    check: inOrder(1),
    bounds: { preemptions: 3, timeouts: 1 },
  }),
  pipe_kill_sender: scenario(pipe(ONE_WAY), {
    about: "the sender is killed: the receiver gets all, and then the end",
    processes: [
      receives(9),
      sends(...GROWING.slice(0, 2), ...LONG.slice(0, 2).map((_, i) => text(`m${i + 3}`, 190))),
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    check: (outcome) => outcome.killed.length === 0 ? undefined : inOrder(4)(outcome),
    bounds: { preemptions: 1, kills: 1 },
  }),
  pipe_kill_receiver: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "the receiver is killed: the sender sees that",
    processes: [receives(3), sends(...SHORT), (s: S) => reap(s)],
    victims: [0],
    reaper: 2,
    check: inOrder(3),
    bounds: { preemptions: 1, kills: 1 },
  }),
  pipe_abrupt_sender: scenario(pipe(ONE_WAY), {
    about: "the sender ends anywhere",
    processes: [
      receives(9),
      sends(text("m1", 10), text("m2", 30), text("m3", 190), "m4"),
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    check: (outcome) => outcome.killed.length === 0 ? undefined : inOrder(4)(outcome),
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
  }),
  pipe_abrupt_receiver: scenario(pipe({ ...ONE_WAY, maxSize: 1 }), {
    about: "the receiver ends anywhere",
    processes: [receives(3), sends(...SHORT), (s: S) => reap(s)],
    victims: [0],
    reaper: 2,
    check: inOrder(3),
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
  }),
};
