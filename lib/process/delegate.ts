// A process started inside a process. A worker that is started from a worker takes half a second
// to come up (platform/threads.ts), one that is started from main 30 ms; so a process
// asks its host to start its children. If the host doesn't get to it in time, because it is busy
// with something that never looks up, the process starts them itself. A compare-and-swap on the
// CLAIM word decides who does.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { postAlone } from "../transfer/message.ts";
import { BY_STARTER, CLAIM, UNCLAIMED } from "../liveness/control_block.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownRef, ownRoster } from "../liveness/membership.ts";
import { addChore, removeChore } from "../wait/eventcount.ts";
import { host } from "../host/spawn.ts";
import { askHost } from "../protocol/host_port.ts";
import type { Init, Launch } from "../protocol/messages.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, clearInterval, performance, setInterval, structuredClone } = primordials;

/** How long the host has to claim a start, in ms: longer than its own start takes by far. */
const PATIENCE = 500;

/**
 * Has the host start a process; what it needs waits for it in the port of the launch. If the starter
 * must do it itself, that port is gone, with what is in it: `init` is the same once more, and
 * `replaced` is told of the port that replaces its other end. Without `init`, because things that
 * are in one place only go with it, the process starts when the host gets to it.
 */
export function delegate(
  launch: Launch,
  init: Init | undefined,
  replaced: (port: MessagePort) => void,
): void {
  // What is handed on later is what was there at the start.
  const kept = structuredClone(init);
  const roster = ownRoster();
  withoutKill(() => {
    askHost({ type: "start", launch });
    // It doesn't end with its starter any more.
    roster.reparent(launch.ref, roster.ownerOf(ownRef()));
  });
  if (kept === undefined) return;
  const asked = performance.now();
  const { control } = launch;
  const check = () => {
    const claimed = Atomics.load(control, CLAIM) !== UNCLAIMED;
    if (!claimed && performance.now() - asked < PATIENCE) return;
    removeChore(check);
    clearInterval(timer);
    if (Atomics.compareExchange(control, CLAIM, UNCLAIMED, BY_STARTER) !== UNCLAIMED) return;
    const { port1, port2 } = new MessageChannel();
    postAlone(port1, kept);
    replaced(port1);
    host({ ...launch, port: port2 });
  };
  const timer = setInterval(check, PATIENCE / 4);
  addChore(check);
}
