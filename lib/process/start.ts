// How a process is started. Its arguments are packed into a message, and a host makes a worker from the
// request: this isolate, or the isolate that runs this process.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { spawn } from "../host/spawn.ts";
import { hosted } from "../host/supervisor.ts";
import { newBrokerChannel } from "../liveness/brokered_table.ts";
import { ControlBlock, ExitRecord } from "../liveness/control_block.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import * as primordials from "../platform/primordials.ts";
import { enterProcess } from "./enter_process.ts";
import { newCrashReport } from "../protocol/crash_report.ts";
import type { Sealed } from "../protocol/grants.ts";
import { isHosted } from "../protocol/host_port.ts";
import type { Identity } from "../protocol/identity.ts";
import { newResultBuffer } from "../protocol/result_buffer.ts";
import type { SpawnRequest } from "../protocol/spawn_request.ts";
import { plan, type Target } from "../target/target.ts";
import { commit, packMessage, post } from "../transfer/message.ts";
import { exposeAll } from "../transfer/transferable.ts";
import { inheritance, ownIdentity, withinMemoryLimit } from "./current.ts";
import { delegate } from "./delegate.ts";
import type { Bounds } from "./options.ts";
import { prepareKeeper } from "./start_os.ts";
import { checkNarrowing, handOn, inheritedSeal, isConfined, warnOfPrompts } from "./permissions.ts";

const { ArrayPrototypeFilter, ArrayPrototypeIncludes } = primordials;

/** The default of maxResultBytes. */
const DEFAULT_RESULT_BYTES = 2 ** 20;

/** What the starter of a process holds. */
export interface Started {
  readonly control: ControlBlock;
  readonly exit: ExitRecord;
  /** The starter's end of the port to the process. */
  readonly port: MessagePort;
  /** The memory where the process writes its result, if it doesn't send that to the port. */
  readonly result: SharedArrayBuffer | undefined;
  readonly crashReport: SharedArrayBuffer;
}

/** Whether the host of this process may start processes for it, because the host has the same rights. */
export function canDelegate(): boolean {
  return isHosted() && !isConfined();
}

/**
 * Starts a process.
 *
 * @param value the arguments, or an object whose class has a run()
 * @param replaced called with a port that replaces the returned one
 * @param traceparent of the span of the process
 */
export function startProcess(
  identity: Identity,
  target: Target,
  value: object,
  bounds: Bounds,
  replaced: (port: MessagePort) => void,
  traceparent?: string,
): Started {
  const { grants, timeLimit } = bounds;
  const memoryLimitMb = bounds.memoryLimitMb = withinMemoryLimit(bounds.memoryLimitMb);
  if (grants !== undefined) checkNarrowing(grants);
  if (bounds.isolation === "os") {
    const maxResultBytes = bounds.maxResultBytes ?? DEFAULT_RESULT_BYTES;
    const keeper = prepareKeeper(identity, target, value, { ...bounds, maxResultBytes });
    const started = startProcess(
      identity,
      keeper.target,
      keeper.args,
      { warm: bounds.warm },
      replaced,
    );
    return { ...started, result: keeper.result };
  }
  const root = target.isClass ? "this" : "args";
  const packed = packMessage(target.isClass ? { ...value } : value, root);
  const isLimited = memoryLimitMb !== undefined || timeLimit !== undefined;
  const hasObjects = packed.message.serialized.length > 0;
  const { travel, giveUp, ...worker } = plan(target, {
    ...{ grants, hasObjects },
    isSandboxedThread: isLimited,
    isStarterSealed: inheritedSeal() !== undefined,
  });
  const sealed = sealOf(bounds, identity.name);
  const table = ownProcessTable(), self = table.registerProcess(identity.name, ownRef());
  do identity.pid = table.newPid(); while (hosted.has(identity.pid));
  // A process that is started by a process with a broker channel has one, too.
  const isExposed = grants !== undefined || table.shares === undefined;
  if (isExposed) exposeAll(packed.message.serialized);
  const control = new ControlBlock(), crashReport = newCrashReport();
  const exit = grants === undefined ? control.exitRecord() : ExitRecord.make();
  const result = grants && newResultBuffer(bounds.maxResultBytes ?? DEFAULT_RESULT_BYTES);
  const { port1, port2 } = new MessageChannel();
  const request: SpawnRequest = {
    child: {
      ...{ identity, self, travel, giveUp, sealed, memoryLimitMb, timeLimit, result },
      ...inheritance(),
      ...handOn(grants),
      table: isExposed ? undefined : table.shares,
      brokerChannel: isExposed ? newBrokerChannel(table, identity.pid) : undefined,
      slot: enterProcess(self, identity, grants !== undefined),
      isPrefixed: bounds.isPrefixed === true,
      traceparent: grants === undefined ? traceparent : undefined,
      control: control.words,
      crashReport: grants === undefined ? crashReport : undefined,
    },
    ...worker,
    runtime: bounds.warm === false ? undefined : worker.runtime,
    ...{ port: port2, owner: ownIdentity().pid, exit: exit.words, crashReport },
  };
  if (grants !== undefined) warnOfPrompts();
  try {
    post(port1, packed.message, packed, root);
    withoutKill(() => commit(packed, self, `given to ${identity.name}`));
    if (canDelegate()) {
      // Moved objects can't be sent twice.
      delegate(request, packed.transfer.length === 0 ? packed.message : undefined, replaced);
    } else spawn(request);
  } catch (error) {
    identity.pid = 0;
    table.reap(self);
    port1.close();
    throw error;
  }
  return { control, exit, port: port1, result, crashReport };
}

/** How a process with these bounds is sealed, if this process starts it. */
function sealOf({ grants, sealed }: Bounds, name: string): Sealed | undefined {
  const own = inheritedSeal();
  if (own === undefined) {
    return grants === undefined || sealed === false ? undefined : sealed ?? { keep: [] };
  }
  if (sealed === false) {
    throw new primordials.Deno.errors.NotCapable(
      `${name} is not to be sealed, and the process that starts it is. Leave out sealed: false.`,
    );
  }
  // No more than this process has itself.
  return {
    keep: ArrayPrototypeFilter(
      (sealed ?? own).keep,
      (name) => ArrayPrototypeIncludes(own.keep, name),
    ),
  };
}
