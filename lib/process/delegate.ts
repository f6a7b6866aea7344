// Starts a process from inside a process. A worker that is started from a worker takes half a second to come up
// (platform/threads.ts), a worker that is started from main 30 ms; so a process asks its host to start its
// children. If the host doesn't claim the start in time, because its thread is busy and never yields, the
// process starts them itself. A compare-and-swap on the CLAIM word of the control block decides which of the
// two does.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { spawn } from "../host/spawn.ts";
import { BY_STARTER, ControlBlock } from "../liveness/control_block.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import * as primordials from "../platform/primordials.ts";
import { askHost } from "../protocol/host_port.ts";
import type { SpawnRequest } from "../protocol/spawn_request.ts";
import { type Message, postAlone } from "../transfer/message.ts";
import { addChore, removeChore } from "../wait/eventcount.ts";

const { clearInterval, performance, setInterval, structuredClone } = primordials;

/** How long the host has to claim a start: by far longer than the host itself takes for a start. */
const CLAIM_TIMEOUT_MS = 500;

/**
 * Has the host start a process, whose arguments wait in the port of the request. If the starter must start the
 * process itself, that port is gone, with the message in it: then `args` are sent once more, and `replaced`
 * gets the port that replaces the starter's end. Without `args`, because things that can be in one place only
 * go with them, only the host can start the process, whenever it gets to it.
 */
export function delegate(
  request: SpawnRequest,
  args: Message | undefined,
  replaced: (port: MessagePort) => void,
): void {
  // A copy, so that the arguments that are sent later are those of the start.
  const kept = structuredClone(args);
  const processTable = ownProcessTable(), { self, control: words } = request.child;
  withoutKill(() => {
    askHost({ type: "spawn", request });
    // From now on the process doesn't end with its starter.
    processTable.reparent(self, processTable.ownerOf(ownRef()));
  });
  if (kept === undefined) return;
  const asked = performance.now();
  const control = new ControlBlock(words);
  const check = () => {
    if (!control.isClaimed() && performance.now() - asked < CLAIM_TIMEOUT_MS) return;
    removeChore(check);
    clearInterval(timer);
    if (!control.claim(BY_STARTER)) return;
    const { port1, port2 } = new MessageChannel();
    postAlone(port1, kept);
    replaced(port1);
    spawn({ ...request, port: port2 });
  };
  const timer = setInterval(check, CLAIM_TIMEOUT_MS / 4);
  addChore(check);
}
